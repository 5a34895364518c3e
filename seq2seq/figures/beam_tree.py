"""The beam tree: the candidates of each step, which of them were kept and which were pruned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from seq2seq.analysis.reranking import complete
from seq2seq.decoding.hypothesis import FINISHED, PRUNED, STATUSES
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, bar, scatter
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import rectangle, unseen_points
from seq2seq.figures.theme import (
    Palette,
    Scale,
    add_key,
    axis,
    escape,
    figure,
    hidden_axis,
    margins,
    mix,
    palette,
    readable_on,
)
from seq2seq.trace import Trace, label

NODES, LEAST_STEPS, MOST_STEPS = 220, 8, 20  # in one picture
STEP_PIXELS, LANE_PIXELS = 58, 30  # a step is wider where there is room
LETTERS = 8  # of a token in its node
FONT = "Source Sans, Source Sans Pro, Arial, sans-serif"  # the page's own is a narrow one
HALF_WIDTH, HALF_HEIGHT = 0.41, 0.36  # of a node, in steps and lanes
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
LIGHT_BRANCHES = ("#8a3fb0", "#00777d", "#c02060", "#8a4b00")
DARK_BRANCHES = ("#cf9bea", "#4fc7c7", "#ff8fb6", "#e0ad6b")
BEST = "1"


@dataclass(frozen=True)
class Node:
    """A token at one place of the tree; figures as in BeamTree.

    parent: number of the node before, -1 for none. branch: the branch that added it, "" for the
    run itself. times: how often it was sampled, more than once only where hypotheses are sampled.
    """

    parent: int
    step: int
    token: int
    piece: str
    log_probability: float
    cumulative: float
    score: float
    rank: int
    status: int
    branch: str
    times: int = 1


@dataclass(frozen=True, eq=False)
class MergedTree:
    """The tree of a run with its branches; a beginning that several share is there once.

    paths: the nodes of each hypothesis, by "1", "2" ... for those of the run, letters for branches.
    """

    nodes: tuple[Node, ...]
    paths: dict[str, tuple[int, ...]]

    def path(self, number: int) -> list[int]:
        """Return the nodes from a first token to this one."""
        path = [number]
        while self.nodes[path[-1]].parent >= 0:
            path.append(self.nodes[path[-1]].parent)
        return path[::-1]

    def tokens(self, number: int) -> tuple[int, ...]:
        """Return the tokens from the first one to this node's."""
        return tuple(self.nodes[each].token for each in self.path(number))

    def name(self, number: int) -> str:
        """Return what tells a node from others: its step, its rank or branch, its token."""
        node = self.nodes[number]
        return f"{node.step + 1}.{node.branch or node.rank + 1} {label(node.piece)}"


def join(run: Trace, branches: Mapping[str, Trace] | None = None) -> MergedTree:
    """Join the beam tree of a run with the best path of each branch."""
    nodes: list[Node] = []
    known: dict[tuple[int, int], int] = {}
    paths: dict[str, tuple[int, ...]] = {}

    def add(trace: Trace, numbers: Iterable[int], branch: str) -> dict[int, int]:
        tree, places = trace.beam_tree, {-1: -1}
        for number in numbers:
            key = places[int(tree.parent[number])], int(tree.token[number])
            place = places[number] = known.setdefault(key, len(nodes))
            if place < len(nodes):
                old = nodes[place]
                nodes[place] = old if branch else Node(**vars(old) | {"times": old.times + 1})
                continue
            nodes.append(
                Node(
                    parent=key[0],
                    step=int(tree.step[number]),
                    token=key[1],
                    piece=trace.beam_pieces[number],
                    log_probability=float(tree.log_probability[number]),
                    cumulative=float(tree.cumulative[number]),
                    score=float(tree.score[number]),
                    rank=int(tree.rank[number]),
                    status=int(tree.status[number]),
                    branch=branch,
                )
            )
        return places

    places = add(run, range(len(run.beam_pieces)), "")
    for number, each in enumerate(complete(run)):
        paths[str(number + 1)] = tuple(places[n] for n in run.beam_tree.path(each.node))
    for name, branch in (branches or {}).items():
        path = branch.beam_tree.path(branch.outputs[0].node)
        places = add(branch, path, name)
        paths[name] = tuple(places[n] for n in path)
    return MergedTree(tuple(nodes), paths)


def tints(dark: bool) -> dict[str, str]:
    """Return the colours of the branches by their letters."""
    return dict(zip("ABCD", DARK_BRANCHES if dark else LIGHT_BRANCHES, strict=True))


def steps_shown(tree: MergedTree, step: int, pruned: bool = True) -> range:
    """Return the steps that fit into one picture, the given one among them."""
    nodes = [tree.nodes[number] for number in _shown_nodes(tree, pruned)]
    last = max(node.step for node in nodes) + 1
    widest = math.ceil(len(nodes) / last)
    count = max(LEAST_STEPS, min(MOST_STEPS, NODES // widest))
    first = max(0, min(step - count // 2, last - count))
    return range(first, min(last, first + count))


@Picture
def beam_tree(
    tree: MergedTree,
    shown: str = BEST,
    step: int | None = None,
    selected: int | None = None,
    pruned: bool = True,
    dark: bool = False,
) -> Drawing:
    """Draw a beam tree, steps to the right, one lane for each candidate of a step.

    shown: the hypothesis that is marked, by its name in `tree.paths`. step: the marked one, which
    also chooses the steps that are drawn where all are too many. selected: the framed node.
    pruned: False leaves out pruned candidates. A node's fill goes by the cube root of its token's
    probability: most candidates have little, and would look alike otherwise.
    The customdata of a point is the number of its node.
    """
    colours = palette(dark)
    steps = steps_shown(tree, step or 0, pruned)
    lanes = _lanes(tree, steps, pruned)
    height = max(lanes.values(), default=0) + 1
    drawn = figure(
        colours,
        height=LANE_PIXELS * height + 78,
        margin=margins(t=44, b=34),
        hoverdistance=-1,
        xaxis=axis(
            "decoding step →",
            4,
            room=False,
            side="top",
            tickvals=[number + 1 for number in steps],
            range=[steps.start + 0.55, steps.stop + 0.45],
        ),
        yaxis=hidden_axis(height - 0.5, -0.5),
    )
    if step is not None and step in steps:
        band = rectangle((step + 0.55, step + 1.45), (-0.5, height - 0.5), {"width": 0})
        drawn.add_shape(band | {"fillcolor": colours.mark, "opacity": 0.14, "layer": "below"})
    picture = _Picture(drawn, tree, lanes, colours, tints(dark))
    _add_edges(picture, shown)
    _add_outlines(picture, selected)
    _add_bars(picture, selected)
    _add_tokens(picture)
    _add_points(picture)
    ticks = (0.01, 0.1, 0.5, 1.0)
    marks = ((f"{tick:.0%}", mix(colours.probability, shade(math.log(tick)))) for tick in ticks)
    add_key(drawn, "token probability", marks)
    return fit(drawn)


def beam_tree_csv(tree: MergedTree) -> str:
    """Return all nodes as CSV; steps, ranks and nodes from 1, a first token's parent is 0."""
    rows = (
        (
            number + 1,
            node.parent + 1,
            node.step + 1,
            node.piece,
            node.token,
            f"{math.exp(node.log_probability):.6f}",
            f"{node.log_probability:.4f}",
            f"{node.cumulative:.4f}",
            f"{node.score:.4f}",
            node.rank + 1,
            STATUSES[node.status],
            node.branch,
        )
        for number, node in enumerate(tree.nodes)
    )
    head = (
        "node parent step token id probability log_probability cumulative score rank status branch"
    )
    return table(head.split(), rows)


def candidates(tree: MergedTree, steps: range, pruned: bool = True) -> list[int]:
    """Return the numbers of the nodes that are drawn, by step and rank."""
    shown = [number for number in _shown_nodes(tree, pruned) if tree.nodes[number].step in steps]
    return sorted(shown, key=lambda number: (tree.nodes[number].step, tree.nodes[number].rank))


def _shown_nodes(tree: MergedTree, pruned: bool) -> list[int]:
    on_path = {number for path in tree.paths.values() for number in path}
    return [
        number
        for number, node in enumerate(tree.nodes)
        if pruned or node.status != PRUNED or number in on_path
    ]


def _lanes(tree: MergedTree, steps: range, pruned: bool) -> dict[int, int]:
    """Give each node of these steps a lane, best paths on top, so that no two edges cross.

    They cannot, since the nodes of each step stand in the order of a walk through the tree.
    """
    shown = _shown_nodes(tree, pruned)
    children: dict[int, list[int]] = {}
    for number in shown:
        children.setdefault(tree.nodes[number].parent, []).append(number)
    best = set(tree.paths[BEST])
    # Parents come before their children, so that from the end on, all below a node is known.
    worth: dict[int, tuple] = {}
    for number in reversed(shown):
        node = tree.nodes[number]
        ended = node.score if node.status == FINISHED else -math.inf
        below = [worth[child] for child in children.get(number, ())]
        own = (number in best, not node.branch, ended, node.step, node.score)
        worth[number] = max([own, *below])
    layers: dict[int, list[int]] = {}
    waiting = [-1]
    while waiting:
        number = waiting.pop()
        if number >= 0 and tree.nodes[number].step in steps:
            layers.setdefault(tree.nodes[number].step, []).append(number)
        waiting += sorted(children.get(number, ()), key=worth.__getitem__)
    lanes: dict[int, int] = {}
    height = max(map(len, layers.values()), default=0)
    for step in steps:
        free = 0
        for place, number in enumerate(layers.get(step, ())):
            room = height - (len(layers[step]) - place)
            wanted = lanes.get(tree.nodes[number].parent, 0)
            lanes[number] = max(free, min(wanted, room))
            free = lanes[number] + 1
    return lanes


class _Picture(NamedTuple):
    """A tree that is being drawn: the lanes of the nodes that are in it; a colour by branch."""

    drawn: Drawing
    tree: MergedTree
    lanes: Mapping[int, int]
    colours: Palette
    tinted: Mapping[str, str]

    def node(self, number: int) -> Node:
        return self.tree.nodes[number]

    def faint(self) -> list[int]:
        """Return the nodes that were pruned and lie on no path."""
        return [number for number in self.lanes if _is_faint(self.tree, number)]

    def own(self, name: str) -> list[int]:
        """Return the nodes of a branch that are not those of the best path."""
        best = set(self.tree.paths[BEST])
        return [number for number in self.tree.paths.get(name, ()) if number not in best]

    def grey(self, strength: float) -> str:
        """Return a colour between those of the page, 0, and the text, 1."""
        return mix(((0, self.colours.page), (1, self.colours.text)), strength)

    def outline(self, number: int) -> list[tuple[float, float]]:
        return _box(self.node(number).step + 1, self.lanes[number])


def _add_edges(picture: _Picture, shown: str) -> None:
    tree, lanes, colours = picture.tree, picture.lanes, picture.colours
    pruned = [number for number in lanes if picture.node(number).status == PRUNED]
    band: Scale = ((0, colours.page), (1, colours.mark))
    groups: list[tuple[Iterable[int], dict]] = [
        (tree.paths.get(shown, ()), {"width": 13, "color": mix(band, 0.35)}),
        (pruned, {"width": 1, "color": picture.grey(0.3), "dash": "dot"}),
        (lanes.keys() - set(pruned), {"width": 1.5, "color": picture.grey(0.45)}),
        (set(tree.paths[BEST]), {"width": 4, "color": colours.text}),
    ]
    for name, colour in picture.tinted.items():
        groups.append((picture.own(name), {"width": 3, "color": colour}))
    for numbers, line in groups:
        lines = []
        for number in numbers:
            node = picture.node(number)
            if number in lanes and node.parent in lanes:
                start = node.step + HALF_WIDTH, lanes[node.parent]
                lines.append([start, (node.step + 1 - HALF_WIDTH, lanes[number])])
        _add_lines(picture.drawn, lines, line)


def _add_outlines(picture: _Picture, selected: int | None) -> None:
    """Draw the pruned nodes as dotted outlines."""
    faint, colours = picture.faint(), picture.colours
    line = {"width": 1, "color": picture.grey(0.4), "dash": "dot"}
    _add_lines(picture.drawn, map(picture.outline, faint), line, colours.page)
    if selected in faint:
        line = {"width": 3.5, "color": colours.mark}
        _add_lines(picture.drawn, [picture.outline(selected)], line)


def _add_bars(picture: _Picture, selected: int | None) -> None:
    """Draw the other nodes, as the bars of one trace.

    Every trace takes plotly some milliseconds, however little is in it.
    """
    faint = set(picture.faint())
    kept = [number for number in picture.lanes if number not in faint]
    edges = _edges(picture, kept, selected)
    picture.drawn.add_trace(
        bar(
            orientation="h",
            base=[picture.node(number).step + 1 - HALF_WIDTH for number in kept],
            x=[2 * HALF_WIDTH] * len(kept),
            y=[picture.lanes[number] for number in kept],
            width=2 * HALF_HEIGHT,
            marker={
                "color": [_fill(picture.node(number), picture.colours) for number in kept],
                "cornerradius": 5,
                "line": {
                    "color": [edges[number][0] for number in kept],
                    "width": [edges[number][1] for number in kept],
                },
            },
            hoverinfo="skip",
        )
    )


def _edges(
    picture: _Picture, kept: Sequence[int], selected: int | None
) -> dict[int, tuple[str, float]]:
    """Return colour and width of the outline of each of these nodes."""
    edges = {number: (picture.grey(0.45), 1.0) for number in kept}
    for number in kept:
        if picture.node(number).status == FINISHED:
            edges[number] = picture.colours.text, 2.5
    for name, colour in picture.tinted.items():
        edges |= {number: (colour, 3.0) for number in picture.own(name) if number in edges}
    if selected in edges:
        edges[selected] = picture.colours.mark, 3.5
    return edges


def _add_tokens(picture: _Picture) -> None:
    """Write the token of each node into it, as one trace for each colour of the letters."""
    faint, written = set(picture.faint()), dict[str, list[int]]()
    for number in picture.lanes:
        colour = picture.grey(0.65)
        if number not in faint:
            colour = readable_on(_fill(picture.node(number), picture.colours))
        written.setdefault(colour, []).append(number)
    names = {path[-1]: name for name, path in reversed(picture.tree.paths.items())}
    for colour, numbers in written.items():
        picture.drawn.add_trace(
            scatter(
                x=[picture.node(number).step + 1 for number in numbers],
                y=[picture.lanes[number] for number in numbers],
                mode="text",
                text=[_short(picture.node(number), names.get(number, "")) for number in numbers],
                textfont={"size": 12, "color": colour, "family": FONT},
                hoverinfo="skip",
            )
        )


def _add_points(picture: _Picture) -> None:
    lanes = picture.lanes
    picture.drawn.add_trace(
        unseen_points(
            [picture.node(number).step + 1 for number in lanes],
            list(lanes.values()),
            customdata=[[number] for number in lanes],
            hovertext=[_hover(picture.tree, number) for number in lanes],
            hoverinfo="text",
        )
    )


def _fill(node: Node, colours: Palette) -> str:
    return mix(colours.probability, shade(node.log_probability))


def shade(log_probability: float) -> float:
    """Return how strong a node is filled: the cube root of its token's probability."""
    return math.exp(log_probability / 3)


def _is_faint(tree: MergedTree, number: int) -> bool:
    on_path = any(number in path for path in tree.paths.values())
    return tree.nodes[number].status == PRUNED and not on_path


def _short(node: Node, hypothesis: str) -> str:
    """Return a node's token as it fits in; a hypothesis's last one has its name."""
    text, end = label(node.piece), hypothesis
    if end.isdigit() and int(end) <= len(CIRCLED):
        end = CIRCLED[int(end) - 1]
    room = LETTERS - 2 * bool(end)
    text = text if len(text) <= room else text[: room - 1] + "…"
    return escape(f"{text} {end}" if end else text)


def _hover(tree: MergedTree, number: int) -> str:
    node = tree.nodes[number]
    hypotheses = [name for name, path in tree.paths.items() if number in path]
    lines = [
        f"step {node.step + 1} <b>{escape(label(node.piece))}</b>",
        f"probability {math.exp(node.log_probability):.2%}, log P {node.log_probability:.2f}",
        f"Σ log P {node.cumulative:.2f}, score {node.score:.3f}",
        f"branch {node.branch}"
        if node.branch
        else f"rank {node.rank + 1:,} in its step, {STATUSES[node.status]}",
    ]
    if node.times > 1:
        lines.append(f"sampled {node.times:,} times")
    if hypotheses:
        lines.append(f"in hypothesis {', '.join(hypotheses)}")
    return "<br>".join(lines)


def _box(x: float, y: float) -> list[tuple[float, float]]:
    """Return the outline of a node, its corners cut so that it looks round."""
    w, h, cut = HALF_WIDTH, HALF_HEIGHT, 0.05
    corners = [
        (-w + cut, -h),
        (w - cut, -h),
        (w, -h / 2),
        (w, h / 2),
        (w - cut, h),
        (-w + cut, h),
        (-w, h / 2),
        (-w, -h / 2),
    ]
    return [(x + a, y + b) for a, b in [*corners, corners[0]]]


def _add_lines(
    drawn: Drawing,
    lines: Iterable[Sequence[tuple[float, float]]],
    line: dict,
    fill: str | None = None,
) -> None:
    """Add lines, filled or not, as one trace with gaps."""
    points = [point for each in lines for point in (*each, (None, None))]
    if not points:
        return
    drawn.add_trace(
        scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="lines",
            line=line,
            fill="none" if fill is None else "toself",
            fillcolor=fill,
            hoverinfo="skip",
        )
    )
