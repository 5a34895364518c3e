"""Several models on one sentence, with one step selected in all of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from seq2seq.families.language_codes import language_name
from seq2seq.trace import Trace, words
from ui.components import copy_link, highlighted_text, token_view
from ui.components.chart import as_key, chart
from ui.escape import plain, quoted
from ui.inputs.task_controls import checkpoints_picker, first_checkpoint
from ui.inputs.text_input import empty_state, source_input
from ui.instruments.attention import sinks_note
from ui.links import URL, page_link
from ui.page import is_dark
from ui.runtime.admission import fragment
from ui.runtime.cards import catalogued
from ui.runtime.model_loading import open_model
from ui.runtime.names import card_of, checkpoints_for, titles
from ui.runtime.runs import Subject, run, show_notes

# Who runs first, as far as they are at hand: each has one thing more than the one before, the last
# more data too.
FIRST = (
    "lstm-vanilla-en-fr",
    "lstm-attention-en-fr",
    "bilstm-attention-base-en-fr",
    "transformer-en-fr",
)
# The decoders without attention lose where the children play; those with it do not.
FIRST_SENTENCE = "The children are playing in the garden behind the house."
MOST = 4
# Not named as on the page of a task: Streamlit drops from a link what the page it is on has too.
_SENTENCE, _STEP = "sentence", "race_step"


def compare_page() -> None:
    """Show the runs of the chosen models beside each other."""
    first_checkpoint("translation")  # which explains what to do where there is none
    left, right = st.columns(2)
    with left:
        text = source_input("English sentence", _SENTENCE, FIRST_SENTENCE)
    with right:
        reference = source_input("Reference translation (optional)", "reference", travels=False)
    names = _models()
    from seq2seq.inference.inputs import clean

    if not clean(text):
        empty_state("Type a sentence to translate and press Enter.")
        return
    if not names:
        empty_state("Choose a model to run.")
        return
    runs = {}
    for name in names:
        trace = run(Subject(name, text), notes=False)
        if trace is not None:
            runs[name] = trace
    if runs:
        # Most hold for all of them.
        show_notes(dict.fromkeys(note for trace in runs.values() for note in trace.notes))
        _show(runs, reference.strip(), _strangers(list(runs)))


def _models() -> list[str]:
    at_hand = checkpoints_for("translation")
    defaults = [name for name in FIRST if name in at_hand]
    defaults += [name for name in at_hand if name not in defaults and "en-fr" in name]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = checkpoints_picker(at_hand, "models", _ready(defaults)[:MOST], MOST)
        copy_link()
    return chosen


def _ready(names: list[str]) -> list[str]:
    """Keep what needs not be fetched first."""
    ready = catalogued().embedded
    return [name for name in names if name in ready]


def _strangers(names: list[str]) -> str:
    """Say which models go between which languages; "" where they share them, or it is not known."""
    pairs: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        card = card_of(name)
        if card and len(card.languages) == 2:
            pairs.setdefault(tuple(map(language_name, card.languages)), []).append(name)
    if len(pairs) < 2:
        return ""
    called = titles(names)
    return "; ".join(
        f"{', '.join(plain(called[name]) for name in of)} from {plain(source)} to {plain(target)}"
        for (source, target), of in pairs.items()
    )


def _trained_on_more(names: list[str]) -> list[str]:
    """Return models of ours whose cards name data that those of the others do not."""
    data = {name: set(card.data) for name in names if (card := card_of(name)) and card.data}
    shared = set.intersection(*data.values()) if data else set()
    return [name for name, sources in data.items() if sources - shared]


@fragment
def _show(runs: dict[str, Trace], reference: str, strangers: str) -> None:
    """Show all runs, with what differs and one step for all.

    strangers: models that do not share their languages, "" for none.
    """
    if strangers:
        st.warning(
            f"These models do not share their languages: {strangers}. Choose models of one "
            "language pair to compare outputs.",
            icon=":material/warning:",
        )
    called = titles(list(runs))
    said = _outputs({called[name]: trace for name, trace in runs.items()}, comparable=not strangers)
    if more := _trained_on_more(list(runs)):
        names = ", ".join(plain(called[name]) for name in more)
        said += (
            f" Trained on data that the others did not have: {names}. So the "
            "architecture is not the only difference."
        )
    if said:
        st.caption(said)
    step = _step(max(len(trace.target) for trace in runs.values()))
    for column, (name, trace) in zip(st.columns(len(runs)), runs.items(), strict=True):
        with column:
            _column(name, called[name], trace, step, narrow=len(runs) > 2)
    if any(trace.attention is not None for trace in runs.values()):
        st.caption(
            "Rows are output tokens, columns source tokens. All matrices have one colour scale, "
            "from 0 to 1."
        )
    _table(runs, called, reference)


def _outputs(runs: dict[str, Trace], comparable: bool) -> str:
    """Show what each, by its title, wrote, with the first word underlined in which they differ.

    comparable: outputs in one language; of others no word is underlined. Returns what the line
    means, "" where there is none.
    """
    said = {name: [w for w in words(trace.target) if w != "</s>"] for name, trace in runs.items()}
    longest = max(map(len, said.values()))
    padded = [line + [""] * (longest - len(line)) for line in said.values()]
    differs = (n for n, column in enumerate(zip(*padded, strict=True)) if len(set(column)) > 1)
    first = next(differs, None) if comparable else None
    highlighted_text(
        "outputs",
        [
            (name, [(word, number == first) for number, word in enumerate(line)])
            for name, line in said.items()
        ],
    )
    if len(runs) < 2 or not comparable:
        return ""
    if first is None:
        return "All outputs are the same."
    return "Underlined: the first word at which the outputs differ."


def _step(count: int) -> int:
    if count == 1:
        return 0
    if _STEP in st.session_state:
        st.session_state[_STEP] = min(max(1, st.session_state[_STEP]), count)
    return st.slider("Decoding step", 1, count, key=_STEP, **URL) - 1


def _select(step: int) -> None:
    st.session_state[_STEP] = step + 1


def _column(name: str, title: str, trace: Trace, step: int, narrow: bool) -> None:
    from seq2seq import figures

    here = min(step, len(trace.target) - 1)
    key = as_key(name)
    st.markdown(f"**{plain(title)}**")
    st.caption(quoted(name))
    token_view(trace, f"tokens {name}", here, on_step=_select, heading=False)
    if step >= len(trace.target):
        st.caption(f"Finished after step {len(trace.target):,}.")
    if trace.attention is None:
        st.caption(
            "No attention: the encoder's final state is all that the decoder gets of the source."
        )
        chart(
            f"context_{key}",
            figures.context.plain(trace, here, dark=is_dark()),
            f"Context vector of {title}.",
            lambda: figures.context_csv(trace),
        )
    else:
        matrix = figures.narrow_attention if narrow else figures.attention
        chart(
            f"attention_{key}",
            matrix.plain(trace, selected=here, dark=is_dark()),
            f"Attention of {title}: {len(trace.target):,} output tokens, {len(trace.source):,} of "
            "the source. All weights are in the CSV.",
            lambda: figures.attention_csv(trace),
        )
        sinks_note(trace)
    query = {"checkpoint": name, "text": trace.source.text, "step": str(here + 1)}
    page_link("pages/translation.py", "Open this run", **query)


def _table(runs: dict[str, Trace], called: dict[str, str], reference: str) -> None:
    """Say what each took, and how good it was where that can be told.

    called: the titles of the models.
    """
    columns: dict[str, list[Any]] = {
        "model": [called[name] for name in runs],
        "parameters": [],
        "log P": [],
        "log P per token": [],
        "encoder, ms": [],
        "search, ms": [],
    }
    if reference:
        columns |= {"BLEU": [], "chrF": []}
    for name, trace in runs.items():
        checkpoint = open_model(name)
        count = 0 if checkpoint is None else checkpoint.model.parameter_count()
        total = float(trace.log_probabilities.sum())
        columns["parameters"].append(count)
        columns["log P"].append(round(total, 2))
        columns["log P per token"].append(round(total / len(trace.target), 3))
        columns["encoder, ms"].append(round(1000 * trace.seconds["encode"], 1))
        columns["search, ms"].append(round(1000 * trace.seconds["search"], 1))
        if reference:
            from seq2seq.evaluation.sentence_metrics import sentence_scores

            scores = sentence_scores(trace.text, reference)
            columns["BLEU"].append(scores["bleu"])
            columns["chrF"].append(scores["chrf"])
    columns["checkpoint"] = list(runs)
    grouped = st.column_config.NumberColumn(format="localized")
    st.dataframe(columns, hide_index=True, column_config={"parameters": grouped})
    st.caption(
        "log P can be compared between models with the same tokenizer only. Times are those of the "
        "run shown."
    )
