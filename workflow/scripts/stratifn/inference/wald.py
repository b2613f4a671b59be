"""Wald statistics of estimates and their standard errors."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.stats import norm

Alternative = Literal["greaterAbs", "lessAbs", "greater", "less"]


def wald_statistics(
    estimates: np.ndarray, errors: np.ndarray, threshold: float = 0.0, alternative: Alternative | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Wald statistics and p values of estimates against a threshold.

    The alternatives are PyDESeq2's, applied to the estimate of the contrast; PyDESeq2 truncates each coefficient
    before it takes the contrast, so that its threshold tests depend on the baseline.

    Parameters
    ----------
    estimates, errors
        Estimate and standard error per gene, in one unit.
    threshold
        The value under the null hypothesis, in the same unit.
    alternative
        None: different from `threshold`; otherwise as DESeq2's ``altHypothesis``.

    Returns
    -------
    tuple of numpy.ndarray
        Statistics and p values.
    """
    if alternative is None:
        statistics = (estimates - threshold) / errors
        return statistics, 2 * norm.sf(np.abs(statistics))
    if alternative == "greaterAbs":
        statistics = np.sign(estimates) * np.fmax((np.abs(estimates) - threshold) / errors, 0)
        return statistics, 2 * norm.sf(np.abs(statistics))
    if alternative == "greater":
        statistics = np.fmax((estimates - threshold) / errors, 0)
        return statistics, norm.sf(statistics)
    if alternative == "less":
        statistics = np.fmin((estimates - threshold) / errors, 0)
        return statistics, norm.sf(-statistics)
    above, p_above = wald_statistics(estimates, errors, -abs(threshold), "greater")
    below, p_below = wald_statistics(estimates, errors, abs(threshold), "less")
    return np.where(np.abs(above) <= np.abs(below), above, below), np.maximum(p_above, p_below)
