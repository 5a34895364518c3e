"""The ways to bring a model, and what one can show."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from seq2seq.catalogue import is_hub_name
from ui.escape import plain, quoted
from ui.runtime.cards import catalogued
from ui.runtime.hosting import is_hosted
from ui.runtime.model_loading import open_model
from ui.runtime.upload_limits import BYTES_UPLOADED, FILES_UPLOADED, file_megabytes
from ui.runtime.uploads import bring_files, bring_folder
from ui.views.model_list import languages_in_words, open_link


def intake() -> str | None:
    """Let the visitor name or upload a model; returns the name it goes by once it is loaded."""
    hint = "google-t5/t5-small" if is_hosted() else "google-t5/t5-small, or a folder"
    given = st.text_input(
        "Id on the Hugging Face Hub" if is_hosted() else "Id on the Hugging Face Hub, or a folder",
        key="model",
        placeholder=f"For example {hint}",
        max_chars=300,
        autocomplete="off",
    ).strip()
    with st.popover("Upload a model's files", icon=":material/upload_file:"):
        files = st.file_uploader(
            "config.json, the weights, and the tokenizer's files",
            accept_multiple_files=True,
            max_upload_size=file_megabytes(),
            help=f"At most {FILES_UPLOADED} files, {BYTES_UPLOADED // 1_000_000} MB in all.",
            key="model_files",
        )
    if files:
        return bring_files(files)
    if not given:
        return None
    found = catalogued()
    if given in found.embedded or given in found.offered:
        return given
    if is_hub_name(given) and (is_hosted() or not _is_folder(given)):
        return given
    if is_hosted():
        st.error(
            plain(f"{given[:80]!r} is not an id of the Hub: write it as USER/REPO."),
            icon=":material/error:",
        )
        return None
    return bring_folder(given)


def _is_folder(path: str) -> bool:
    try:
        return Path(path).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def capabilities(name: str) -> None:
    """Say what a model is and what can be shown of it; why not, where it cannot be loaded."""
    checkpoint = open_model(name)
    if checkpoint is None:
        return
    config, card = checkpoint.model.config, checkpoint.card
    weight = next(checkpoint.model.parameters())
    heads = config.cross_attention_shape[1]
    facts = {
        "architecture": ", ".join(filter(None, [config.name, checkpoint.family])),
        "task": card.task,
        "licence": card.licence,
        "layers": f"{config.encoder_layers} encoder, {config.decoder_layers} decoder",
        "width": str(config.width),
        "heads": str(heads or 1),
        "vocabulary": f"{config.vocabulary:,}",
        "parameters": f"{checkpoint.model.parameter_count():,}",
        "precision": str(weight.dtype).removeprefix("torch."),
        "precision of the search": checkpoint.precision,
        "tokenizer": type(checkpoint.tokenizer).__name__,
        "languages": languages_in_words(tuple(checkpoint.tokenizer.languages) or card.languages),
    }
    with st.container(border=True):
        st.markdown(f"{quoted(name)} is loaded.")
        for note in checkpoint.notes:
            st.info(plain(note), icon=":material/info:")
        st.table(
            {"property": list(facts), "value": list(map(plain, facts.values()))}, hide_index=True
        )
        shown = ["Beam tree", "Probabilities", "Context vector"]
        shown += ["Attention"] if config.has_attention else []
        shown += ["All heads"] if heads > 1 else []
        shown += ["Self-attention"] if config.self_attention_shape != (0, 0) else []
        st.markdown(f"Available views: {', '.join(shown)}.")
        if not config.has_attention:
            st.markdown("It has no attention, so there is no attention matrix.")
        open_link(name, card.task, "Open")
