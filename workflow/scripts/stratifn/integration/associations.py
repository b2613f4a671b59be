"""What factors are associated with: disease, scores, cells, cytokines, covariates.

Ranks throughout, because factors and clinical variables are rarely normal: Spearman's rho for numbers, Mann-Whitney
for two groups, Kruskal-Wallis for more. A variable that comes from a view which the factor itself explains is no
independent witness: its effect is shown, without a p value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from stratifn.shared.columns import columns_of
from stratifn.shared.samples import covariates, is_number, measured_views
from stratifn.shared.statistics import benjamini_hochberg

if TYPE_CHECKING:
    import anndata as ad

COLUMNS = list(columns_of("integration/factor_associations.tsv"))
MIN_SAMPLES = 6
MIN_LEVEL = 3
MAX_LEVELS = 20


@dataclass(frozen=True)
class Variables:
    """Variables that factors are compared with.

    Attributes
    ----------
    values
        One row per sample (index) and one column per variable: numbers, or labels as text.
    sources
        The view that a variable was computed from; variables without a view are not in it.
    """

    values: pd.DataFrame
    sources: dict[str, str]


def collect_variables(
    samples: pd.DataFrame,
    measured: Mapping[str, ad.AnnData] | None = None,
    scores: Mapping[str, tuple[pd.Series, str]] | None = None,
) -> Variables:
    """Put covariates, features of small views and scores side by side.

    Parameters
    ----------
    samples
        The cohort's samples; every column but ids is a variable, ``in_<view>`` where it differs between samples.
    measured
        Views whose single features are of interest (cells, cytokines); they are named ``view:feature``.
    scores
        Name to (score per sample, view that it was computed from).
    """
    indexed = samples.set_index("sample")
    parts = [indexed[covariates(indexed)], measured_views(indexed)]
    sources: dict[str, str] = {}
    for view, data in (measured or {}).items():
        frame = data.to_df().reindex(indexed.index).add_prefix(f"{view}:")
        parts.append(frame)
        sources |= dict.fromkeys(frame.columns, view)
    for name, (score, view) in (scores or {}).items():
        parts.append(score.reindex(indexed.index).rename(name).to_frame())
        sources[name] = view
    return Variables(pd.concat(parts, axis=1), sources)


def factor_associations(
    factors: pd.DataFrame, variables: Variables, variance: pd.DataFrame, min_r2: float
) -> pd.DataFrame:
    """Compare every factor with every variable.

    Parameters
    ----------
    factors
        sample, Factor1 ... FactorK.
    variables
        From `collect_variables`.
    variance
        view, factor, r2.
    min_r2
        A factor has a view as its own when it explains at least this percentage of it.

    Returns
    -------
    pandas.DataFrame
        factor, variable, test, n, effect, pvalue, padj (Benjamini-Hochberg over all p values of the table).
        ``effect``: Spearman's rho; for two groups the rank-biserial correlation of the level in brackets against the
        other; for more groups epsilon squared (0 to 1). A test named ``none`` says that the variable cannot be tested
        (constant, too few samples, a label for nearly everyone).
    """
    z = factors.set_index("sample")
    own = {(row.factor, row.view) for row in variance.itertuples() if row.r2 >= min_r2}
    rows = []
    for variable in variables.values.columns:
        values = variables.values[variable].reindex(z.index)
        for factor in z.columns:
            name, test, n, effect, pvalue = _compare(variable, values, z[factor])
            if (factor, variables.sources.get(variable)) in own:
                pvalue = np.nan
            rows.append((factor, name, test, n, effect, pvalue))
    table = pd.DataFrame(rows, columns=COLUMNS[:-1])
    position = {factor: number for number, factor in enumerate(z.columns)}
    order = np.lexsort((table["variable"], table["factor"].map(position)))
    table = table.iloc[order].reset_index(drop=True)
    table["padj"] = benjamini_hochberg(table["pvalue"])
    return table


def _compare(variable: str, values: pd.Series, factor: pd.Series) -> tuple[str, str, int, float, float]:
    """Return variable, test, n, effect, p value."""
    known = values.notna() & factor.notna()
    values, factor = values[known], factor[known]
    if is_number(values):
        if len(values) < MIN_SAMPLES or values.nunique() < 2 or factor.nunique() < 2:
            return variable, "none", len(values), np.nan, np.nan
        result = stats.spearmanr(values, factor)
        return variable, "spearman", len(values), float(result.statistic), float(result.pvalue)
    return _compare_levels(variable, values.astype(str), factor)


def _compare_levels(variable: str, labels: pd.Series, factor: pd.Series) -> tuple[str, str, int, float, float]:
    counts = labels.value_counts()
    levels = sorted(counts.index[counts >= MIN_LEVEL])
    groups = [factor[labels == level].to_numpy() for level in levels]
    n = sum(map(len, groups))
    if n < MIN_SAMPLES or not 2 <= len(levels) <= MAX_LEVELS or factor.nunique() < 2:
        return variable, "none", n, np.nan, np.nan
    if len(levels) == 2:
        result = stats.mannwhitneyu(groups[1], groups[0])
        effect = 2.0 * result.statistic / (len(groups[0]) * len(groups[1])) - 1.0
        return f"{variable}[{levels[1]}]", "mann_whitney", n, float(effect), float(result.pvalue)
    result = stats.kruskal(*groups)
    return variable, "kruskal_wallis", n, float(result.statistic / (n - 1)), float(result.pvalue)
