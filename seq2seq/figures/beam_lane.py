"""The hypotheses that a search kept at each step, as the live picture draws them."""

from __future__ import annotations

from typing import Any

import numpy as np

from seq2seq.decoding.hypothesis import FINISHED, PRUNED
from seq2seq.trace import Trace, label

MAX_KEPT = 4_000  # nodes; a search with more is described without its beam


def beam_lane(run: Trace, target: tuple[int, ...]) -> dict[str, Any] | None:
    """Describe the nodes of a run's beam tree that were not pruned, in columns of plain values.

    target: ids of the output that is shown, which need not be the best one. `parents` are numbers
    among the nodes described, -1 for a first token; `rows` count the nodes of a step from 0, best
    rank first; `begins` tells what has a space before it; `sums` are log P of the whole path;
    `won` and `shown` are the paths of the best output and of the target. None where nothing
    competes: greedy search, samples, a beam of 1.
    """
    tree = run.beam_tree
    kept = np.flatnonzero(tree.status != PRUNED)
    if run.options.method != "beam" or not 0 < len(kept) <= MAX_KEPT:
        return None
    kept = kept[np.lexsort((tree.rank[kept], tree.step[kept]))]
    steps = tree.step[kept]
    width = int(np.bincount(steps).max())
    if width < 2:
        return None
    number = {node: place for place, node in enumerate(kept.tolist())} | {-1: -1}
    pieces = [run.beam_pieces[node] for node in kept]
    finished = tree.status[kept] == FINISHED
    parents = [number[parent] for parent in tree.parent[kept].tolist()]
    return {
        "width": run.options.beam_width,
        "rows": (np.arange(len(kept)) - np.searchsorted(steps, steps)).tolist(),
        "steps": steps.tolist(),
        "parents": parents,
        "tokens": [label(piece) for piece in pieces],
        "begins": [
            bool(end) or piece.startswith("▁") for piece, end in zip(pieces, finished, strict=True)
        ],
        "shares": np.exp(tree.log_probability[kept]).round(4).tolist(),
        "sums": tree.cumulative[kept].round(3).tolist(),
        "scores": tree.score[kept].round(3).tolist(),
        "finished": finished.tolist(),
        "won": [number[node] for node in tree.path(run.outputs[0].node)],
        "shown": _path(tree.token[kept].tolist(), parents, target),
    }


def _path(tokens: list[int], parents: list[int], target: tuple[int, ...]) -> list[int]:
    """Return the nodes that spell the beginning of a target, as far as the search kept it."""
    children = {
        (parent, token): node
        for node, (parent, token) in enumerate(zip(parents, tokens, strict=True))
    }
    path, node = [], -1
    for token in target:
        found = children.get((node, token))
        if found is None:
            break
        path.append(found)
        node = found
    return path
