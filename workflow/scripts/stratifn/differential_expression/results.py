"""The contract's tables: one per contrast, and the summary of all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.counts_model import CountsFit
from stratifn.differential_expression.independent_filtering import filtered_padj
from stratifn.differential_expression.model_fit import Estimate, ModelFit
from stratifn.differential_expression.shrinkage import shrunken_fold_changes
from stratifn.shared.statistics import benjamini_hochberg

COLUMNS = [
    "gene_id",
    "gene_name",
    "baseMean",
    "log2FoldChange",
    "lfcSE",
    "stat",
    "pvalue",
    "padj",
    "log2FoldChangeShrunk",
    "status",
]
SUMMARY_COLUMNS = [
    "contrast",
    "n_level",
    "n_baseline",
    "tested",
    "up",
    "down",
    "up_lfc1",
    "down_lfc1",
    "permuted_calls",
]


def contrast_table(
    fit: ModelFit,
    contrast: Contrast,
    alpha: float = 0.05,
    shrink: bool = False,
    without_test: np.ndarray | None = None,
) -> pd.DataFrame:
    """Test one contrast of a fit.

    `padj` is one Benjamini-Hochberg family per contrast: for counts over the genes that independent filtering keeps,
    for a moderated t over all genes. `status` says why a number is missing: ``all_zero`` (no count), ``outlier`` (a
    single sample carries the gene: no p-value), ``low_count`` (too weakly expressed to be counted among the tests:
    no padj; for a moderated t: too few values), ``not_converged`` (treat the numbers with care), else ``tested``.

    Parameters
    ----------
    fit
        The cohort's fit.
    contrast
        What to compare.
    alpha
        The false discovery rate for which the filter is chosen.
    shrink
        Whether to fill `log2FoldChangeShrunk` (counts only; NA for a combination of several coefficients).
    without_test
        Boolean per gene of the fit: genes that get an effect but no p-value.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, sorted by gene_id.
    """
    estimate = fit.estimate(contrast)
    pvalues = fit.pvalues(estimate.statistic)
    if without_test is not None:
        pvalues = np.where(without_test, np.nan, pvalues)
    shrunken = shrunken_fold_changes(fit, contrast) if shrink and isinstance(fit, CountsFit) else None
    return table_of_tests(fit, estimate, estimate.statistic, pvalues, alpha, shrunken)


def table_of_tests(
    fit: ModelFit,
    estimate: Estimate,
    statistic: np.ndarray,
    pvalues: np.ndarray,
    alpha: float,
    shrunken: np.ndarray | None = None,
) -> pd.DataFrame:
    """Adjust p-values and lay out the contract's table; outliers lose their p-value.

    Parameters
    ----------
    fit
        The cohort's fit.
    estimate
        Effects and standard errors.
    statistic, pvalues
        Shape (genes,), in the order of the fit.
    alpha
        The false discovery rate for which the filter is chosen.
    shrunken
        Shrunken effects, or None.
    """
    pvalues = np.where(fit.outlier, np.nan, pvalues)
    if isinstance(fit, CountsFit):
        padj = filtered_padj(pvalues, fit.base_mean, alpha)
    else:
        padj = benjamini_hochberg(pvalues)
    table = pd.DataFrame(
        {
            "gene_id": fit.genes.index.astype(str),
            "gene_name": fit.genes["gene_name"].astype(str).to_numpy(),
            "baseMean": fit.base_mean,
            "log2FoldChange": estimate.log2_fold_change,
            "lfcSE": estimate.standard_error,
            "stat": statistic,
            "pvalue": pvalues,
            "padj": padj,
            "log2FoldChangeShrunk": np.nan if shrunken is None else shrunken,
            "status": gene_status(fit, padj),
        }
    )
    return table.sort_values("gene_id", ignore_index=True)[COLUMNS]


def gene_status(fit: ModelFit, padj: np.ndarray) -> np.ndarray:
    """Say for every gene whether it was tested, and why not; the first reason that applies."""
    return np.select(
        [fit.all_zero, fit.outlier, fit.not_converged, ~np.isfinite(padj)],
        ["all_zero", "outlier", "not_converged", "low_count"],
        default="tested",
    ).astype(object)


def summary_table(
    tables: Mapping[str, pd.DataFrame],
    contrasts: list[Contrast],
    samples: pd.DataFrame,
    alpha: float = 0.05,
    permuted_calls: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Count samples, tests and calls of every contrast.

    Parameters
    ----------
    tables
        Table per contrast name.
    contrasts
        In the order of the summary's rows.
    samples
        The samples that were fitted.
    alpha
        A gene is called at ``padj < alpha``.
    permuted_calls
        Mean number of calls on permuted labels per contrast, where it was computed.

    Returns
    -------
    pandas.DataFrame
        Columns `SUMMARY_COLUMNS`; `n_level` and `n_baseline` are NA for a combination of coefficients, `up_lfc1`
        and `down_lfc1` count calls with an absolute log2 fold change of at least 1.
    """
    permuted = permuted_calls or {}
    rows = []
    for contrast in contrasts:
        table = tables[contrast.name]
        called, effect = table["padj"] < alpha, table["log2FoldChange"]
        rows.append(
            [
                contrast.name,
                _group_size(samples, contrast.factor, contrast.level),
                _group_size(samples, contrast.factor, contrast.baseline),
                int(table["padj"].notna().sum()),
                int((called & (effect > 0)).sum()),
                int((called & (effect < 0)).sum()),
                int((called & (effect >= 1)).sum()),
                int((called & (effect <= -1)).sum()),
                permuted.get(contrast.name, np.nan),
            ]
        )
    summary = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    return summary.astype({"n_level": "Int64", "n_baseline": "Int64"})


def _group_size(samples: pd.DataFrame, factor: str, level: str) -> int | None:
    return int((samples[factor].astype(str) == level).sum()) if factor else None
