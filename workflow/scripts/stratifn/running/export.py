"""One MuData object of a whole cohort, by muon's and scanpy's conventions, for use in scverse and R."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.running.installation import software_versions
from stratifn.shared.files import atomic_path

if TYPE_CHECKING:
    import mudata as md

# names that muon's and scanpy's functions look for
FACTORS, LOADINGS, COMPONENTS = "X_mofa", "LFs", "PCs"
TOTAL = "total"
# what is joined to the views
TABLES = ("classes", "scores", "methylation", "axes", "reference", "factors", "variance_explained", "strata")
# how the columns of the tables are called in `obs`; a sheet cannot have columns of the tables' own names
CLASS_COLUMNS = {
    "score": "ifn_score",
    "probability_high": "ifn_probability_high",
    "ifn_class": "ifn_class",
    "ifn_class_all_controls": "ifn_class_all_controls",
    "ifn_type": "ifn_type",
    "type_i": "ifn_type_i",
    "type_ii": "ifn_type_ii",
    "modules_active": "ifn_modules_active",
}
STRATUM_COLUMNS = {
    "stratum": "stratum",
    "label": "stratum_label",
    "confidence": "stratum_confidence",
    "stability": "stratum_stability",
    "informed": "stratum_informed",
}
OF_SHEET = "_of_sheet"


@dataclass(frozen=True)
class Exported:
    """What the object is made of.

    Attributes
    ----------
    samples
        ``inputs/samples.tsv``.
    views
        Normalised views.
    tables
        Each of `TABLES` by its name.
    weights
        View to ``integration/weights_{view}.tsv.gz``.
    contrasts
        Contrast to its table of differential expression.
    colours
        Column of `obs` to the colour of each of its values, in the order of the values.
    """

    samples: pd.DataFrame
    views: Mapping[str, ad.AnnData]
    tables: Mapping[str, pd.DataFrame]
    weights: Mapping[str, pd.DataFrame]
    contrasts: Mapping[str, pd.DataFrame]
    colours: Mapping[str, Mapping[str, str]]

    @property
    def factor_names(self) -> list[str]:
        """Names of the factors."""
        return [name for name in self.tables["factors"].columns if name != "sample"]


def cohort_object(parts: Exported) -> md.MuData:
    """Join views, factors, interferon scores and classes, strata and contrasts.

    Returns
    -------
    mudata.MuData
        ``obs`` holds the samples' columns, every score, class, type and stratum; each view's own ``obs`` the same
        without the scores of the panel. ``obsm["X_mofa"]`` are the factors (NaN for samples outside the model) and
        ``varm["LFs"]`` the weights, of the object and of each view, as muon stores them (zero for features outside the
        model, which ``var["in_model"]`` tells apart). Views have scanpy's ``obsm["X_pca"]``, ``varm["PCs"]`` and
        ``uns["pca"]``; the contrasts are data frames in ``varm`` of the view whose features they are about. ``uns``
        holds colours, variance explained (percent), cut-offs and versions.
    """
    import mudata as md

    people = _observations(parts.samples, parts.tables)
    modalities = {name: _modality(name, view, people, parts) for name, view in parts.views.items()}
    with md.set_options(pull_on_update=False):
        data = md.MuData(modalities)
        data.obs = people.join(_panel(parts.tables), lsuffix=OF_SHEET).reindex(data.obs_names)
        factors = parts.tables["factors"].set_index("sample").reindex(data.obs_names)
        data.obsm[FACTORS] = factors[parts.factor_names].to_numpy(dtype=float)
        data.varm[LOADINGS] = np.concatenate([view.varm[LOADINGS] for view in modalities.values()])
        data.uns["mofa"] = {"factors": np.array(parts.factor_names, dtype=object), "variance": _variance(parts)}
        data.uns["ifn_cutoffs"] = parts.tables["reference"].astype({"signature": str, "method": str})
        data.uns["versions"] = {name: str(version) for name, version in software_versions().items()}
        _colour(data, parts.colours)
    return data


def _observations(samples: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what is known of each sample, but for the panel of scores; text as categories."""
    classes = tables["classes"].set_index("sample")[list(CLASS_COLUMNS)].rename(columns=CLASS_COLUMNS)
    placed = tables["strata"].set_index("sample")[list(STRATUM_COLUMNS)].rename(columns=STRATUM_COLUMNS)
    methylation = tables["methylation"].set_index("sample")["score"].astype(float).rename("methylation_score")
    axes = tables["axes"].pivot_table(index="sample", columns="axis", values="score").add_prefix("axis_")
    people = samples.set_index("sample")
    for added in (classes, placed, methylation.to_frame(), axes):
        people = people.join(added, lsuffix=OF_SHEET)
    for column in people.columns:
        if people[column].dtype == object:
            people[column] = pd.Categorical(people[column].astype("string"))
    return people


def _panel(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return every score: a column ``{signature}_{method}`` each."""
    scores = tables["scores"].astype({"score": float})
    wide = scores.pivot(index="sample", columns=["signature", "method"], values="score")
    wide.columns = [f"{signature}_{method}" for signature, method in wide.columns]
    return wide


def _modality(name: str, view: ad.AnnData, people: pd.DataFrame, parts: Exported) -> ad.AnnData:
    view = view.copy()
    weights = parts.weights[name].set_index("feature").reindex(view.var_names)
    view.varm[LOADINGS] = weights[parts.factor_names].fillna(0.0).to_numpy(dtype=float)
    view.var["in_model"] = view.var_names.isin(parts.weights[name]["feature"])
    view.obs = view.obs.join(people.reindex(view.obs_names), lsuffix="_of_view")
    # frozen transforms and what the phases keep for themselves are no part of the exchange format
    view.uns = {"pca": {"variance_ratio": np.asarray(view.uns["pca_variance_ratio"], dtype=float)}}
    for contrast, table in parts.contrasts.items():
        if table["gene_id"].isin(view.var_names).all() and len(table) == view.n_vars:
            view.varm[contrast] = _by_feature(table, view.var_names)
    _colour(view, parts.colours)
    return view


def _by_feature(table: pd.DataFrame, features: pd.Index) -> pd.DataFrame:
    """Return a contrast's table in the order of the features, numbers as such and text as categories."""
    rows = table.set_index("gene_id").reindex(features).drop(columns="gene_name")
    return rows.astype({column: "category" if column == "status" else float for column in rows})


def _variance(parts: Exported) -> dict[str, np.ndarray]:
    """Return by view the percent of variance that each factor explains."""
    table = parts.tables["variance_explained"]
    each = table[table["factor"] != TOTAL].pivot(index="view", columns="factor", values="r2")
    return {
        view: each.loc[view, parts.factor_names].to_numpy(dtype=float) for view in parts.views if view in each.index
    }


def _colour(data: ad.AnnData | md.MuData, colours: Mapping[str, Mapping[str, str]]) -> None:
    """Give categories the order and the colours of the report, where scanpy looks for them."""
    for column, each in colours.items():
        values = data.obs[column].astype("string")
        known = [value for value in each if values.eq(value).any()]
        data.obs[column] = pd.Categorical(values, categories=known)
        data.uns[f"{column}_colors"] = np.array([each[value] for value in known], dtype=object)


def write_mudata(data: md.MuData, path: str | os.PathLike) -> None:
    """Write an ``.h5mu``, whole or not at all."""
    import mudata as md

    with atomic_path(path) as temporary, md.set_options(pull_on_update=False):
        data.write_h5mu(temporary, compression="gzip")
