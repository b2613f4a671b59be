"""One MuData object of a whole cohort, by muon's conventions, for use in scverse and R."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.shared.files import atomic_path

if TYPE_CHECKING:
    import mudata as md

FACTORS, LOADINGS = "X_mofa", "LFs"


def cohort_object(
    samples: pd.DataFrame,
    views: Mapping[str, ad.AnnData],
    weights: Mapping[str, pd.DataFrame],
    classes: pd.DataFrame,
    factors: pd.DataFrame,
    strata: pd.DataFrame,
) -> md.MuData:
    """Join views, factors, ISG expression classes and strata.

    Parameters
    ----------
    samples
        ``inputs/samples.tsv``.
    views
        Normalised views (samples x features).
    weights
        View to ``integration/weights_{view}.tsv.gz``; features outside the model get NaN in ``varm["LFs"]``.
    classes, factors, strata
        The tables of those names.

    Returns
    -------
    mudata.MuData
        ``obs`` holds the samples' columns, score, class and stratum; ``obsm["X_mofa"]`` the factors (NaN for samples
        outside the model) and each view's ``varm["LFs"]`` the weights, as muon stores them.
    """
    import mudata as md

    names = [column for column in factors.columns if column != "sample"]
    modalities = {}
    for name, view in views.items():
        view = view.copy()
        view.varm[LOADINGS] = weights[name].set_index("feature").reindex(view.var_names)[names].to_numpy(dtype=float)
        # frozen transforms and what the phases keep for themselves are no part of the exchange format
        view.uns = {}
        modalities[name] = view
    with md.set_options(pull_on_update=False):
        data = md.MuData(modalities)
        data.obs = _observations(samples, classes, strata).reindex(data.obs_names)
        data.obsm[FACTORS] = factors.set_index("sample").reindex(data.obs_names)[names].to_numpy(dtype=float)
        data.uns["mofa"] = {"factors": np.array(names, dtype=object)}
    return data


def _observations(samples: pd.DataFrame, classes: pd.DataFrame, strata: pd.DataFrame) -> pd.DataFrame:
    scores = classes.set_index("sample")[["score", "probability_high", "ifn_class", "ifn_type"]]
    placed = strata.set_index("sample")[["stratum", "confidence", "stability", "informed", "label"]]
    observations = samples.set_index("sample").join(scores).join(placed)
    for column in observations.columns:
        if observations[column].dtype == object:
            observations[column] = pd.Categorical(observations[column].astype("string"))
    return observations


def write_mudata(data: md.MuData, path: str | os.PathLike) -> None:
    """Write an ``.h5mu``, whole or not at all."""
    with atomic_path(path) as temporary:
        data.write_h5mu(temporary, compression="gzip")
