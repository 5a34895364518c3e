from dataclasses import replace

import numpy as np
import pytest
import torch

import seq2seq
from seq2seq.data.audio import Audio
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.generation import find, generate
from seq2seq.inference.mutual_information import source_free
from seq2seq.inference.pipeline import run
from seq2seq.models.config import Config

SENTENCE = "The old dog sleeps in the garden."
OPTIONS = Options(beam_width=5, max_length=12)


def test_the_prior_is_what_the_model_says_after_an_empty_source(checkpoint):
    found = find(checkpoint, SENTENCE, OPTIONS).hypotheses
    prompt = decoder_prompt(checkpoint, OPTIONS)
    together = source_free(checkpoint, [each.tokens for each in found], prompt)
    model, config = checkpoint.model, checkpoint.model.config
    with torch.inference_mode():
        memory = model.encode(torch.tensor([[config.eos]]))
        for each, log_probability in zip(found, together, strict=True):
            read = torch.tensor([prompt.before(each.tokens)])
            scores = model.decoder(read, memory).logits[0, prompt.steps :].log_softmax(dim=-1)
            alone = sum(float(scores[step, token]) for step, token in enumerate(each.tokens))
            assert log_probability == pytest.approx(alone, abs=1e-4)


def test_outputs_are_those_of_the_search_in_the_order_of_the_difference(checkpoint):
    plain = find(checkpoint, SENTENCE, OPTIONS)
    ranked = find(checkpoint, SENTENCE, replace(OPTIONS, mmi_weight=0.8))
    assert {each.tokens for each in ranked.hypotheses} == {each.tokens for each in plain.hypotheses}
    np.testing.assert_array_equal(ranked.tree.score, plain.tree.score)
    scores = [each.score for each in ranked.hypotheses]
    assert scores == sorted(scores, reverse=True)
    for each in ranked.hypotheses:
        total = sum(each.log_probabilities) - each.discount
        assert each.score == pytest.approx(total / len(each.tokens), abs=1e-6)
        assert each.discount < 0


def test_the_n_best_are_chosen_after_the_ranking(checkpoint):
    options = replace(OPTIONS, mmi_weight=1.0)
    best = find(checkpoint, SENTENCE, options).hypotheses[0]
    [only] = find(checkpoint, SENTENCE, replace(options, n_best=1)).hypotheses
    assert only == best


def test_what_was_taken_off_stands_in_the_record(checkpoint):
    options = replace(OPTIONS, mmi_weight=0.5)
    trace = run(checkpoint, SENTENCE, options)
    best = find(checkpoint, SENTENCE, options).hypotheses
    assert [each.discount for each in trace.outputs] == pytest.approx([e.discount for e in best])
    assert trace.from_json(trace.to_json()).outputs == trace.outputs
    assert generate(checkpoint, [SENTENCE], options)[0].text == trace.text


def test_a_recording_cannot_be_left_out(tokenizer):
    values = {"vocabulary": len(tokenizer), "input": "audio", "bins": 8, "attention": "dot"}
    model = seq2seq.build(Config.from_dict({"width": 16, **values}))
    heard = Audio(np.zeros(8_000, dtype=np.float32), 0.5)
    with pytest.raises(UserError, match="mmi_weight"):
        run(seq2seq.Checkpoint(model, tokenizer), heard, Options(mmi_weight=0.5, max_length=4))
