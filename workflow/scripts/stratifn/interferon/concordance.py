"""Agreement of two measures of the same people: rank correlation with its interval, and Cohen's kappa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, spearmanr

# a kappa of zero leaves rounding errors behind, of either sign
DECIMALS = 12


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's correlation with its 95 % interval and p-value."""

    r: float
    low: float
    high: float
    pvalue: float


def rank_correlation(first: np.ndarray, second: np.ndarray) -> RankCorrelation | None:
    """Return Spearman's correlation; None for fewer than five people or where one measure is constant.

    The interval is Fisher's z with the variance of Bonett & Wright 2000 (doi:10.1007/BF02294183).
    """
    if len(first) < 5 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    found = spearmanr(first, second)
    r = float(found.statistic)
    reach = norm.ppf(0.975) * np.sqrt((1 + r**2 / 2) / (len(first) - 3))
    centre = np.arctanh(np.clip(r, -0.999999, 0.999999))
    return RankCorrelation(r, float(np.tanh(centre - reach)), float(np.tanh(centre + reach)), float(found.pvalue))


def cohens_kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Return Cohen's kappa of two yes/no calls (doi:10.1177/001316446002000104); NaN where nobody differs."""
    if not len(first):
        return float("nan")
    expected = first.mean() * second.mean() + (1 - first.mean()) * (1 - second.mean())
    if expected == 1:
        return float("nan")
    return round(float(((first == second).mean() - expected) / (1 - expected)), DECIMALS) + 0.0
