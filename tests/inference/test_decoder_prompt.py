from dataclasses import replace

import pytest

from seq2seq.decoding.generation_config import DecoderPrompt
from seq2seq.decoding.options import MAX_LENGTH, Options
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force

one = pytest.mark.parametrize("checkpoint_folder", ["lstm-attention"], indirect=True)


def test_a_prompt_says_what_the_decoder_reads():
    prompt = DecoderPrompt((7, 8), (5,), (6,))
    assert prompt.steps == 1
    assert prompt.before([1, 2, 3]) == [7, 8, 1, 2]


@one
def test_a_prefix_is_text_or_tokens_and_forced_tokens_count_once(checkpoint):
    own = replace(checkpoint.generation_config, forced=(5,))
    checkpoint = replace(checkpoint, generation_config=own)
    text = decoder_prompt(checkpoint, Options(prefix="le"))
    assert text.prefix == tuple(checkpoint.tokenizer.encode_target("le"))
    for given in ((5, *text.prefix), text.prefix):
        assert decoder_prompt(checkpoint, Options(prefix_tokens=given)) == text


@one
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(prefix_tokens=(10**6,)), "of another model"),
        (Options(prefix_tokens=(5,) * MAX_LENGTH), "give less text"),
        (Options(prefix="漢"), "never seen"),
        (Options(target_language="fr"), "no languages"),
    ],
)
def test_a_prompt_that_cannot_be_is_refused(checkpoint, options, said):
    with pytest.raises(UserError, match=said):
        decoder_prompt(checkpoint, options)


@one
def test_an_output_that_is_followed_goes_through_the_decoder_once(checkpoint, monkeypatch):
    calls = []
    decoder = type(checkpoint.model.decoder)
    forward = decoder.forward

    def counted(self, *arguments, **named):
        calls.append(arguments)
        return forward(self, *arguments, **named)

    found = run(checkpoint, "The cat sleeps.")
    monkeypatch.setattr(decoder, "forward", counted)
    followed = force(checkpoint, "The cat sleeps.", found.target.ids)
    assert len(calls) == 1
    assert followed.target == found.target
