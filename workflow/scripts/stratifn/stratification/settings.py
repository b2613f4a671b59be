"""How a cohort is stratified: every choice in one record; defaults and bounds of the keys are the schema's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratifn.shared.claims import bound_of
from stratifn.shared.settings import Section

# a stratum of fewer patients is not called one
MIN_STRATUM = int(bound_of("strata", "smallest_stratum"))


@dataclass(frozen=True)
class Settings(Section):
    """The section ``stratification`` of the configuration.

    Attributes
    ----------
    clusters
        Smallest and largest number of strata that is tried.
    resamples
        Resamples of the patients: as many for the consensus as for the bootstrap of the stability.
    include_controls
        Cluster the controls with the patients. If not, the patients alone make the strata, and each control is then
        placed in the stratum whose centroid is nearest.
    alpha
        Level of the test against data without structure.
    seed
        Seed of everything random.
    draws
        Structureless data sets that the strata have to beat.
    """

    clusters: tuple[int, int]
    resamples: int
    include_controls: bool
    alpha: float
    seed: int
    draws: int = 199

    def __post_init__(self) -> None:
        if self.draws + 1 < 1 / self.alpha:
            raise ValueError(f"{self.draws} draws cannot reach alpha {self.alpha:g}")

    def generator(self, purpose: int) -> np.random.Generator:
        """Return a random generator of its own for each purpose, so that none depends on how much another draws."""
        return np.random.default_rng([self.seed, purpose])
