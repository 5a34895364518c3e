"""Models scored on the visitor's own pairs or recordings: intervals, and the worst sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from seq2seq.errors import UserError
from ui.escape import plain
from ui.inputs.audio_input import hear
from ui.links import page_link
from ui.runtime.admission import FullError, OnWait, admission, refusal, waiting_note
from ui.runtime.model_loading import open_model
from ui.runtime.names import card_of, checkpoints_for, labels, titles
from ui.views.compare import FIRST

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.evaluation.own_pairs import ScoredModel, ScoredSentence

MOST = 3  # models at a time
WORST = 100  # sentences in the table of the worst
PAGES = {
    "translation": "translation",
    "summarization": "summarization",
    "spelling": "pronunciation",
}
SPEECH = "speech"
KINDS = ["tsv", "txt", "tar", "tgz", "gz", "zip"]
# How a metric is called, and how one number of it is.
METRICS = {
    "chrf": ("mean chrF of a sentence", "chrF a sentence"),
    "word_error_rate": ("word errors, %", "points of word error rate"),
}
_ASKED, _SCORED, _LEFT_OUT = "asked_pairs", "scored_pairs", "left_out_recordings"
Scorer = Callable[["Checkpoint", Callable[[int], None]], "ScoredModel"]


@dataclass(frozen=True)
class Own:
    """What a visitor brought. rows: pairs, or rows of an archive's table, each with its line.

    total: how many of them a model is run on.
    """

    content: bytes
    name: str
    rows: list[Any]
    speech: bool
    total: int

    @property
    def noun(self) -> str:
        """What its rows are."""
        return "recordings" if self.speech else "pairs"


def own_pairs_section() -> None:
    """Let the visitor bring pairs, score models on them, and open the worst in the explorer."""
    st.header("Your own pairs", anchor="own-pairs")
    st.markdown(
        "Upload UTF-8 text with a source, a tab and its reference in each line, up to 5,000; or, "
        "for speech, a tar or zip archive of recordings with a table `manifest.tsv`, whose columns "
        "`id` and `text` are a file's name and what is said in it, up to 30 minutes in all. The "
        "scores are those of `python -m seq2seq evaluate`."
    )
    file = st.file_uploader("Pairs or recordings", KINDS, key="own_pairs", max_upload_size=200)
    own = None if file is None else _read(file.getvalue(), file.name)
    names = _models(own is not None and own.speech)
    if own is None or not names:
        return
    digest = hashlib.sha256(own.content).hexdigest()
    found = _scored((digest, tuple(names)), own)
    if found:
        _show(found, own)


def _models(speech: bool) -> list[str]:
    """Let the visitor choose the models, of speech where recordings were brought."""
    offered = [name for task in ([SPEECH] if speech else PAGES) for name in checkpoints_for(task)]
    called = labels(offered)
    first = offered[:1] if speech else [name for name in FIRST if name in offered][:1]
    return st.multiselect(
        f"Models, at most {MOST}",
        offered,
        first,
        format_func=lambda name: called.get(name, name),
        key="scored_speech_models" if speech else "scored_models",
        max_selections=MOST,
    )


def _read(content: bytes, name: str) -> Own | None:
    """Return the pairs or recordings of a file, and name its bad lines by number."""
    from seq2seq.data.own_recordings import is_archive, list_recordings
    from seq2seq.evaluation.own_pairs import read_own_pairs

    speech = is_archive(content)
    try:
        if speech:
            rows, problems = list_recordings(content, name)
            own = Own(content, name, rows, speech, len(rows))
        else:
            pairs, problems = read_own_pairs(content)
            own = Own(content, name, pairs, speech, len({pair.source for _, pair in pairs}))
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    _show_left_out(problems)
    return own


def _show_left_out(problems: list[str]) -> None:
    if problems:
        listed = " ".join(problems[:10])
        more = f" And {len(problems) - 10} more." if len(problems) > 10 else ""
        st.warning(plain(f"Left out: {listed}{more}"), icon=":material/warning:")


def _scored(key: tuple[str, tuple[str, ...]], own: Own) -> list[ScoredModel]:
    """Return what the models scored, once the visitor has asked for it; [] before."""
    kept: dict[Any, list[ScoredModel]] = st.session_state.setdefault(_SCORED, {})
    if key in kept:
        return kept[key]
    bar = st.container(horizontal=True, vertical_alignment="center")
    if st.session_state.get(_ASKED) != key:
        label = f"Score {len(own.rows):,} {own.noun}"
        bar.button(label, type="primary", icon=":material/play_arrow:", on_click=_ask, args=(key,))
        return []
    bar.button("Stop", icon=":material/stop:", key="stop_scoring", on_click=_ask, args=(None,))
    found = _measure(key[1], own)
    st.session_state[_ASKED] = None
    if found:
        kept.clear()  # the last ones are kept, no more
        kept[key] = found
        st.rerun()
    return []


def _ask(key: tuple[str, tuple[str, ...]] | None) -> None:
    st.session_state[_ASKED] = key


def _scorer(own: Own, place: DeltaGenerator, on_wait: OnWait) -> tuple[Scorer, int]:
    """Return what scores a model, and on how many sentences. Raises UserError."""
    from seq2seq.data.own_recordings import read_recordings
    from seq2seq.evaluation.own_pairs import score_pairs, score_recordings

    st.session_state[_LEFT_OUT] = []
    if not own.speech:
        return lambda model, done: score_pairs(model, own.rows, on_group=done), own.total
    reading = _counting(place, "Reading", len(own.rows), on_wait, "recordings")
    recordings, problems = read_recordings(own.content, own.name, own.rows, reading)
    st.session_state[_LEFT_OUT] = problems
    return lambda model, done: score_recordings(model, recordings, on_group=done), len(recordings)


def _measure(names: tuple[str, ...], own: Own) -> list[ScoredModel]:
    """Score the models one after the other; touching the page is what lets the visitor stop."""
    place = st.empty()
    found: list[ScoredModel] = []
    on_wait = waiting_note(place)
    try:
        with admission().long_job(on_wait):
            score, total = _scorer(own, place, on_wait)
            for number, name in enumerate(names, start=1):
                checkpoint = open_model(name)
                if checkpoint is None:
                    return []
                said = f"Model {number} of {len(names)}"
                found.append(score(checkpoint, _counting(place, said, total, on_wait)))
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return []
    except FullError as full:
        st.warning(refusal(full), icon=":material/hourglass_disabled:")
        return []
    place.empty()
    return found


def _counting(
    place: DeltaGenerator, said: str, total: int, on_wait: OnWait, noun: str = "sentences"
) -> Callable[[int], None]:
    """Return what counts what is done, and lets other long jobs go in between."""
    done = 0

    def on_group(count: int) -> None:
        nonlocal done
        done += count
        admission().give_way(on_wait)
        place.progress(min(1.0, done / total), f"{said}: {done:,} of {total:,} {noun}")

    on_group(0)
    return on_group


def _show(found: list[ScoredModel], own: Own) -> None:
    from seq2seq.evaluation.own_pairs import as_dict, differences, interval, sentences_csv

    _show_left_out(st.session_state.get(_LEFT_OUT, []))
    title, unit = METRICS[found[0].metric]
    called = titles([model.checkpoint for model in found])
    st.dataframe(
        {
            "model": list(called.values()),
            **{
                metric: [_cell(model.scores, metric) for model in found]
                for metric in _metrics(found)
            },
            title: [round(model.mean, 2) for model in found],
            "95 % interval": ["{:.1f} to {:.1f}".format(*interval(model)) for model in found],
            "checkpoint": list(called),
        },
        hide_index=True,
    )
    for each in differences(found):
        st.markdown(
            plain(
                f"{called[each.first]} against {called[each.second]}: {each.mean:+.1f} {unit} "
                f"(95 %: {each.low:+.1f} to {each.high:+.1f}); better in "
                f"{each.probability:.0%} of draws."
            )
        )
    with st.container(horizontal=True):
        st.download_button("CSV", sentences_csv(found), "scores.csv", icon=":material/download:")
        st.download_button(
            "JSON", orjson.dumps(as_dict(found)), "scores.json", icon=":material/download:"
        )
    _lengths(found, list(called.values()), own)
    _problems(found, list(called.values()))
    _worst(found, own)


def _lengths(found: list[ScoredModel], called: list[str], own: Own) -> None:
    """Show the metric by the length of the sentences, a column for each model."""
    st.subheader("By length")
    parts = found[0].by_length
    st.dataframe(
        {
            "words said" if own.speech else "words in the source": list(parts),
            "sentences": [len(places) for places in parts.values()],
            **{
                f"{METRICS[model.metric][0]}: {name}": [
                    round(model.mean_of(places), 2) for places in parts.values()
                ]
                for model, name in zip(found, called, strict=True)
            },
        },
        hide_index=True,
    )


def _problems(found: list[ScoredModel], called: list[str]) -> None:
    """Count what is plainly wrong with the outputs of each model."""
    st.subheader("Problems found")
    counts = [model.problems for model in found]
    kinds = list(dict.fromkeys(kind for each in counts for kind in each))
    if not kinds:
        st.markdown("No output is empty, repeats itself, leaves a number out, or is of odd length.")
        return
    st.dataframe(
        {
            "outputs with a problem": kinds,
            **{
                name: [each.get(kind, 0) for kind in kinds]
                for name, each in zip(called, counts, strict=True)
            },
        },
        hide_index=True,
    )


def _metrics(found: list[ScoredModel]) -> list[str]:
    """Name the scores that all models have and that are numbers."""
    first = found[0].scores
    return [
        name
        for name, value in first.items()
        if isinstance(value, int | float) and all(name in model.scores for model in found)
    ]


def _cell(scores: dict[str, Any], metric: str) -> float:
    return round(float(scores[metric]), 2)


def _worst(found: list[ScoredModel], own: Own) -> None:
    """Show the worst sentences of a model first, and lead to the run of the chosen one."""
    st.subheader("Sentences, worst first")
    names = [model.checkpoint for model in found]
    chosen = st.segmented_control(
        "Of",
        names,
        format_func=titles(names).__getitem__,
        default=names[0],
        key="worst_of",
        required=True,
    )
    model = found[names.index(chosen or names[0])]
    worst = model.worst_first[:WORST]
    title = "word errors, %" if own.speech else "chrF"
    picked = st.dataframe(
        {
            "line": [each.line for each in worst],
            title: [each.scores[model.metric] for each in worst],
            "recording" if own.speech else "source": [each.source for each in worst],
            "output": [each.output for each in worst],
            "problems": ["; ".join(each.problems) for each in worst],
            "reference": [each.reference for each in worst],
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="worst_sentences",
    )
    rows = picked["selection"]["rows"]
    sentence = worst[rows[0] if rows and rows[0] < len(worst) else 0]
    if own.speech:
        _open_recording(model.checkpoint, sentence, own)
        return
    card = card_of(model.checkpoint)
    page = PAGES[card.task if card and card.task in PAGES else "translation"]
    field = "paragraphs" if page == "summarization" else "text"
    page_link(
        f"pages/{page}.py",
        f"Open line {sentence.line} in {page.capitalize()}",
        **{"checkpoint": model.checkpoint, field: sentence.source},
    )


def _open_recording(name: str, sentence: ScoredSentence, own: Own) -> None:
    """Take the chosen recording to the page of speech, which an address cannot do."""
    if not st.button(
        f"Open line {sentence.line} in Speech to text", icon=":material/arrow_forward:"
    ):
        return
    from seq2seq.data.audio import RATE, Audio
    from seq2seq.data.own_recordings import read_recordings

    [row] = [row for row in own.rows if row.line == sentence.line]
    [(_, read)], _ = read_recordings(own.content, own.name, [row])
    hear(Audio(read.samples, len(read.samples) / RATE))
    with suppress(StreamlitAPIException):  # a page that runs alone has no others
        st.switch_page("pages/speech.py", query_params={"checkpoint": name})
