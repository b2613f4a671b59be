"""The moderated t of limma, for views that are on a log scale already.

Written here and tested against limma's own numbers, because the one Python port (InMoose) compiles C code for half a
minute when it is installed; what is needed of limma is one least-squares fit and four formulas.

Smyth 2004, doi:10.2202/1544-6115.1027; the code follows limma 3.54's `lmFit`, `fitFDist`, `squeezeVar` and `eBayes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import anndata as ad
import numpy as np
from scipy.special import digamma, polygamma

from stratifn.differential_expression.model_fit import ModelFit
from stratifn.shared.design import DesignMatrix

# limma: a variance of zero is raised to this share of the median variance
LEAST_SHARE_OF_MEDIAN = 1e-5


@dataclass(frozen=True)
class VariancePrior:
    """The scaled inverse chi-square prior on the genes' variances."""

    variance: float
    df: float


@dataclass(frozen=True)
class LinearFit:
    """Least squares per gene.

    Attributes
    ----------
    coefficients
        Genes x columns; NaN for a gene whose values do not suffice.
    unscaled
        Genes x columns x columns: covariance of the coefficients over the residual variance.
    variances, df
        Residual variance and its degrees of freedom (0 where nothing was fitted).
    """

    coefficients: np.ndarray
    unscaled: np.ndarray
    variances: np.ndarray
    df: np.ndarray


def fit_moderated_t(view: ad.AnnData, design: DesignMatrix) -> ModelFit:
    """Fit a linear model per gene and moderate its variance over all genes.

    Missing values are left out gene by gene, as in limma; a gene whose remaining samples cannot tell the
    coefficients apart is not fitted.

    Parameters
    ----------
    view
        A normalised ``continuous`` view; ``X`` is samples x genes on a log2 scale.
    design
        Its `matrix` names the samples to fit.

    Returns
    -------
    ModelFit
        `base_mean` is the average expression; `df` are the moderated degrees of freedom.
    """
    view = view[design.matrix.index]
    values = np.asarray(view.X, dtype=float)
    matrix = design.matrix.to_numpy()
    least = least_squares(values, matrix)
    prior = variance_prior(least.variances, least.df)
    variances, df = moderated(least.variances, least.df, prior)
    fitted = np.isfinite(variances)
    measured = np.isfinite(values)
    n_measured = measured.sum(axis=0)
    average = np.where(measured, values, 0.0).sum(axis=0) / np.maximum(n_measured, 1)
    none = np.zeros(values.shape[1], dtype=bool)
    notes = [f"prior variance {prior.variance:.6g} with {prior.df:.6g} degrees of freedom"]
    if not fitted.all():
        notes.append(f"{int((~fitted).sum())} genes have too few values for this design and were not fitted")
    return ModelFit(
        model="moderated t",
        genes=view.var[["gene_name"]].copy(),
        design=design,
        base_mean=np.where(n_measured > 0, average, np.nan),
        coefficients=least.coefficients,
        covariance=least.unscaled * variances[:, None, None],
        df=np.where(fitted, df, 1.0),
        all_zero=none,
        outlier=none,
        not_converged=none,
        notes=tuple(notes),
    )


def least_squares(values: np.ndarray, matrix: np.ndarray) -> LinearFit:
    """Fit every gene on the samples that have a value for it.

    Parameters
    ----------
    values
        Samples x genes, NaN where not measured.
    matrix
        Samples x columns of the design.
    """
    n_genes, n_columns = values.shape[1], matrix.shape[1]
    coefficients = np.full((n_genes, n_columns), np.nan)
    unscaled = np.full((n_genes, n_columns, n_columns), np.nan)
    variances = np.full(n_genes, np.nan)
    df_residual = np.zeros(n_genes)
    measured = np.isfinite(values)
    for rows, genes in _by_samples(measured):
        part = matrix[rows]
        df = len(part) - n_columns
        if df < 1 or np.linalg.matrix_rank(part) < n_columns:
            continue
        inverse = np.linalg.inv(part.T @ part)
        solved = inverse @ part.T @ values[np.ix_(rows, genes)]
        residuals = values[np.ix_(rows, genes)] - part @ solved
        coefficients[genes] = solved.T
        unscaled[genes] = inverse
        variances[genes] = (residuals**2).sum(axis=0) / df
        df_residual[genes] = df
    return LinearFit(coefficients, unscaled, variances, df_residual)


def _by_samples(measured: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Group genes by the samples that have a value for them: they share one decomposition.

    Yields
    ------
    rows, genes
        Boolean per sample, and the positions of the genes.
    """
    complete = measured.all(axis=0)
    if complete.any():
        yield np.ones(len(measured), dtype=bool), np.flatnonzero(complete)
    rest = np.flatnonzero(~complete)
    if len(rest):
        patterns, pattern_of = np.unique(measured[:, rest].T, axis=0, return_inverse=True)
        for i, rows in enumerate(patterns):
            yield rows, rest[pattern_of.ravel() == i]


def variance_prior(variances: np.ndarray, df: np.ndarray) -> VariancePrior:
    """Fit a scaled F distribution to the residual variances by moments of their logarithm (limma's `fitFDist`).

    Parameters
    ----------
    variances
        Residual variance per gene, NaN where not fitted.
    df
        Residual degrees of freedom per gene.

    Returns
    -------
    VariancePrior
        0 degrees of freedom (no moderation) if there is only one gene to learn from.
    """
    usable = np.isfinite(variances) & (df > 0)
    variances, df = variances[usable], df[usable]
    if len(variances) < 2:
        return VariancePrior(float(variances[0]) if len(variances) else np.nan, 0.0)
    median = float(np.median(variances)) or 1.0
    variances = np.maximum(variances, LEAST_SHARE_OF_MEDIAN * median)
    logs = np.log(variances) - digamma(df / 2) + np.log(df / 2)
    spread = float(logs.var(ddof=1) - polygamma(1, df / 2).mean())
    if spread <= 0:
        return VariancePrior(float(variances.mean()), np.inf)
    df_prior = 2 * trigamma_inverse(spread)
    return VariancePrior(float(np.exp(logs.mean() + digamma(df_prior / 2) - np.log(df_prior / 2))), df_prior)


def trigamma_inverse(value: float) -> float:
    """Solve ``trigamma(x) = value`` by Newton's method on ``1 / trigamma`` (Smyth 2004, appendix)."""
    if value > 1e7:
        return float(1 / np.sqrt(value))
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-8:
            break
    return x


def moderated(variances: np.ndarray, df: np.ndarray, prior: VariancePrior) -> tuple[np.ndarray, np.ndarray]:
    """Return posterior variances and total degrees of freedom, which never exceed those of all genes together.

    Parameters
    ----------
    variances, df
        Residual variance and its degrees of freedom per gene.
    prior
        From `variance_prior`.
    """
    if np.isinf(prior.df):
        posterior = np.where(np.isfinite(variances), prior.variance, np.nan)
    elif prior.df == 0:
        posterior = variances
    else:
        posterior = (df * variances + prior.df * prior.variance) / (df + prior.df)
    return posterior, np.minimum(df + prior.df, df.sum())
