"""Vectors to points in two or three dimensions, and who lies next to whom. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seq2seq.errors import UserError

MOST_FOR_TSNE = 2_000


@dataclass(frozen=True, eq=False)
class Projection:
    """Principal directions of some vectors (Pearson 1901).

    mean: (width,). directions: (kept, width), orthonormal, of falling variance. explained: (kept,),
    the share of all variance that lies in each.
    """

    mean: np.ndarray
    directions: np.ndarray
    explained: np.ndarray

    def points(self, vectors: np.ndarray) -> np.ndarray:
        """Project vectors (..., width) to points (..., kept)."""
        return (vectors.astype(np.float64) - self.mean) @ self.directions.T

    def vectors(self, points: np.ndarray) -> np.ndarray:
        """Return the vectors (..., width) of points (..., kept): what the directions can tell."""
        return self.mean + points @ self.directions


def fit(vectors: np.ndarray, kept: int = 3) -> Projection:
    """Find the principal directions of vectors (count, width).

    Fewer than `kept` are found where there are fewer vectors. The largest entry of each direction
    is positive, so that the same vectors always give the same picture. Raises UserError for a
    single vector, which has no directions.
    """
    if len(vectors) < 2:
        raise UserError("One sentence makes no map: add another.")
    centred = vectors.astype(np.float64)
    mean = centred.mean(axis=0)
    centred -= mean
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    kept = min(kept, len(vectors) - 1, len(directions))
    directions, variance = directions[:kept], strengths**2
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], axis=1)
    directions = directions * np.where(largest < 0, -1, 1)
    total = variance.sum()
    share = variance[:kept] / total if total > 0 else np.zeros(kept)
    return Projection(mean, directions, share)


def tsne(vectors: np.ndarray, dimensions: int = 2, seed: int = 0) -> np.ndarray:
    """Place vectors (count, width) so that neighbours stay neighbours: (count, dimensions).

    van der Maaten and Hinton 2008. Distances between clusters mean nothing. Raises UserError for
    fewer than 5 vectors or more than MOST_FOR_TSNE.
    """
    if not 5 <= len(vectors) <= MOST_FOR_TSNE:
        raise UserError(f"t-SNE takes 5 to {MOST_FOR_TSNE:,} sentences: use PCA.")
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    model = TSNE(dimensions, perplexity=perplexity, init="pca", random_state=seed)
    return model.fit_transform(vectors.astype(np.float32))


def neighbours(
    vectors: np.ndarray, vector: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the vectors nearest to one, nearest first, and their cosines to it."""
    similarity = _cosines(vector[None], vectors)[0]
    order = np.argsort(-similarity, kind="stable")[:count]
    return order, similarity[order]


def agreement(vectors: np.ndarray, labels: Sequence[str], count: int = 10) -> tuple[float, float]:
    """Tell how well a feature can be read off the neighbourhood.

    Returns the share of each vector's `count` nearest others, by cosine, that have its label, and
    the share that chance would give.
    """
    names = np.asarray(labels)
    similarity = _cosines(vectors, vectors)
    np.fill_diagonal(similarity, -np.inf)
    count = min(count, len(vectors) - 1)
    nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
    shared = float((names[nearest] == names[:, None]).mean())
    same = names[:, None] == names[None]
    chance = float((same.sum() - len(names)) / (len(names) * (len(names) - 1)))
    return shared, chance


def _cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    def unit(vectors: np.ndarray) -> np.ndarray:
        vectors = vectors.astype(np.float64)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)

    return unit(left) @ unit(right).T
