"""Interferon: how strongly the interferon-stimulated genes of each patient are expressed, and how sure a class is.

Read the modules in this order: `settings` (what the config decides), `possible` (what a cohort does not allow), `controls` (are they enough for a reference, and is
one far above the others?),
`expression` (values that owe nothing to other patients), `methods` (the scores), `cutoffs` (from the controls,
resampled), `reference` (what is frozen), `learning` (how it is learnt), `depth` (is a library deep enough?), `scoring` (the one path for cohort and single
patient), `response` and `types`, `gene_modules`, `classes`, `published` and `prevalence`, `influence` (what one control decides), `sensitivity` (what few controls can
show), `replicates`, `notes`, `scored` (classes, prevalence and reference of a cohort), `own_controls` (new patients against those of their batch), and beside
the score: `axes`, `protein`, `methylation`, `confounding`, with `concordance` and `cells` for what they share.
"""

from stratifn.interferon.analysis import Beside, interferon_tables, reference_parts
from stratifn.interferon.methods import METHODS
from stratifn.interferon.own_controls import OwnControls, place_by_own_controls, score_by_own_controls
from stratifn.interferon.possible import protein_checks, reference_problems
from stratifn.interferon.protein import Assay
from stratifn.interferon.reference import Reference, from_parts, to_parts
from stratifn.interferon.scored import (
    Cohort,
    Interferon,
    analyse_cohort,
    place_patients,
    reference_of_cohort,
    score_frozen,
)
from stratifn.interferon.settings import Origin, ProteinSettings, Settings

__all__ = [
    "METHODS",
    "Assay",
    "Beside",
    "Cohort",
    "Interferon",
    "Origin",
    "OwnControls",
    "Reference",
    "ProteinSettings",
    "Settings",
    "analyse_cohort",
    "from_parts",
    "interferon_tables",
    "place_by_own_controls",
    "place_patients",
    "protein_checks",
    "reference_of_cohort",
    "reference_parts",
    "reference_problems",
    "score_by_own_controls",
    "score_frozen",
    "to_parts",
]
