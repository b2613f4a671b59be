"""Effects that diseases share and effects specific to one, with the correlation that their common controls cause.

The effects of all diseases against the same controls are correlated (by about a half with equal groups): pooling
them as if they were independent studies rejects a true null in a fifth of the genes. They come from one fit, so their
full covariance is known: ``V = C Sigma C'``. Generalised least squares: Aitken 1936,
doi:10.1017/S0370164600014346; Q and I2: Cochran 1954, doi:10.2307/3001666; Higgins & Thompson 2002,
doi:10.1002/sim.1186.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2
from scipy.stats import f as f_distribution

from stratifn.differential_expression.contrasts import control_contrasts
from stratifn.differential_expression.disease_classes import disease_classes
from stratifn.differential_expression.model_fit import Estimate, ModelFit
from stratifn.differential_expression.settings import Settings
from stratifn.differential_expression.threshold import effect_test
from stratifn.shared.statistics import benjamini_hochberg


@dataclass(frozen=True)
class Effects:
    """Effects of several diseases against the control.

    Attributes
    ----------
    effects
        Genes x diseases, log2; NaN rows for genes that are not tested.
    covariance
        Genes x diseases x diseases.
    """

    effects: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Pooled:
    """The pooled effect and the remaining heterogeneity; one value per gene."""

    effect: np.ndarray
    standard_error: np.ndarray
    q: np.ndarray


def cross_disease_table(
    fit: ModelFit,
    diseases: Sequence[str],
    control: str,
    tables: Mapping[str, pd.DataFrame],
    settings: Settings,
) -> pd.DataFrame:
    """Pool the diseases' effects and classify each gene.

    The classes are those of `disease_classes`; ``untested``: no p-value, an effect that the counts do not determine, below
    the independent filter in every disease, or a single disease.

    `pooled_padj` and `Q_padj` are each one Benjamini-Hochberg family over the tested genes.

    Parameters
    ----------
    fit
        The cohort's fit.
    diseases
        In the order of the columns.
    control
        The common baseline.
    tables
        `results.contrast_table` of each disease against the control, by contrast name.
    settings
        The false discovery rate of the classes, and the threshold that calls and pooled effects must exceed (the
        differences between diseases are tested against zero).

    Returns
    -------
    pandas.DataFrame
        gene_id, gene_name, log2FoldChange_<disease>..., padj_<disease>..., pooled_log2FoldChange, pooled_lfcSE,
        pooled_padj, Q, Q_padj, I2 (percent), class; sorted by gene_id. With fewer than two diseases there is
        nothing to pool: NA and ``untested``.
    """
    contrasts = control_contrasts(diseases, control)
    by_gene = {c.level: tables[c.name].set_index("gene_id").loc[fit.genes.index.astype(str)] for c in contrasts}
    padj = np.column_stack([by_gene[disease]["padj"].to_numpy(dtype=float) for disease in diseases])
    tested = np.isfinite(padj).any(axis=1) & ~fit.outlier & (len(diseases) > 1)
    weights = np.array([contrast.weights(fit.design) for contrast in contrasts])
    tested &= ~np.any([fit.undetermined(contrast) for contrast in contrasts], axis=0)
    effects = _tested_effects(fit, weights, tested)
    pooled = pool(effects)
    _, pooled_p = effect_test(fit, Estimate(pooled.effect, pooled.standard_error), settings.lfc_threshold)
    q_p = heterogeneity_pvalues(pooled.q, len(diseases) - 1, fit.df)
    table = pd.DataFrame({"gene_id": fit.genes.index.astype(str), "gene_name": fit.genes["gene_name"].astype(str)})
    for disease in diseases:
        table[f"log2FoldChange_{disease}"] = by_gene[disease]["log2FoldChange"].to_numpy()
    for disease in diseases:
        table[f"padj_{disease}"] = by_gene[disease]["padj"].to_numpy()
    table["pooled_log2FoldChange"] = pooled.effect
    table["pooled_lfcSE"] = pooled.standard_error
    table["pooled_padj"] = benjamini_hochberg(pooled_p)
    table["Q"] = pooled.q
    table["Q_padj"] = benjamini_hochberg(q_p)
    table["I2"] = inconsistency(pooled.q, len(diseases) - 1)
    alpha = settings.alpha
    evidence = (padj < alpha).any(axis=1) | (table[["pooled_padj", "Q_padj"]] < alpha).any(axis=1).to_numpy()
    table["class"] = disease_classes(
        fit, effects.effects, effects.covariance, diseases, evidence, alpha, settings.lfc_threshold
    )
    return table.sort_values("gene_id", ignore_index=True)[cross_disease_columns(diseases)]


def cross_disease_columns(diseases: Sequence[str]) -> list[str]:
    """Name the columns of the table."""
    per_disease = [f"{what}_{disease}" for what in ("log2FoldChange", "padj") for disease in diseases]
    pooled = ["pooled_log2FoldChange", "pooled_lfcSE", "pooled_padj", "Q", "Q_padj", "I2", "class"]
    return ["gene_id", "gene_name", *per_disease, *pooled]


def pool(effects: Effects) -> Pooled:
    """Pool by generalised least squares.

    ``pooled = 1'V^-1 b / 1'V^-1 1``, ``Q = r'V^-1 r`` with ``r = b - pooled``.
    """
    n_genes, n_diseases = effects.effects.shape
    result = {name: np.full(n_genes, np.nan) for name in ("effect", "standard_error", "q")}
    usable = np.flatnonzero(np.isfinite(effects.effects).all(axis=1))
    if n_diseases and len(usable):
        b, v = effects.effects[usable], effects.covariance[usable]
        ones = np.ones((n_diseases, 1))
        weights = np.linalg.solve(v, np.broadcast_to(ones, (len(usable), n_diseases, 1)))[:, :, 0]
        total = weights.sum(axis=1)
        result["effect"][usable] = (weights * b).sum(axis=1) / total
        result["standard_error"][usable] = 1 / np.sqrt(total)
        rest = b - result["effect"][usable, None]
        result["q"][usable] = (rest * np.linalg.solve(v, rest[:, :, None])[:, :, 0]).sum(axis=1)
    return Pooled(**result)


def heterogeneity_pvalues(q: np.ndarray, df: int, df_error: np.ndarray) -> np.ndarray:
    """Return p-values of Q: chi-squared, or F where the variance has finite degrees of freedom."""
    if df < 1:
        return np.full(len(q), np.nan)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(df_error), f_distribution.sf(q / df, df, df_error), chi2.sf(q, df))


def inconsistency(q: np.ndarray, df: int) -> np.ndarray:
    """Return I2 in percent: the share of the differences between diseases that is more than chance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isnan(q), np.nan, 100 * np.maximum(0.0, np.where(q > 0, (q - df) / q, 0.0)))


def _tested_effects(fit: ModelFit, weights: np.ndarray, tested: np.ndarray) -> Effects:
    effects = np.where(tested[:, None], fit.coefficients @ weights.T, np.nan)
    covariance = np.einsum("di,gij,ej->gde", weights, fit.covariance, weights)
    return Effects(effects, covariance)
