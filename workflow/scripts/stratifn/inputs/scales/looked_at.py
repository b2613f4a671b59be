"""What the checks of the scale look at: some rows of a matrix, and sums and limits of all of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stratifn.inputs.raw_matrix import ROWS_PER_BLOCK, RawMatrix, column_sums

# enough to know a distribution, and 32 MB
MOST_ROWS, MOST_CELLS = 5_000, 4_000_000
# fewer values have no shape
FEWEST_VALUES = 8


@dataclass(frozen=True)
class LookedAt:
    """A matrix as the checks of its scale see it.

    Attributes
    ----------
    view
        Its name.
    values
        Evenly spaced rows of it (features x samples, at most `MOST_ROWS`), NaN where missing.
    features
        Number of features of the whole matrix.
    sums
        Sum per sample over all features; a missing value counts as 0.
    least, largest
        Of the whole matrix; NaN where it has no finite value.
    """

    view: str
    values: np.ndarray
    features: int
    sums: np.ndarray
    least: float
    largest: float

    @classmethod
    def of(cls, view: str, matrix: RawMatrix) -> LookedAt:
        """Look at a matrix, block by block: a whole methylome is not copied."""
        least, largest = np.inf, -np.inf
        for start in range(0, len(matrix.rows), ROWS_PER_BLOCK):
            block = matrix.values[start : start + ROWS_PER_BLOCK]
            # fmin and fmax pass over missing values
            least = min(least, float(np.fmin.reduce(block, axis=None, initial=np.inf)))
            largest = max(largest, float(np.fmax.reduce(block, axis=None, initial=-np.inf)))
        # rounded down from the middle of each part, so that neighbours of an ordered file are not all that is seen
        size = min(len(matrix.rows), MOST_ROWS, max(MOST_CELLS // max(len(matrix.columns), 1), 1))
        rows = ((np.arange(size) + 0.5) * len(matrix.rows) / max(size, 1)).astype(int)
        values = matrix.values[rows].astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        return cls(view, values, len(matrix.rows), column_sums(matrix.values), least, largest)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.values.shape[1]

    @cached_property
    def measured(self) -> np.ndarray:
        """All values that are not missing, as one row."""
        return self.values[np.isfinite(self.values)]

    @cached_property
    def fractional(self) -> float:
        """Share of the values other than 0 that are no whole numbers."""
        there = self.measured[self.measured != 0]
        return float(np.mean(there != np.floor(there))) if len(there) else 0.0

    def quantile(self, level: float) -> float:
        """Quantile of the measured values; NaN without any."""
        return float(np.quantile(self.measured, level)) if len(self.measured) else np.nan

    @cached_property
    def mean_over_median(self) -> float:
        """Median over samples of the mean over the median of its values, which is 1 where they are symmetric."""
        columns = self.values[:, np.isfinite(self.values).any(axis=0)]
        if not columns.size:
            return np.nan
        means, medians = np.nanmean(columns, axis=0), np.nanmedian(columns, axis=0)
        # of sparse counts the median is 0: they are as asymmetric as can be
        ratios = np.divide(means, medians, out=np.full(len(means), np.inf), where=medians != 0)
        return float(np.median(ratios))


def skewness(values: np.ndarray) -> np.ndarray:
    """Skewness of every row that varies and has at least `FEWEST_VALUES` values."""
    values = values[np.isfinite(values).sum(axis=1) >= FEWEST_VALUES]
    if not values.size:
        return np.empty(0)
    centred = values - np.nanmean(values, axis=1, keepdims=True)
    spread = np.nanmean(centred**2, axis=1)
    varied = spread > 0
    return np.nanmean(centred[varied] ** 3, axis=1) / spread[varied] ** 1.5
