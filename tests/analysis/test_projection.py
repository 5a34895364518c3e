import numpy as np
import pytest

from seq2seq.analysis.projection import agreement, fit, neighbours, tsne
from seq2seq.errors import UserError

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(60, 12)) * np.linspace(5, 0.1, 12)


def test_directions_are_orthonormal_and_of_falling_variance():
    found = fit(VECTORS, 3)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(3), atol=1e-12)
    assert (np.diff(found.explained) <= 0).all()
    points = found.points(VECTORS)
    share = points.var(axis=0) / VECTORS.var(axis=0).sum()
    np.testing.assert_allclose(found.explained, share, rtol=1e-10)


def test_it_equals_the_reference():
    from sklearn.decomposition import PCA

    reference = PCA(3).fit(VECTORS)
    found = fit(VECTORS, 3)
    np.testing.assert_allclose(found.explained, reference.explained_variance_ratio_)
    np.testing.assert_allclose(np.abs(found.points(VECTORS)), np.abs(reference.transform(VECTORS)))


def test_all_directions_give_the_vectors_back():
    found = fit(VECTORS, 12)
    np.testing.assert_allclose(found.vectors(found.points(VECTORS)), VECTORS, atol=1e-10)
    assert found.explained.sum() == pytest.approx(1)


def test_few_or_equal_vectors_are_survived():
    assert fit(VECTORS[:2], 3).directions.shape == (1, 12)
    assert fit(np.ones((5, 4)), 2).explained.tolist() == [0, 0]
    with pytest.raises(UserError, match="add another"):
        fit(VECTORS[:1])


def test_the_nearest_neighbour_of_a_vector_is_itself():
    order, cosines = neighbours(VECTORS, 3 * VECTORS[7], 5)
    assert order[0] == 7
    assert cosines[0] == pytest.approx(1)
    assert (np.diff(cosines) <= 0).all()


def test_agreement_is_one_for_separate_groups_and_chance_for_random_labels():
    away = 100 * np.eye(12)
    groups = np.concatenate([VECTORS + away[0], VECTORS + away[1]])
    shared, chance = agreement(groups, ["a"] * 60 + ["b"] * 60)
    assert shared == 1
    assert chance == pytest.approx(59 / 119)
    many = RANDOM.normal(size=(500, 5))
    shared, chance = agreement(many, RANDOM.choice(["a", "b"], 500).tolist())
    assert abs(shared - chance) < 0.05


def test_tsne_keeps_groups_together_and_refuses_too_few():
    groups = np.concatenate([VECTORS[:20] + 50, VECTORS[20:40] - 50])
    points = tsne(groups)
    shared, _ = agreement(points - points.mean(axis=0), ["a"] * 20 + ["b"] * 20, 5)
    assert shared > 0.9
    with pytest.raises(UserError, match="use PCA"):
        tsne(VECTORS[:4])
