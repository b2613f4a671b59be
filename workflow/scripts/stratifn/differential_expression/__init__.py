"""Differential expression: one fit per cohort, every comparison read from it.

In reading order: `contrasts` (what is compared, and its name), `possible` (what of it the samples allow),
`model_choice` (which model) with `counts_model` (the negative binomial) and `moderated_t` (values on a log scale),
`model_fit` (what both give), `results` (the tables) with `threshold`, `independent_filtering`, `shrinkage` and `rank_sum` (a second opinion); then what is built on them: `permutation`, `cross_disease` with `disease_classes`,
`camera` with `enrichment` (gene sets), `interferon_status` (the second fit), `analysis` (all of it).
"""

from stratifn.differential_expression.analysis import DifferentialExpression, analyse_cohort
from stratifn.differential_expression.contrasts import (
    Contrast,
    Question,
    all_contrasts,
    control_contrasts,
)
from stratifn.differential_expression.cross_disease import cross_disease_table
from stratifn.differential_expression.enrichment import enrichment_table
from stratifn.differential_expression.interferon_status import compare_interferon_status
from stratifn.differential_expression.model_choice import fit_model
from stratifn.differential_expression.permutation import permutation_null
from stratifn.differential_expression.possible import check_comparisons, comparison_checks, possible_comparisons
from stratifn.differential_expression.results import contrast_table, summary_table
from stratifn.differential_expression.settings import Settings

__all__ = [
    "Contrast",
    "DifferentialExpression",
    "Question",
    "Settings",
    "all_contrasts",
    "analyse_cohort",
    "check_comparisons",
    "comparison_checks",
    "compare_interferon_status",
    "contrast_table",
    "control_contrasts",
    "cross_disease_table",
    "enrichment_table",
    "fit_model",
    "permutation_null",
    "possible_comparisons",
    "summary_table",
]
