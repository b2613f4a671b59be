"""The strata as a model: what places a patient, old or new, in a stratum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.stratification.kmeans import assign, assign_to_each
from stratifn.stratification.space import FactorSpace


@dataclass(frozen=True)
class StratumModel:
    """Centroids in the space of the factors; nothing about a single patient.

    Attributes
    ----------
    space
        How factors become coordinates.
    centroids
        strata x K; stratum 1 first.
    resampled
        resamples x strata x K: the same centroids in each resample, in the same order.
    """

    space: FactorSpace
    centroids: np.ndarray
    resampled: np.ndarray

    def place(self, factors: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Place patients.

        Parameters
        ----------
        factors
            Index sample, one column per factor of the space (others are not looked at).

        Returns
        -------
        tuple
            Stratum of each patient (from 1), that of the nearest centroid; and patients x strata, the share of the
            resamples in which the patient lies nearest to that stratum (rows sum to 1).
        """
        points = np.ascontiguousarray(self.space.coordinates(factors))
        labels = np.empty(len(points), dtype=np.int64)
        assign(points, self.centroids, labels)
        nearest = assign_to_each(points, self.resampled)
        shares = np.stack([(nearest == stratum).mean(axis=0) for stratum in range(len(self.centroids))], axis=1)
        return labels + 1, shares
