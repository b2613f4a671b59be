"""A second opinion without a distribution: the rank-sum test of every gene between two groups.

With many samples heavy tails make many false calls of the negative binomial; ranks have no tails. The test knows
nothing of the design's covariates. Wilcoxon 1945, doi:10.2307/3001968; R's ``wilcox.test(exact = FALSE)``.
"""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from stratifn.differential_expression.contrasts import Contrast
from stratifn.shared.vocabulary import COUNTS

GENES_PER_BLOCK = 512


def rank_sum_of(view: ad.AnnData, samples: pd.DataFrame, contrast: Contrast) -> np.ndarray:
    """Compare the two groups of a contrast gene by gene.

    Parameters
    ----------
    view
        The normalised view: the normalised counts are ranked, or `X` where the view has no counts.
    samples
        Its samples, in its order.
    contrast
        Any contrast.

    Returns
    -------
    numpy.ndarray
        p values, shape (genes,); NaN for a combination of coefficients, which compares no two groups.
    """
    if not contrast.factor:
        return np.full(view.n_vars, np.nan)
    groups = samples[contrast.factor].astype(str).to_numpy()
    compared = np.isin(groups, [contrast.level, contrast.baseline])
    values = view.layers["normalized"] if view.uns["kind"] == COUNTS else view.X
    return rank_sum_pvalues(np.asarray(values)[compared], groups[compared] == contrast.level)


def rank_sum_pvalues(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Test every column: normal approximation with the variance of tied ranks and a continuity correction.

    Parameters
    ----------
    values
        Samples x genes; NaN where not measured.
    inside
        Boolean per sample: the one group.

    Returns
    -------
    numpy.ndarray
        Two-sided, shape (genes,); NaN where all values are equal or a group has none.
    """
    pvalues = np.full(values.shape[1], np.nan)
    for start in range(0, values.shape[1], GENES_PER_BLOCK):
        block = np.asarray(values[:, start : start + GENES_PER_BLOCK], dtype=float)
        measured = np.isfinite(block)
        ranks = rankdata(np.where(measured, block, np.nan), axis=0, nan_policy="omit")
        one, all_measured = measured[inside].sum(axis=0), measured.sum(axis=0)
        other = all_measured - one
        mean_rank = (all_measured + 1) / 2
        centred = np.where(measured, ranks - mean_rank, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            # the spread of the ranks themselves is that of untied ranks less the correction for ties
            error = np.sqrt(one * other / (all_measured * (all_measured - 1.0)) * (centred**2).sum(axis=0))
            distance = np.maximum(np.abs(centred[inside].sum(axis=0)) - 0.5, 0.0) / error
        pvalues[start : start + GENES_PER_BLOCK] = np.where(error > 0, 2 * norm.sf(distance), np.nan)
    return pvalues


def smallest_pvalue(one: int, other: int) -> float:
    """Return the p value of two groups without overlap or ties: no gene can have a smaller one."""
    if min(one, other) < 1:
        return np.nan
    separated = np.r_[np.ones(one, dtype=bool), np.zeros(other, dtype=bool)]
    return float(rank_sum_pvalues(np.arange(one + other, dtype=float)[:, None], separated)[0])
