"""One search for every architecture: greedy, beam and sampling over many sources at once.

Knows ids and log-probabilities, never words or architectures. A row is a live hypothesis; a source
starts with one row and `select` grows, re-orders and drops rows, so no row is ever a phantom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.decoding.hypothesis import ACTIVE, FINISHED, PRUNED, BeamTree, Hypothesis
from seq2seq.decoding.logits_processors import LogitsProcessor, penalise_repeats
from seq2seq.decoding.options import Options
from seq2seq.decoding.scoring import score
from seq2seq.decoding.step_log import Keeping, StepLog, Trails
from seq2seq.decoding.top_scores import top
from seq2seq.models.protocol import Change, Decoder, Memory, State, Step, select


class Progress(NamedTuple):
    """Where a search stands: steps done, most steps, best tokens so far for the first source."""

    step: int
    limit: int
    tokens: tuple[int, ...]


OnStep = Callable[[Progress], bool | None]


class Steering(NamedTuple):
    """What has a say in a search from outside.

    processors: change the log-probabilities of each step, one after the other. limits: most tokens
    for each source, () for those of the options. changes: tells what a step, from 0, looks at
    instead. on_step: called after every step; where it returns True the search stops, and what
    stands so far is returned as unfinished. keeping: what is kept of every step, None for nothing.
    """

    processors: Sequence[LogitsProcessor] = ()
    limits: Sequence[int] = ()
    changes: Callable[[int], Change | None] | None = None
    on_step: OnStep | None = None
    keeping: Keeping | None = None


UNSTEERED = Steering()


class SearchResult(NamedTuple):
    """The outputs for one source, best first, and the tree they were found in.

    trails: where they stand in what was kept of the steps; None where nothing was, or not all.
    """

    hypotheses: tuple[Hypothesis, ...]
    tree: BeamTree
    trails: Trails | None = None


class Candidates(NamedTuple):
    """Possible next tokens, by source and best first; all arrays are (candidates,)."""

    row: np.ndarray
    token: np.ndarray
    log_probability: np.ndarray
    cumulative: np.ndarray
    rank: np.ndarray


class Rows(NamedTuple):
    """The live hypotheses. owner: the source of each; node: its last node; all are (rows, ...).

    history: the tokens; written_by: the row, at its step, that wrote each of them.
    """

    owner: np.ndarray
    node: np.ndarray
    history: np.ndarray
    written_by: np.ndarray
    log_probabilities: np.ndarray
    cumulative: np.ndarray
    coverage: np.ndarray | None

    def take(self, rows: np.ndarray) -> Rows:
        """Select rows, like `protocol.select`."""
        coverage = None if self.coverage is None else self.coverage[rows]
        return Rows(
            self.owner[rows],
            self.node[rows],
            self.history[rows],
            self.written_by[rows],
            self.log_probabilities[rows],
            self.cumulative[rows],
            coverage,
        )


@torch.inference_mode()
def search(
    decoder: Decoder,
    memory: Memory,
    options: Options,
    start: Sequence[int],
    eos: int | Sequence[int],
    steering: Steering = UNSTEERED,
) -> list[SearchResult]:
    """Find the outputs for each row of the memory.

    start: what the decoder reads before its first output. eos: the token that ends an output, or
    several that do.
    """
    ends = np.atleast_1d(np.array(eos, dtype=np.int64))
    return _Search(decoder, memory, options, start, ends, steering).run()


class _Search:
    """The state of one call of `search`."""

    def __init__(
        self,
        decoder: Decoder,
        memory: Memory,
        options: Options,
        start: Sequence[int],
        ends: np.ndarray,
        steering: Steering,
    ) -> None:
        self.decoder, self.options, self.ends, self.steering = decoder, options, ends, steering
        count, device = memory.mask.shape[0], memory.mask.device
        self.visible = memory.mask.cpu().numpy()
        default = [options.length_limit(int(length)) for length in self.visible.sum(axis=1)]
        self.limits = list(steering.limits) or default
        self.finished: list[list[Hypothesis]] = [[] for _ in range(count)]
        self.written_by: list[dict[int, np.ndarray]] = [{} for _ in range(count)]
        self.log = None
        if steering.keeping is not None and options.repetition_penalty == 1:
            self.log = StepLog(steering.keeping, len(start) - 1)
        self.tree = _Tree(count)
        self.generators = [np.random.default_rng(options.seed) for _ in range(count)]
        self.read_first = tuple(start)
        # What the sources that are still searched have left, one row each, and as rows read it.
        self.sources, self.encoded = np.arange(count), memory
        self.memory, self.state = memory, decoder.start(memory)
        if len(start) > 1:
            given = torch.tensor([list(start[:-1])], device=device).expand(count, -1)
            self.state = decoder.prefill(given, self.state, memory)
        self.tokens = torch.full((count,), start[-1], device=device)
        covers = options.coverage_penalty > 0
        self.rows = Rows(
            owner=np.arange(count),
            node=np.full(count, -1),
            history=np.zeros((count, 0), dtype=np.int64),
            written_by=np.zeros((count, 0), dtype=np.int64),
            log_probabilities=np.zeros((count, 0)),
            cumulative=np.zeros(count),
            coverage=np.zeros(memory.mask.shape) if covers else None,
        )

    def run(self) -> list[SearchResult]:
        changes, on_step = self.steering.changes, self.steering.on_step
        for number in range(max(self.limits)):
            looks = self.rows.coverage is not None or self.log is not None
            change = None if changes is None else changes(number)
            step = self.decoder.step(self.tokens, self.state, self.memory, looks, change)
            self._advance(step, number)
            stop = on_step is not None and on_step(self._progress(number + 1))
            if stop or not len(self.rows.owner):
                break
        for row in range(len(self.rows.owner)):
            self._finish(self.rows.take(np.array([row])), finished=False)
        return [
            SearchResult(self._best(source), tree, self._trails(source))
            for source, tree in enumerate(self.tree.by_source())
        ]

    def _advance(self, step: Step, number: int) -> None:
        """Rank the candidates of a step, put the complete ones aside, go on with the best."""
        # In place: over a large vocabulary, fresh memory costs more than the numbers in it.
        logits = step.logits.float()
        history = torch.from_numpy(self.rows.history).to(logits.device)
        allowed = self._penalised(logits, history)
        if self.log is not None and not self.log.add(step, allowed):
            self.log = None
        for processor in self.steering.processors:
            allowed = processor(allowed, history)
        sampling = self.options.method == "sample"
        candidates = (self._draw if sampling else self._rank)(allowed)
        owner, width = self.rows.owner[candidates.row], self.options.rows
        ends = np.isin(candidates.token, self.ends)
        complete = ends & (candidates.rank < width)
        lives = ~ends & (_rank_within(owner, ~ends) < width)
        status = np.where(complete, FINISHED, np.where(lives, ACTIVE, PRUNED))
        longer = self._lengthen(candidates, step)
        longer = longer._replace(
            node=self.tree.add(
                owner,
                np.full(len(owner), number),
                longer.node,
                candidates.token,
                candidates.log_probability,
                candidates.cumulative,
                self._score(longer),
                candidates.rank,
                status,
            )
        )
        stuck = np.ones(len(self.finished), dtype=bool)
        stuck[owner] = False
        for row in np.flatnonzero(stuck[self.rows.owner]):
            self._finish(self.rows.take(np.array([row])), finished=False)
        for index in np.flatnonzero(complete):
            self._finish(longer.take(np.array([index])), finished=True)
        longer, parents = longer.take(lives), candidates.row[lives]
        done = np.array([self._is_done(source, longer) for source in range(len(self.finished))])
        capped = np.array(self.limits) <= number + 1
        # At its limit a source keeps whatever has made it among the best, complete or not.
        for row in np.flatnonzero(capped[longer.owner] & (candidates.rank[lives] < width)):
            self._finish(longer.take(np.array([row])), finished=False)
        going = ~(done | capped)[longer.owner]
        self._continue(longer.take(going), parents[going], step.state)

    def _penalised(self, logits: Tensor, history: Tensor) -> Tensor:
        """Return log-probabilities after the penalty on repeats, where there is one.

        One output at a time is penalised in its logits, a beam in what it adds up, as transformers
        does both.
        """
        penalty = self.options.repetition_penalty
        if penalty == 1:
            return torch.log_softmax(logits, dim=-1, out=logits)
        if self.options.rows > 1 and self.options.method == "beam":
            return penalise_repeats(logits.log_softmax(-1), history, penalty, self.read_first)
        return penalise_repeats(logits, history, penalty, self.read_first).log_softmax(-1)

    def _rank(self, allowed: Tensor) -> Candidates:
        """The best candidates of each source: enough, since a row can end in few ways only."""
        most = (1 + len(self.ends)) * self.options.rows
        count = min(most, allowed.shape[1])
        values, tokens = (part.cpu().numpy() for part in top(allowed, count))
        row = np.repeat(np.arange(len(values)), count)
        token, log_probability = tokens.ravel(), values.ravel().astype(np.float64)
        cumulative = self.rows.cumulative[row] + log_probability
        owner = self.rows.owner[row]
        order = np.lexsort((-cumulative, owner))
        order = order[np.isfinite(cumulative[order])]
        rank = _rank_within(owner[order])
        order, rank = order[rank < most], rank[rank < most]
        return Candidates(row[order], token[order], log_probability[order], cumulative[order], rank)

    def _draw(self, allowed: Tensor) -> Candidates:
        """Draw one token for each row; a source's first step draws all of its rows."""
        table = allowed.cpu().double().numpy()
        draws = 1 if self.rows.history.shape[1] else self.options.rows
        live = np.flatnonzero(np.isfinite(table).any(axis=1))
        drawn = [
            self.generators[self.rows.owner[row]].choice(
                table.shape[1], draws, p=_truncate(table[row], self.options)
            )
            for row in live
        ]
        row = np.repeat(live, draws)
        token = np.concatenate([*drawn, np.zeros(0, dtype=np.int64)])
        log_probability = table[row, token]
        rank = _rank_within(self.rows.owner[row])
        cumulative = self.rows.cumulative[row] + log_probability
        return Candidates(row, token, log_probability, cumulative, rank)

    def _lengthen(self, candidates: Candidates, step: Step) -> Rows:
        rows = self.rows.take(candidates.row)
        coverage = None
        if rows.coverage is not None and step.weights is not None:
            seen = step.weights.float().mean(dim=(1, 2)).cpu().numpy()
            coverage = rows.coverage + seen[candidates.row]
        said = candidates.token[:, None], candidates.log_probability[:, None]
        written_by = np.concatenate([rows.written_by, candidates.row[:, None]], axis=1)
        return rows._replace(
            history=np.concatenate([rows.history, said[0]], axis=1),
            written_by=written_by,
            log_probabilities=np.concatenate([rows.log_probabilities, said[1]], axis=1),
            cumulative=candidates.cumulative,
            coverage=coverage,
        )

    def _score(self, rows: Rows) -> np.ndarray:
        """Score (rows,); a model without attention has no coverage to count."""
        options, coverage = self.options, rows.coverage
        if coverage is None:
            return score(rows.cumulative, rows.history.shape[1], options.length_penalty)
        return score(
            rows.cumulative,
            rows.history.shape[1],
            options.length_penalty,
            options.coverage_penalty,
            np.where(self.visible[rows.owner], coverage, 1.0),
        )

    def _finish(self, row: Rows, finished: bool) -> None:
        hypothesis = Hypothesis(
            tuple(row.history[0].tolist()),
            tuple(row.log_probabilities[0].tolist()),
            float(self._score(row)[0]),
            finished,
            int(row.node[0]),
        )
        self.finished[row.owner[0]].append(hypothesis)
        self.written_by[row.owner[0]][hypothesis.node] = row.written_by[0]

    def _is_done(self, source: int, rows: Rows) -> bool:
        """Tell whether a source has enough complete hypotheses, or no live one."""
        live = rows.owner == source
        if not live.any():
            return True
        complete = self.finished[source]
        if len(complete) < self.options.rows or self.options.method == "sample":
            return False
        worst = sorted((h.score for h in complete), reverse=True)[self.options.rows - 1]
        return self.options.early_stopping or self._score(rows.take(live)).max() <= worst

    def _continue(self, rows: Rows, parents: np.ndarray, state: State) -> None:
        if not np.array_equal(parents, np.arange(len(self.rows.owner))):
            index = torch.from_numpy(parents).to(self.tokens.device)
            state = select(state, index)
            if not np.array_equal(rows.owner, self.rows.owner):
                self._share(rows.owner)
        self.rows, self.state = rows, state
        if len(rows.owner):
            self.tokens = torch.from_numpy(rows.history[:, -1]).to(self.tokens.device)

    def _share(self, owner: np.ndarray) -> None:
        """Let the rows of these owners read the memory; sources without one are dropped from it."""
        device, live = self.tokens.device, np.unique(owner)
        if 0 < len(live) < len(self.sources):
            kept = np.searchsorted(self.sources, live)
            self.encoded = select(self.encoded, torch.from_numpy(kept).to(device))
            self.sources = live
        if len(live):
            owners = torch.from_numpy(np.searchsorted(live, owner)).to(device)
            self.memory = self.decoder.share(self.encoded, owners)

    def _progress(self, number: int) -> Progress:
        best = max(self.finished[0], key=lambda h: h.score, default=None)
        live = np.flatnonzero(self.rows.owner == 0)
        if len(live):
            return Progress(number, self.limits[0], tuple(self.rows.history[live[0]].tolist()))
        return Progress(number, self.limits[0], best.tokens if best else ())

    def _trails(self, source: int) -> Trails | None:
        return None if self.log is None else Trails(self.log, self.written_by[source])

    def _best(self, source: int) -> tuple[Hypothesis, ...]:
        ranked = sorted(self.finished[source], key=lambda h: (-h.score, h.tokens))
        return tuple(ranked[: min(self.options.n_best, self.options.rows)])


class _Tree:
    """Collects the candidates of all sources, step by step; nodes are numbered source by source."""

    def __init__(self, sources: int) -> None:
        self.counts = np.zeros(sources, dtype=np.int64)
        self.owners: list[np.ndarray] = []
        self.columns: list[tuple[np.ndarray, ...]] = []

    def add(self, owner: np.ndarray, *columns: np.ndarray) -> np.ndarray:
        """Add the candidates of a step, columns as in BeamTree; returns their node numbers."""
        numbers = self.counts[owner] + _rank_within(owner)
        np.add.at(self.counts, owner, 1)
        self.owners.append(owner)
        self.columns.append(columns)
        return numbers

    def by_source(self) -> list[BeamTree]:
        owner = np.concatenate(self.owners)
        columns = [np.concatenate(parts) for parts in zip(*self.columns, strict=True)]
        groups = [np.flatnonzero(owner == source) for source in range(len(self.counts))]
        return [BeamTree(*(column[group] for column in columns)) for group in groups]


def _rank_within(owner: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Number the entries of each owner from 0, best first; owners stand side by side.

    counts (entries,): False for entries that take no number of their own.
    """
    places = np.arange(len(owner))
    before = places if counts is None else np.cumsum(counts) - counts
    same = owner[1:] == owner[:-1]
    starts = np.concatenate([places[:1], np.where(same, 0, places[1:])])
    return before - before[np.maximum.accumulate(starts)]


def _truncate(log_probabilities: np.ndarray, options: Options) -> np.ndarray:
    """Turn log-probabilities (vocabulary,) into the chances of a draw.

    Temperature first, then top-k (Fan et al. 2018), then top-p of what that leaves (Holtzman et
    al. 2020).
    """
    scaled = log_probabilities / options.temperature
    chances = np.exp(scaled - scaled.max())
    if 0 < options.top_k < len(chances):
        chances[chances < np.partition(chances, -options.top_k)[-options.top_k]] = 0.0
    chances /= chances.sum()
    if options.top_p < 1:
        order = np.argsort(chances, kind="stable")
        below = np.cumsum(chances[order]) <= 1 - options.top_p
        below[-1] = False
        chances[order[below]] = 0.0
    return chances / chances.sum()
