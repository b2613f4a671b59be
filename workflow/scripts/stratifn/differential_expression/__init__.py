"""Differential expression: one fit per cohort, every comparison read from it.

In reading order: `contrasts` (what is compared, and its name), `possible` (which of them the samples allow), `model_choice` (which model) with `counts_model` (the
negative binomial) and `moderated_t` (values on a log scale), `model_fit` (what both give), `results` (the tables)
with `independent_filtering` and `shrinkage`; then what is built on them: `threshold`, `permutation`, `cross_disease`,
`enrichment`, `interferon_status` (the second fit), `analysis` (all of it).
"""

from stratifn.differential_expression.analysis import DifferentialExpression, analyse_cohort
from stratifn.differential_expression.contrasts import (
    Contrast,
    all_contrasts,
    control_contrasts,
    interferon_contrast_names,
)
from stratifn.differential_expression.cross_disease import cross_disease_table
from stratifn.differential_expression.enrichment import GeneSet, enrichment_table, read_gmt, registry_sets
from stratifn.differential_expression.interferon_status import compare_interferon_status
from stratifn.differential_expression.model_choice import fit_model
from stratifn.differential_expression.permutation import permutation_null
from stratifn.differential_expression.possible import check_comparisons, possible_comparisons
from stratifn.differential_expression.results import contrast_table, summary_table
from stratifn.differential_expression.threshold import threshold_table

__all__ = [
    "Contrast",
    "DifferentialExpression",
    "GeneSet",
    "all_contrasts",
    "analyse_cohort",
    "check_comparisons",
    "compare_interferon_status",
    "contrast_table",
    "control_contrasts",
    "cross_disease_table",
    "enrichment_table",
    "fit_model",
    "interferon_contrast_names",
    "permutation_null",
    "possible_comparisons",
    "read_gmt",
    "registry_sets",
    "summary_table",
    "threshold_table",
]
