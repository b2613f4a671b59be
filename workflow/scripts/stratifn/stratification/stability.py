"""How often a stratum is found again when patients are drawn with replacement."""

from __future__ import annotations

import numpy as np

from stratifn.stratification.kmeans import RESTARTS, assign_to_each, kmeans_of_resamples


def bootstrap_jaccard(points: np.ndarray, labels: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Mean Jaccard index of each stratum with the most similar cluster of bootstrap resamples.

    Hennig 2007 (doi:10.1016/j.csda.2006.11.025): compared on the patients that the bootstrap drew. His reading: 0.75
    and more is a stable cluster, 0.6 to 0.75 a pattern with doubtful members, 0.5 and less a dissolved one.

    Parameters
    ----------
    points
        n x axes.
    labels
        Stratum of each patient, from 0; every stratum occurs.
    resamples
        Bootstrap resamples.

    Returns
    -------
    numpy.ndarray
        One mean per stratum; a resample that drew nobody of a stratum does not count for it.
    """
    n, clusters = len(points), int(labels.max()) + 1
    rows = rng.integers(0, n, (resamples, n))
    found = assign_to_each(points, kmeans_of_resamples(points, rows, rng.random((resamples, RESTARTS, clusters))))
    drawn = np.zeros((resamples, n), dtype=np.float32)
    np.put_along_axis(drawn, rows, 1, axis=1)
    stratum = np.eye(clusters, dtype=np.float32)[labels]
    cluster = np.eye(clusters, dtype=np.float32)[found] * drawn[:, :, None]
    both = np.einsum("rnc,ns->rcs", cluster, stratum, optimize=True)
    sizes = drawn @ stratum
    either = cluster.sum(axis=1)[:, :, None] + sizes[:, None, :] - both
    jaccard = np.divide(both, either, out=np.zeros_like(both), where=either > 0).max(axis=1)
    jaccard = np.where(sizes > 0, jaccard, np.nan)
    return np.nanmean(jaccard.astype(float), axis=0)
