"""How far the calls of each contrast can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.settings import Settings
from stratifn.shared.claims import Measured, judged, verdicts_table

# components beyond these explain too little of the variance to be a whole batch
LEADING_COMPONENTS = 2


def call_verdicts(
    summary: pd.DataFrame,
    permutation: pd.DataFrame,
    contrasts: Sequence[Contrast],
    view: ad.AnnData,
    samples: pd.DataFrame,
    settings: Settings,
) -> pd.DataFrame:
    """Judge the calls of every contrast.

    Parameters
    ----------
    summary, permutation
        From `results.summary_table` and `permutation.permutation_null`.
    contrasts
        What was compared.
    view
        The normalised view; ``obsm["X_pca"]`` holds its principal components.
    samples
        The samples of the view, in its order.
    settings
        Of the phase.

    Returns
    -------
    pandas.DataFrame
        Columns `claims.COLUMNS`.
    """
    calls = (summary["up"] + summary["down"]).set_axis(summary["contrast"])
    reasons = permutation.set_index("contrast")["reason"].astype(object)
    permuted = summary.set_index("contrast")["permuted_calls"]
    parts = []
    for contrast in contrasts:
        called = int(calls[contrast.name])
        share = float(permuted[contrast.name]) / called if called else np.nan
        why = reasons.get(contrast.name, "the permutations failed; see the notes")
        r2, component = leading_component(view, samples, contrast)
        measured = [
            Measured("called", called if called else np.nan, reason="" if called else "no gene is called"),
            Measured("permuted_calls", share, settings.alpha, "" if pd.isna(why) else str(why)),
            Measured("leading_component", r2, reason=component),
        ]
        parts.append(judged("calls", contrast.name, measured))
    return verdicts_table(parts)


def leading_component(view: ad.AnnData, samples: pd.DataFrame, contrast: Contrast) -> tuple[float, str]:
    """Return how much of a leading principal component a contrast of two groups explains, and which component it is.

    The largest adjusted R2 (share of the variance between the two groups' means) over the leading components. A batch that
    coincides with the contrast makes such a component, and so does a strong disease: the two cannot be distinguished.

    Returns
    -------
    r2, component
        NaN with the reason where the contrast is not one of two groups, or without components.
    """
    if not contrast.factor:
        return np.nan, "the contrast does not compare two groups"
    if "X_pca" not in view.obsm:
        return np.nan, "there are no principal components"
    groups = samples[contrast.factor].astype(str).to_numpy()
    compared = np.isin(groups, [contrast.level, contrast.baseline])
    components = np.asarray(view.obsm["X_pca"], dtype=float)[compared, :LEADING_COMPONENTS]
    inside = groups[compared] == contrast.level
    if min(inside.sum(), (~inside).sum()) < 1 or len(inside) < 3:
        return np.nan, "too few samples of the two groups"
    total = ((components - components.mean(axis=0)) ** 2).sum(axis=0)
    between = inside.sum() * (~inside).sum() / len(inside)
    difference = components[inside].mean(axis=0) - components[~inside].mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(total > 0, between * difference**2 / total, 0.0)
    # adjusted for the chance of few samples (Wherry 1931, Ann. Math. Stat. 2:440)
    r2 = np.maximum(1 - (1 - r2) * (len(inside) - 1) / (len(inside) - 2), 0.0)
    largest = int(r2.argmax())
    return float(r2[largest]), f"PC{largest + 1}"
