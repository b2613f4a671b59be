"""False discovery rates."""

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
