"""Simulation: a cohort as a consortium would bring it, with a truth that tests can hold the pipeline to.

Read in this order: `profiles` (what is known of each disease), `patients` (who has which stratum, interferon status
and treatment), `composition` (their blood cells), `genes` (what drives each gene), `expression`, `methylation` and
`cytokines` (what is measured), `truth` (what a perfect analysis would find), `analysis` (all of it to disk);
`randomness` and `streaming` serve them.
"""

from stratifn.simulation.analysis import simulate_cohort
from stratifn.simulation.settings import Settings

__all__ = ["Settings", "simulate_cohort"]
