"""The row of controls of a task page: checkpoint, languages, search, saved runs, a link."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq import catalogue
from seq2seq.catalogue import is_name
from seq2seq.decoding.generation_config import ENGLISH
from seq2seq.decoding.options import MAX_INSTRUCTION, Options
from seq2seq.errors import UserError
from seq2seq.families.language_codes import language_names
from seq2seq.trace_json import MAX_BYTES
from ui.components import copy_link
from ui.escape import plain, quoted
from ui.inputs.decoding_settings import forget_settings, search_controls
from ui.links import URL, renew_address
from ui.page import page_visit
from ui.runtime.model_loading import open_model
from ui.runtime.model_store import models
from ui.runtime.names import card_of, checkpoints_for, is_own, labels, titles

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.generation_config import GenerationConfig

NO_INSTRUCTION = "none"
_CHECKPOINT, _PICKED_AT = "checkpoint", "_picked_at"


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
    warn_missing(asked, first, names, task)
    with row:
        name = checkpoint_picker(names)
    # What its authors decode with is known once it is loaded; of our own, before.
    if name and not is_own(name) and open_model(name) is None:
        with row:
            return None, Options(), saved_run_picker()
    with row:
        style = _style_control(name)
    languages = style or _language_controls(name)
    with row:
        options = replace(search_controls(_defaults(name), task != "speech"), **languages)
        saved = saved_run_picker()
        copy_link()
    return name, options, saved


def checkpoint_picker(
    names: list[str], key: str = _CHECKPOINT, label: str = "Checkpoint", shows_label: bool = False
) -> str | None:
    """Let the visitor choose a checkpoint by its title; its name stands in the address."""
    asked = st.query_params.get(key)
    if _is_new_visit(key):
        st.session_state[key] = asked
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0] if names else None
    name = st.selectbox(
        label,
        names,
        format_func=labels(names).__getitem__,
        key=key,
        on_change=forget_settings if key == _CHECKPOINT else None,
        label_visibility="visible" if shows_label else "collapsed",
    )
    if name is not None and name != (asked or names[0]):
        st.query_params[key] = name
    return name


def checkpoints_picker(names: list[str], key: str, first: list[str], limit: int) -> list[str]:
    """Let the visitor choose several checkpoints by their titles; the address has their names.

    first: those chosen where the address names none.
    """
    if _is_new_visit(key):
        asked = dict.fromkeys(name for name in st.query_params.get_all(key) if name in names)
        st.session_state[key] = list(asked)[:limit] or first
    chosen = st.multiselect(
        "Models",
        names,
        format_func=titles(names).__getitem__,
        key=key,
        max_selections=limit,
        help=f"At most {limit}. The page Models lists more.",
    )
    if chosen and chosen != first:
        st.query_params[key] = chosen
    else:
        st.query_params.pop(key, None)
    return list(chosen)


def _is_new_visit(key: str) -> bool:
    """Tell whether a picker is shown for the first time since its page was opened."""
    seen = f"{key}{_PICKED_AT}"
    anew = st.session_state.get(seen) != page_visit()
    st.session_state[seen] = page_visit()
    return anew


def _defaults(name: str | None) -> Options:
    """Return what a checkpoint's authors decode with; the card of one of ours says it."""
    loaded = models().loaded.get(name or "")
    if loaded:
        return loaded.generation_config.options
    card = card_of(name) if name else None
    return card.decoding if card else Options()


def _style_control(name: str | None) -> dict[str, Any]:
    """Let the visitor choose what is asked of a model that always gets an instruction."""
    card = card_of(name) if name and is_own(name) else None
    if card is None or not card.instructions:
        return {}
    styles = {name: name.capitalize() for name in card.instructions}
    renew_address({"instruction": styles})
    chosen = st.segmented_control(
        "Style",
        list(styles),
        format_func=styles.__getitem__,
        default=card.decoding.instruction or card.instructions[0],
        required=True,
        key="instruction",
        label_visibility="collapsed",
        **URL,
    )
    return {"instruction": chosen or card.instructions[0]}


def _language_controls(name: str | None) -> dict[str, Any]:
    """Let the visitor choose languages or a task, where the model knows several."""
    loaded = models().loaded.get(name or "")
    if loaded is None:
        return {}
    generation_config = loaded.generation_config
    values: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if generation_config.language_leads and len(loaded.tokenizer.languages) > 1:
            values |= _languages(loaded)
        if generation_config.instructions:
            values |= _instruction(generation_config)
        if generation_config.speech is not None and generation_config.speech.first_time is not None:
            values["timestamps"] = st.toggle("Timestamps", key="timestamps", **URL)
    return {
        key: value or Options.__dataclass_fields__[key].default for key, value in values.items()
    }


def _languages(checkpoint: Checkpoint) -> dict[str, str]:
    """Let the visitor choose the languages that can be chosen; "" for one to be found out."""
    codes, generation_config = list(checkpoint.tokenizer.languages), checkpoint.generation_config
    hears, defaults = checkpoint.model.config.input == "audio", generation_config.options
    values = {}
    for key, label, default in (
        ("source_language", "Source language", defaults.source_language),
        ("target_language", "Output language", defaults.target_language),
    ):
        if key == "source_language" and generation_config.language_leads == "source":
            continue  # only the output's can be chosen
        known = [ENGLISH] if hears and key == "target_language" else codes
        # What is chosen stands in the address, so it is what is shown.
        empty = "Detect language" if key == "source_language" and hears else "the same"
        choices = [*([empty] if hears or not default else []), *known]
        first = choices.index(default) if default in choices else 0
        names = language_names(choices)
        renew_address({key: names})
        chosen = st.selectbox(label, choices, first, names.__getitem__, key=key, **URL)
        values[key] = "" if chosen == empty else chosen
    return values


def _instruction(generation_config: GenerationConfig) -> dict[str, str]:
    """Let the visitor choose, or write, what is put before the text."""
    default = generation_config.options.instruction
    stripped = (text.strip() for text in generation_config.instructions.values())
    texts = [text for text in stripped if 0 < len(text) <= MAX_INSTRUCTION]
    chosen = st.selectbox(
        "Instruction before the text",
        [NO_INSTRUCTION, *texts],
        1 + texts.index(default) if default in texts else 0,
        key="instruction",
        accept_new_options=True,
        **URL,
    )
    written = "" if chosen == NO_INSTRUCTION else (chosen or "")
    return {"instruction": written[:MAX_INSTRUCTION]}


def warn_missing(asked: str | None, first: str | None, names: list[str], task: str) -> None:
    """Say so where a link names a checkpoint that the task does not have."""
    if asked and first and asked not in names:
        st.warning(
            f"{_why_missing(asked, task)} Showing {quoted(first)} instead.",
            icon=":material/warning:",
        )


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
