import numpy as np
import pytest

from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference import pipeline
from seq2seq.inference.pipeline import run

TEXTS = [
    "The old dog sleeps in the garden.",
    "A cat.",
    "My friend reads a book in the train and sleeps.",
    "The dog sees the old house.",
    "A cat.",
]
OPTIONS = [
    Options(method="greedy", max_length=9),
    Options(max_length=9),
    Options(beam_width=3, prefix="Le", max_length=9),
]
ARRAYS = (
    "log_probabilities",
    "encoder_states",
    "decoder_states",
    "contexts",
    "attention",
    "copying",
)


@pytest.mark.parametrize("options", OPTIONS, ids=["greedy", "beam", "prefix"])
def test_a_list_is_recorded_as_each_of_its_texts(checkpoint, options, monkeypatch):
    alone = [run(checkpoint, text, options) for text in TEXTS]
    searches, decode = [], pipeline.decode
    monkeypatch.setattr(pipeline, "decode", lambda *given: searches.append(given) or decode(*given))
    listed = run(checkpoint, TEXTS, options)
    assert len(searches) == 1
    for one, other in zip(alone, listed, strict=True):
        assert one.source == other.source
        assert one.target == other.target
        assert [each.text for each in one.outputs] == [each.text for each in other.outputs]
        assert one.beam_tree.token.tolist() == other.beam_tree.token.tolist()
        assert one.ranks.tolist() == other.ranks.tolist()
        assert (one.options, one.notes, one.precision) == (
            other.options,
            other.notes,
            other.precision,
        )
        for name in ARRAYS:
            values = [getattr(trace, name) for trace in (one, other)]
            if values[0] is None:
                assert values[1] is None
                continue
            assert values[0].shape == values[1].shape
            assert values[0].dtype == values[1].dtype
            np.testing.assert_allclose(*values, atol=2e-3, err_msg=name)
        assert set(other.seconds) == {"encode", "search", "record"}
        assert all(seconds >= 0 for seconds in other.seconds.values())


def test_what_needs_each_text_alone_gets_it(checkpoint, monkeypatch):
    monkeypatch.setattr(pipeline, "_run_together", None)  # calling it would fail
    steps = []
    run(checkpoint, TEXTS[:2], Options(max_length=4), steps.append)
    assert steps
    sampled = Options(method="sample", beam_width=2, seed=3, max_length=6)
    listed = run(checkpoint, TEXTS[:2], sampled)
    assert [each.text for each in listed] == [
        run(checkpoint, each, sampled).text for each in TEXTS[:2]
    ]
    [inside] = run(checkpoint, TEXTS[:1], Options(max_length=4), self_attention=True)
    has_own = checkpoint.model.config.self_attention_shape != (0, 0)
    assert (inside.encoder_attention is not None) == has_own


def test_a_mistake_names_the_text(checkpoint):
    with pytest.raises(UserError, match="Input 2 of 3"):
        run(checkpoint, [TEXTS[0], "  ", TEXTS[1]])
    assert run(checkpoint, []) == []


def test_many_texts_are_searched_in_several_batches(checkpoint, monkeypatch):
    monkeypatch.setattr(pipeline, "TOGETHER", 2)
    sizes, decode = [], pipeline.decode
    monkeypatch.setattr(
        pipeline, "decode", lambda *given: sizes.append(len(given[1].mask)) or decode(*given)
    )
    assert len(run(checkpoint, TEXTS, Options(max_length=3))) == len(TEXTS)
    assert sorted(sizes) == [1, 2, 2]
