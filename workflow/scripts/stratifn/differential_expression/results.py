"""The contract's tables: one per contrast, and the summary of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.counts_model import CountsFit
from stratifn.differential_expression.independent_filtering import filtered_padj
from stratifn.differential_expression.model_fit import Estimate, ModelFit
from stratifn.differential_expression.settings import Settings
from stratifn.differential_expression.shrinkage import shrunken_fold_changes
from stratifn.differential_expression.threshold import effect_test
from stratifn.shared.columns import NOTE_COLUMNS, columns_of
from stratifn.shared.errors import listed
from stratifn.shared.statistics import benjamini_hochberg
from stratifn.shared.vocabulary import RNA, UNDETERMINED

COLUMNS = list(columns_of("differential_expression/{contrast}.tsv.gz"))
SUMMARY_COLUMNS = list(columns_of("differential_expression/interferon_status.tsv"))
# counts that a contrast may not have
SUMMARY_COUNTS = dict.fromkeys(("n_level", "n_baseline", "rank_calls", "both_calls"), "Int64")


def contrast_table(
    fit: ModelFit,
    contrast: Contrast,
    settings: Settings,
    without_test: np.ndarray | None = None,
    rank_pvalues: np.ndarray | None = None,
) -> pd.DataFrame:
    """Test one contrast of a fit.

    `padj` is one Benjamini-Hochberg family per contrast: for counts over the genes that independent filtering keeps,
    for a moderated t over all genes. `status` says why a number is missing: ``all_zero`` (no count), ``undetermined``
    (the counts leave the effect open in both directions: no effect, no p-value), ``outlier`` (a single sample decides
    the gene: no p-value), ``low_count`` (too weakly expressed to be counted among the tests: no padj; for a moderated
    t: too few values), ``not_converged`` (treat the numbers with care), else ``tested``.

    Parameters
    ----------
    fit
        The cohort's fit.
    contrast
        What to compare.
    settings
        The false discovery rate, the threshold, and whether to fill `log2FoldChangeShrunk` (counts only; NA for a
        combination of several coefficients).
    without_test
        Boolean per gene of the fit: genes that get an effect but no p-value.
    rank_pvalues
        From `rank_sum.rank_sum_of`; None leaves their columns NA. Their BH family is all genes of the contrast.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, sorted by gene_id; with a threshold `stat` is 0 for an effect within it.
    """
    estimate = fit.estimate(contrast)
    statistic, pvalues, padj = tested_effects(fit, estimate, settings, without_test)
    shrunken = shrunken_fold_changes(fit, contrast) if settings.shrink and isinstance(fit, CountsFit) else None
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
            "rank_pvalue": np.nan if rank_pvalues is None else rank_pvalues,
            "rank_padj": np.nan if rank_pvalues is None else benjamini_hochberg(rank_pvalues),
            "status": gene_status(fit, contrast, padj),
        }
    )
    return table.sort_values("gene_id", ignore_index=True)[COLUMNS]


def tested_effects(
    fit: ModelFit, estimate: Estimate, settings: Settings, without_test: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test effects against the settings' threshold and adjust the p-values; outliers have none.

    Returns
    -------
    statistic, pvalues, padj
        Shape (genes,), in the order of the fit.
    """
    statistic, pvalues = effect_test(fit, estimate, settings.lfc_threshold)
    untested = fit.outlier if without_test is None else fit.outlier | without_test
    pvalues = np.where(untested, np.nan, pvalues)
    if isinstance(fit, CountsFit):
        return statistic, pvalues, filtered_padj(pvalues, fit.base_mean, settings.alpha)
    return statistic, pvalues, benjamini_hochberg(pvalues)


def gene_status(fit: ModelFit, contrast: Contrast, padj: np.ndarray) -> np.ndarray:
    """Say for every gene whether it was tested, and why not; the first reason that applies."""
    return np.select(
        [fit.all_zero, fit.undetermined(contrast), fit.outlier, fit.not_converged, ~np.isfinite(padj)],
        ["all_zero", UNDETERMINED, "outlier", "not_converged", "low_count"],
        default="tested",
    ).astype(object)


def undetermined_notes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Name the genes of each table whose effect the counts do not determine: rows of the phase's notes."""
    rows = []
    for name, table in tables.items():
        genes = table.loc[table["status"] == UNDETERMINED, "gene_name"].astype(str).tolist()
        if genes:
            why = f"{listed(genes, 5)}: the samples with a count leave the effect open in both directions"
            rows.append((RNA, name, "effect not determined", why))
    return pd.DataFrame(rows, columns=list(NOTE_COLUMNS))


def summary_table(
    tables: Mapping[str, pd.DataFrame],
    contrasts: list[Contrast],
    samples: pd.DataFrame,
    alpha: float,
    permuted_calls: Mapping[str, float] | None = None,
    model: str | None = None,
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
    model
        The fit's, where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns `SUMMARY_COLUMNS`; `n_level` and `n_baseline` are NA for a combination of coefficients, `up_lfc1`
        and `down_lfc1` count calls with an absolute log2 fold change of at least 1; `rank_calls` are those of the
        rank-sum test, `both_calls` those of both, NA where there is none.
    """
    permuted = permuted_calls or {}
    rows = []
    for contrast in contrasts:
        sizes = [_group_size(samples, contrast.factor, name) for name in (contrast.level, contrast.baseline)]
        rows.append(
            summary_row(contrast.name, sizes, tables[contrast.name], alpha, permuted.get(contrast.name, np.nan), model)
        )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS).astype(SUMMARY_COUNTS)


def summary_row(
    name: str,
    sizes: Sequence[int | None],
    table: pd.DataFrame,
    alpha: float,
    permuted_calls: float = np.nan,
    model: str | None = None,
) -> list:
    """Count the tests and calls of one contrast, in the order of `SUMMARY_COLUMNS`."""
    called, effect = table["padj"] < alpha, table["log2FoldChange"]
    counts = [table["padj"].notna(), called & (effect > 0), called & (effect < 0)]
    counts += [called & (effect >= 1), called & (effect <= -1)]
    by_rank = table["rank_padj"] < alpha
    ranked = table["rank_padj"].notna().any()
    ranks = [int(count.sum()) if ranked else None for count in (by_rank, by_rank & called)]
    computed = model if table["log2FoldChange"].notna().any() else None
    return [name, *sizes, *(int(count.sum()) for count in counts), permuted_calls, *ranks, computed]


def _group_size(samples: pd.DataFrame, factor: str, level: str) -> int | None:
    return int((samples[factor].astype(str) == level).sum()) if factor else None
