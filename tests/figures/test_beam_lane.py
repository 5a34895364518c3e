from dataclasses import replace

import numpy as np
import pytest

from seq2seq.checkpoint import load
from seq2seq.decoding.hypothesis import FINISHED, PRUNED
from seq2seq.decoding.options import Options
from seq2seq.figures.beam_lane import beam_lane
from seq2seq.inference.pipeline import run

TEXT = "The old dog sleeps in the garden."


@pytest.fixture(scope="module")
def checkpoint(checkpoint_root):
    return load(checkpoint_root / "lstm-attention")


@pytest.fixture(scope="module")
def trace(checkpoint):
    return run(checkpoint, TEXT, Options(beam_width=4, max_length=8))


@pytest.fixture(scope="module")
def beam(trace):
    return beam_lane(trace, trace.target.ids)


def test_it_holds_what_the_search_kept_and_nothing_else(trace, beam):
    tree = trace.beam_tree
    kept = np.flatnonzero(tree.status != PRUNED)
    assert len(beam["steps"]) == len(kept)
    for step in range(len(trace.target)):
        nodes = [node for node in kept if tree.step[node] == step]
        nodes.sort(key=lambda node: tree.rank[node])
        found = [place for place, at in enumerate(beam["steps"]) if at == step]
        assert [beam["rows"][place] for place in found] == list(range(len(nodes)))
        assert [beam["sums"][place] for place in found] == pytest.approx(
            tree.cumulative[nodes], abs=1e-3
        )
        assert [beam["shares"][place] for place in found] == pytest.approx(
            np.exp(tree.log_probability[nodes]), abs=1e-4
        )
        assert [beam["finished"][place] for place in found] == [
            tree.status[node] == FINISHED for node in nodes
        ]


def test_sums_add_up_along_parents(beam):
    for node, parent in enumerate(beam["parents"]):
        assert parent < node
        before = beam["sums"][parent] if parent >= 0 else 0
        assert beam["steps"][node] == (beam["steps"][parent] + 1 if parent >= 0 else 0)
        share = np.exp(beam["sums"][node] - before)
        assert share == pytest.approx(beam["shares"][node], abs=2e-3)


def test_the_winner_spells_the_output(trace, beam):
    assert beam["won"] == beam["shown"]
    assert [beam["steps"][node] for node in beam["won"]] == list(range(len(trace.target)))
    assert beam["sums"][beam["won"][-1]] == pytest.approx(
        trace.outputs[0].log_probability, abs=1e-2
    )


def test_another_output_has_its_own_path(trace, beam):
    tree = trace.beam_tree
    other = next(
        node
        for node in np.flatnonzero((tree.status != PRUNED) & (tree.step == 3))
        if node not in tree.path(trace.outputs[0].node)
    )
    tokens = tuple(int(tree.token[node]) for node in tree.path(other))
    found = beam_lane(trace, tokens)
    assert found["won"] == beam["won"]
    assert len(found["shown"]) == 4
    assert found["sums"][found["shown"][-1]] == pytest.approx(tree.cumulative[other], abs=1e-3)


@pytest.mark.parametrize(
    "options",
    [Options(method="greedy"), Options(beam_width=1), Options(method="sample", beam_width=3)],
    ids=["greedy", "one", "sample"],
)
def test_without_a_beam_there_is_none(options, checkpoint):
    found = run(checkpoint, TEXT, replace(options, max_length=5))
    assert beam_lane(found, found.target.ids) is None
