"""Gaussian mixtures with one covariance for all strata: how many strata, and who belongs to them.

The covariance is shared (tied), as in linear discriminant analysis: a stratum of few patients has no spread of its own
that could be estimated, and a single patient cannot become a component. Fitted by expectation maximisation (Dempster,
Laird & Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x), with weights for the patients of a bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.optimize import linear_sum_assignment

from stratifn.stratification.kmeans import RESTARTS, assign, assign_to_each, kmeans
from stratifn.stratification.settings import MIN_STRATUM

ITERATIONS = 200
# mean gain in log likelihood per patient below which a fit has converged
TOLERANCE = 1e-5
# of the shrinkage of covariances between axes
PEOPLE_PER_AXIS = 10
# share of the total covariance in that of the strata, so that it stays invertible
RIDGE = 0.02


@dataclass(frozen=True)
class TiedMixture:
    """One or more fits of the same mixture (a stack of bootstraps), strata in the same order in each.

    Attributes
    ----------
    share
        fits x strata: share of the patients.
    mean
        fits x strata x axes.
    within
        fits x axes x axes: the covariance of every stratum.
    """

    share: np.ndarray
    mean: np.ndarray
    within: np.ndarray


@dataclass(frozen=True)
class Fit:
    """A mixture fitted to patients.

    Attributes
    ----------
    share, mean, within
        strata; strata x axes; axes x axes.
    log_likelihood
        Of the patients, weighted.
    membership
        n x strata: posterior probabilities, rows sum to 1.
    """

    share: np.ndarray
    mean: np.ndarray
    within: np.ndarray
    log_likelihood: float
    membership: np.ndarray

    @property
    def bic(self) -> float:
        """Bayesian information criterion (Schwarz 1978, doi:10.1214/aos/1176344136); smaller is better."""
        strata, axes = self.mean.shape
        parameters = strata * axes + strata - 1 + axes * (axes + 1) / 2
        return -2 * self.log_likelihood + float(np.log(len(self.membership))) * parameters


@njit
def _expectation_maximisation(
    points: np.ndarray, counts: np.ndarray, membership: np.ndarray, shrunk: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Improve `membership` in place; return shares, means, covariance and log likelihood."""
    n, axes = points.shape
    strata = membership.shape[1]
    patients = counts.sum()
    weighted = points * counts.reshape(-1, 1)
    centre = weighted.sum(axis=0) / patients
    total = weighted.T @ points / patients - np.outer(centre, centre)
    share, within, mean = np.empty(strata), total.copy(), np.empty((strata, axes))
    reached, last = -np.inf, -np.inf
    for _ in range(ITERATIONS):
        within[:] = total
        for c in range(strata):
            size = max((membership[:, c] * counts).sum(), 1e-10)
            share[c] = size / patients
            for axis in range(axes):
                mean[c, axis] = (membership[:, c] * weighted[:, axis]).sum() / size
            within -= share[c] * np.outer(mean[c] - centre, mean[c] - centre)
        for axis in range(axes):
            for other in range(axes):
                if other != axis:
                    within[axis, other] *= 1 - shrunk
        within[:] = (1 - RIDGE) * within + RIDGE * total
        for axis in range(axes):
            # two factors may be each other's copy
            within[axis, axis] += 1e-9 * total[axis, axis]
        precision = np.linalg.inv(within)
        direction = precision @ mean.T
        score = points @ direction
        reached = -0.5 * patients * (axes * np.log(2 * np.pi) + np.linalg.slogdet(within)[1])
        reached -= 0.5 * patients * (precision * (total + np.outer(centre, centre))).sum()
        for i in range(n):
            highest = -np.inf
            for c in range(strata):
                score[i, c] += np.log(share[c]) - 0.5 * (mean[c] * direction[:, c]).sum()
                highest = max(highest, score[i, c])
            sum_of = 0.0
            for c in range(strata):
                membership[i, c] = np.exp(score[i, c] - highest)
                sum_of += membership[i, c]
            membership[i] /= sum_of
            reached += counts[i] * (highest + np.log(sum_of))
        if reached - last < TOLERANCE * patients:
            break
        last = reached
    return share, mean, within, reached


def fit_mixture(points: np.ndarray, start: np.ndarray, counts: np.ndarray | None = None) -> Fit:
    """Fit a mixture.

    Parameters
    ----------
    points
        n x axes.
    start
        n x strata: memberships to start from.
    counts
        How often each patient counts; once if None.
    """
    membership = np.array(start, dtype=float)
    counts = np.ones(len(points)) if counts is None else counts.astype(float)
    # scaled, so that axes of very different weight lose no digits
    centre, scale = points.mean(axis=0), _scale(points)
    scaled = np.ascontiguousarray((points - centre) / scale)
    share, mean, within, likelihood = _expectation_maximisation(scaled, counts, membership, shrinkage(*points.shape))
    # the density of a point is that of its scaled coordinates over the product of the scales
    likelihood -= counts.sum() * np.log(scale).sum()
    return Fit(share, centre + mean * scale, within * np.outer(scale, scale), float(likelihood), membership)


def _scale(points: np.ndarray) -> np.ndarray:
    return np.maximum(points.std(axis=0), 1e-12)


def shrinkage(n: int, axes: int) -> float:
    """Return by what share the covariances between axes are shrunk to 0: as if ten more people per axis showed none.

    With few people for the axes the components would follow chance, and held-out people would be placed worse. The axes are
    factors, which hardly correlate. Variances are left alone: strata that lie far apart must be seen to.
    """
    return PEOPLE_PER_AXIS * axes / (n + PEOPLE_PER_AXIS * axes)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Return certain memberships (n x strata) of labels from 0."""
    return np.eye(int(labels.max()) + 1)[labels]


def bootstrapped(points: np.ndarray, fit: Fit, resampled: np.ndarray, rng: np.random.Generator) -> TiedMixture:
    """Fit the mixture again to bootstraps of the patients.

    Each bootstrap is fitted from several starts, of which the likeliest counts: the whole, a resample's own centroids, and
    k-means of unweighted factors. Where other divisions are about as likely as the strata, some bootstraps find those, and the
    mean membership over bootstraps says so; fits that all started from the whole would be sure of it. Components are put
    in the order of the strata whose patients they share. A fit with a component of fewer patients than a stratum may
    have is replaced by the whole, so that no mean describes a single patient.

    Parameters
    ----------
    points
        n x axes.
    fit
        Of all patients.
    resampled
        resamples x strata x axes: centroids of as many resamples as there are bootstraps.
    """
    n, strata = fit.membership.shape
    scaled = np.ascontiguousarray((points - points.mean(axis=0)) / _scale(points))
    fits = []
    for nearest in assign_to_each(points, resampled):
        rows = rng.integers(0, n, n)
        counts = np.bincount(rows, minlength=n)
        centroids, _ = kmeans(scaled[rows], rng.random((RESTARTS, strata)))
        anew = np.empty(n, dtype=np.int64)
        assign(scaled, centroids, anew)
        starts = [fit.membership, np.eye(strata)[nearest], np.eye(strata)[anew]]
        best = max((fit_mixture(points, start, counts) for start in starts), key=lambda one: one.log_likelihood)
        _, order = linear_sum_assignment(fit.membership.T @ best.membership, maximize=True)
        whole = best.share.min() * n < MIN_STRATUM
        fits.append((fit.share, fit.mean, fit.within) if whole else (best.share[order], best.mean[order], best.within))
    return TiedMixture(*(np.stack(parts) for parts in zip(*fits, strict=True)))
