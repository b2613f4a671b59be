"""Factors of samples from a trained model, one sample at a time, and what the data leave open about them.

With weights and noise fixed, the posterior of a sample's factors over what was observed of it is Gaussian
(Argelaguet et al. 2020, doi:10.1186/s13059-020-02015-1, the update of Z with a full covariance)::

    Sigma = (I + sum_m [W' diag(tau) W + diag(sum_d tau (E[w^2] - E[w]^2))])^-1
    z     = Sigma sum_m W' diag(tau) (y - mean) / scale

where the sums run over the observed features of the views that are there. Each sample is computed by itself, so that
one patient gets the same numbers alone as in a batch. What the data can show of the true factors is the gain: the
posterior mean of a sample with factors z is on average ``Sigma (sum_m W' diag(tau) W) z``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError
from stratifn.shared.factor_model import ViewModel


@dataclass(frozen=True)
class FactorPosterior:
    """What is known of the factors of each sample.

    Attributes
    ----------
    mean
        Samples x factors.
    gain
        Samples x K x K: the mean that is expected of a sample, as a linear function of its true factors. The identity
        where the factors are known exactly, 0 where nothing is known.
    covariance
        Samples x K x K.
    """

    mean: pd.DataFrame
    gain: np.ndarray
    covariance: np.ndarray

    @classmethod
    def exact(cls, factors: pd.DataFrame) -> FactorPosterior:
        """Return factors (samples x K) that are known without error."""
        n, k = factors.shape
        return cls(factors, np.broadcast_to(np.eye(k), (n, k, k)), np.zeros((n, k, k)))

    def of(self, samples: Sequence[str], factors: Sequence[str]) -> FactorPosterior:
        """Return some samples and factors, in this order."""
        rows, columns = self.mean.index.get_indexer(list(samples)), self.mean.columns.get_indexer(list(factors))
        block = np.ix_(rows, columns, columns)
        return FactorPosterior(self.mean.iloc[rows, columns], self.gain[block], self.covariance[block])


@dataclass(frozen=True)
class ProjectedFactors:
    """Posterior of the factors of samples.

    Attributes
    ----------
    mean, sd
        Samples x Factor1 ... FactorK. The SD is 1, that of the prior, where nothing observed determines a factor.
    observed
        Samples x views: how many of the model's features were observed.
    error
        Samples x views: mean of ``tau (y - z w)^2`` over the observed features, about 1 for samples like those of the
        training; missing where the view was not observed.
    gain, covariance
        As of `FactorPosterior`.
    """

    mean: pd.DataFrame
    sd: pd.DataFrame
    observed: pd.DataFrame
    error: pd.DataFrame
    gain: np.ndarray
    covariance: np.ndarray

    @property
    def posterior(self) -> FactorPosterior:
        """Mean, gain and covariance."""
        return FactorPosterior(self.mean, self.gain, self.covariance)


def project_factors(views: Sequence[ViewModel], measured: Mapping[str, pd.DataFrame]) -> ProjectedFactors:
    """Compute the posterior of the factors of samples.

    Parameters
    ----------
    views
        The model, view by view.
    measured
        View name to transformed values (samples x features) on the scale of the training; samples, features and
        whole views may be missing, features that the model does not know are ignored.

    Raises
    ------
    InputError
        None of the model's views is there, or a sample or feature is in a view twice.
    """
    known = {view.name: measured[view.name] for view in views if view.name in measured}
    _require_usable(views, known)
    samples = sorted(set().union(*(frame.index for frame in known.values())))
    # one layout for every view, so that a sample's numbers do not depend on who else is in the batch
    values = {view.name: _standardised(view, known[view.name], samples) for view in views if view.name in known}
    posteriors = _Posteriors([view for view in views if view.name in known], views[0].weights.shape[1])
    placed = [posteriors.place({name: rows[i] for name, rows in values.items()}) for i in range(len(samples))]
    factors = [f"Factor{k + 1}" for k in range(views[0].weights.shape[1])]
    names = [view.name for view in views]
    return ProjectedFactors(
        mean=pd.DataFrame([one.mean for one in placed], samples, factors),
        sd=pd.DataFrame([one.sd for one in placed], samples, factors),
        observed=pd.DataFrame([one.observed for one in placed], samples, names).fillna(0).astype(int),
        error=pd.DataFrame([one.error for one in placed], samples, names, dtype=float),
        gain=np.stack([one.gain for one in placed]),
        covariance=np.stack([one.covariance for one in placed]),
    )


def _require_usable(views: Sequence[ViewModel], known: Mapping[str, pd.DataFrame]) -> None:
    if not known:
        raise InputError(f"transfer: none of the model's views ({', '.join(v.name for v in views)}) is given.")
    for name, frame in known.items():
        for kind, labels in (("sample", frame.index), ("feature", frame.columns)):
            if labels.has_duplicates:
                twice = labels[labels.duplicated()][0]
                raise InputError(f"transfer: {kind} {twice} occurs more than once in view {name}.")


def _standardised(view: ViewModel, frame: pd.DataFrame, samples: list[str]) -> np.ndarray:
    values = frame.reindex(index=samples, columns=list(view.features)).to_numpy(dtype=float)
    return np.ascontiguousarray((values - view.means) / view.scale)


@dataclass(frozen=True)
class _Placed:
    mean: np.ndarray
    sd: np.ndarray
    observed: dict[str, int]
    error: dict[str, float]
    gain: np.ndarray
    covariance: np.ndarray


class _Posteriors:
    """The posterior of one sample after the other; what depends on the observed features alone is kept by pattern."""

    def __init__(self, views: Sequence[ViewModel], factors: int):
        self.views = views
        self.factors = factors
        self.weighted = {view.name: view.tau[:, None] * view.weights for view in views}
        self.spread = {
            view.name: view.tau[:, None] * (view.weights_squared - np.square(view.weights)) for view in views
        }
        self._patterns: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    def place(self, rows: Mapping[str, np.ndarray]) -> _Placed:
        observed = {name: np.isfinite(row) for name, row in rows.items()}
        covariance, gain = self._pattern(observed)
        linear = np.zeros(self.factors)
        for name, row in rows.items():
            linear += np.where(observed[name], row, 0.0) @ self.weighted[name]
        mean = covariance @ linear
        return _Placed(
            mean=mean,
            sd=np.sqrt(np.diag(covariance)),
            observed={name: int(seen.sum()) for name, seen in observed.items()},
            error={view.name: _error(view, rows[view.name], observed[view.name], mean) for view in self.views},
            gain=gain,
            covariance=covariance,
        )

    def _pattern(self, observed: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return covariance and gain of a sample with these features."""
        pattern = b"".join(np.packbits(seen).tobytes() for seen in observed.values())
        if pattern not in self._patterns:
            information = np.zeros((self.factors, self.factors))
            spread = np.zeros(self.factors)
            for view in self.views:
                seen = observed[view.name].astype(float)
                information += view.weights.T @ (seen[:, None] * self.weighted[view.name])
                spread += seen @ self.spread[view.name]
            covariance = np.linalg.inv(np.eye(self.factors) + information + np.diag(spread))
            self._patterns[pattern] = covariance, covariance @ information
        return self._patterns[pattern]


def _error(view: ViewModel, row: np.ndarray, seen: np.ndarray, mean: np.ndarray) -> float:
    if not seen.any():
        return float("nan")
    residual = row[seen] - view.weights[seen] @ mean
    return float(np.mean(view.tau[seen] * np.square(residual)))
