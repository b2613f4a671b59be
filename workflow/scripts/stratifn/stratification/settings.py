"""How a cohort is stratified: every choice in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratifn.shared.errors import InputError

# a stratum of fewer patients is not called one
MIN_STRATUM = 5


@dataclass(frozen=True)
class StratificationSettings:
    """Settings of the stratification.

    Attributes
    ----------
    clusters
        Smallest and largest number of strata that is tried.
    resamples
        Resamples of the patients: as many for the consensus as for the bootstrap of the stability.
    include_controls
        Cluster the controls with the patients. If not, the patients alone make the strata, and each control is then
        placed in the stratum whose centroid is nearest.
    seed
        Seed of everything random.
    draws
        Structureless data sets that the strata have to beat.
    alpha
        Level of that test.
    """

    clusters: tuple[int, int] = (2, 8)
    resamples: int = 200
    include_controls: bool = True
    seed: int = 1
    draws: int = 199
    alpha: float = 0.01

    def __post_init__(self) -> None:
        low, high = self.clusters
        if not 2 <= low <= high:
            raise InputError(f"stratification: clusters {low} to {high}; expected 2 or more, the smallest first.")
        if self.resamples < 10:
            raise InputError(f"stratification: {self.resamples} resamples; expected at least 10.")
        if not 0 < self.alpha < 1 or self.draws + 1 < 1 / self.alpha:
            raise InputError(f"stratification: {self.draws} draws cannot reach alpha {self.alpha:g}.")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> StratificationSettings:
        """Make the settings from the config's ``stratification`` section."""
        low, high = config["clusters"]
        return cls(
            clusters=(int(low), int(high)),
            resamples=int(config["resamples"]),
            include_controls=bool(config["include_controls"]),
            seed=int(config["seed"]),
        )

    def generator(self, purpose: int) -> np.random.Generator:
        """Return a random generator of its own for each purpose, so that none depends on how much another draws."""
        return np.random.default_rng([self.seed, purpose])
