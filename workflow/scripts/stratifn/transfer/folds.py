"""The model of the factors as it would be without some of its samples.

A model fits the samples that it was trained on better than any new one, so that how well it explains a new patient can
only be judged by samples that it did not see. Ten trainings would take ten times as long as the first. Here each fold
starts from the trained model and updates its weights, means and noise without the fold's samples, twice, the factors of the
other samples in between (Argelaguet et al. 2020, doi:10.1186/s13059-020-02015-1), with a ridge in place of the spike and slab:
one linear fit per view. The factors keep their order and sign, because the start has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from stratifn.shared.factor_model import ViewModel

FOLDS, SEED = 10, 1
# the second update uses factors that the fold's samples had no direct part in
SWEEPS = 2
# a feature that hardly varies without the fold is not taken to be known this many times better than with it
MOST_PRECISE = 100.0

# standardised values by view: samples x features, NaN where not measured
Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Terms:
    """What the views say about the factors of each sample.

    Attributes
    ----------
    linear
        By view: samples x K, ``W' diag(tau) y``.
    precision
        By view: samples x K x K; zero where a sample lacks the view.
    """

    linear: Mapping[str, np.ndarray]
    precision: Mapping[str, np.ndarray]

    def posterior(self, views: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return mean (samples x K) and covariance (samples x K x K) of the factors, given these views."""
        width = next(iter(self.linear.values())).shape[1]
        covariance = np.linalg.inv(np.eye(width) + sum(self.precision[view] for view in views))
        mean = np.einsum("nkj,nj->nk", covariance, sum(self.linear[view] for view in views))
        return mean, covariance


def standardised(view: ViewModel, values: np.ndarray) -> np.ndarray:
    """Return values (samples x features) as the model sees them."""
    return (values - view.means) / view.scale


def terms(views: Sequence[ViewModel], values: Values) -> Terms:
    """Compute what every view says about the factors of many samples at once.

    Mean and covariance of the posterior are those that `project_factors` computes sample by sample.

    Parameters
    ----------
    views
        The model.
    values
        Measured values by view, on the scale of the model's input.
    """
    found = {view.name: _terms_of_view(view, standardised(view, values[view.name])) for view in views}
    return Terms({name: one[0] for name, one in found.items()}, {name: one[1] for name, one in found.items()})


def _terms_of_view(view: ViewModel, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = np.isfinite(values)
    weighted = view.tau[:, None] * view.weights
    spread = view.tau[:, None] * (view.weights_squared - np.square(view.weights))
    linear = np.where(seen, values, 0.0) @ weighted
    complete = view.weights.T @ weighted + np.diag(spread.sum(axis=0))
    precision = seen.any(axis=1)[:, None, None] * complete
    part = np.flatnonzero(seen.any(axis=1) & ~seen.all(axis=1))
    if part.size:
        outer = view.weights[:, :, None] * weighted[:, None, :]
        diagonal = np.arange(outer.shape[1])
        outer[:, diagonal, diagonal] += spread
        precision[part] -= _summed(~seen[part], outer)
    return linear, precision


def _summed(chosen: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Sum the matrices (n x K x K) that each row of booleans (m x n) picks: m x K x K."""
    width = matrices.shape[1]
    return np.asarray(csr_matrix(chosen.astype(float)) @ matrices.reshape(len(matrices), -1)).reshape(-1, width, width)


def fold_models(views: Sequence[ViewModel], values: Values) -> Iterator[tuple[np.ndarray, tuple[ViewModel, ...]]]:
    """Return for every fold its samples (rows of `values`) and the model without them.

    Parameters
    ----------
    views
        The trained model.
    values
        What it was trained on: samples x features by view, on the scale of its input, all with the same rows.
    """
    count = len(values[views[0].name])
    order = np.random.default_rng(SEED).permutation(count)
    for start in range(min(FOLDS, count)):
        fold = np.sort(order[start::FOLDS])
        rest = np.setdiff1d(np.arange(count), fold)
        yield fold, refitted(views, {view.name: values[view.name][rest] for view in views})


def refitted(views: Sequence[ViewModel], values: Values) -> tuple[ViewModel, ...]:
    """Return a model after `SWEEPS` updates on some samples alone.

    Parameters
    ----------
    views
        The trained model.
    values
        Samples x features by view, on the scale of its input.
    """
    names, model = [view.name for view in views], tuple(views)
    for _ in range(SWEEPS):
        mean, covariance = terms(model, values).posterior(names)
        model = tuple(_fitted(view, values[view.name], mean, covariance) for view in model)
    return model


def _fitted(view: ViewModel, values: np.ndarray, factors: np.ndarray, covariance: np.ndarray) -> ViewModel:
    """Fit a view's weights, means and noise to given factors: ridge regression with a strength per factor.

    The prior of a weight is normal with a variance in units of its feature's noise, so that all complete features share
    one inverse.
    """
    rows = np.isfinite(values).any(axis=1)
    values, factors = values[rows], factors[rows]
    seen = np.isfinite(values)
    counts = seen.sum(axis=0)
    means = np.where(seen, values, 0.0).sum(axis=0) / np.maximum(counts, 1)
    centred = np.where(seen, (values - means) / view.scale, 0.0)
    second = factors[:, :, None] * factors[:, None, :] + covariance[rows]
    ridge = np.diag(1.0 / np.maximum((view.tau[:, None] * view.weights_squared).mean(axis=0), np.finfo(float).tiny))
    gram, cross = second.sum(axis=0), centred.T @ factors
    inverse = np.linalg.inv(gram + ridge)
    weights = cross @ inverse
    of_gram = np.einsum("dk,kj,dj->d", weights, gram, weights)
    lost, spread = np.full(len(counts), np.sum(inverse * gram)), np.tile(np.diag(inverse), (len(counts), 1))
    part = np.flatnonzero(~seen.all(axis=0))
    if part.size:
        grams = gram - _summed(~seen[:, part].T, second)
        inverses = np.linalg.inv(grams + ridge)
        weights[part] = np.einsum("dkj,dj->dk", inverses, cross[part])
        of_gram[part] = np.einsum("dk,dkj,dj->d", weights[part], grams, weights[part])
        lost[part], spread[part] = (inverses * grams).sum(axis=(1, 2)), np.einsum("dkk->dk", inverses)
    error = np.square(centred).sum(axis=0) - 2 * np.einsum("dk,dk->d", weights, cross) + of_gram
    least = np.maximum(counts - lost, 1.0) / (MOST_PRECISE * view.tau)
    tau = np.maximum(counts - lost, 1.0) / np.maximum(error, least)
    squared = np.square(weights) + spread / tau[:, None]
    return replace(view, weights=weights, weights_squared=squared, tau=tau, means=means)
