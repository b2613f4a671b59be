"""Is an effect larger than a stated size? R's `lfcThreshold` with ``altHypothesis = "greaterAbs"``."""

from __future__ import annotations

import numpy as np

from stratifn.differential_expression.model_fit import Estimate, ModelFit


def effect_test(fit: ModelFit, estimate: Estimate, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Test whether absolute effects exceed a threshold.

    From effect and standard error alone, ``p = min(1, 2 P(Z > (|LFC| - threshold) / SE))`` (Love, Huber & Anders 2014,
    doi:10.1186/s13059-014-0550-8), so that the answer does not depend on which level is the baseline of the fit.
    (PyDESeq2's own threshold test truncates coefficient by coefficient, which is wrong for a contrast of two.)

    Parameters
    ----------
    fit
        The cohort's fit, for its degrees of freedom.
    estimate
        Effects and standard errors, one per gene of the fit.
    threshold
        log2, at least 0; 0 is the test against no effect.

    Returns
    -------
    statistic, pvalues
        Shape (genes,); the statistic is 0 for an effect within the threshold.
    """
    if threshold == 0:
        return estimate.statistic, fit.pvalues(estimate.statistic)
    effect = estimate.log2_fold_change
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = (np.abs(effect) - threshold) / estimate.standard_error
    pvalues = np.minimum(1.0, 2 * fit.upper_tail(beyond))
    # an effect of exactly 0 without a standard error exceeds nothing
    pvalues = np.where(np.isnan(beyond) & (effect == 0), 1.0, pvalues)
    statistic = np.sign(effect) * np.fmax(np.where(np.isfinite(effect), np.nan_to_num(beyond), np.nan), 0.0)
    return statistic, pvalues
