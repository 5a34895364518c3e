"""The row of controls of a task page: checkpoint, languages, search, saved runs, a link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from seq2seq import catalogue
from seq2seq.catalogue import is_name
from seq2seq.decoding.generation_config import ENGLISH
from seq2seq.decoding.options import MAX_INSTRUCTION, Options
from seq2seq.errors import UserError
from seq2seq.trace_json import MAX_BYTES
from ui.components import copy_link
from ui.escape import plain, quoted
from ui.inputs.decoding_settings import forget_settings, search_controls
from ui.links import URL
from ui.page import page_visit
from ui.runtime.model_loading import open_model
from ui.runtime.model_store import models
from ui.runtime.names import card_of, checkpoints_for, is_own, labels

NO_INSTRUCTION = "none"
_CHECKPOINT, _PICKED_AT = "checkpoint", "checkpoint_picked_at"


def first_checkpoint(task: str) -> str | None:
    """Return the checkpoint of a task to show first; says so if there is none."""
    names = checkpoints_for(task)
    if not names:
        st.error(
            f"There is no checkpoint for {task}: put one into the folder checkpoints.",
            icon=":material/error:",
        )
    return names[0] if names else None


def run_controls(task: str, title: str) -> tuple[str | None, Options, bytes | None]:
    """Show the title of a task page and the controls beside it.

    Returns the checkpoint's name, None if the task has none; the options; and a saved run if the
    visitor opened one.
    """
    row = st.container(horizontal=True, vertical_alignment="center", key="task_bar")
    with row:
        st.title(title, anchor=False, width="content")
    asked = st.query_params.get("checkpoint")
    names, first = checkpoints_for(task, asked), first_checkpoint(task)
    if asked and first and asked not in names:
        st.warning(
            f"{_why_missing(asked, task)} Showing {quoted(first)} instead.",
            icon=":material/warning:",
        )
    with row:
        name = checkpoint_picker(names)
    # What its authors decode with is known once it is loaded; of our own, before.
    if name and not is_own(name) and open_model(name) is None:
        with row:
            return None, Options(), saved_run_picker()
    languages = _language_controls(name)
    with row:
        options = replace(search_controls(_defaults(name)), **languages)
        saved = saved_run_picker()
        copy_link()
    return name, options, saved


def checkpoint_picker(names: list[str]) -> str | None:
    """Let the visitor choose a checkpoint by its title; its name stands in the address."""
    asked = st.query_params.get(_CHECKPOINT)
    if st.session_state.get(_PICKED_AT) != page_visit():
        st.session_state[_PICKED_AT] = page_visit()
        st.session_state[_CHECKPOINT] = asked
    if st.session_state.get(_CHECKPOINT) not in names:
        st.session_state[_CHECKPOINT] = names[0] if names else None
    name = st.selectbox(
        "Checkpoint",
        names,
        format_func=labels(names).__getitem__,
        key=_CHECKPOINT,
        on_change=forget_settings,
        label_visibility="collapsed",
    )
    if name is not None and name != (asked or names[0]):
        st.query_params[_CHECKPOINT] = name
    return name


def _defaults(name: str | None) -> Options:
    """Return what a checkpoint's authors decode with; the card of one of ours says it."""
    loaded = models().loaded.get(name or "")
    if loaded:
        return loaded.generation_config.options
    card = card_of(name) if name else None
    return card.decoding if card else Options()


def _language_controls(name: str | None) -> dict[str, Any]:
    """Let the visitor choose languages or a task, where the model knows several."""
    loaded = models().loaded.get(name or "")
    if loaded is None:
        return {}
    codes, generation_config = list(loaded.tokenizer.languages), loaded.generation_config
    values: dict[str, Any] = {}
    defaults = generation_config.options
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if generation_config.language_leads and len(codes) > 1:
            hears = loaded.model.config.input == "audio"
            for key, label, default in (
                ("source_language", "Source language", defaults.source_language),
                ("target_language", "Output language", defaults.target_language),
            ):
                if key == "source_language" and generation_config.language_leads == "source":
                    continue  # only the output's can be chosen
                known = [ENGLISH] if hears and key == "target_language" else codes
                # What is chosen stands in the address, so it is what is shown.
                empty = "as it hears" if key == "source_language" and hears else "the same"
                choices = [*([empty] if hears or not default else []), *known]
                first = choices.index(default) if default in choices else 0
                chosen = st.selectbox(label, choices, first, key=key, **URL)
                values[key] = "" if chosen == empty else chosen
        if generation_config.instructions:
            stripped = (text.strip() for text in generation_config.instructions.values())
            texts = [text for text in stripped if 0 < len(text) <= MAX_INSTRUCTION]
            chosen = st.selectbox(
                "Instruction before the text",
                [NO_INSTRUCTION, *texts],
                1 + texts.index(defaults.instruction) if defaults.instruction in texts else 0,
                key="instruction",
                accept_new_options=True,
                **URL,
            )
            values["instruction"] = (
                "" if chosen == NO_INSTRUCTION else (chosen or "")[:MAX_INSTRUCTION]
            )
        if generation_config.speech is not None and generation_config.speech.first_time is not None:
            values["timestamps"] = st.toggle("Write times", key="timestamps", **URL)
    return {
        key: value or Options.__dataclass_fields__[key].default for key, value in values.items()
    }


def _why_missing(asked: str, task: str) -> str:
    """Say why a checkpoint that a link names is not in the list."""
    # Only folders beside the others are looked at: a link must not tell what else lies on a server.
    if not is_name(asked) or not (catalogue.CHECKPOINTS / asked).is_dir():
        return f"There is no checkpoint {quoted(asked[:80])} for {task}."
    try:
        card = catalogue.read_card(catalogue.CHECKPOINTS / asked)
    except UserError as error:
        return plain(str(error))
    what = "has no weights" if card.task == task else f"is not for {task}"
    return f"The checkpoint {quoted(asked)} {what}."


def saved_run_picker() -> bytes | None:
    """Let the visitor choose a run that was downloaded as JSON; returns the file."""
    with st.popover("Open run", icon=":material/upload_file:"):
        file = st.file_uploader(
            "A run that was saved as JSON",
            "json",
            max_upload_size=MAX_BYTES // 1_000_000,
            key="saved_run",
        )
    return None if file is None else file.getvalue()
