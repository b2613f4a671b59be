"""A fitted model, of any kind, from which every contrast is read: one fit, read many times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from stratifn.differential_expression.contrasts import Contrast
from stratifn.shared.design import DesignMatrix


@dataclass(frozen=True)
class ModelFit:
    """Coefficients of every gene with their covariance, on the log2 scale.

    Attributes
    ----------
    model
        ``negative binomial`` or ``moderated t``.
    genes
        Indexed by gene id, with a column ``gene_name``.
    design
        The model matrix that was fitted.
    base_mean
        Shape (genes,): mean of normalised counts, or average expression.
    coefficients
        Shape (genes, columns); NaN where nothing could be fitted.
    covariance
        Shape (genes, columns, columns).
    df
        Degrees of freedom per gene; infinite for a Wald test.
    all_zero
        Genes without any count.
    outlier
        Genes whose p-value an outlying sample forbids (Cook's distance).
    not_converged
        Genes whose coefficients or dispersion did not converge.
    notes
        What a reader should know about this fit.
    """

    model: str
    genes: pd.DataFrame
    design: DesignMatrix
    base_mean: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    df: np.ndarray
    all_zero: np.ndarray
    outlier: np.ndarray
    not_converged: np.ndarray
    notes: tuple[str, ...]

    def estimate(self, contrast: Contrast) -> Estimate:
        """Read the effect of one contrast with its standard error."""
        weights = contrast.weights(self.design)
        variance = np.einsum("i,gij,j->g", weights, self.covariance, weights)
        return Estimate(self.coefficients @ weights, np.sqrt(variance))

    def undetermined(self, contrast: Contrast) -> np.ndarray:
        """Tell for which genes the data do not determine the effect of a contrast, although the gene was fitted."""
        return np.zeros(len(self.genes), dtype=bool)

    def pvalues(self, statistic: np.ndarray) -> np.ndarray:
        """Return two-sided p-values: normal for a Wald statistic, Student's t for a moderated one."""
        statistic = np.abs(statistic)
        return np.where(np.isfinite(self.df), 2 * t.sf(statistic, self.df), 2 * norm.sf(statistic))

    def upper_tail(self, statistic: np.ndarray) -> np.ndarray:
        """Return the probability of a larger statistic."""
        return np.where(np.isfinite(self.df), t.sf(statistic, self.df), norm.sf(statistic))


@dataclass(frozen=True)
class Estimate:
    """Effects (log2) and their standard errors, one per gene."""

    log2_fold_change: np.ndarray
    standard_error: np.ndarray

    @property
    def statistic(self) -> np.ndarray:
        """Effect over standard error; 0 for an effect of exactly 0, also where the error is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.log2_fold_change / self.standard_error
        return np.where(self.log2_fold_change == 0, 0.0, ratio)
