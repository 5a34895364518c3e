"""Sentences as a map: where a model puts them, who lies beside whom, and how it got there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from seq2seq.analysis.probe_sentences import FEATURES, Probe, probes
from ui.components import clicked, copy_link
from ui.components.chart import chart
from ui.escape import plain, quoted
from ui.inputs.task_controls import checkpoint_picker, first_checkpoint
from ui.page import is_dark
from ui.runtime.names import checkpoints_for
from ui.runtime.runs import Subject, derive, run
from ui.terms import term_help

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

URL: Any = {"bind": "query-params"}
TASKS = ("translation", "summarization", "chatbot")
COUNT, MOST_OWN, LONGEST, NEAREST = 400, 8, 300, 8
PROJECTIONS = ("PCA, 2-d", "PCA, 3-d", "t-SNE")
KINDS = {"Final state h_T": "final", "Mean of all states": "mean"}
_CHOSEN = "sentence"


@dataclass(frozen=True, eq=False)
class _Vectors:
    """The vectors of sentences, one a row."""

    rows: np.ndarray


class _Placed(NamedTuple):
    """What is on the map: sentences with their vectors, the visitor's own with theirs.

    chosen: number of the selected one, through both.
    """

    sentences: list[Probe]
    vectors: np.ndarray
    own: list[str]
    own_vectors: np.ndarray
    feature: str
    chosen: int | None

    @property
    def texts(self) -> list[str]:
        return [*(sentence.text for sentence in self.sentences), *self.own]

    @property
    def labels(self) -> list[str]:
        return [getattr(sentence, self.feature) for sentence in self.sentences]

    @property
    def everything(self) -> np.ndarray:
        return np.concatenate([self.vectors, self.own_vectors])


def sentence_map_page() -> None:
    """Show the map of a model, with the visitor's sentences on it."""
    own = _own_sentences()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _checkpoint()
        if name is None:
            return
        kind = _kind(name)
        feature = st.selectbox("Colour by", FEATURES, key="feature", **URL)
        projection = st.segmented_control(
            "Projection",
            PROJECTIONS,
            default=PROJECTIONS[0],
            required=True,
            key="projection",
            **URL,
        )
        copy_link()
    sentences = list(probes(COUNT))
    vectors = _vectors(name, kind, tuple(sentence.text for sentence in sentences))
    own_vectors = _vectors(name, kind, tuple(own)) if own else np.zeros((0, 1))
    if vectors is None or own_vectors is None:
        return
    own_vectors = own_vectors.reshape(len(own), vectors.shape[1])
    left, right = st.columns([3, 2], gap="large")
    with right:
        chosen = _choose_sentence([*(sentence.text for sentence in sentences), *own])
    placed = _Placed(sentences, vectors, own, own_vectors, feature, chosen)
    with left:
        _map(name, kind, projection or PROJECTIONS[0], placed)
    with right:
        _neighbours(placed)
        _agreement(placed)
    _trajectories(name, own)


def _own_sentences() -> list[str]:
    text = st.text_area(
        "Your sentences, one on each line",
        "The dog sleeps.\nThe dogs did not sleep.",
        key="yours",
        height=110,
        max_chars=MOST_OWN * LONGEST,
        help=f"The first {MOST_OWN}, of {LONGEST} characters each, are placed on the map; the "
        "state trajectories of the first two are drawn below.",
        **URL,
    )
    from seq2seq.inference.inputs import clean

    lines = [clean(line) for line in text.splitlines()]
    unread = [
        str(number)
        for number, (line, read) in enumerate(zip(text.splitlines(), lines, strict=True), start=1)
        if line.strip() and not read
    ]
    if unread:
        st.caption(f"Nothing can be read in line {', '.join(unread)}, so it is left out.")
    found = [line[:LONGEST] for line in lines if line]
    if len(found) > MOST_OWN or any(len(line) > LONGEST for line in lines):
        st.caption(
            f"The map shows the first {MOST_OWN} sentences, and the first {LONGEST} characters of "
            "each."
        )
    return found[:MOST_OWN]


def _checkpoint() -> str | None:
    asked = st.query_params.get("checkpoint")
    if first_checkpoint("translation") is None:
        return None
    names = dict.fromkeys(name for task in TASKS for name in checkpoints_for(task, asked))
    return checkpoint_picker(list(names), shows_label=True)


def _kind(name: str) -> str:
    loaded = derive(Subject(name, ""), "kinds", _kinds_of)
    offered = [title for title, kind in KINDS.items() if kind in (loaded or ())]
    if len(offered) < 2:
        return "mean"
    return KINDS[st.selectbox("Vector", offered, key="vector", **URL)]


def _kinds_of(checkpoint: Checkpoint, on_step: OnStep) -> tuple[str, ...]:
    from seq2seq.analysis.sentence_vectors import kinds

    return kinds(checkpoint)


def _vectors(name: str, kind: str, texts: tuple[str, ...]) -> np.ndarray | None:
    def work(checkpoint: Checkpoint, on_step: OnStep) -> _Vectors:
        from seq2seq.analysis.sentence_vectors import sentence_vectors
        from seq2seq.decoding.search import Progress

        done = 0

        def on_group(count: int) -> None:
            nonlocal done
            done += count
            on_step(Progress(done, len(texts), ()))

        return _Vectors(sentence_vectors(checkpoint, texts, kind, on_group=on_group))

    found = derive(Subject(name, ""), ("vectors", kind, texts), work)
    return None if found is None else found.rows


def _choose_sentence(texts: list[str]) -> int | None:
    """Let the visitor choose a sentence, as a click on the map does; returns its number."""
    if st.session_state.get(_CHOSEN) not in (None, *texts):
        st.session_state[_CHOSEN] = None
    chosen = st.selectbox(
        "Sentence (or click a point)",
        list(dict.fromkeys(texts)),
        index=None,
        key=_CHOSEN,
        placeholder="Choose one to see its nearest neighbours",
        **URL,
    )
    return None if chosen is None else texts.index(chosen)


def _map(name: str, kind: str, projection: str, placed: _Placed) -> None:
    from seq2seq import figures

    count = len(placed.sentences)
    points, explained = _points(name, kind, projection, placed)
    if points is None:
        return
    in_space = projection.endswith("3-d")
    if in_space:
        st.caption(
            "Drag to rotate. Choose a sentence in the list: points of a 3-d plot cannot be clicked."
        )

    def select() -> None:
        if place := clicked("map"):
            st.session_state[_CHOSEN] = placed.texts[place[0]]

    drawn = figures.sentence_map.plain(
        figures.Points(points[:count], placed.texts[:count], placed.labels),
        figures.Points(points[count:], placed.own),
        explained,
        placed.chosen,
        [number for number, _ in _nearest(placed)],
        is_dark(),
    )
    features = {
        feature: [*(getattr(each, feature) for each in placed.sentences), *[""] * len(placed.own)]
        for feature in FEATURES
    }
    chart(
        "map",
        drawn,
        f"Map of {count} sentences and {len(placed.own)} of yours, coloured by {placed.feature}.",
        lambda: figures.map_csv(points, placed.texts, features),
        None if in_space else select,
    )


def _points(
    name: str, kind: str, projection: str, placed: _Placed
) -> tuple[np.ndarray | None, list[float]]:
    """Return where each sentence is drawn, and the share of the variance that each axis explains.

    For t-SNE, no axis does; None where that was stopped.
    """
    from seq2seq.analysis.projection import fit

    if projection == "t-SNE":
        points = _tsne(name, kind, placed.everything)
        if points is not None:
            st.caption(
                "t-SNE keeps neighbours together; distances between groups and their sizes mean "
                "nothing."
            )
        return points, []
    directions = fit(placed.vectors, 3 if projection.endswith("3-d") else 2)
    return directions.points(placed.everything), directions.explained.tolist()


def _tsne(name: str, kind: str, vectors: np.ndarray) -> np.ndarray | None:
    """Compute t-SNE once it is asked for: it takes seconds."""
    what = ("t-SNE", kind, hashlib.sha256(vectors.tobytes()).hexdigest())
    if not st.session_state.get("tsne_wanted"):
        st.info("t-SNE is not computed yet: it takes a few seconds.", icon=":material/hourglass:")
        st.button("Compute t-SNE", on_click=_want_tsne)
        return None

    def work(checkpoint: Checkpoint, on_step: OnStep) -> _Vectors:
        from seq2seq.analysis.projection import tsne

        return _Vectors(tsne(vectors))

    with st.spinner("Computing t-SNE"):
        found = derive(Subject(name, ""), what, work)
    return None if found is None else found.rows


def _want_tsne() -> None:
    st.session_state["tsne_wanted"] = True


def _nearest(placed: _Placed) -> list[tuple[int, float]]:
    """Return the numbers and cosines of the sentences nearest to the chosen one; [] without."""
    from seq2seq.analysis.projection import neighbours

    if placed.chosen is None:
        return []
    vectors = placed.everything
    order, cosines = neighbours(vectors, vectors[placed.chosen], NEAREST + 1)
    found = zip(order.tolist(), cosines.tolist(), strict=True)
    return [(number, cosine) for number, cosine in found if number != placed.chosen][:NEAREST]


def _neighbours(placed: _Placed) -> None:
    others = _nearest(placed)
    if placed.chosen is None:
        return
    labels = [*placed.labels, *["yours"] * len(placed.own)]
    st.markdown(f"Nearest neighbours of {quoted(placed.texts[placed.chosen])}, in all dimensions:")
    st.dataframe(
        {
            "sentence": [placed.texts[number] for number, _ in others],
            "cosine": [round(cosine, 3) for _, cosine in others],
            placed.feature: [labels[number] for number, _ in others],
        },
        hide_index=True,
    )


def _agreement(placed: _Placed) -> None:
    from seq2seq import figures
    from seq2seq.analysis.projection import agreement

    found = {
        name: agreement(placed.vectors, [getattr(sentence, name) for sentence in placed.sentences])
        for name in FEATURES
    }
    shared, chance = found[placed.feature]
    st.subheader("Nearest-neighbour probe", help=term_help("nearest-neighbour probe"))
    st.markdown(
        f"Of the ten nearest neighbours of a sentence, {shared:.0%} share its {placed.feature}; "
        f"chance would give {chance:.0%} (the marks)."
    )
    chart(
        "agreement",
        figures.agreements.plain(found, placed.feature, dark=is_dark()),
        "Share of neighbours with the same value of each feature, and the share by chance.",
        lambda: figures.agreements_csv(found),
    )


def _trajectories(name: str, own: list[str]) -> None:
    from seq2seq import figures

    st.subheader("State trajectory", help=term_help("state trajectory"))
    if not own:
        st.info("Type a sentence of your own above to see its state trajectory.")
        return
    which = st.segmented_control(
        "States",
        ("Encoder", "Decoder", "Both"),
        default="Encoder",
        required=True,
        key="states",
        help="The encoder's after each source token, the decoder's after each output token.",
        **URL,
    )
    traces = [trace for text in own[:2] if (trace := run(Subject(name, text))) is not None]
    if not traces:
        return
    paths = []
    for number, trace in enumerate(traces):
        title = f"{number + 1}: {own[number][:40]}"
        if which != "Decoder":
            paths.append(figures.StatePath(title, trace.encoder_states, trace.source.pieces))
        if which != "Encoder":
            written = f"{number + 1}, decoder" if which == "Both" else title
            paths.append(figures.StatePath(written, trace.decoder_states, trace.target.pieces))
    chart(
        "trajectories",
        figures.state_trajectories.plain(paths, 1 + (which == "Both"), is_dark()),
        f"State trajectories on one projection: {', '.join(path.title for path in paths)}.",
        lambda: figures.state_trajectories_csv(paths),
    )
    outputs = " / ".join(f"{trace.source.text} → {trace.text}" for trace in traces)
    st.caption(f"One projection for all, so that distances can be compared. {plain(outputs)}")
