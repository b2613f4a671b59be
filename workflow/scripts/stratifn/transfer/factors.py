"""Factors of new samples from a trained model, one sample at a time.

With weights and noise fixed, the posterior of a sample's factors over what was observed of it is Gaussian
(Argelaguet et al. 2020, doi:10.1186/s13059-020-02015-1, the update of Z with a full covariance)::

    Sigma = (I + sum_m [W' diag(tau) W + diag(sum_d tau (E[w^2] - E[w]^2))])^-1
    z     = Sigma sum_m W' diag(tau) (y - mean) / scale

where the sums run over the observed features of the views that are there. Each sample is computed by itself, so that
one patient gets the same numbers alone as in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError
from stratifn.shared.factor_model import ViewModel


@dataclass(frozen=True)
class ProjectedFactors:
    """Posterior of the factors of new samples.

    Attributes
    ----------
    mean, sd
        Samples x Factor1 ... FactorK. The SD is 1, that of the prior, where nothing observed determines a factor.
    observed
        Samples x views: how many of the model's features were observed.
    error
        Samples x views: mean of ``tau (y - z w)^2`` over the observed features, about 1 for samples like those of the
        training; missing where the view was not observed.
    """

    mean: pd.DataFrame
    sd: pd.DataFrame
    observed: pd.DataFrame
    error: pd.DataFrame


def project_factors(views: Sequence[ViewModel], measured: Mapping[str, pd.DataFrame]) -> ProjectedFactors:
    """Compute the posterior mean and SD of the factors of new samples.

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


class _Posteriors:
    """The posterior of one sample after the other; the covariance is kept per pattern of observed features."""

    def __init__(self, views: Sequence[ViewModel], factors: int):
        self.views = views
        self.factors = factors
        self.weighted = {view.name: view.tau[:, None] * view.weights for view in views}
        self.spread = {
            view.name: view.tau[:, None] * (view.weights_squared - np.square(view.weights)) for view in views
        }
        self._covariances: dict[bytes, np.ndarray] = {}

    def place(self, rows: Mapping[str, np.ndarray]) -> _Placed:
        observed = {name: np.isfinite(row) for name, row in rows.items()}
        covariance = self._covariance(observed)
        linear = np.zeros(self.factors)
        for name, row in rows.items():
            linear += np.where(observed[name], row, 0.0) @ self.weighted[name]
        mean = covariance @ linear
        return _Placed(
            mean=mean,
            sd=np.sqrt(np.diag(covariance)),
            observed={name: int(seen.sum()) for name, seen in observed.items()},
            error={view.name: _error(view, rows[view.name], observed[view.name], mean) for view in self.views},
        )

    def _covariance(self, observed: Mapping[str, np.ndarray]) -> np.ndarray:
        pattern = b"".join(np.packbits(seen).tobytes() for seen in observed.values())
        if pattern not in self._covariances:
            precision = np.eye(self.factors)
            for view in self.views:
                seen = observed[view.name].astype(float)
                precision += view.weights.T @ (seen[:, None] * self.weighted[view.name])
                precision += np.diag(seen @ self.spread[view.name])
            self._covariances[pattern] = np.linalg.inv(precision)
        return self._covariances[pattern]


def _error(view: ViewModel, row: np.ndarray, seen: np.ndarray, mean: np.ndarray) -> float:
    if not seen.any():
        return float("nan")
    residual = row[seen] - view.weights[seen] @ mean
    return float(np.mean(view.tau[seen] * np.square(residual)))
