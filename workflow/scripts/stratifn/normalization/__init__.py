"""Normalization: from what a machine measured to values that can be compared between samples.

In reading order: `kinds` (the registry; `task` holds its record), `views` (the way of one view), `counts` with
`size_factors`, `gene_filter` and `variance_stabilization` (the VST), `scales` (every other kind), `frozen` (how a later
sample gets its own value), `principal_components`, `quality` and `covariates` (what a reader should know before
believing anything), `analysis` (all of it).
"""

from stratifn.normalization.analysis import Normalization, normalize_cohort
from stratifn.normalization.covariates import covariate_associations
from stratifn.normalization.frozen import FrozenTransform, from_arrays, to_arrays
from stratifn.normalization.kinds import KINDS, described, transform_frozen
from stratifn.normalization.quality import quality_table
from stratifn.normalization.settings import Settings
from stratifn.normalization.size_factors import SizeFactorReference, fit_size_factors, size_factor_table
from stratifn.normalization.views import NormalizedView, frozen_arrays, frozen_transform, normalize_view

__all__ = [
    "KINDS",
    "FrozenTransform",
    "Normalization",
    "NormalizedView",
    "Settings",
    "SizeFactorReference",
    "covariate_associations",
    "described",
    "fit_size_factors",
    "from_arrays",
    "frozen_arrays",
    "frozen_transform",
    "normalize_cohort",
    "normalize_view",
    "quality_table",
    "to_arrays",
    "transform_frozen",
    "size_factor_table",
]
