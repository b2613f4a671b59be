"""What the main components of a view follow: advice on which covariates a design needs."""

from __future__ import annotations

from collections.abc import Mapping

import anndata as ad
import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from stratifn.shared.columns import columns_of
from stratifn.shared.samples import covariates, is_number
from stratifn.shared.statistics import benjamini_hochberg

COLUMNS = list(columns_of("normalization/covariate_associations.tsv"))
SAMPLE_MEASURES = ("library_size", "detected_features", "missing_fraction", "size_factor")
MIN_SAMPLES = 5


def covariate_associations(views: Mapping[str, ad.AnnData], samples: pd.DataFrame) -> pd.DataFrame:
    """Regress each principal component on each variable of the sheet and each technical measure.

    One-way analysis of variance for factors, simple regression for numbers. The p-values of one view (all its
    components and variables) are one Benjamini-Hochberg family.

    Parameters
    ----------
    views
        Normalised views by name, with ``obsm["X_pca"]``.
    samples
        The cohort's samples.

    Returns
    -------
    pandas.DataFrame
        Columns view, component (PC1 ...), variable, r2 (share of the component's variance), pvalue, padj.
    """
    tables = [_view_associations(name, views[name], samples) for name in sorted(views)]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _view_associations(name: str, view: ad.AnnData, samples: pd.DataFrame) -> pd.DataFrame:
    variables = _variables(view, samples)
    rows = []
    for component, scores in enumerate(view.obsm["X_pca"].T, start=1):
        for variable, values in variables.items():
            rows.append([name, f"PC{component}", variable, *_explained(scores, values)])
    table = pd.DataFrame(rows, columns=COLUMNS[:-1])
    table["padj"] = benjamini_hochberg(table["pvalue"]) if len(table) else []
    return table


def _variables(view: ad.AnnData, samples: pd.DataFrame) -> dict[str, pd.Series]:
    sheet = samples.set_index("sample").loc[view.obs_names]
    candidates = {column: sheet[column] for column in sorted(covariates(sheet))}
    candidates |= {measure: view.obs[measure] for measure in SAMPLE_MEASURES if measure in view.obs}
    return {name: values for name, values in candidates.items() if _can_be_tested(values)}


def _can_be_tested(values: pd.Series) -> bool:
    known = values.dropna()
    levels = known.nunique()
    # a text that is different for every second sample is a name or a date, no group
    return levels > 1 and len(known) >= MIN_SAMPLES and (is_number(values) or levels <= len(known) / 2)


def _explained(scores: np.ndarray, values: pd.Series) -> tuple[float, float]:
    """Return the share of variance explained and the p-value of the F test."""
    known = values.notna().to_numpy()
    scores = scores[known]
    values = values[known]
    if not is_number(values):
        groups = pd.Series(scores).groupby(values.astype(str).to_numpy())
        fitted = groups.transform("mean").to_numpy()
        df_model = groups.ngroups - 1
    else:
        numbers = values.to_numpy(dtype=float)
        numbers = numbers - numbers.mean()
        slope = numbers @ scores / (numbers @ numbers)
        fitted = scores.mean() + slope * numbers
        df_model = 1
    df_rest = len(scores) - df_model - 1
    total = float(((scores - scores.mean()) ** 2).sum())
    if df_rest < 1 or total <= 0:
        return np.nan, np.nan
    r2 = float(np.clip(((fitted - scores.mean()) ** 2).sum() / total, 0.0, 1.0))
    statistic = np.inf if r2 == 1 else (r2 / df_model) / ((1 - r2) / df_rest)
    return r2, float(f_distribution.sf(statistic, df_model, df_rest))
