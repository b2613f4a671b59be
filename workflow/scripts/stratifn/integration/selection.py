"""Which seed is the model, and which of its factors do the other seeds find again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from stratifn.integration.model import MofaModel
from stratifn.integration.settings import Settings
from stratifn.integration.variance import variance_explained
from stratifn.integration.views import ModelInput
from stratifn.shared.claims import bound_of
from stratifn.shared.columns import columns_of
from stratifn.shared.errors import InputError

logger = logging.getLogger("stratifn.integration")


@dataclass(frozen=True)
class Integration:
    """The chosen model and what is reported of it.

    Attributes
    ----------
    model
        All factors of the chosen seed: the active ones first, each group ordered by variance explained; oriented.
    active
        How many of them are reported as Factor1, Factor2, ...
    seeds
        seed, iterations, elbo, converged, factors, chosen.
    robustness
        factor, seeds_matched, mean_abs_r, robust. With one seed nothing is known: ``mean_abs_r`` and ``robust`` are
        missing.
    seed_correlation
        Per factor, the |r| that it reaches in the share of the seeds that makes a factor robust (its own counts as 1);
        missing with one seed.
    reason
        Why there are no factors; empty when there are.
    """

    model: MofaModel
    active: int
    seeds: pd.DataFrame
    robustness: pd.DataFrame
    seed_correlation: np.ndarray
    reason: str = ""

    @property
    def factor_names(self) -> list[str]:
        """Names of the reported factors."""
        return factor_names(self.active)


def factor_names(count: int) -> list[str]:
    """Return Factor1 ... FactorK."""
    return [f"Factor{number}" for number in range(1, count + 1)]


def select_model(models: Sequence[MofaModel], settings: Settings, score: pd.Series | None = None) -> Integration:
    """Take the seed with the highest evidence lower bound and match its factors in the other seeds.

    Parameters
    ----------
    models
        One trained model per seed, of the same input.
    settings
        See `Settings`.
    score
        A score per sample (the interferon score) that orients the factor following it most closely.

    Raises
    ------
    InputError
        The models are not of one input.
    """
    models = sorted(models, key=lambda model: model.seed)
    _require_same_input(models)
    best = max(models, key=lambda model: (model.elbo, -model.seed))
    if not best.converged:
        logger.warning("the chosen seed %d has not converged", best.seed)
    active = best.active(settings.min_r2)
    order = np.argsort(~active, kind="stable")
    model = best.rearranged(order, np.ones(len(order)))
    count = int(active.sum())
    model = model.rearranged(np.arange(len(order)), orient(model, count, score))
    robustness, reached = _robustness(model, count, models)
    reason = "" if count else f"no factor explains {settings.min_r2:g} % of any view: no structure found"
    return Integration(
        model=model,
        active=count,
        seeds=_seeds_table(models, best, settings),
        robustness=robustness,
        seed_correlation=reached,
        reason=reason,
    )


def _require_same_input(models: Sequence[MofaModel]) -> None:
    first = models[0]
    for model in models[1:]:
        same = model.samples == first.samples and [view.features for view in model.views] == [
            view.features for view in first.views
        ]
        if not same:
            raise InputError(f"integration: seeds {first.seed} and {model.seed} were trained on different input.")


def orient(model: MofaModel, active: int, score: pd.Series | None) -> np.ndarray:
    """Decide the factors' signs, which the model leaves open.

    The reported factor that correlates most with the score rises with it; every other factor has its largest weight
    (in absolute value, over all views) positive.

    Returns
    -------
    numpy.ndarray
        1 or -1 for each factor.
    """
    weights = np.concatenate([view.weights for view in model.views])
    largest = weights[np.abs(weights).argmax(axis=0), np.arange(weights.shape[1])]
    signs = np.where(largest < 0, -1.0, 1.0)
    if score is None or active == 0:
        return signs
    values = score.reindex(model.samples).to_numpy(dtype=float)
    known = np.isfinite(values)
    if known.sum() < 3:
        return signs
    r = correlation(model.factors[known, :active], values[known, None])[:, 0]
    follower = int(np.abs(r).argmax())
    if r[follower] != 0:
        signs[follower] = np.sign(r[follower])
    return signs


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlation of the columns of `a` with those of `b`; 0 where a column is constant."""
    return _standardised(a).T @ _standardised(b)


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    norm = np.sqrt(np.square(centred).sum(axis=0))
    # what is left of a constant column is rounding
    negligible = norm <= 1e-9 * np.sqrt(len(values)) * np.maximum(np.abs(values).max(axis=0), 1e-9)
    return np.where(negligible, 0.0, centred / np.where(negligible, 1.0, norm))


def match_factors(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pair the factors of two models one to one, so that the summed |r| is largest.

    Parameters
    ----------
    a, b
        Factors of the same samples (N x K, N x L).

    Returns
    -------
    numpy.ndarray
        |r| of each factor of `a` with its partner (K); 0 for a factor without a partner.
    """
    r = np.abs(correlation(a, b))
    rows, columns = linear_sum_assignment(-r)
    matched = np.zeros(a.shape[1])
    matched[rows] = r[rows, columns]
    return matched


def _seeds_table(models: Sequence[MofaModel], best: MofaModel, settings: Settings) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "seed": [model.seed for model in models],
            "iterations": [model.iterations for model in models],
            "elbo": [model.elbo for model in models],
            "converged": [model.converged for model in models],
            "factors": [int(model.active(settings.min_r2).sum()) for model in models],
            "chosen": [model is best for model in models],
        }
    )


def _robustness(model: MofaModel, active: int, models: Sequence[MofaModel]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the table of robustness, and the |r| that each factor reaches in the share of the seeds that counts."""
    others = [other for other in models if other.seed != model.seed]
    factors = model.factors[:, :active]
    # the chosen seed finds its own factors
    r = np.array([np.ones(active), *(match_factors(factors, other.factors) for other in others)])
    share, least = bound_of("factor", "seeds_matched"), bound_of("factor", "seed_correlation")
    matched = (r >= least).sum(axis=0)
    table = pd.DataFrame(
        {
            "factor": factor_names(active),
            "seeds_matched": matched.astype(int),
            "mean_abs_r": r[1:].mean(axis=0) if others else np.full(active, np.nan),
            "robust": pd.array(matched >= share * len(models), dtype="boolean"),
        }
    )
    if not others:
        table["robust"] = pd.array([pd.NA] * active, dtype="boolean")
        return table, np.full(active, np.nan)
    needed = int(np.ceil(share * len(models) - 1e-9))
    return table, np.sort(r, axis=0)[len(models) - needed]


def factors_table(integration: Integration) -> pd.DataFrame:
    """Return sample, Factor1 ... FactorK, one row per sample in the model's order."""
    model = integration.model
    table = pd.DataFrame(model.factors[:, : integration.active], columns=integration.factor_names)
    table.insert(0, "sample", model.samples)
    return table


def weights_table(integration: Integration, view: str) -> pd.DataFrame:
    """Return feature, Factor1 ... FactorK for one view, in the order of the view's matrix.

    Weights are those of centred and scaled values: comparable within a view and a factor. A view that was left out has
    no rows.
    """
    of_view = integration.model.view(view)
    if of_view is None:
        return pd.DataFrame(columns=["feature", *integration.factor_names])
    table = pd.DataFrame(of_view.weights[:, : integration.active], columns=integration.factor_names)
    table.insert(0, "feature", of_view.features)
    return table


def variance_table(integration: Integration, model_input: ModelInput) -> pd.DataFrame:
    """Return view, factor, r2 (percent), with the factor ``total`` for all reported factors together."""
    rows = []
    model, count = integration.model, integration.active
    for view, trained in zip(model_input.views, model.views, strict=True):
        each, together = variance_explained(view.values, model.factors[:, :count], trained.weights[:, :count])
        names = [*integration.factor_names, "total"]
        rows += [(view.name, name, 100.0 * r2) for name, r2 in zip(names, [*each, together], strict=True)]
    return pd.DataFrame(rows, columns=list(columns_of("integration/variance_explained.tsv")))
