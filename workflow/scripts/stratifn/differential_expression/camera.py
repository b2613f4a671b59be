"""Does a set of genes differ from the other genes? CAMERA, which allows for the correlation between the genes of a set.

Wu & Smyth 2012, doi:10.1093/nar/gks461; equal to `camera` of limma 3.54 to the digits that R prints. Everything comes
from one linear model of the transformed values with the design of the fit: the moderated statistic of each gene, and
from the residuals the correlation between the genes of a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from stratifn.differential_expression.moderated_t import LinearFit, least_squares, moderated, variance_prior

# limma: residuals are divided by no less than the root of this
LEAST_VARIANCE = 1e-8
# an effect below this is the rounding of equal values: limma leaves its sign, and with it a gene's rank, to the CPU
ROUNDING = 1e-10


@dataclass(frozen=True)
class GeneModel:
    """A linear model of every gene, from which sets of genes are tested.

    Attributes
    ----------
    values
        Samples x genes, on the transformed scale; NaN where not measured.
    matrix
        Samples x columns of the design.
    fit
        Least squares per gene.
    variances, df
        Moderated variance and its degrees of freedom, per gene.
    """

    values: np.ndarray
    matrix: np.ndarray
    fit: LinearFit
    variances: np.ndarray
    df: np.ndarray

    @property
    def tested(self) -> np.ndarray:
        """Boolean per gene: whether its values suffice for the design."""
        return np.isfinite(self.variances)

    def statistic(self, weights: np.ndarray) -> np.ndarray:
        """Return the moderated t of a contrast per gene; NaN where a gene was not fitted.

        Parameters
        ----------
        weights
            Of the design's columns.
        """
        error = np.sqrt(np.einsum("i,gij,j->g", weights, self.fit.unscaled, weights) * self.variances)
        effect = self.fit.coefficients @ weights
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.abs(effect) < ROUNDING, 0.0, effect / error)

    def standardized_residuals(self, genes: np.ndarray) -> np.ndarray:
        """Return residuals over their standard deviation (samples x genes); 0 where a value is missing."""
        residuals = self.values[:, genes] - self.matrix @ self.fit.coefficients[genes].T
        scale = np.sqrt(np.maximum(self.fit.variances[genes], LEAST_VARIANCE))
        return np.nan_to_num(residuals / scale)


@dataclass(frozen=True)
class SetTest:
    """What CAMERA says of one set.

    Attributes
    ----------
    correlation
        Mean correlation between the genes of the set, as estimated (or as given); NaN for a single gene.
    difference
        Mean statistic (as a normal deviate) of the set minus that of the other genes.
    pvalue
        Two-sided.
    """

    correlation: float
    difference: float
    pvalue: float


def gene_model(values: np.ndarray, matrix: np.ndarray) -> GeneModel:
    """Fit the linear model of every gene and moderate its variance (limma's `lmFit` and `squeezeVar`).

    Parameters
    ----------
    values
        Samples x genes on a log-like scale, NaN where not measured.
    matrix
        Samples x columns.
    """
    values, matrix = np.asarray(values, dtype=float), np.asarray(matrix, dtype=float)
    fit = least_squares(values, matrix)
    variances, df = moderated(fit.variances, fit.df, variance_prior(fit.variances, fit.df))
    return GeneModel(values, matrix, fit, variances, df)


def normal_deviates(statistic: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Turn t statistics into normal deviates of the same tail (Hill 1970, Algorithm 395, Commun. ACM 13:617), as limma does.

    Parameters
    ----------
    statistic
        t per gene.
    df
        Their degrees of freedom; infinite ones leave a statistic as it is.
    """
    df = np.minimum(df, 1e100)
    a = df - 0.5
    b = 48 * a**2
    z = a * np.log1p(statistic / df * statistic)
    series = ((((-0.4 * z - 3.3) * z - 24) * z - 85.5) / (0.8 * z**2 + 100 + b) + z + 3) / b + 1
    return np.sign(statistic) * series * np.sqrt(z)


def camera(
    model: GeneModel,
    weights: np.ndarray,
    sets: Sequence[np.ndarray],
    *,
    use_ranks: bool = False,
    correlation: float | None = None,
) -> list[SetTest]:
    """Test sets of genes in one contrast.

    Negative correlations count as zero in the test, as in limma; so does that of a single gene. A set without a fitted
    gene, or of all of them, has no test.

    Parameters
    ----------
    model
        From `gene_model`.
    weights
        Of the design's columns.
    sets
        Positions of the genes of each set.
    use_ranks
        Compare ranks (a Wilcoxon test that allows for correlation) instead of means.
    correlation
        Take this one instead of estimating it per set.
    """
    statistic = model.statistic(weights)
    deviates = statistic if use_ranks else normal_deviates(statistic, model.df)
    usable = model.tested & np.isfinite(deviates)
    background = deviates[usable]
    ranks = np.full(len(deviates), np.nan)
    ranks[usable] = stats.rankdata(background)
    results = []
    for members in sets:
        genes = np.asarray(members)[usable[np.asarray(members, dtype=int)]] if len(members) else np.zeros(0, dtype=int)
        inside, outside = len(genes), len(background) - len(genes)
        if inside == 0 or outside < 2 or np.ptp(background) == 0:
            results.append(SetTest(np.nan, np.nan, np.nan))
            continue
        estimated = correlation if correlation is not None else gene_correlation(model, genes)
        # what the test uses: a fixed correlation leaves nothing to estimate from few samples
        shared = float(np.nan_to_num(max(estimated, 0.0) if inside > 1 else 0.0))
        df_residual = float(np.median(model.fit.df[genes])) if correlation is None else np.inf
        difference = background.size / outside * (deviates[genes].mean() - background.mean())
        if use_ranks:
            pvalue = rank_pvalue(ranks[genes], ranks[usable], shared, df_residual)
        else:
            df_test = min(df_residual, background.size - 2)
            pvalue = mean_pvalue(difference, background.var(ddof=1), inside, outside, shared, df_test)
        results.append(SetTest(estimated if inside > 1 else np.nan, float(difference), pvalue))
    return results


def gene_correlation(model: GeneModel, genes: np.ndarray) -> float:
    """Return the mean correlation between genes, from the residuals of the design; NaN for a single one.

    limma's ``(vif - 1) / (m - 1)``; where values are missing, a pair of genes counts in the samples that have both.
    """
    if len(genes) < 2:
        return float("nan")
    residuals = model.standardized_residuals(genes)
    measured = np.isfinite(model.values[:, genes])
    together = measured.sum(axis=1)
    pairs = float((together * (together - 1)).sum())
    df = model.fit.df[genes]
    if pairs == 0:
        return float("nan")
    shared = float((residuals.sum(axis=1) ** 2).sum() - df.sum())
    return shared / (pairs * float(df.sum() / measured.sum()))


def mean_pvalue(difference: float, variance: float, inside: int, outside: int, correlation: float, df: float) -> float:
    """Return the two-sided p value of a difference of means whose inside terms are correlated (Wu & Smyth, eq. 5)."""
    total = inside + outside
    pooled = ((total - 1) * variance - difference**2 * inside * outside / total) / (total - 2)
    inflation = 1 + (inside - 1) * correlation
    return float(2 * stats.t.sf(abs(difference / np.sqrt(pooled * (inflation / inside + 1 / outside))), df))


def rank_pvalue(inside_ranks: np.ndarray, all_ranks: np.ndarray, correlation: float, df: float) -> float:
    """Return the two-sided p value of a rank sum whose inside terms are correlated (Wu & Smyth 2012, eq. 6)."""
    total, inside = len(all_ranks), len(inside_ranks)
    outside = total - inside
    u = inside * outside + inside * (inside + 1) / 2 - inside_ranks.sum()
    if correlation == 0:
        variance = inside * outside * (total + 1) / 12
    else:
        others, pairs = outside * (outside - 1), inside * (inside - 1)
        variance = (
            np.arcsin(1.0) * inside * outside
            + np.arcsin(0.5) * inside * others
            + np.arcsin(correlation / 2) * pairs * others
            + np.arcsin((correlation + 1) / 2) * pairs * outside
        ) / (2 * np.pi)
    ties = np.unique(all_ranks, return_counts=True)[1].astype(float)
    variance *= 1 - (ties * (ties + 1) * (ties - 1)).sum() / (total * (total + 1.0) * (total - 1.0))
    centred, error = u - inside * outside / 2, np.sqrt(variance)
    return float(2 * min(stats.t.sf((centred - 0.5) / error, df), stats.t.cdf((centred + 0.5) / error, df)))
