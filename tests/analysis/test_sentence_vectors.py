import numpy as np
import pytest
import torch

from seq2seq.analysis.sentence_vectors import kinds, sentence_vectors
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run

TEXTS = ["The cat sleeps.", "Where is the small train station?", "We ate fish and fresh bread."]


def test_every_kind_is_a_vector_for_each_text(checkpoint):
    for kind in kinds(checkpoint):
        vectors = sentence_vectors(checkpoint, TEXTS, kind)
        assert vectors.shape == (3, checkpoint.model.config.width)
        assert np.isfinite(vectors).all()


def test_neither_batch_nor_padding_changes_a_vector(checkpoint):
    for kind in kinds(checkpoint):
        together = sentence_vectors(checkpoint, TEXTS, kind)
        alone = np.concatenate([sentence_vectors(checkpoint, [text], kind) for text in TEXTS])
        np.testing.assert_allclose(together, alone, atol=1e-5)


def test_they_are_what_a_run_records(checkpoint):
    trace = run(checkpoint, TEXTS[0])
    mean = sentence_vectors(checkpoint, TEXTS[:1], "mean")[0]
    np.testing.assert_allclose(mean, trace.encoder_states.astype(float).mean(axis=0), atol=2e-3)
    if "final" in kinds(checkpoint):
        with torch.inference_mode():
            ids = torch.tensor([trace.source.ids])
            final = checkpoint.model.encode(ids).final[0][0, -1]
        found = sentence_vectors(checkpoint, TEXTS[:1], "final")[0]
        np.testing.assert_allclose(found, final.numpy(), atol=1e-6)


def test_progress_is_told_and_nothing_is_refused(checkpoint):
    done = []
    sentence_vectors(checkpoint, TEXTS, batch=2, on_group=done.append)
    assert sum(done) == 3
    with pytest.raises(UserError, match="nothing to read"):
        sentence_vectors(checkpoint, ["The cat.", " "])
