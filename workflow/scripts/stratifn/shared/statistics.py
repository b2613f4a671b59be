"""False discovery rates, and how well a score separates two groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control


def benjamini_hochberg(pvalues: ArrayLike) -> np.ndarray:
    """Adjust p values (Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x).

    Missing values stay missing and do not count as tests.

    Parameters
    ----------
    pvalues
        Any shape that flattens; the adjustment is over all of them together.

    Returns
    -------
    numpy.ndarray
        Adjusted p values in the order given.
    """
    pvalues = np.asarray(pvalues, dtype=float)
    adjusted = np.full(pvalues.shape, np.nan)
    tested = np.isfinite(pvalues)
    if tested.any():
        adjusted[tested] = false_discovery_control(pvalues[tested], method="bh")
    return adjusted


def auc_of_ranks(rank_sum: ArrayLike, inside: ArrayLike, outside: ArrayLike) -> np.ndarray:
    """Return the area under the ROC curve from the ranks of a group (Mann & Whitney 1947, doi:10.1214/aoms/1177730491).

    The chance that a member of the group has a higher value than another one, ties counting one half.

    Parameters
    ----------
    rank_sum
        Sum of the group's ranks, from 1, among both groups.
    inside, outside
        Sizes of the group and of the rest; they and `rank_sum` broadcast.
    """
    rank_sum, inside, outside = (np.asarray(values, dtype=float) for values in (rank_sum, inside, outside))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (rank_sum - inside * (inside + 1) / 2) / (inside * outside)
