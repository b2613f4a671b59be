"""Warnings about factors: those of MOFA2, and further ones for interferon cohorts.

The first two checks and their thresholds are those of MOFA2's ``quality_control``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.integration.model import MofaModel
from stratifn.integration.selection import Integration, correlation
from stratifn.integration.views import ModelInput
from stratifn.shared.columns import columns_of

LEVEL_R = 0.75
CORRELATED_R = 0.5
# a factor that lives on fewer features is about these features, not about a process ...
FEW_FEATURES = 5.0
# ... unless the view is small, where a single cell type or cytokine may well be the process
SMALL_VIEW = 50

COLUMNS = list(columns_of("integration/warnings.tsv"))


def quality_warnings(
    integration: Integration, model_input: ModelInput, library_size: pd.Series | None = None
) -> pd.DataFrame:
    """List the reported factors that may be technical, redundant or trivial.

    Parameters
    ----------
    integration
        From `stratifn.integration.select_model`.
    model_input
        What the model was trained on.
    library_size
        Counts per sample, where there is a count view.

    Returns
    -------
    pandas.DataFrame
        factor, warning, about, value, threshold, reason; empty when nothing is to be said. Warnings:
        ``sample_mean`` (|r| with the mean of a view's features per sample above 0.75), ``library_size`` (|r| with the
        log library size above 0.75), ``correlated_factors`` (|r| of two factors above 0.5), ``few_features`` (the
        factor's weights in its main view amount to fewer than 5 features: `effective_features`; views of fewer than
        50 features are not judged), ``all_in_use`` (every factor that the model started with is active, so there may
        be more; `factor` is ``all``).
    """
    factors = integration.model.factors[:, : integration.active]
    levels = {f"mean of {view.name}": _sample_means(view.values) for view in model_input.views}
    rows = [
        (
            name,
            "sample_mean",
            about,
            r,
            LEVEL_R,
            "the factor follows the overall level of a view, often left by normalisation",
        )
        for about, level in levels.items()
        for name, r in _followers(factors, level)
    ]
    if library_size is not None:
        size = np.log(library_size.reindex(integration.model.samples).to_numpy(dtype=float))
        rows += [
            (name, "library_size", "log library size", r, LEVEL_R, "the factor follows sequencing depth")
            for name, r in _followers(factors, size)
        ]
    rows += _correlated(factors) + _few_features(integration.model, integration.active)
    rows += _all_in_use(integration.model, integration.active)
    return pd.DataFrame(rows, columns=COLUMNS)


def _sample_means(values: np.ndarray) -> np.ndarray:
    observed = ~np.isnan(values)
    counts = observed.sum(axis=1)
    sums = np.where(observed, values, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _followers(factors: np.ndarray, level: np.ndarray) -> list[tuple[str, float]]:
    known = np.isfinite(level)
    if known.sum() < 3:
        return []
    r = correlation(factors[known], level[known, None])[:, 0]
    return [(f"Factor{k + 1}", float(r[k])) for k in np.flatnonzero(np.abs(r) > LEVEL_R)]


def _correlated(factors: np.ndarray) -> list[tuple]:
    r = correlation(factors, factors)
    pairs = np.argwhere(np.triu(np.abs(r) > CORRELATED_R, k=1))
    reason = "the factors share information; fewer factors may be enough"
    return [
        (f"Factor{a + 1}", "correlated_factors", f"Factor{b + 1}", float(r[a, b]), CORRELATED_R, reason)
        for a, b in pairs
    ]


def effective_features(weights: np.ndarray) -> np.ndarray:
    """Return on how many features each factor rests: ``(sum w^2)^2 / sum w^4`` (K), 1 when it is a single one."""
    squares = np.square(weights)
    fourth = np.square(squares).sum(axis=0)
    return np.square(squares.sum(axis=0)) / np.where(fourth > 0, fourth, 1.0)


def _few_features(model: MofaModel, active: int) -> list[tuple]:
    rows = []
    sizes = np.array([len(view.features) for view in model.views])
    for k in range(active):
        # the view in which the factor explains most in all, not in percent
        view = model.views[int((model.r2[:, k] * sizes).argmax())]
        effective = float(effective_features(view.weights[:, [k]])[0])
        if len(view.features) >= SMALL_VIEW and effective < FEW_FEATURES:
            reason = "the factor rests on a few nearly identical features"
            rows.append((f"Factor{k + 1}", "few_features", view.name, effective, FEW_FEATURES, reason))
    return rows


def _all_in_use(model: MofaModel, active: int) -> list[tuple]:
    start = model.factors.shape[1]
    if active < start:
        return []
    return [
        (
            "all",
            "all_in_use",
            "factors",
            float(active),
            float(start),
            "every factor is in use, so there may be more: start with more factors",
        )
    ]
