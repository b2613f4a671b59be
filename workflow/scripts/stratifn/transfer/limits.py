"""When a patient is unlike the samples of the reference.

Two measures, each with a limit from the reference's own samples: the squared Mahalanobis distance of the factors from
their mean, and per view the reconstruction error (mean of ``tau (y - z w)^2``, about 1 for samples like those of the
training). The reference's samples fit a model that was fitted to them better than any new sample does: of held-out
patients of the same cohort 4 to 26 % in a view lay beyond the plain centile. So every one of them enters
with its leave-one-out value, which the leverage ``h`` of its factors gives in closed form (Cook & Weisberg 1982,
Residuals and Influence in Regression, sections 2.1 and 2.2)::

    q        = (z - mean)' W^-1 (z - mean),   W = scatter matrix of the n samples
    h        = 1 / n + q
    distance = (n - 2) n / (n - 1) q / (1 - h)
    error    = error / (1 - h)^2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

# a sample of the reference itself lies beyond its limits once in a hundred times
CENTILE = 99.0
# a sample that alone decides its own factors is no measure for others: its leverage is held below this
LARGEST_LEVERAGE = 0.9
# keeps the covariance invertible where there are hardly more samples than factors
RIDGE = 1e-6


@dataclass(frozen=True)
class Limits:
    """Where the reference ends.

    Attributes
    ----------
    mean, precision
        Mean of the factors (K) and inverse of their covariance (K x K) over the reference's samples.
    distance
        Largest squared Mahalanobis distance that counts as inside.
    errors
        Largest reconstruction error by view; missing where the reference has no sample with it.
    centile
        Of the reference's own leave-one-out values: distance and errors.
    """

    mean: np.ndarray
    precision: np.ndarray
    distance: float
    errors: Mapping[str, float]
    centile: float

    def distances(self, factors: pd.DataFrame) -> pd.Series:
        """Return each sample's squared Mahalanobis distance (rows as in `factors`, samples x K)."""
        return pd.Series(_quadratic(factors.to_numpy(float) - self.mean, self.precision), factors.index)


def fit_limits(factors: pd.DataFrame, errors: pd.DataFrame) -> Limits:
    """Learn the limits from the reference's own samples.

    Parameters
    ----------
    factors
        Samples x K, posterior means.
    errors
        Samples x views, reconstruction errors; missing where a sample lacks the view.
    """
    values = factors.to_numpy(float)
    count, width = values.shape
    mean = values.mean(axis=0)
    scatter = (values - mean).T @ (values - mean)
    scatter += RIDGE * max(np.trace(scatter), 1.0) / max(width, 1) * np.eye(width)
    inverse = np.linalg.inv(scatter)
    share = _quadratic(values - mean, inverse)
    left = 1.0 - np.minimum(1.0 / count + share, LARGEST_LEVERAGE)
    alone = (count - 2) * count / (count - 1) * share / left
    limits = {}
    for view in errors.columns:
        seen = errors[view].notna().to_numpy()
        of_view = errors[view].to_numpy(float)[seen] / np.square(left[seen])
        limits[str(view)] = float(np.percentile(of_view, CENTILE)) if seen.any() else float("nan")
    return Limits(mean, (count - 1) * inverse, float(np.percentile(alone, CENTILE)), limits, CENTILE)


def _quadratic(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """``r' M r`` of each row; row by row, so that a sample has the same bits alone and in a batch."""
    return np.array([row @ matrix @ row for row in rows], dtype=float)
