"""How the cohort is integrated: every choice in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stratifn.shared.errors import InputError

# percent change of the ELBO, twice in a row, at which mofapy2 stops
CONVERGENCE_PERCENT = {"fast": 5e-4, "medium": 5e-5, "slow": 5e-6}


@dataclass(frozen=True)
class IntegrationSettings:
    """Settings of the integration.

    Attributes
    ----------
    factors
        Factors that a model starts with (K); fewer where samples or features are fewer.
    top_features
        Most variable features kept per view.
    convergence
        ``fast``, ``medium`` or ``slow``: at which relative change of the ELBO training stops.
    float32
        Train in single precision: about a third faster in two thirds of the memory, but its rounding differs between
        CPU types enough to move a factor across the line of robustness.
    scale_views
        Divide each view by its overall standard deviation (see `stratifn.integration.views`).
    max_missing
        Features missing in more than this fraction of the view's samples are left out.
    regress_out
        A column of the sample sheet (a known batch) whose effects are taken out of every view first; empty: none.
    protect
        Columns whose effects stay when a batch is regressed out.
    min_views
        Samples measured in fewer views are left out.
    min_samples
        With fewer samples no model is fitted: mofapy2's authors advise more than 15.
    max_iterations
        Training stops here at the latest; the seed is then reported as not converged.
    start_noise
        SD of the seeded noise added to the start of the factors (which lies between -1 and 1), so that seeds are
        different starts; 0 is mofapy2's own start from principal components, (nearly) the same for every seed.
    min_r2
        Percent of variance that a factor must explain in at least one view to count as active.
    """

    factors: int = 15
    top_features: int = 5000
    convergence: str = "medium"
    float32: bool = False
    scale_views: bool = True
    max_missing: float = 0.5
    regress_out: str = ""
    protect: tuple[str, ...] = ("disease",)
    min_views: int = 1
    min_samples: int = 10
    max_iterations: int = 3000
    start_noise: float = 0.1
    min_r2: float = 0.1

    def __post_init__(self) -> None:
        for name in ("factors", "top_features", "min_views", "max_iterations"):
            if getattr(self, name) < 1:
                raise InputError(f"integration: {name} must be at least 1, found {getattr(self, name)}.")
        if self.convergence not in CONVERGENCE_PERCENT:
            known = ", ".join(CONVERGENCE_PERCENT)
            raise InputError(f"integration: convergence must be one of {known}, found {self.convergence}.")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> IntegrationSettings:
        """Take what the config's ``integration`` section says; its ``seeds`` belong to the jobs, not to a model."""
        chosen = {key: value for key, value in config.items() if key != "seeds"}
        if "protect" in chosen:
            chosen["protect"] = tuple(chosen["protect"])
        return cls(**chosen)
