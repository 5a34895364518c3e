import itertools
import math
from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest
import torch
from transformers.generation.logits_process import (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

import seq2seq.decoding.options
from seq2seq.decoding.hypothesis import ACTIVE, FINISHED, PRUNED
from seq2seq.decoding.logits_processors import forbid
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import Steering, _truncate, search
from seq2seq.models.config import Config
from seq2seq.models.protocol import select
from seq2seq.models.seq2seq import build

BOS, EOS = 2, 3
MODELS = {
    "lstm-attention": {"cell": "lstm", "attention": "general", "feeds": "readout"},
    "gru-plain": {"cell": "gru", "attention": "none", "feeds": "context"},
    "transformer": {"architecture": "transformer", "heads": 2, "feedforward": 16},
}
SOURCE = torch.tensor([[5, 6, 7, 5, 3], [6, 4, 3, 0, 0], [4, 3, 0, 0, 0], [7, 7, 6, 3, 0]])
ROWS = [row[row != 0][None] for row in SOURCE]
every_model = pytest.mark.parametrize("kind", MODELS)


@cache
def model_of(kind, vocabulary=8, seed=1, ends=0.0):
    """Build a model sure enough of itself that searches differ.

    ends: how much likelier than by chance an output ends at any step.
    """
    torch.manual_seed(seed)
    model = build(
        Config.from_dict(
            {
                "vocabulary": vocabulary,
                "width": 8,
                "decoder_layers": 2,
                "tied": False,
                "shared": False,
            }
            | MODELS[kind]
        )
    ).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
        model.decoder.output.weight.mul_(2)
        model.decoder.output.bias[EOS] += ends
    return model.requires_grad_(False)


def find(model, source, processors=(), on_step=None, **options):
    memory = model.encode(source)
    steering = Steering(processors, on_step=on_step)
    return search(model.decoder, memory, Options(**options), [BOS], EOS, steering)


def scores_after(model, source, tokens):
    """Log-probabilities (vocabulary,) of the next token, by one teacher-forced pass."""
    return model(source, torch.tensor([[BOS, *tokens]]))[0, -1].log_softmax(-1)


def teacher_forced(model, source, tokens):
    """Log-probability of each token of an output."""
    logits = model(source, torch.tensor([[BOS, *tokens[:-1]]]))[0]
    return logits.log_softmax(-1).gather(1, torch.tensor(tokens)[:, None])[:, 0].tolist()


def naive_greedy(model, source, limit):
    tokens = []
    while len(tokens) < limit and EOS not in tokens:
        tokens.append(int(scores_after(model, source, tokens).argmax()))
    return tuple(tokens)


def naive_beam(model, source, width, limit, penalty, early_stopping=True):
    """The textbook's beam search, a list of (tokens, log P) at a time. Returns {tokens: score}."""
    live, complete = [((), 0.0)], {}
    for length in range(1, limit + 1):
        grown = sorted(
            (
                ((*tokens, token), total + float(score))
                for tokens, total in live
                for token, score in enumerate(scores_after(model, source, tokens))
            ),
            key=lambda pair: -pair[1],
        )
        for tokens, total in grown[:width]:
            if tokens[-1] == EOS:
                complete[tokens] = total / length**penalty
        live = [pair for pair in grown if pair[0][-1] != EOS][:width]
        if len(complete) >= width:
            worst = sorted(complete.values(), reverse=True)[width - 1]
            if early_stopping or live[0][1] / length**penalty <= worst:
                return complete
    return complete | {tokens: total / limit**penalty for tokens, total in live}


def every_output(model, source, limit):
    """Log-probability of every output there can be: those that end, and those cut at the limit."""
    tokens = [token for token in range(model.config.vocabulary) if token != EOS]
    outputs = [
        (*body, EOS) for length in range(limit) for body in itertools.product(tokens, repeat=length)
    ]
    outputs += itertools.product(tokens, repeat=limit)
    return {output: sum(teacher_forced(model, source, output)) for output in outputs}


@pytest.fixture
def no_limit(monkeypatch):
    """Let the beam be as wide as an exhaustive search needs it, wider than visitors may choose."""
    monkeypatch.setattr(seq2seq.decoding.options, "MAX_BEAM_WIDTH", 1_000)


# --- greedy and beam


@every_model
@pytest.mark.parametrize("seed", range(4))
def test_greedy_is_a_beam_of_one_and_the_naive_loop(kind, seed):
    model = model_of(kind, seed=seed)
    for row in ROWS:
        expected = naive_greedy(model, row, 9)
        for options in ({"method": "greedy"}, {"beam_width": 1}):
            for early in (True, False):
                [found] = find(model, row, max_length=9, early_stopping=early, **options)
                assert [each.tokens for each in found.hypotheses] == [expected]
                assert found.hypotheses[0].finished == (expected[-1] == EOS)


@every_model
@pytest.mark.parametrize("width", [2, 4, 10])
@pytest.mark.parametrize("penalty", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("ends", [0.0, 1.5])
def test_beam_is_the_textbooks(kind, width, penalty, early_stopping, ends):
    model = model_of(kind, ends=ends)
    options = {"length_penalty": penalty, "early_stopping": early_stopping}
    found = find(model, SOURCE, beam_width=width, n_best=width, max_length=6, **options)
    for row, each in zip(ROWS[:2], found[:2], strict=True):
        expected = naive_beam(model, row, width, 6, penalty, early_stopping)
        best = sorted(expected, key=lambda tokens: -expected[tokens])[:width]
        assert [hypothesis.tokens for hypothesis in each.hypotheses] == best
        scores = [hypothesis.score for hypothesis in each.hypotheses]
        assert scores == pytest.approx([expected[tokens] for tokens in best], abs=1e-5)


@every_model
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_wide_enough_is_exhaustive_search(kind, penalty, no_limit):
    model = model_of(kind, vocabulary=5)
    expected = every_output(model, ROWS[3] % 5, 3)
    assert len(expected) == 1 + 4 + 16 + 64
    assert sum(map(math.exp, expected.values())) == pytest.approx(1.0, abs=1e-5)
    width = {"beam_width": len(expected), "n_best": len(expected)}
    [found] = find(model, ROWS[3] % 5, max_length=3, length_penalty=penalty, **width)
    total = {each.tokens: sum(each.log_probabilities) for each in found.hypotheses}
    assert len(found.hypotheses) == len(expected)
    assert total == pytest.approx(expected, abs=1e-4)
    for each in found.hypotheses:
        assert each.score == pytest.approx(total[each.tokens] / len(each.tokens) ** penalty)
        assert each.finished == (each.tokens[-1] == EOS)
    scores = [each.score for each in found.hypotheses]
    assert scores == sorted(scores, reverse=True)


@every_model
def test_the_widest_beam_a_visitor_may_choose_is_exhaustive_over_three_tokens(kind):
    model = model_of(kind, vocabulary=6)
    expected = {
        tokens: total
        for tokens, total in every_output(model, ROWS[2], 2).items()
        if set(tokens) <= {EOS, 4, 5}
    }
    processors = [forbid([0, 1, BOS])]
    [found] = find(model, ROWS[2], processors, beam_width=10, n_best=10, max_length=2)
    total = {each.tokens: sum(each.log_probabilities) for each in found.hypotheses}
    assert len(found.hypotheses) == len(expected) == 1 + 2 + 4
    assert total == pytest.approx(expected, abs=1e-4)


@every_model
@pytest.mark.parametrize("penalty", [0.0, 1.0, 3.0])
def test_searching_on_never_finds_a_worse_best(kind, penalty):
    gained = 0
    for seed in range(6):
        model = model_of(kind, seed=seed)
        options = {"beam_width": 3, "length_penalty": penalty, "max_length": 10}
        early = find(model, SOURCE, **options)
        late = find(model, SOURCE, early_stopping=False, **options)
        for one, other in zip(early, late, strict=True):
            if all(each.finished for each in one.hypotheses):
                assert other.hypotheses[0].score >= one.hypotheses[0].score - 1e-5
                gained += other.hypotheses[0].score > one.hypotheses[0].score + 1e-5
    assert gained or penalty < 3.0


def test_a_higher_length_penalty_never_prefers_shorter_outputs():
    lengths = []
    for penalty in (0.0, 1.0, 3.0):
        found = [
            each.hypotheses[0].tokens
            for seed in range(6)
            for each in find(
                model_of("transformer", seed=seed),
                SOURCE,
                length_penalty=penalty,
                early_stopping=False,
                max_length=10,
            )
        ]
        lengths.append(sum(map(len, found)))
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]


@every_model
@pytest.mark.parametrize("width", [1, 4, 10])
def test_no_hypothesis_is_a_phantom(kind, width):
    found = find(model_of(kind), SOURCE, beam_width=width, n_best=width, max_length=7)
    for each in found:
        outputs = [hypothesis.tokens for hypothesis in each.hypotheses]
        assert len(set(outputs)) == len(outputs) == width
        for hypothesis in each.hypotheses:
            assert np.isfinite(hypothesis.log_probabilities).all()
            assert EOS not in hypothesis.tokens[:-1]


@every_model
@pytest.mark.parametrize("n_best", [1, 2, 4, 10])
def test_n_best_are_the_first_of_all(kind, n_best):
    model = model_of(kind)
    options = {"beam_width": 4, "max_length": 7}
    [every] = find(model, ROWS[0], n_best=4, **options)
    [found] = find(model, ROWS[0], n_best=n_best, **options)
    assert found.hypotheses == every.hypotheses[:n_best]
    assert len(found.hypotheses) == min(n_best, 4)


@every_model
@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_a_batch_gives_what_its_rows_give_alone(kind, method):
    model = model_of(kind)
    options = {"method": method, "beam_width": 3, "seed": 5}
    together = find(model, SOURCE, **options)
    assert len({each.hypotheses[0].tokens for each in together}) > 1
    for row, each in zip(ROWS, together, strict=True):
        [alone] = find(model, row, **options)
        for one, other in zip(each.hypotheses, alone.hypotheses, strict=True):
            assert one.tokens == other.tokens
            assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-5)
            assert (one.finished, one.node) == (other.finished, other.node)
        for name in ("step", "parent", "token", "rank", "status"):
            assert np.array_equal(getattr(each.tree, name), getattr(alone.tree, name)), name


@every_model
@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_log_probabilities_are_the_teacher_forced_ones(kind, method):
    model = model_of(kind)
    for row in ROWS:
        [found] = find(model, row, method=method, beam_width=4, n_best=4, max_length=8)
        for each in found.hypotheses:
            expected = teacher_forced(model, row, each.tokens)
            assert each.log_probabilities == pytest.approx(expected, abs=1e-4)
            total = sum(expected)
            assert found.tree.cumulative[each.node] == pytest.approx(total, abs=1e-4)
            assert each.score == pytest.approx(total / len(each.tokens), abs=1e-4)


# --- length, progress, stopping


@every_model
@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_nothing_is_longer_than_the_cap(kind, method, limit):
    endless = [forbid([EOS])]
    found = find(model_of(kind), SOURCE, endless, method=method, max_length=limit)
    for each in found:
        assert {len(hypothesis.tokens) for hypothesis in each.hypotheses} == {limit}
        assert not any(hypothesis.finished for hypothesis in each.hypotheses)
        assert each.tree.step.max() == limit - 1


def test_without_a_cap_it_follows_from_each_sources_length():
    found = find(model_of("gru-plain"), SOURCE, [forbid([EOS])], beam_width=2)
    lengths = [len(each.hypotheses[0].tokens) for each in found]
    assert lengths == [10 + 2 * row.shape[1] for row in ROWS]


@every_model
def test_progress_is_told_after_every_step(kind):
    seen = []
    endless = [forbid([EOS])]
    [found] = find(model_of(kind), ROWS[0], endless, on_step=seen.append, max_length=5)
    assert [progress.step for progress in seen] == [1, 2, 3, 4, 5]
    assert {progress.limit for progress in seen} == {5}
    assert [len(progress.tokens) for progress in seen] == [1, 2, 3, 4, 5]
    tree = found.tree
    for progress in seen[:-1]:
        best = np.flatnonzero((tree.step == progress.step - 1) & (tree.rank == 0))
        assert progress.tokens == tuple(tree.token[tree.path(best[0])])
    assert seen[-1].tokens == found.hypotheses[0].tokens


@every_model
@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_returning_true_stops(kind, method):
    calls = []

    def stop(progress):
        calls.append(progress)
        return progress.step == 3

    [found] = find(model_of(kind), ROWS[0], [forbid([EOS])], stop, method=method, max_length=9)
    assert len(calls) == 3
    assert found.tree.step.max() == 2
    assert {len(each.tokens) for each in found.hypotheses} == {3}
    assert not any(each.finished for each in found.hypotheses)
    best = max(found.hypotheses, key=lambda each: each.score)
    assert found.hypotheses[0] == best


def test_any_other_answer_goes_on():
    for answer in (None, False):
        [found] = find(
            model_of("gru-plain"),
            ROWS[0],
            [forbid([EOS])],
            lambda progress, answer=answer: answer,
            max_length=4,
        )
        assert found.tree.step.max() == 3


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_a_source_for_which_everything_is_forbidden_ends(method):
    [found] = find(
        model_of("gru-plain"),
        ROWS[0],
        [lambda scores, history: scores if history.shape[1] < 2 else scores - math.inf],
        method=method,
        max_length=9,
    )
    assert {len(each.tokens) for each in found.hypotheses if not each.finished} == {2}


# --- the beam tree


@every_model
@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_tree_is_consistent(kind, width, early_stopping):
    for found in find(
        model_of(kind), SOURCE, beam_width=width, max_length=6, early_stopping=early_stopping
    ):
        tree = found.tree
        nodes = np.arange(len(tree.step))
        roots = tree.parent == -1
        assert np.array_equal(tree.step == 0, roots)
        parents = tree.parent[~roots]
        assert (parents < nodes[~roots]).all()
        assert np.array_equal(tree.step[~roots], tree.step[parents] + 1)
        assert (tree.status[parents] == ACTIVE).all()
        before = np.where(roots, 0.0, tree.cumulative[tree.parent])
        np.testing.assert_allclose(tree.cumulative, before + tree.log_probability)
        np.testing.assert_allclose(tree.score, tree.cumulative / (tree.step + 1))
        assert np.array_equal(tree.status == FINISHED, (tree.token == EOS) & (tree.rank < width))
        siblings = list(zip(tree.parent.tolist(), tree.token.tolist(), strict=True))
        assert len(set(siblings)) == len(siblings)


@every_model
@pytest.mark.parametrize("width", [1, 3, 4])
def test_each_step_ranks_twice_the_width_and_keeps_the_width(kind, width):
    for found in find(model_of(kind, vocabulary=12), SOURCE, beam_width=width, max_length=6):
        tree = found.tree
        for step in range(tree.step.max() + 1):
            here = np.flatnonzero(tree.step == step)
            assert len(here) == 2 * width
            assert np.array_equal(tree.rank[here], np.arange(2 * width))
            assert (np.diff(tree.cumulative[here]) <= 0).all()
            assert (tree.status[here] == ACTIVE).sum() == width
            others = here[(tree.status[here] == PRUNED) & (tree.token[here] != EOS)]
            kept = here[tree.status[here] == ACTIVE]
            assert tree.cumulative[kept].min() >= tree.cumulative[others].max(initial=-np.inf)


@every_model
def test_pruned_candidates_carry_what_the_model_gave_them(kind):
    model = model_of(kind)
    [found] = find(model, ROWS[0], beam_width=2, max_length=4)
    tree = found.tree
    pruned = np.flatnonzero(tree.status == PRUNED)
    assert len(pruned)
    for node in pruned:
        tokens = tree.token[tree.path(node)].tolist()
        expected = teacher_forced(model, ROWS[0], tokens)
        assert tree.log_probability[node] == pytest.approx(expected[-1], abs=1e-4)
        assert tree.cumulative[node] == pytest.approx(sum(expected), abs=1e-4)
        assert node not in tree.parent


@every_model
@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_every_hypothesis_has_its_path_in_the_tree(kind, method):
    for found in find(model_of(kind), SOURCE, method=method, beam_width=4, max_length=6):
        for each in found.hypotheses:
            path = found.tree.path(each.node)
            assert tuple(found.tree.token[path]) == each.tokens
            assert tuple(found.tree.log_probability[path]) == each.log_probabilities
            assert found.tree.step[path].tolist() == list(range(len(each.tokens)))
            assert (found.tree.status[path[:-1]] == ACTIVE).all()
            assert found.tree.status[path[-1]] == (FINISHED if each.finished else ACTIVE)
            assert found.tree.score[each.node] == each.score


# --- coverage


@pytest.mark.parametrize("kind", ["lstm-attention", "transformer"])
@pytest.mark.parametrize("beta", [0.2, 2.0])
def test_coverage_penalty_is_its_formula(kind, beta):
    model = model_of(kind)
    options = {"beam_width": 4, "n_best": 4, "max_length": 6, "length_penalty": 0.8}
    found = find(model, SOURCE, coverage_penalty=beta, **options)
    for row, each in zip(ROWS, found, strict=True):
        for hypothesis in each.hypotheses:
            target = torch.tensor([[BOS, *hypothesis.tokens[:-1]]])
            steps = model.decoder(target, model.encode(row), record=True)
            seen = steps.weights[0].mean(dim=(1, 2)).sum(dim=0).clamp(max=1.0)
            total = sum(hypothesis.log_probabilities) / len(hypothesis.tokens) ** 0.8
            expected = total + beta * float(seen.log().sum())
            assert hypothesis.score == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["lstm-attention", "transformer"])
def test_coverage_penalty_counts_what_is_seen_wherever_it_stands(kind):
    model, beta = model_of(kind), 0.5
    memory = model.encode(SOURCE)
    mask = memory.mask.clone()
    mask[0, 1:3] = mask[3, 0] = False
    memory = memory._replace(mask=mask)
    options = Options(beam_width=3, n_best=3, max_length=5, coverage_penalty=beta)
    for row, each in enumerate(search(model.decoder, memory, options, [BOS], EOS)):
        alone = select(memory, torch.tensor([row]))
        for hypothesis in each.hypotheses:
            target = torch.tensor([[BOS, *hypothesis.tokens[:-1]]])
            weights = model.decoder(target, alone, record=True).weights[0]
            seen = weights.mean(dim=(1, 2)).sum(dim=0)[mask[row]].clamp(max=1.0)
            total = sum(hypothesis.log_probabilities) / len(hypothesis.tokens)
            expected = total + beta * float(seen.log().sum())
            assert hypothesis.score == pytest.approx(expected, abs=1e-4)


def test_coverage_penalty_changes_the_order():
    changed = 0
    for seed in range(6):
        model = model_of("lstm-attention", seed=seed)
        options = {"beam_width": 5, "max_length": 8, "early_stopping": False}
        plain, covered = (
            [each.hypotheses[0].tokens for each in find(model, SOURCE, **options, **more)]
            for more in ({}, {"coverage_penalty": 5.0})
        )
        changed += plain != covered
    assert changed


def test_without_attention_coverage_penalty_changes_nothing():
    model = model_of("gru-plain")
    plain, covered = find(model, ROWS[0]), find(model, ROWS[0], coverage_penalty=2.0)
    assert plain[0].hypotheses == covered[0].hypotheses


# --- sampling


@every_model
def test_one_seed_gives_one_answer(kind):
    model = model_of(kind)
    options = {"method": "sample", "beam_width": 4, "max_length": 8}
    first, again, other = (find(model, SOURCE, seed=seed, **options) for seed in (3, 3, 4))
    outputs = [[each.hypotheses for each in found] for found in (first, again, other)]
    assert outputs[0] == outputs[1]
    assert outputs[0] != outputs[2]


@every_model
@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 0.01}])
def test_the_narrowest_sampling_is_greedy(kind, narrow):
    model = model_of(kind)
    found = find(model, SOURCE, method="sample", beam_width=3, max_length=9, **narrow)
    for row, each in zip(ROWS, found, strict=True):
        expected = naive_greedy(model, row, 9)
        assert [hypothesis.tokens for hypothesis in each.hypotheses] == [expected] * 3


def draws(model, count=2_000, length=1, **options):
    outputs = Counter()
    for seed in range(count // 10):
        [found] = find(
            model,
            ROWS[0],
            method="sample",
            beam_width=10,
            n_best=10,
            seed=seed,
            max_length=length,
            **options,
        )
        outputs.update(each.tokens for each in found.hypotheses)
    return outputs


def check_frequencies(outputs, chances):
    total = sum(outputs.values())
    assert set(outputs) <= {key for key, chance in chances.items() if chance > 0}
    for key, chance in chances.items():
        spread = math.sqrt(max(chance * (1 - chance), 1e-6) / total)
        assert outputs[key] / total == pytest.approx(chance, abs=4 * spread + 1e-3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_frequencies_match_the_distribution(temperature):
    model = model_of("gru-plain")
    scores = scores_after(model, ROWS[0], ()) / temperature
    chances = {(token,): chance for token, chance in enumerate(scores.softmax(-1).tolist())}
    check_frequencies(draws(model, temperature=temperature), chances)


def test_frequencies_of_whole_outputs_match_the_distribution():
    model = model_of("gru-plain", vocabulary=5)
    source = ROWS[0] % 5
    chances = {tokens: math.exp(total) for tokens, total in every_output(model, source, 2).items()}
    outputs = Counter()
    for seed in range(200):
        options = {"method": "sample", "beam_width": 10, "n_best": 10, "max_length": 2}
        [found] = find(model, source, seed=seed, **options)
        outputs.update(each.tokens for each in found.hypotheses)
    check_frequencies(outputs, chances)


@pytest.mark.parametrize("top_k", [2, 3, 8, 500])
def test_top_k_leaves_the_k_best_in_proportion(top_k):
    model = model_of("gru-plain")
    scores = scores_after(model, ROWS[0], ())
    best = scores.argsort(descending=True)[:top_k]
    chances = dict.fromkeys(((token,) for token in range(8)), 0.0)
    for token, chance in zip(best.tolist(), scores[best].softmax(-1).tolist(), strict=True):
        chances[(token,)] = chance
    check_frequencies(draws(model, top_k=top_k), chances)


@pytest.mark.parametrize("top_p", [0.4, 0.7, 0.95])
def test_top_p_leaves_the_fewest_that_hold_p(top_p):
    model = model_of("gru-plain")
    kept, total = {}, 0.0
    ranked = scores_after(model, ROWS[0], ()).softmax(-1).sort(descending=True)
    for chance, token in zip(ranked.values.tolist(), ranked.indices.tolist(), strict=True):
        if total < top_p:
            kept[(token,)] = chance
        total += chance
    chances = {key: chance / sum(kept.values()) for key, chance in kept.items()}
    assert 1 < len(kept) < 8 or top_p < 0.5
    check_frequencies(draws(model, top_p=top_p), chances)


def test_draws_of_one_search_are_independent():
    outputs = defaultdict(set)
    model = model_of("gru-plain")
    for seed in range(10):
        [found] = find(model, ROWS[0], method="sample", beam_width=10, n_best=10, seed=seed)
        assert len(found.hypotheses) == 10
        outputs[seed].update(each.tokens for each in found.hypotheses)
    assert min(map(len, outputs.values())) > 1
    assert len(set.union(*outputs.values())) > max(map(len, outputs.values()))


@pytest.mark.parametrize("top_k", [0, 1, 7, 40, 500])
@pytest.mark.parametrize("top_p", [0.05, 0.6, 0.93, 1.0])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_what_is_drawn_from_is_what_transformers_draws_from(top_k, top_p, temperature):
    """Temperature, then top-k, then top-p of what that leaves."""
    scores = torch.randn(20, 300, generator=torch.Generator().manual_seed(top_k)).double() * 2
    scores[:5] = scores[:5].round()  # several are equally likely
    scores[0, 40:60] = -math.inf
    warpers = [TemperatureLogitsWarper(temperature)] if temperature != 1 else []
    warpers += [TopKLogitsWarper(top_k)] if top_k else []
    warpers += [TopPLogitsWarper(top_p)] if top_p < 1 else []
    expected = scores
    for warper in warpers:
        expected = warper(None, expected)
    options = Options(method="sample", temperature=temperature, top_k=top_k, top_p=top_p)
    ours = [_truncate(row, options) for row in scores.log_softmax(-1).numpy()]
    np.testing.assert_allclose(ours[5:], expected.softmax(-1)[5:], atol=1e-12, rtol=0)
    # Which of several equally likely ones goes is nobody's to say, only how many stay.
    np.testing.assert_allclose(
        np.sort(ours[:5]), expected.softmax(-1)[:5].sort().values, atol=1e-12, rtol=0
    )
