import itertools
import math
import time
from dataclasses import replace

import pytest
import sacrebleu
import torch

from seq2seq.data.batching import Example, collate
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.tokenizer import EOS, PAD
from seq2seq.decoding.options import Options
from seq2seq.evaluation.evaluate import LENGTH_BINS, _sounds, evaluate, translation_scores
from seq2seq.evaluation.losses import corpus_loss, encode_pairs, token_loss
from seq2seq.evaluation.reply_metrics import reply_scores
from seq2seq.evaluation.rouge import summary_scores
from seq2seq.inference.pipeline import run
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import build

OPTIONS = Options(beam_width=2, max_length=10)


def several_references(checkpoint, pairs):
    """Give sources one to three references, some near what the model says: no score is 0."""
    result = []
    for number, pair in enumerate(pairs[:9]):
        said = run(checkpoint, pair.source, OPTIONS).text
        references = [pair.target, f"{said} !", said.replace(" ", " , ", 1)]
        result += [Pair(pair.source, text) for text in references[: number % 3 + 1]]
    return result


def reference_scores(outputs, references):
    """Score by sacrebleu alone: a reference repeated counts no more than once."""
    most = max(map(len, references))
    streams = [[each[min(n, len(each) - 1)] for each in references] for n in range(most)]
    return (
        round(sacrebleu.corpus_bleu(outputs, streams).score, 2),
        round(sacrebleu.corpus_chrf(outputs, streams).score, 2),
    )


def grouped(pairs):
    references = {}
    for pair in pairs:
        references.setdefault(pair.source, []).append(pair.target)
    return references


def test_scores_equal_sacrebleu_with_several_references(checkpoint, pairs):
    chosen = several_references(checkpoint, pairs)
    references = grouped(chosen)
    outputs = [run(checkpoint, source, OPTIONS).text for source in references]
    expected = reference_scores(outputs, list(references.values()))
    scores = evaluate(checkpoint, chosen, OPTIONS)
    assert (scores["bleu"], scores["chrf"]) == expected
    assert scores["chrf"] > 0
    assert scores["sentences"] == 9
    assert scores["references"] == len(chosen) == 18
    assert "version:" in scores["bleu_signature"]
    assert "version:" in scores["chrf_signature"]


def test_scores_are_full_for_what_the_model_says(checkpoint, pairs):
    said = [(pair.source, run(checkpoint, pair.source, OPTIONS).text) for pair in pairs[:6]]
    said = [Pair(*pair) for pair in said if len(pair[1].split()) >= 4] or [Pair(*said[0])]
    assert evaluate(checkpoint, said, OPTIONS)["chrf"] == 100.0


def test_the_order_of_pairs_does_not_matter(checkpoint, pairs):
    chosen = several_references(checkpoint, pairs)
    first, second = (
        evaluate(checkpoint, chosen, OPTIONS),
        evaluate(checkpoint, chosen[::-1], OPTIONS),
    )
    for name in ("bleu", "chrf", "sentences", "references", "by_source_length"):
        assert first[name] == second[name]
    assert first["loss"] == pytest.approx(second["loss"], abs=2e-4)


def test_scores_by_length_are_those_of_the_parts(checkpoint):
    texts = ["cat", "the old cat sleeps on the chair", "dog " * 12, "a b c d e", "a b c d e f"]
    chosen = [Pair(text, "Le chat dort sur la chaise.") for text in texts]
    scores = evaluate(checkpoint, chosen, OPTIONS)
    rows = scores["by_source_length"]
    assert [(row["words"], row["sentences"]) for row in rows] == [
        ([1, 5], 2),
        ([6, 10], 2),
        ([11, 15], 1),
    ]
    for row in rows:
        low, high = row["words"]
        part = [pair for pair in chosen if low <= len(pair.source.split()) <= high]
        alone = evaluate(checkpoint, part, OPTIONS)
        assert (row["bleu"], row["chrf"]) == (alone["bleu"], alone["chrf"])


def test_further_pairs_are_scored_by_length_alone(checkpoint, pairs):
    few, further = pairs[:5], [*pairs[3:9], Pair("the old dog " * 6, "Le vieux chien dort.")]
    alone, scores = (
        evaluate(checkpoint, few, OPTIONS),
        evaluate(checkpoint, few, OPTIONS, longer=further),
    )
    for name in ("bleu", "bleu_interval", "chrf", "sentences", "references", "loss"):
        assert scores[name] == alone[name]
    # A source that is in both is counted once, with its references of the first.
    together = [*few, *(pair for pair in further if pair.source not in {p.source for p in few})]
    both = evaluate(checkpoint, together, OPTIONS)
    assert scores["by_source_length"] == both["by_source_length"] != alone["by_source_length"]


def test_the_interval_is_wide_where_outputs_differ_in_quality(pairs):
    wanted = [pair.target for pair in pairs]
    right = translation_scores(wanted, [[text] for text in wanted], wanted)
    assert right["bleu_interval"] == [100.0, 100.0] == [right["bleu"]] * 2
    outputs = [
        text if number % 2 else "rien de tout cela ici" for number, text in enumerate(wanted)
    ]
    low, high = translation_scores(outputs, [[text] for text in wanted], wanted)["bleu_interval"]
    assert (
        0
        < low
        < translation_scores(outputs, [[text] for text in wanted], wanted)["bleu"]
        < high
        < 100
    )
    many, several = outputs * 20, [[text] for text in wanted * 20]
    narrow = translation_scores(many, several, wanted * 20)["bleu_interval"]
    assert narrow[1] - narrow[0] < (high - low) / 3
    assert translation_scores(["a"], [["b"]], ["c"])["bleu_interval"] == [0, 0]


def test_every_length_has_one_bin():
    assert LENGTH_BINS[0][0] == 1
    for (_, high), (low, _) in itertools.pairwise(LENGTH_BINS):
        assert low == high + 1


def loss_by_hand(model, examples):
    """Sum -log P of each target token and of the end, one example at a time."""
    total, count = 0.0, 0
    for source, target in examples:
        logits = model(torch.tensor([[*source, EOS]]), torch.tensor([[2, *target]]))[0]
        chances = logits.double().softmax(-1)
        for step, token in enumerate([*target, EOS]):
            total -= math.log(chances[step, token])
            count += 1
    return total / count


@pytest.mark.parametrize("tokens", [1, 60, 4_000])
def test_loss_equals_a_hand_computation(checkpoint, pairs, tokens):
    examples = encode_pairs(checkpoint.tokenizer, pairs)
    expected = loss_by_hand(checkpoint.model, examples)
    assert corpus_loss(checkpoint.model, examples, tokens) == pytest.approx(expected, abs=1e-4)


def test_evaluate_gives_loss_and_perplexity(checkpoint, pairs):
    scores = evaluate(checkpoint, pairs, Options(method="greedy", max_length=2))
    expected = loss_by_hand(checkpoint.model, encode_pairs(checkpoint.tokenizer, pairs))
    assert scores["loss"] == pytest.approx(expected, abs=2e-4)
    assert scores["perplexity"] == pytest.approx(math.exp(expected), rel=1e-3)


def test_pairs_become_the_tokenizers_ids(checkpoint, pairs):
    [example] = encode_pairs(checkpoint.tokenizer, pairs[:1])
    assert checkpoint.tokenizer.decode(example.source) == pairs[0].source
    assert checkpoint.tokenizer.decode(example.target) == pairs[0].target


def test_token_loss_is_zero_on_padding_and_cross_entropy_elsewhere():
    model, device = build(RecurrentConfig(12, width=8)).eval(), torch.device("cpu")
    batch = collate([Example([5, 6], [7]), Example([8, 9], [4, 5, 6])])
    losses = token_loss(model, batch, device).view(batch.labels.shape)
    scores = model(batch.source, batch.target).log_softmax(-1)
    for row, step in ((0, 0), (0, 1), (1, 0), (1, 3)):
        chosen = scores[row, step, batch.labels[row, step]]
        torch.testing.assert_close(losses[row, step], -chosen)
    assert not losses[batch.labels == PAD].any()


def test_a_chatbot_is_scored_by_its_replies(checkpoint, pairs):
    chatbot = replace(checkpoint, card=replace(checkpoint.card, task="chatbot"))
    scores = evaluate(chatbot, pairs[:4], OPTIONS)
    outputs = [run(checkpoint, pair.source, OPTIONS).text for pair in pairs[:4]]
    expected = reply_scores(outputs)
    assert {name: scores[name] for name in expected} == expected
    assert "bleu" not in scores
    assert scores["loss"] == evaluate(checkpoint, pairs[:4], OPTIONS)["loss"]


def test_summaries_are_scored_by_what_they_keep(checkpoint, pairs):
    summarizer = replace(checkpoint, card=replace(checkpoint.card, task="summarization"))
    chosen = several_references(checkpoint, pairs)
    scores, references = evaluate(summarizer, chosen, OPTIONS), grouped(chosen)
    outputs = [run(checkpoint, source, OPTIONS).text for source in references]
    expected = summary_scores(outputs, list(references.values()), list(references))
    assert {name: scores[name] for name in expected} == expected
    assert scores["rouge_1"] > 0
    assert sum(row["sentences"] for row in scores["by_source_length"]) == scores["sentences"]


def test_progress_counts_sentences(checkpoint, pairs):
    done = []
    evaluate(checkpoint, pairs, Options(method="greedy", max_length=2), on_group=done.append)
    assert sum(done) == len(pairs)


def test_speed_is_that_of_the_search_alone(checkpoint, pairs):
    started = time.perf_counter()
    scores = evaluate(checkpoint, pairs, OPTIONS)
    seconds = time.perf_counter() - started
    assert 0 <= scores["seconds"] <= seconds + 0.01
    assert scores["sentences_per_second"] > 0.99 * len(pairs) / seconds


def test_sounds_are_compared_with_the_nearest_reference():
    scores = _sounds(["A B C", "X Y"], [["A B", "A B C"], ["X Z"]], ["abc", "xy"])
    expected = {"phoneme_error_rate": 20.0, "word_error_rate": 50.0}
    assert {name: scores[name] for name in expected} == expected
