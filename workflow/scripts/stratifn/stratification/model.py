"""The strata as a model: what places a person, of the cohort or new, in a stratum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratifn.shared.factor_posterior import FactorPosterior
from stratifn.stratification.informed import SHOWN
from stratifn.stratification.kmeans import assign_to_each
from stratifn.stratification.mixture import TiedMixture
from stratifn.stratification.space import FactorSpace

# a membership below this is no stratum: the person's stratum is uncertain
CERTAIN = 0.5
# smallest variance along an axis, as a share of the strata's own: where nothing is known of anybody's factor
FLOOR = 1e-6


@dataclass(frozen=True)
class Measurement:
    """How well the factors of the people who made the strata were measured, in coordinates.

    Attributes
    ----------
    gain
        K x K: the coordinates that are expected of a person, as a linear function of the true ones.
    noise
        K x K: covariance of a person's coordinates about these.
    """

    gain: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class Placed:
    """Where people were placed.

    Attributes
    ----------
    stratum
        n: the stratum of the largest membership, from 1.
    membership
        n x strata: probability of each stratum; rows sum to 1.
    stability
        n: share of the resamples in which the person lies nearest to that stratum.
    informed
        n: whether the person's data can show the strata.
    """

    stratum: np.ndarray
    membership: np.ndarray
    stability: np.ndarray
    informed: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        """Probability of the stratum."""
        return np.asarray(self.membership.max(axis=1))

    @property
    def uncertain(self) -> np.ndarray:
        """Whether no stratum is as probable as all others together."""
        return np.asarray(self.confidence < CERTAIN)


@dataclass(frozen=True)
class StratumModel:
    """Strata in the space of the factors; nothing about a single patient.

    Attributes
    ----------
    space
        How factors become coordinates.
    resampled
        resamples x strata x K: centroids of the strata in each resample, in their order.
    mixture
        Bootstraps of the strata as Gaussian components, in coordinates.
    measured
        How the people were measured whom the mixture was fitted to.
    """

    space: FactorSpace
    resampled: np.ndarray
    mixture: TiedMixture
    measured: Measurement

    def reordered(self, order: np.ndarray) -> StratumModel:
        """Return the same strata in another order (positions from 0)."""
        mixture = TiedMixture(self.mixture.share[:, order], self.mixture.mean[:, order], self.mixture.within)
        return StratumModel(self.space, np.ascontiguousarray(self.resampled[:, order]), mixture, self.measured)

    def place(self, posterior: FactorPosterior) -> Placed:
        """Place people, each by itself.

        The membership is Bayes' rule with the mixture as prior, averaged over its bootstraps, given what is known of the
        person: a person measured as well as those who made the strata has their distribution; one in whom less is
        known has means that lie closer together and a spread of its own. Where nothing is known, the membership is the
        size of the stratum.

        Parameters
        ----------
        posterior
            Of the factors of the space (others are not looked at).
        """
        own = posterior.of(list(posterior.mean.index), self.space.factors)
        points = np.ascontiguousarray(self.space.coordinates(own.mean))
        membership = np.empty((len(points), self.mixture.mean.shape[1]))
        informed = np.empty(len(points), dtype=bool)
        for i, point in enumerate(points):
            means, within = self._seen_by(measurement(self.space, own.gain[i], own.covariance[i]))
            membership[i] = _memberships(point, self.mixture.share, means, within)
            informed[i] = self._distance(means, within) >= SHOWN * self._distance(
                self.mixture.mean, self.mixture.within
            )
        stratum = membership.argmax(axis=1)
        stability = (assign_to_each(points, self.resampled) == stratum).mean(axis=0)
        return Placed(stratum + 1, membership, stability, informed)

    def _seen_by(self, own: Measurement) -> tuple[np.ndarray, np.ndarray]:
        """Return means (fits x strata x K) and covariances (fits x K x K) of people who were measured like this one."""
        if np.array_equal(own.gain, self.measured.gain) and np.array_equal(own.noise, self.measured.noise):
            return self.mixture.mean, self.mixture.within
        relative = own.gain @ np.linalg.pinv(self.measured.gain)
        origin = self.space.origin
        means = origin + (self.mixture.mean - origin) @ relative.T
        within = relative @ (self.mixture.within - self.measured.noise) @ relative.T + own.noise
        return means, _positive(within, self.mixture.within)

    def _distance(self, means: np.ndarray, within: np.ndarray) -> float:
        """Mean squared Mahalanobis distance of the strata from their common mean, over strata and fits."""
        share = self.mixture.share[:, :, None]
        deviation = means - (share * means).sum(axis=1, keepdims=True)
        solved = np.linalg.solve(within, deviation.transpose(0, 2, 1)).transpose(0, 2, 1)
        return float((share * deviation * solved).sum(axis=(1, 2)).mean())


def measurement(space: FactorSpace, gain: np.ndarray, covariance: np.ndarray) -> Measurement:
    """Return how well a person was measured, from gain and covariance of the factors of a space (K x K each)."""
    scale = space.weight / space.sd
    noise = scale[:, None] * (gain @ covariance) * scale
    return Measurement(scale[:, None] * gain / scale, (noise + noise.T) / 2)


def _memberships(point: np.ndarray, share: np.ndarray, means: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Return the probability of each stratum, averaged over the fits."""
    difference = point - means
    solved = np.linalg.solve(within, difference.transpose(0, 2, 1)).transpose(0, 2, 1)
    score = np.log(share) - (difference * solved).sum(axis=2) / 2
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray((weight / weight.sum(axis=1, keepdims=True)).mean(axis=0))


def _positive(covariance: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Give every axis of covariances (fits x K x K) at least `FLOOR` of the mean variance of others."""
    values, vectors = np.linalg.eigh((covariance + covariance.transpose(0, 2, 1)) / 2)
    least = FLOOR * np.trace(like, axis1=1, axis2=2)[:, None] / like.shape[1]
    return np.asarray(vectors * np.maximum(values, least)[:, None, :] @ vectors.transpose(0, 2, 1))
