"""Stratification: from robust factors to strata that a consortium can defend.

Read in this order:

* `settings`: every choice.
* `informed`: who knows enough of the factors to make strata.
* `space`: factors, standardised and weighted by the variance they explain.
* `kmeans`: the compiled clustering that all else uses.
* `valley`, `null`: is there structure?
* `consensus`, `stability`: what stays together when patients are left out or drawn again.
* `mixture`, `selection`: how many strata.
* `strata`, `model`, `frozen`: the strata, what places a person with a probability, and its file.
* `labels`, `associations`, `markers`: what the strata are.
* `analysis`: all tables of the phase.
"""

from stratifn.stratification.analysis import CohortStrata, stratify_cohort
from stratifn.stratification.frozen import stratum_arrays, stratum_model
from stratifn.stratification.labels import LABEL_RULES, LabelRule
from stratifn.stratification.model import StratumModel
from stratifn.stratification.settings import Settings
from stratifn.stratification.strata import Strata, find_strata

__all__ = [
    "LABEL_RULES",
    "CohortStrata",
    "LabelRule",
    "Settings",
    "Strata",
    "StratumModel",
    "find_strata",
    "stratify_cohort",
    "stratum_arrays",
    "stratum_model",
]
