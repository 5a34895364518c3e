"""Models scored on the visitor's own pairs: scores with intervals, worst sentences first."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import streamlit as st

from seq2seq.errors import UserError
from ui.escape import plain
from ui.links import page_link
from ui.runtime.model_loading import open_model
from ui.runtime.names import card_of, checkpoints_for, labels, titles
from ui.views.compare import FIRST

if TYPE_CHECKING:
    from seq2seq.data.parallel_corpus import Pair
    from seq2seq.evaluation.own_pairs import ScoredModel

MOST = 3  # models at a time
WORST = 100  # sentences in the table of the worst
PAGES = {
    "translation": "translation",
    "summarization": "summarization",
    "spelling": "pronunciation",
}
_ASKED, _SCORED = "asked_pairs", "scored_pairs"
Numbered = list[tuple[int, "Pair"]]


def own_pairs_section() -> None:
    """Let the visitor bring pairs, score models on them, and open the worst in the explorer."""
    st.header("Your own pairs", anchor="own-pairs")
    st.markdown(
        "Upload UTF-8 text with a source, a tab and its reference in each line, up to 5,000; the "
        "scores are those of `python -m seq2seq evaluate`."
    )
    file = st.file_uploader("Pairs", ["tsv", "txt"], key="own_pairs", max_upload_size=20)
    offered = [name for task in PAGES for name in checkpoints_for(task)]
    called = labels(offered)
    names = st.multiselect(
        f"Models, at most {MOST}",
        offered,
        [name for name in FIRST if name in offered][:1],
        format_func=lambda name: called.get(name, name),
        key="scored_models",
        max_selections=MOST,
    )
    if file is None or not names:
        return
    content = file.getvalue()
    pairs = _read(content)
    if pairs is None:
        return
    found = _scored((hashlib.sha256(content).hexdigest(), tuple(names)), pairs)
    if found:
        _show(found)


def _read(content: bytes) -> Numbered | None:
    """Return the pairs of a file, and name its bad lines by number."""
    from seq2seq.evaluation.own_pairs import read_own_pairs

    try:
        pairs, problems = read_own_pairs(content)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    if problems:
        listed = " ".join(problems[:10])
        more = f" And {len(problems) - 10} more." if len(problems) > 10 else ""
        st.warning(plain(f"Left out: {listed}{more}"), icon=":material/warning:")
    return pairs


def _scored(key: tuple[str, tuple[str, ...]], pairs: Numbered) -> list[ScoredModel]:
    """Return what the models scored, once the visitor has asked for it; [] before."""
    kept: dict[Any, list[ScoredModel]] = st.session_state.setdefault(_SCORED, {})
    if key in kept:
        return kept[key]
    bar = st.container(horizontal=True, vertical_alignment="center")
    if st.session_state.get(_ASKED) != key:
        label = f"Score {len(pairs):,} pairs"
        bar.button(label, type="primary", icon=":material/play_arrow:", on_click=_ask, args=(key,))
        return []
    bar.button("Stop", icon=":material/stop:", key="stop_scoring", on_click=_ask, args=(None,))
    found = _measure(key[1], pairs)
    st.session_state[_ASKED] = None
    if found:
        kept.clear()  # the last ones are kept, no more
        kept[key] = found
        st.rerun()
    return []


def _ask(key: tuple[str, tuple[str, ...]] | None) -> None:
    st.session_state[_ASKED] = key


def _measure(names: tuple[str, ...], pairs: Numbered) -> list[ScoredModel]:
    """Score the models one after the other; touching the page is what lets the visitor stop."""
    from seq2seq.evaluation.own_pairs import score_pairs

    place, found = st.empty(), []
    for number, name in enumerate(names, start=1):
        checkpoint = open_model(name)
        if checkpoint is None:
            return []
        done, total = 0, len({pair.source for _, pair in pairs})

        def on_group(count: int, number: int = number, total: int = total) -> None:
            nonlocal done
            done += count
            said = f"Model {number} of {len(names)}: {done:,} of {total:,} sentences"
            place.progress(min(1.0, done / total), said)

        place.progress(0.0, f"Model {number} of {len(names)}")
        try:
            found.append(score_pairs(checkpoint, pairs, on_group=on_group))
        except UserError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return []
    place.empty()
    return found


def _show(found: list[ScoredModel]) -> None:
    from seq2seq.evaluation.own_pairs import as_dict, differences, interval, sentences_csv

    called = titles([model.checkpoint for model in found])
    st.dataframe(
        {
            "model": list(called.values()),
            **{
                metric: [_cell(model.scores, metric) for model in found]
                for metric in _metrics(found)
            },
            "mean chrF of a sentence": [_mean(model) for model in found],
            "95 % interval": ["{:.1f} to {:.1f}".format(*interval(model)) for model in found],
            "checkpoint": list(called),
        },
        hide_index=True,
    )
    for each in differences(found):
        st.markdown(
            plain(
                f"{called[each.first]} against {called[each.second]}: {each.mean:+.1f} chrF a "
                f"sentence (95 %: {each.low:+.1f} to {each.high:+.1f}); better in "
                f"{each.probability:.0%} of draws."
            )
        )
    with st.container(horizontal=True):
        st.download_button("CSV", sentences_csv(found), "scores.csv", icon=":material/download:")
        st.download_button(
            "JSON", orjson.dumps(as_dict(found)), "scores.json", icon=":material/download:"
        )
    _worst(found)


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


def _mean(model: ScoredModel) -> float:
    scores = [sentence.scores["chrf"] for sentence in model.sentences]
    return round(sum(scores) / len(scores), 2)


def _worst(found: list[ScoredModel]) -> None:
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
    picked = st.dataframe(
        {
            "line": [each.line for each in worst],
            "chrF": [each.scores["chrf"] for each in worst],
            "source": [each.source for each in worst],
            "output": [each.output for each in worst],
            "reference": [each.reference for each in worst],
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="worst_sentences",
    )
    rows = picked["selection"]["rows"]
    sentence = worst[rows[0] if rows and rows[0] < len(worst) else 0]
    card = card_of(model.checkpoint)
    page = PAGES[card.task if card and card.task in PAGES else "translation"]
    field = "paragraphs" if page == "summarization" else "text"
    page_link(
        f"pages/{page}.py",
        f"Open line {sentence.line} in the explorer",
        **{"checkpoint": model.checkpoint, field: sentence.source},
    )
