"""How many strata: several criteria side by side, and which number they pick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.running.progress import progress
from stratifn.shared.claims import bound_of
from stratifn.shared.columns import columns_of
from stratifn.stratification.consensus import (
    ambiguous_pairs,
    consensus_matrix,
    consensus_partition,
    consensus_with,
    draw_subsets,
    resampled_centroids,
)
from stratifn.stratification.kmeans import assign_to_each, silhouettes
from stratifn.stratification.mixture import Fit, fit_mixture, one_hot
from stratifn.stratification.null import NullTest
from stratifn.stratification.settings import MIN_STRATUM, Settings
from stratifn.stratification.stability import bootstrap_jaccard

SELECTION_COLUMNS = list(columns_of("stratification/selection.tsv"))


@dataclass(frozen=True)
class Candidate:
    """The strata for one k, and how good they are.

    Attributes
    ----------
    k
        Number of strata requested.
    labels, centroids
        Stratum of each patient (from 0, by decreasing size) and the strata's centroids.
    resampled
        Centroids of the resamples, not yet matched: resamples x k x axes.
    pac, silhouette
        Proportion of ambiguous pairs; mean silhouette width.
    jaccard
        Bootstrap Jaccard per stratum.
    mixture
        The tied Gaussian mixture that starts from the strata.
    """

    k: int
    labels: np.ndarray
    centroids: np.ndarray
    resampled: np.ndarray
    pac: float
    silhouette: float
    jaccard: np.ndarray
    mixture: Fit

    @property
    def stability(self) -> float:
        """Mean bootstrap Jaccard over patients."""
        return float(self.jaccard[self.labels].mean())

    @property
    def admissible(self) -> bool:
        """Whether there are k strata and none is too small to be called one."""
        placed = self.mixture.membership.argmax(axis=1)
        sizes = [np.bincount(labels, minlength=self.k).min() for labels in (self.labels, placed)]
        return len(self.centroids) == self.k and int(min(sizes)) >= MIN_STRATUM


def candidates(points: np.ndarray, clusters: Sequence[int], settings: Settings) -> list[Candidate]:
    """Cluster for every k: resamples, consensus, strata, criteria.

    Parameters
    ----------
    points
        n x axes.
    clusters
        Numbers of strata to try.
    """
    rng = settings.generator(1)
    rows = draw_subsets(len(points), settings.resamples, rng)
    return [_candidate(points, k, rows, settings, rng) for k in progress(clusters, "numbers of strata")]


def _candidate(points: np.ndarray, k: int, rows: np.ndarray, settings: Settings, rng: np.random.Generator) -> Candidate:
    resampled = resampled_centroids(points, rows, k, rng)
    consensus = consensus_matrix(assign_to_each(points, resampled), rows)
    labels, centroids = consensus_partition(points, consensus, k)
    several = len(centroids) > 1
    return Candidate(
        k=k,
        labels=labels,
        centroids=centroids,
        resampled=resampled,
        pac=ambiguous_pairs(consensus),
        silhouette=float(silhouettes(points, labels[None])[0]) if several else np.nan,
        jaccard=bootstrap_jaccard(points, labels, settings.resamples, rng),
        mixture=fit_mixture(points, one_hot(labels)),
    )


def consensus_of_strata(points: np.ndarray, chosen: Candidate, labels: np.ndarray, settings: Settings) -> np.ndarray:
    """Return how often each patient falls together with the others of each stratum, over the resamples of `candidates`.

    The whole matrix is made again for the chosen k alone: to keep it for every k would take n x n numbers of each.

    Parameters
    ----------
    points
        n x axes, those of `candidates`.
    chosen
        One of its candidates.
    labels
        The strata in the end, from 0.

    Returns
    -------
    numpy.ndarray
        n x strata, see `consensus_with`.
    """
    rows = draw_subsets(len(points), settings.resamples, settings.generator(1))
    consensus = consensus_matrix(assign_to_each(points, chosen.resampled), rows)
    return consensus_with(consensus, labels, chosen.k)


@dataclass(frozen=True)
class Choice:
    """The number of strata.

    Attributes
    ----------
    candidate
        The strata chosen; None for one stratum.
    table
        Columns k, pac, silhouette, stability, bic, null_pvalue, chosen; one row per k from 1, one of them chosen.
    """

    candidate: Candidate | None
    table: pd.DataFrame


def choose(tried: Sequence[Candidate], test: NullTest, alpha: float) -> Choice:
    """Choose k, or one stratum if the data do not beat the structureless data.

    The test is of all k together; its p value is the smallest of the column. Which k, is a question of its own: of the
    k whose strata are large enough and stable (a mean bootstrap Jaccard of at least the bound of the claim `strata`; if
    none is, the most stable), that whose tied Gaussian mixture has the lowest BIC.

    The bound of the stability is that of "highly stable" clusters in `clusterboot` of R's fpc (Hennig 2007,
    doi:10.1016/j.csda.2006.11.025). Its 0.75 for "stable" is not enough here: the bootstrap keeps the factors, another
    cohort makes its own, and held-out patients show that divisions between the two do not come back.

    Parameters
    ----------
    tried
        One candidate per k of the test, in its order.
    test
        Against structureless data.
    alpha
        Its level.
    """
    criteria = pd.DataFrame(
        {
            "k": [candidate.k for candidate in tried],
            "pac": [candidate.pac for candidate in tried],
            "silhouette": [candidate.silhouette for candidate in tried],
            "stability": [candidate.stability for candidate in tried],
            "bic": [candidate.mixture.bic for candidate in tried],
            "null_pvalue": test.pvalues,
        }
    )
    best = _best(tried) if test.pvalue <= alpha else None
    table = pd.concat([pd.DataFrame({"k": [1]}), criteria], ignore_index=True)
    table["chosen"] = table["k"] == (1 if best is None else best.k)
    return Choice(best, table[SELECTION_COLUMNS])


def _best(tried: Sequence[Candidate]) -> Candidate | None:
    """Return the candidate with the lowest BIC among the stable ones, if there are any."""
    admissible = [candidate for candidate in tried if candidate.admissible]
    least = bound_of("strata", "stability")
    stable = [candidate for candidate in admissible if candidate.stability >= least]
    if not stable:
        return max(admissible, key=lambda candidate: candidate.stability, default=None)
    return min(stable, key=lambda candidate: candidate.mixture.bic)
