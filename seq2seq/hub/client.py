"""The way to the Hub: its address, the token, and what goes wrong on it, in words."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

from seq2seq.errors import UserError
from seq2seq.hub.watchdog import Meter, Progress, StalledError, StoppedError, watch

PATIENCE = 10.0  # seconds without a byte, after which a call gives up

Result = TypeVar("Result")
Cancelled = Callable[[], bool]


class UnreachableError(UserError):
    """The network or the Hub is to blame, so what is in the cache may do."""


def watched(
    work: Callable[[], Result],
    meter: Meter,
    name: str,
    patience: float,
    on_progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Result:
    """Do work that needs the network; what goes wrong becomes a sentence."""
    import httpx2

    try:
        return watch(work, meter, patience, on_progress, cancelled)
    except UserError:
        raise
    except StoppedError:
        raise UserError(f"Fetching {name} was stopped: ask for it again to go on.") from None
    except (StalledError, httpx2.TimeoutException):
        raise UnreachableError("The Hub does not answer: try again later.") from None
    except Exception as error:
        wrapped = isinstance(error, RuntimeError) and error.__cause__  # a failed upload is
        raise _explain(wrapped or error, name) from None


def client() -> Any:
    """Return huggingface_hub, which is imported late, as it is to be used here."""
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils import logging

    # With it on, the library asks the Hub for a list of coding assistants before its first request.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    logging.set_verbosity_error()
    return huggingface_hub


def endpoint() -> str:
    """Return the address of the Hub, without a slash at its end."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def token() -> str:
    """Return HF_TOKEN, "" if there is none. Raises UserError as checked does."""
    return checked(os.environ.get("HF_TOKEN"))


def checked(given: str | None) -> str:
    """Return a token without blanks around it. Raises UserError if it can be none."""
    given = (given or "").strip()
    if not re.fullmatch(r"[!-~]*", given):
        raise UserError("HF_TOKEN has characters that no token has: copy it again.")
    return given


def headers(known: str) -> dict[str, str]:
    """Return what tells the Hub who asks. known: a token, "" for nobody in particular."""
    return {"authorization": f"Bearer {known}"} if known else {}


def check_online(name: str) -> None:
    """Raise UnreachableError if the environment wants nothing to be fetched."""
    setting = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    if setting.upper() in ("1", "ON", "YES", "TRUE"):
        raise UnreachableError(f"HF_HUB_OFFLINE keeps {name} from being reached: unset it.")


def faults() -> tuple[type[Exception], ...]:
    """Return what an answer that is late, refused or nonsense raises."""
    import httpx2

    return (httpx2.HTTPError, ValueError, TypeError, KeyError, AttributeError)


def _explain(error: BaseException, name: str) -> BaseException:
    """Turn what the network, the Hub or the disk did into a sentence with its remedy."""
    import httpx2
    from huggingface_hub import errors

    said: dict[type[BaseException], str] = {
        errors.GatedRepoError: f"{name} is gated: accept its terms on its page of the Hub, and set "
        "HF_TOKEN to a token of that account.",
        errors.RepositoryNotFoundError: f"The Hub has no model {name}, or it is private: check the "
        "spelling, or set HF_TOKEN to a token that may read it.",
        errors.RevisionNotFoundError: f"{name} has no such revision: check what follows the @.",
        errors.EntryNotFoundError: f"A file of {name} is not there any more: try again, or choose "
        "another revision.",
    }
    for kind, sentence in said.items():
        if isinstance(error, kind):
            return UserError(sentence)
    if isinstance(error, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return _explain_status(error.response.status_code, name)
    sentence = _explain_connection(error)
    if sentence:
        return UnreachableError(sentence)
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return UserError("The disk is full: make room, or set HF_HOME to another disk.")
        return UserError("The Hub's cache cannot be written: set HF_HOME to a folder that can be.")
    if "Invalid metadata in README.md" in str(error):
        complaint = str(error).partition("- ")[2].splitlines()
        return UserError(
            f"The Hub refuses the lines at the top of README.md ({''.join(complaint[:1])}): "
            "correct them."
        )
    if isinstance(error, faults()):
        return UnreachableError(
            "The answer was not the Hub's: check HF_ENDPOINT, and whether the network wants a "
            "log-in."
        )
    return error


def _explain_connection(error: BaseException) -> str:
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE was set when the program started: start it again without."
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return "HF_ENDPOINT is no address: unset it, or write one that begins with https://."
    if isinstance(error, httpx2.TimeoutException):
        return "The Hub does not answer: try again later."
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return "The Hub cannot be reached: check the connection and try again."
    # Closed: by another thread, when it met an error of its own.
    closed = isinstance(error, RuntimeError) and "closed" in str(error)
    if closed or isinstance(error, httpx2.HTTPError):
        return "The connection to the Hub broke off: try again."
    return ""


def _explain_status(status: int, name: str) -> UserError:
    if status in (401, 403):
        return UserError(
            f"The Hub refuses access to {name} ({status}): check HF_TOKEN and what it may do."
        )
    if status == 429:
        return UnreachableError("The Hub asks for a pause (429): wait some minutes and try again.")
    if status >= 500:
        return UnreachableError(f"The Hub has a fault of its own ({status}): try again later.")
    return UserError(f"The Hub does not accept the request for {name} ({status}): check the name.")
