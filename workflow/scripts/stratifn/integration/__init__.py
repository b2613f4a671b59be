"""Factors of all views together (MOFA), trusted only as far as other starts find them again.

Read in this order: `settings` (every choice), `names`, `batch` and `views` (what enters the model), `updates` (the algebra that
makes training fast), `training` (one seed), `model` (what a trained model consists of, and its file), `variance`
(what factors explain), `selection` (which seed, which factors are robust, the tables), `quality` (when not to trust a
factor), `associations` and `interpretation` (what factors mean), `posterior` (what is known of them in each sample),
`analysis` (every table).

Models: Argelaguet et al. 2018 (doi:10.15252/msb.20178124) and 2020 (doi:10.1186/s13059-020-02015-1), by mofapy2.
"""

from stratifn.integration.analysis import choose_model, integration_tables
from stratifn.integration.associations import Variables, collect_variables, factor_associations
from stratifn.integration.interpretation import (
    InterferonFactor,
    interferon_factor,
    top_features,
    weight_enrichment,
)
from stratifn.integration.model import MofaModel, read_model, write_model
from stratifn.integration.possible import integration_checks
from stratifn.integration.posterior import posterior_of_cohort
from stratifn.integration.quality import quality_warnings
from stratifn.integration.selection import (
    Integration,
    factors_table,
    select_model,
    variance_table,
    weights_table,
)
from stratifn.integration.settings import Settings
from stratifn.integration.training import TrainingError, train_mofa
from stratifn.integration.views import ModelInput, View, prepare_views

__all__ = [
    "Integration",
    "InterferonFactor",
    "Settings",
    "ModelInput",
    "MofaModel",
    "TrainingError",
    "Variables",
    "View",
    "collect_variables",
    "factor_associations",
    "choose_model",
    "factors_table",
    "integration_checks",
    "integration_tables",
    "interferon_factor",
    "posterior_of_cohort",
    "prepare_views",
    "read_model",
    "quality_warnings",
    "select_model",
    "top_features",
    "train_mofa",
    "variance_table",
    "weight_enrichment",
    "weights_table",
    "write_model",
]
