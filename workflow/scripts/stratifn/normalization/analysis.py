"""The whole phase for one cohort: every view normalised, and what a reader should know about samples and components."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from stratifn.normalization.covariates import covariate_associations
from stratifn.normalization.quality import quality_table
from stratifn.normalization.settings import Settings
from stratifn.normalization.size_factors import size_factor_table
from stratifn.normalization.views import NormalizedView, normalize_view
from stratifn.shared.vocabulary import SIZE_FACTOR, SIZE_FACTORS

if TYPE_CHECKING:
    from pydeseq2.inference import Inference


@dataclass(frozen=True)
class Normalization:
    """The normalised views by name, and the contract's tables of the phase."""

    views: dict[str, ad.AnnData]
    size_factors: pd.DataFrame
    quality: pd.DataFrame
    covariate_associations: pd.DataFrame
    notes: pd.DataFrame


def normalize_cohort(
    views: Mapping[str, ad.AnnData],
    samples: pd.DataFrame,
    settings: Settings,
    always_keep: Collection[str],
    inference: Inference,
) -> Normalization:
    """Normalise every view of a cohort, each by its kind (``uns["kind"]``), overwriting the matrices given.

    Parameters
    ----------
    views
        As `inputs` wrote them, by name.
    samples
        The cohort's samples.
    settings
        The section of the configuration.
    always_keep
        Ids or symbols of genes that no filter drops.
    inference
        The engine that fits the dispersions of counts.
    """
    normalized: dict[str, NormalizedView] = {}
    # a view that takes the size factors of another one comes after it
    for name in sorted(views, key=lambda name: SIZE_FACTORS in views[name].uns):
        view = views[name]
        if SIZE_FACTORS in view.uns:
            lender = normalized[str(view.uns[SIZE_FACTORS])].data
            view.obs[SIZE_FACTOR] = lender.obs[SIZE_FACTOR].reindex(view.obs_names)
        normalized[name] = normalize_view(
            view, name, view.uns["kind"], samples, settings, always_keep=always_keep, inference=inference, in_place=True
        )
    normalized = {name: normalized[name] for name in views}
    made = {name: view.data for name, view in normalized.items()}
    return Normalization(
        views=made,
        size_factors=size_factor_table(made),
        quality=quality_table(made, samples),
        covariate_associations=covariate_associations(made, samples),
        notes=pd.concat([view.notes for view in normalized.values()]),
    )
