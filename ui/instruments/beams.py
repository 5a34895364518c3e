"""The search: what it kept, what it pruned, what it found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from seq2seq.analysis.reranking import better, complete, hypothesis, order, outputs, scores
from seq2seq.decoding.hypothesis import FINISHED, PRUNED, Hypothesis
from seq2seq.decoding.options import MAX_LENGTH_PENALTY
from seq2seq.decoding.scoring import score
from seq2seq.errors import UserError
from seq2seq.trace import Trace, label
from ui.code_export import Named, define, draw
from ui.components import clicked, scroller
from ui.components.chart import chart
from ui.escape import plain, quoted, quoted_end
from ui.instruments.selection import (
    BEST,
    View,
    add_branch,
    remove_branches,
    select_output,
    select_step,
)
from ui.links import URL
from ui.page import is_dark
from ui.runtime.runs import derive
from ui.terms import term_help

if TYPE_CHECKING:
    import numpy as np

    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep
    from seq2seq.figures.beam_tree import MergedTree

_NODE, _PLACE, _CHOSEN = "node", "node_place", "node_chosen"
_ALPHA, _BETA, _RANKED_FROM = "rank_length", "rank_coverage", "ranked_from"


def show(view: View) -> None:
    """Show the beam tree, what is known of a node, and the outputs that the search found."""
    from seq2seq.figures.beam_tree import join

    tree = join(view.run, view.named)
    define("tree", tree, join, view.named_run, view.named_branches)
    st.subheader("Beam tree", help=term_help("beam search", "hypothesis"))
    st.caption(_explained(view.run))
    node = _tree(view, tree)
    _node_panel(view, tree, node)
    st.subheader("Hypotheses, ranked")
    _search_errors(view)
    _ranking(view)


def _explained(run: Trace) -> str:
    """Say what is seen in the tree of this method."""
    width = run.options.rows
    if run.options.method == "sample":
        return (
            f"Each of the {width} samples was drawn token by token, so each is a path; those that "
            "begin alike share nodes. Nothing is pruned. Click a node for "
            "details, and to continue from it."
        )
    if width == 1:
        return (
            "Greedy search keeps one candidate a step: a single path, and beside it, dashed, the "
            "runner-up that was pruned. Click a node for details, and to continue from it."
        )
    return (
        f"Of {2 * width} candidates a step the beam keeps the best {width}; the others, "
        "dashed, were pruned. The thick line leads to hypothesis 1, the best; numbers mark where "
        "hypotheses end; green marks the selected hypothesis and step. Click a node for details, "
        "and to continue from it."
    )


def _tree(view: View, tree: MergedTree) -> int:
    """Show the tree and what chooses a node of it; returns the node."""
    from seq2seq import figures
    from seq2seq.figures.beam_tree import STEP_PIXELS, candidates, steps_shown

    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.container(width=220)
        has_pruned = any(node.status == PRUNED for node in tree.nodes)
        pruned = has_pruned and st.toggle(
            "Show pruned", True, key="pruned", help=term_help("pruned"), **URL
        )
    steps = steps_shown(tree, view.step, pruned)
    offered = {tree.name(number): number for number in candidates(tree, steps, pruned)}
    _chosen_node(view, tree, list(offered))

    def choose(number: int) -> None:
        st.session_state[_NODE] = tree.name(number)
        st.session_state[_CHOSEN] = True
        select_step(min(tree.nodes[number].step, len(view.shown.target) - 1))

    def use_point() -> None:
        if found := clicked("beam_tree"):
            choose(found[0])

    def use_name() -> None:
        if (number := offered.get(st.session_state[_NODE])) is not None:
            choose(number)

    with place:
        name = st.selectbox(
            "Node: step, rank, token", list(offered), key=_NODE, on_change=use_name, **URL
        )
    node = offered[name]
    chart(
        "beam_tree",
        draw(figures.beam_tree, Named("tree", tree), view.name, view.step, node, pruned, is_dark()),
        f"Tree of the {len(tree.nodes):,} candidates that the search considered. "
        "All of them are in the CSV below.",
        lambda: figures.beam_tree_csv(tree),
        use_point,
    )
    # A narrow screen scrolls the tree, not the page.
    seen = (min(max(view.step, steps.start), steps.stop - 1) - steps.start + 0.5) / len(steps)
    scroller("chart_beam_tree", STEP_PIXELS * len(steps), "Beam tree", seen)
    last = max(each.step for each in tree.nodes) + 1
    if len(steps) < last:
        st.caption(f"Steps {steps.start + 1} to {steps.stop} of {last}, around the selected one.")
    return node


def _chosen_node(view: View, tree: MergedTree, offered: list[str]) -> None:
    """Let the node be that of the output and step shown, unless another one was chosen there."""
    state, place = st.session_state, (view.name, view.step)
    moved = state.get(_PLACE, place) != place and not state.pop(_CHOSEN, False)
    state[_PLACE] = place
    if moved or state.get(_NODE, st.query_params.get(_NODE)) not in offered:
        path = tree.paths.get(view.name, tree.paths[BEST])
        name = tree.name(path[min(view.step, len(path) - 1)])
        state[_NODE] = name if name in offered else offered[0]


def _node_panel(view: View, tree: MergedTree, number: int) -> None:
    """Tell everything about a node, and let the visitor go on from it."""
    node, run = tree.nodes[number], view.run
    path = [tree.nodes[each] for each in tree.path(number)]
    written = "".join(each.piece for each in path).replace("▁", " ")
    lies_in = [name for name, each in tree.paths.items() if number in each]
    facts = [
        f"probability {math.exp(node.log_probability):.2%} (log {node.log_probability:.3f})",
        f"Σ log P {node.cumulative:.3f}",
        f"score {node.score:.3f}",
    ]
    if not node.branch:
        facts.append(f"number {node.rank + 1} of its step")
    status = _status(run, tree, number)
    with st.container(border=True):
        st.markdown(
            f"**Step {node.step + 1}:** {quoted(label(node.piece))} — {', '.join(facts)}. {status} "
            f"Written so far: {quoted_end(written)}"
            + (
                f" In {'hypothesis' if len(lies_in) == 1 else 'hypotheses'} {', '.join(lies_in)}."
                if lies_in
                else ""
            )
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Continue from here",
                key="go_on_node",
                icon=":material/alt_route:",
                type="primary",
                disabled=bool(view.subject.missing),
                on_click=add_branch,
                args=(tree.tokens(number),),
                help="Continues decoding from this node. The result is a branch: drawn in a "
                "colour of its own, and listed above.",
            )
            if view.branches:
                st.button("Remove all branches", icon=":material/delete:", on_click=remove_branches)
            if view.subject.missing:
                st.caption(plain(view.subject.missing))


def _status(run: Trace, tree: MergedTree, number: int) -> str:
    node, width = tree.nodes[number], run.options.rows
    if node.branch:
        return f"On branch {node.branch}; the search itself did not reach it."
    if node.status == FINISHED:
        return "A hypothesis ends here."
    if node.status == PRUNED:
        return f"Pruned: it was not among the best {width}."
    if run.options.method == "sample":
        return "Drawn once." if node.times == 1 else f"Drawn {node.times} times."
    return "Kept: the search continued from here."


def _ranking(view: View) -> None:
    """Let the visitor score all complete outputs with other penalties; a row chooses an output."""
    rivals = _rivals(view)
    hypotheses = [each.hypothesis for each in rivals]
    alpha, beta, coverage = _penalties(view, hypotheses)
    own = view.run.options.length_penalty, _own_beta(view.run)
    scored = [each.score for each in hypotheses]
    if (alpha, beta) != own:
        scored = scores(hypotheses, alpha, beta, coverage).tolist()
    placed = order(hypotheses, scored)
    shown = next((place for place, n in enumerate(placed) if view.name in rivals[n].names), 0)
    key = f"ranking_{view.name}_{'_'.join(map(str, placed))}"

    def use_row() -> None:
        if rows := st.session_state[key].selection.rows:
            select_output(rivals[placed[rows[0]]].names[0])

    st.dataframe(
        _ranked(rivals, placed, scored),
        hide_index=True,
        key=key,
        on_select=use_row,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [shown]}},
        alt="The outputs, best first",
    )
    st.caption(
        f"Choose a row to select that hypothesis. The search ran with a length penalty of "
        f"{own[0]:g} and a coverage penalty of {own[1]:g}; with others it might have found other "
        "hypotheses: change them under Settings, at the top."
    )
    if weight := view.run.options.mmi_weight:
        st.caption(
            "The outputs were then ranked anew, by what they have to do with the source: score = "
            f"(log P(output | source) − λ log P(output)) / lengthᵅ, with λ = {weight:g}. The beam "
            "tree shows the scores of the search, without the second term."
        )


class _Rival(NamedTuple):
    """A complete output, and by which names it is known: several branches may end in one."""

    hypothesis: Hypothesis
    names: list[str]
    text: str


def _rivals(view: View) -> list[_Rival]:
    """Return the complete outputs of the search and of its branches, each once."""
    texts = [each.text for each in outputs(view.run).values()]
    found = zip(complete(view.run), texts, strict=True)
    rivals = [_Rival(each, [str(n)], text) for n, (each, text) in enumerate(found, 1)]
    for letter, trace in view.named.items():
        best = trace.outputs[0]
        own = hypothesis(trace, best.node, best.finished)
        same = next((each for each in rivals if each.hypothesis.tokens == own.tokens), None)
        if same is not None:
            same.names.append(letter)
        else:
            rivals.append(_Rival(own, [letter], best.text))
    return rivals


def _ranked(rivals: list[_Rival], placed: list[int], scored: list[float]) -> dict[str, Any]:
    """Return the columns of the table, best first. placed: which rival is at each place."""
    found = [rivals[number] for number in placed]
    hypotheses = [each.hypothesis for each in rivals]
    before = order(hypotheses, [each.score for each in hypotheses])
    moves = [before.index(number) - place for place, number in enumerate(placed)]
    return {
        "name": [", ".join(each.names) for each in found],
        "moved": [f"▲ {m}" if m > 0 else f"▼ {-m}" if m < 0 else "" for m in moves],
        "output": [each.text for each in found],
        "score": [round(scored[number], 3) for number in placed],
        "search score": [round(each.hypothesis.score, 3) for each in found],
        "log P": [round(sum(each.hypothesis.log_probabilities), 3) for each in found],
        **_discounts(hypotheses, placed),
        "tokens": [len(each.hypothesis.tokens) for each in found],
        "complete": [each.hypothesis.finished for each in found],
    }


def _discounts(hypotheses: list[Hypothesis], placed: list[int]) -> dict[str, Any]:
    """Return the column of what was taken off log P, where outputs were ranked by it."""
    if not any(each.discount for each in hypotheses):
        return {}
    return {"λ log P without source": [round(hypotheses[n].discount, 3) for n in placed]}


def _own_beta(run: Trace) -> float:
    """Return the coverage penalty that the search applied: none without attention."""
    return 0.0 if run.attention is None else run.options.coverage_penalty


def _penalties(view: View, rivals: list[Hypothesis]) -> tuple[float, float, np.ndarray | None]:
    """Let the visitor choose penalties; returns them, and the coverage where it is needed."""
    run, state = view.run, st.session_state
    own = run.options.length_penalty, _own_beta(run)
    if state.setdefault(_RANKED_FROM, own) != own:  # another search: its own values again
        state[_RANKED_FROM] = own
        state.pop(_ALPHA, None)
        state.pop(_BETA, None)
    why_not = view.subject.missing
    if run.attention is None:
        why_not = "This model has no attention, so there is no coverage."
    with st.container(horizontal=True):
        alpha = st.slider(
            "Length penalty",
            0.0,
            MAX_LENGTH_PENALTY,
            own[0],
            0.05,
            key=_ALPHA,
            help="α in score = log P / lengthᵅ. Rescores the hypotheses; nothing is decoded again.",
            **URL,
        )
        beta = st.slider(
            "Coverage penalty",
            0.0,
            max(1.0, own[1]),
            own[1],
            0.05,
            key=_BETA,
            disabled=bool(why_not),
            help="β: lowers the score of hypotheses that leave a source position without "
            "attention.",
            **URL,
        )
    if why_not:
        st.caption(plain(why_not))
        return alpha, own[1] if run.attention is not None else 0.0, None
    if not beta:
        return alpha, 0.0, None
    covered = _coverage(view, rivals)
    return alpha, 0.0 if covered is None else beta, covered


def _coverage(view: View, rivals: list[Hypothesis]) -> np.ndarray | None:
    """Return what attention each hypothesis gave each source position; None where it is stopped."""
    tokens = tuple(each.tokens for each in rivals)

    def cover(checkpoint: Checkpoint, on_step: OnStep) -> np.ndarray:
        from seq2seq.inference.teacher_forcing import coverage

        assert view.subject.given is not None
        return coverage(checkpoint, view.subject.given, tokens, view.subject.options)

    return derive(view.subject, ("coverage", tokens), cover)


def _search_errors(view: View) -> None:
    """Say whether anything at hand has a higher score than what the search chose."""
    run = view.run
    if run.options.method == "sample" or run.options.mmi_weight:
        return  # chosen by something else than the score that a search looks for
    best = complete(run)[0]
    rivals = {
        f"Branch {name}": hypothesis(trace, trace.outputs[0].node, trace.outputs[0].finished)
        for name, trace in view.named.items()
    }
    if run.options.rows > 1 and not view.subject.missing and (greedy := _greedy(view)) is not None:
        first = greedy.outputs[0]
        rivals = {"The greedy output": hypothesis(greedy, first.node, first.finished), **rivals}
    chooser = "the beam" if run.options.rows > 1 else "greedy search"
    # What the search has itself found was scored there.
    known = {each.tokens: each for each in complete(run)}
    rivals = {name: known.get(each.tokens, each) for name, each in rivals.items()}
    errors = [(name, each, best) for name, each in better(best, rivals).items()]
    if (reference := _reference(view)) is not None:
        # It was followed, not searched: both are scored by their probabilities alone.
        [scored] = scores([reference], run.options.length_penalty)
        total = float(run.log_probabilities.sum())
        own = score(total, len(run.target), run.options.length_penalty)
        exact = replace(best, score=float(own))
        rivals["The reference"] = replace(reference, score=float(scored))
        found = better(exact, {"The reference": rivals["The reference"]})
        errors += [(name, each, exact) for name, each in found.items()]
    for name, each, beaten in errors:
        st.warning(
            f"{name} scores {each.score:.3f}, better than the {beaten.score:.3f} of what {chooser} "
            "chose: a search error. The model prefers it, but the search pruned its beginning.",
            icon=":material/crisis_alert:",
        )
    if rivals and not errors:
        compared = ", ".join(
            f"{name[0].lower() if name.startswith('The') else name[0]}{name[1:]} "
            + ("is the same" if each.tokens == best.tokens else f"scores {each.score:.3f}")
            for name, each in rivals.items()
        )
        st.caption(
            f"No search error seen: {chooser} chose an output that scores {best.score:.3f}; "
            f"{compared}."
        )


def _reference(view: View) -> Hypothesis | None:
    """Return the right answer that the visitor has typed for teacher forcing, if there is one.

    None too where a coverage penalty counts, which following an output leaves out.
    """
    text = (st.session_state.get("reference") or st.query_params.get("reference", "")).strip()
    if not text or view.subject.missing or _own_beta(view.run):
        return None

    def force(checkpoint: Checkpoint, on_step: OnStep) -> Hypothesis | str:
        from seq2seq.inference.teacher_forcing import force

        assert view.subject.given is not None
        try:
            trace = force(checkpoint, view.subject.given, text, view.subject.options)
        except UserError as error:  # said where the reference is typed
            return str(error)
        return hypothesis(trace, trace.outputs[0].node, trace.outputs[0].finished)

    found = derive(view.subject, ("reference", text), force)
    return found if isinstance(found, Hypothesis) else None


def _greedy(view: View) -> Trace | None:
    options = replace(view.run.options, method="greedy")

    def decode(checkpoint: Checkpoint, on_step: OnStep) -> Trace:
        from seq2seq.inference.pipeline import run

        assert view.subject.given is not None
        return run(checkpoint, view.subject.given, options, on_step)

    return derive(view.subject, "greedy", decode)
