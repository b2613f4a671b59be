"""Consensus clustering: which patients stay together when others are left out."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from stratifn.stratification.kmeans import RESTARTS, assign_to_each, kmeans_of_resamples, lloyd
from stratifn.stratification.settings import MIN_STRATUM

# share of the patients in a resample
SHARE = 0.8
# a pair is ambiguous if it is together in more than the first and less than the second share of the resamples
AMBIGUOUS = (0.1, 0.9)


def draw_subsets(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw resamples of 80 % of n patients without replacement: resamples x drawn positions, each row sorted."""
    size = max(2, round(SHARE * n))
    return np.sort(np.argsort(rng.random((resamples, n)), axis=1)[:, :size], axis=1)


def resampled_centroids(points: np.ndarray, rows: np.ndarray, clusters: int, rng: np.random.Generator) -> np.ndarray:
    """k-means of each resample: centroids, resamples x clusters x axes."""
    return kmeans_of_resamples(points, rows, rng.random((len(rows), RESTARTS, clusters)))


def consensus_matrix(labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Share of the resamples with both patients in which they fall into one cluster.

    Monti, Tamayo, Mesirov & Golub 2003 (doi:10.1023/A:1023949509487), as two matrix products.

    Parameters
    ----------
    labels
        resamples x n.
    rows
        resamples x drawn positions.

    Returns
    -------
    numpy.ndarray
        n x n, ones on the diagonal; 0 for a pair that was never drawn together.
    """
    resamples, n = labels.shape
    drawn = np.zeros((resamples, n), dtype=np.float32)
    np.put_along_axis(drawn, rows, 1, axis=1)
    clusters = int(labels.max()) + 1
    member = np.zeros((resamples, clusters, n), dtype=np.float32)
    np.put_along_axis(member, labels[:, None, :], drawn[:, None, :], axis=1)
    flat = member.reshape(resamples * clusters, n)
    together, both = flat.T @ flat, drawn.T @ drawn
    consensus = np.divide(together, both, out=np.zeros_like(together), where=both > 0).astype(float)
    np.fill_diagonal(consensus, 1.0)
    return consensus


def consensus_with(consensus: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Average the consensus of each patient with the others of each stratum.

    Parameters
    ----------
    consensus
        n x n.
    labels
        Strata, from 0.
    clusters
        Number of strata.

    Returns
    -------
    numpy.ndarray
        n x clusters, from 0 to 1; missing where nobody else is in the stratum.
    """
    member = np.eye(clusters)[labels]
    others = member.sum(axis=0) - member
    # without the patient's own ones of the diagonal
    sums = consensus @ member - member
    return np.divide(sums, others, out=np.full_like(sums, np.nan), where=others > 0)


def ambiguous_pairs(consensus: np.ndarray) -> float:
    """Proportion of ambiguous pairs, PAC (Senbabaoglu, Michailidis & Li 2014, doi:10.1038/srep06207)."""
    pairs = consensus[np.triu_indices(len(consensus), 1)]
    low, high = AMBIGUOUS
    return float(np.mean((pairs > low) & (pairs < high)))


def consensus_partition(points: np.ndarray, consensus: np.ndarray, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn the consensus into strata that a new patient can be placed in.

    Average linkage on one minus the consensus gives the groups; from their means, Lloyd's algorithm gives centroids
    such that every patient belongs to the nearest. So the centroids alone define the strata.

    Parameters
    ----------
    points
        n x axes.
    consensus
        n x n.
    clusters
        Number of strata.

    Returns
    -------
    tuple
        Labels (n, from 0, by decreasing size) and centroids (clusters x axes) in that order.
    """
    distance = squareform(np.clip(1 - consensus, 0, None), checks=False)
    groups = fcluster(linkage(distance, method="average"), clusters, criterion="maxclust") - 1
    centroids = np.array([points[groups == group].mean(axis=0) for group in range(groups.max() + 1)])
    labels = groups.astype(np.int64)
    lloyd(points, centroids, labels)
    return by_size(labels, centroids)


def by_size(labels: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Renumber clusters from 0 by decreasing size; of two of one size the one with the first patient comes first."""
    present, first, size = np.unique(labels, return_index=True, return_counts=True)
    order = present[np.lexsort((first, -size))]
    number = np.empty(len(centroids), dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[labels], centroids[order]


def match_to_strata(points: np.ndarray, labels: np.ndarray, resampled: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Put the centroids of each resample in the order of the strata.

    Matched so that clusters and strata share as many patients as possible (Kuhn 1955, doi:10.1002/nav.3800020109).
    Where the matched cluster is smaller than a stratum may be, the centroid of the stratum itself stands in, so that
    no centroid describes a single patient.

    Parameters
    ----------
    points
        n x axes, the patients who made the strata.
    labels
        Their strata, from 0.
    resampled
        resamples x clusters x axes.
    strata
        Centroids of the strata: clusters x axes.

    Returns
    -------
    numpy.ndarray
        resamples x clusters x axes.
    """
    matched = np.empty_like(resampled)
    one_hot = np.eye(len(strata))[labels]
    for position, found in enumerate(assign_to_each(points, resampled)):
        table = one_hot.T @ np.eye(len(strata))[found]
        _, cluster_of = linear_sum_assignment(table, maximize=True)
        sizes = table.sum(axis=0)[cluster_of]
        matched[position] = np.where(sizes[:, None] >= MIN_STRATUM, resampled[position, cluster_of], strata)
    return matched
