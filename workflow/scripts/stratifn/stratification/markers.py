"""The features that differ most between a stratum and the rest: descriptive, without p values.

A p value on the features that made the clusters would be small in any data (Gao, Bien & Witten 2024,
doi:10.1080/01621459.2022.2116331).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from stratifn.shared.columns import columns_of
from stratifn.shared.statistics import auc_of_ranks

if TYPE_CHECKING:
    import anndata as ad

MARKER_COLUMNS = list(columns_of("stratification/markers.tsv"))
# markers shown per stratum and view
TOP = 25
# fewer samples on a side give no markers
MIN_SIDE = 3
# features ranked at once, which bounds the memory
BLOCK = 2000


def markers(stratum: pd.Series, views: Mapping[str, ad.AnnData], top: int = TOP) -> pd.DataFrame:
    """Find the features with the AUC farthest from 0.5, per stratum and view.

    Parameters
    ----------
    stratum
        Stratum by sample.
    views
        Normalised matrices (samples x features).
    top
        Features per stratum and view.

    Returns
    -------
    pandas.DataFrame
        Columns stratum, view, feature, difference (mean inside minus mean outside, in the view's units), auc (inside
        against outside); by stratum, view, then the farthest from 0.5 first. Empty if there is one stratum.
    """
    numbers = sorted(stratum.unique())
    frames = [_of_view(name, views[name], stratum, numbers, top) for name in sorted(views)] if len(numbers) > 1 else []
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=MARKER_COLUMNS)
    return pd.concat(frames).sort_values(["stratum", "view"], kind="stable").reset_index(drop=True)


def _of_view(name: str, view: ad.AnnData, stratum: pd.Series, numbers: list[int], top: int) -> pd.DataFrame:
    shared = view.obs_names.isin(stratum.index)
    inside = stratum.loc[view.obs_names[shared]].to_numpy()[:, None] == np.array(numbers)
    blocks = [slice(start, start + BLOCK) for start in range(0, view.n_vars, BLOCK)]
    difference, auc = np.concatenate(
        [difference_and_auc(np.asarray(view.X[:, block][shared], dtype=float), inside) for block in blocks], axis=2
    )
    tables = [
        pd.DataFrame({"feature": view.var_names, "difference": difference[i], "auc": auc[i]}).assign(stratum=number)
        for i, number in enumerate(numbers)
    ]
    table = pd.concat(tables).dropna().assign(view=name)
    # rounded, so that ties are the same on every machine
    table["distance"] = (table["auc"] - 0.5).abs().round(12)
    table = table.sort_values(["stratum", "distance", "feature"], ascending=[True, False, True])
    return table.groupby("stratum").head(top)[MARKER_COLUMNS]


def difference_and_auc(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Compare each stratum with the rest.

    Parameters
    ----------
    values
        Samples x features, NaN where missing.
    inside
        Samples x strata, true for the samples of the stratum.

    Returns
    -------
    numpy.ndarray
        2 x strata x features: difference of means and AUC; missing where a side has fewer than `MIN_SIDE` values.
    """
    known = np.isfinite(values)
    here = inside.astype(float)
    ranks = np.nan_to_num(rankdata(np.where(known, values, np.nan), axis=0, nan_policy="omit"))
    filled = np.where(known, values, 0.0)
    n = here.T @ known
    m = known.sum(axis=0) - n
    sums = here.T @ filled
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = sums / n - (filled.sum(axis=0) - sums) / m
    return np.where(np.minimum(n, m) >= MIN_SIDE, [difference, auc_of_ranks(here.T @ ranks, n, m)], np.nan)
