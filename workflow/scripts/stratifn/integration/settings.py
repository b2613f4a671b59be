"""How the cohort is integrated: every choice in one record; defaults and bounds of the keys are the schema's."""

from __future__ import annotations

from dataclasses import dataclass

from stratifn.shared.settings import Section

# percent change of the ELBO, twice in a row, at which mofapy2 stops
CONVERGENCE_PERCENT = {"fast": 5e-4, "medium": 5e-5, "slow": 5e-6}


@dataclass(frozen=True)
class Settings(Section):
    """The section ``integration`` of the configuration without its ``seeds``, which are the jobs.

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

    factors: int
    top_features: int
    convergence: str
    float32: bool
    scale_views: bool
    regress_out: str
    min_views: int
    protect: tuple[str, ...] = ("disease",)
    max_missing: float = 0.5
    min_samples: int = 10
    max_iterations: int = 3000
    start_noise: float = 0.1
    min_r2: float = 0.1
