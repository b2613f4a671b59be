"""How far the calls of each contrast can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.rank_sum import smallest_pvalue
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
    tables: Mapping[str, pd.DataFrame],
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
    tables
        `results.contrast_table` by contrast name.

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
            Measured("rank_sum", *seen_by_ranks(tables[contrast.name], summary, contrast, settings.alpha)),
        ]
        parts.append(judged("calls", contrast.name, measured))
    return verdicts_table(parts)


def seen_by_ranks(
    table: pd.DataFrame, summary: pd.DataFrame, contrast: Contrast, alpha: float
) -> tuple[float, None, str]:
    """Return the share of the calls whose rank-sum p value is below alpha, no bound, and why there is none.

    Unadjusted: a few dozen samples give no rank-sum test of thousands of genes the power to survive the adjustment.
    """
    if table["rank_pvalue"].isna().all():
        return np.nan, None, "the contrast does not compare two groups"
    sizes = summary.set_index("contrast").loc[contrast.name, ["n_level", "n_baseline"]]
    if not smallest_pvalue(*(int(size) for size in sizes)) < alpha:
        return np.nan, None, "too few samples for a rank-sum test"
    called = table["padj"] < alpha
    share = (table.loc[called, "rank_pvalue"] < alpha).mean() if called.any() else np.nan
    return float(share), None, ""


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
