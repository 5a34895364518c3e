"""Whether strangers use this server, and what of its operator's is open to them."""

from __future__ import annotations

import ipaddress
import os
from contextlib import suppress

import streamlit as st

from seq2seq.hub.repository import parse

HOSTED = ("SEQ2SEQ_HOSTED", "SPACE_ID")
PRIVATE_MODELS = "SEQ2SEQ_PRIVATE_MODELS"


def is_hosted() -> bool:
    """Tell whether strangers may use this server: disk and token are none of their business.

    SEQ2SEQ_HOSTED says so, 0 that they may not; without it, a Space is hosted, and whatever
    listens on more than this machine's own address.
    """
    said = os.environ.get("SEQ2SEQ_HOSTED", "").strip()
    if said:
        return said != "0"
    return bool(os.environ.get("SPACE_ID")) or not _is_loopback(st.get_option("server.address"))


def is_anonymous(identifier: str) -> bool:
    """Tell whether a model of the Hub is looked at and fetched without the operator's token.

    Hosted, that is each one but those that SEQ2SEQ_PRIVATE_MODELS lists, separated by commas.
    """
    if not is_hosted():
        return False
    listed = {name.strip() for name in os.environ.get(PRIVATE_MODELS, "").split(",")}
    return parse(identifier).name not in listed


def _is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    with suppress(ValueError):  # a name of another kind, or none: all addresses
        return ipaddress.ip_address(address or "").is_loopback
    return False
