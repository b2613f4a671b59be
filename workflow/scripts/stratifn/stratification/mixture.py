"""Gaussian mixtures with one covariance for all strata: how many strata, and who belongs to them.

The covariance is shared (tied), as in linear discriminant analysis: a stratum of few patients has no spread of its own
that could be estimated, and a single patient cannot become a component. Fitted by expectation maximisation (Dempster,
Laird & Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x), with weights for the patients of a bootstrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from stratifn.stratification.kmeans import RESTARTS, assign, assign_to_each, kmeans
from stratifn.stratification.settings import MIN_STRATUM

ITERATIONS = 200
# mean gain in log likelihood per patient below which a fit has converged
TOLERANCE = 1e-5
# of the shrinkage of covariances between axes
PEOPLE_PER_AXIS = 30
# share of the total covariance in that of the strata, so that it stays invertible
RIDGE = 0.02
# bootstraps that are fitted at once; with more, the memberships of thousands of people would take gigabytes
BLOCK = 20


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


@dataclass(frozen=True)
class _Weighted:
    """Patients of several bootstraps: one set of points, and how often each counts.

    Attributes
    ----------
    points
        n x axes.
    counts
        fits x n.
    centre, total
        Weighted mean (fits x axes) and covariance (fits x axes x axes).
    """

    points: np.ndarray
    counts: np.ndarray
    centre: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, counts: np.ndarray) -> _Weighted:
        patients = counts.sum(axis=1)
        centre = counts @ points / patients[:, None]
        second = (counts[:, None, :] * points.T) @ points / patients[:, None, None]
        return cls(points, counts, centre, second - centre[:, :, None] * centre[:, None, :])

    def some(self, fits: np.ndarray) -> _Weighted:
        return _Weighted(self.points, self.counts[fits], self.centre[fits], self.total[fits])

    def maximised(self, membership: np.ndarray, shrunk: float) -> TiedMixture:
        """Return the likeliest mixture for memberships (fits x strata x n)."""
        weighted = membership * self.counts[:, None, :]
        size = np.maximum(weighted.sum(axis=2), 1e-10)
        share, mean = size / self.counts.sum(axis=1)[:, None], weighted @ self.points / size[:, :, None]
        deviation = mean - self.centre[:, None, :]
        within = self.total - (share[:, :, None] * deviation).transpose(0, 2, 1) @ deviation
        diagonal = np.eye(within.shape[1])
        within = (1 - RIDGE) * within * (1 - shrunk * (1 - diagonal)) + RIDGE * self.total
        # two factors may be each other's copy
        return TiedMixture(share, mean, within + 1e-9 * diagonal * self.total)

    def expected(self, mixture: TiedMixture) -> tuple[np.ndarray, np.ndarray]:
        """Return memberships (fits x strata x n) and log likelihoods (fits)."""
        patients, axes = self.counts.sum(axis=1), self.points.shape[1]
        precision = np.linalg.inv(mixture.within)
        direction = mixture.mean @ precision
        constant = np.log(mixture.share) - (direction * mixture.mean).sum(axis=2) / 2
        score = direction @ self.points.T + constant[:, :, None]
        highest = score.max(axis=1, keepdims=True)
        membership = np.exp(score - highest)
        summed = membership.sum(axis=1, keepdims=True)
        second = self.total + self.centre[:, :, None] * self.centre[:, None, :]
        common = axes * np.log(2 * np.pi) + np.linalg.slogdet(mixture.within)[1] + (precision * second).sum(axis=(1, 2))
        likelihood = (self.counts * (highest + np.log(summed))[:, 0]).sum(axis=1) - patients * common / 2
        return membership / summed, likelihood


def _expectation_maximisation(
    points: np.ndarray, counts: np.ndarray, membership: np.ndarray, shrunk: float
) -> tuple[TiedMixture, np.ndarray, np.ndarray]:
    """Fit from memberships (fits x strata x n); return mixtures, log likelihoods (fits) and memberships."""
    data = _Weighted.of(points, counts)
    mixture, membership = data.maximised(membership, shrunk), membership.copy()
    likelihood, going = np.full(len(counts), -np.inf), np.arange(len(counts))
    for _ in range(ITERATIONS):
        own = data.some(going)
        better = own.maximised(membership[going], shrunk)
        mixture.share[going], mixture.mean[going], mixture.within[going] = better.share, better.mean, better.within
        membership[going], reached = own.expected(better)
        gained, likelihood[going] = reached - likelihood[going], reached
        going = going[gained >= TOLERANCE * own.counts.sum(axis=1)]
        if not len(going):
            break
    return mixture, likelihood, membership


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
    counts = np.ones(len(points)) if counts is None else counts.astype(float)
    return _likeliest(points, [start], counts[None])[0]


def _likeliest(points: np.ndarray, starts: Sequence[np.ndarray], counts: np.ndarray) -> list[Fit]:
    """Return the likeliest fit over starts (n x strata, or bootstraps x n x strata) of each row of counts (bootstraps x n)."""
    # scaled, so that axes of very different weight lose no digits
    centre, scale = points.mean(axis=0), _scale(points)
    scaled = np.ascontiguousarray((points - centre) / scale)
    fits, n = counts.shape
    each = [np.broadcast_to(start, (fits, *start.shape[-2:])) for start in starts]
    first = np.ascontiguousarray(np.concatenate(each).transpose(0, 2, 1), dtype=float)
    repeated = np.tile(counts, (len(starts), 1))
    mixture, likelihood, membership = _expectation_maximisation(scaled, repeated, first, shrinkage(*points.shape))
    # the density of a point is that of its scaled coordinates over the product of the scales
    likelihood -= repeated.sum(axis=1) * np.log(scale).sum()
    best = likelihood.reshape(len(starts), fits).argmax(axis=0) * fits + np.arange(fits)
    return [
        Fit(
            mixture.share[i],
            centre + mixture.mean[i] * scale,
            mixture.within[i] * np.outer(scale, scale),
            float(likelihood[i]),
            membership[i].T,
        )
        for i in best
    ]


def _scale(points: np.ndarray) -> np.ndarray:
    return np.maximum(points.std(axis=0), 1e-12)


def shrinkage(n: int, axes: int) -> float:
    """Return by what share the covariances between axes are shrunk to 0: as if thirty more people per axis showed none.

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
    found = np.eye(strata)[assign_to_each(points, resampled)]
    counts, anew = np.empty((len(resampled), n)), np.empty((len(resampled), n), dtype=np.int64)
    for own, labels in zip(counts, anew, strict=True):
        rows = rng.integers(0, n, n)
        own[:] = np.bincount(rows, minlength=n)
        centroids, _ = kmeans(scaled[rows], rng.random((RESTARTS, strata)))
        assign(scaled, centroids, labels)
    fits = []
    for block in range(0, len(resampled), BLOCK):
        some = slice(block, block + BLOCK)
        for best in _likeliest(points, [fit.membership, found[some], np.eye(strata)[anew[some]]], counts[some]):
            _, order = linear_sum_assignment(fit.membership.T @ best.membership, maximize=True)
            whole = best.share.min() * n < MIN_STRATUM
            fits.append(
                (fit.share, fit.mean, fit.within) if whole else (best.share[order], best.mean[order], best.within)
            )
    return TiedMixture(*(np.stack(parts) for parts in zip(*fits, strict=True)))
