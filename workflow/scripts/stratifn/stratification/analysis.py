"""The whole phase for one cohort: strata, their names, and every table of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.shared.samples import covariates
from stratifn.shared.vocabulary import RNA, UNSCORED
from stratifn.stratification.associations import associations
from stratifn.stratification.labels import name_strata
from stratifn.stratification.markers import markers
from stratifn.stratification.model import StratumModel
from stratifn.stratification.settings import StratificationSettings
from stratifn.stratification.strata import Strata, find_strata

if TYPE_CHECKING:
    import anndata as ad

IFN_SCORE = "ifn_score"


@dataclass(frozen=True)
class CohortStrata:
    """All tables of the phase, each with the columns of its file, and the model for further patients.

    Attributes
    ----------
    strata
        sample, patient, disease, stratum, confidence, ifn_class, label.
    selection
        k, pac, silhouette, stability, null_pvalue, chosen.
    stability
        stratum, n, jaccard, label.
    composition
        stratum, disease, n, fraction (of the disease's samples).
    associations
        variable, test, n, effect, pvalue, padj, pvalue_within_disease, padj_within_disease.
    markers
        stratum, view, feature, difference, auc.
    summary
        item, value: what was done and what came out, in words for the report.
    model
        Places further patients; None if there is one stratum.
    """

    strata: pd.DataFrame
    selection: pd.DataFrame
    stability: pd.DataFrame
    composition: pd.DataFrame
    associations: pd.DataFrame
    markers: pd.DataFrame
    summary: pd.DataFrame
    model: StratumModel | None


def stratify_cohort(
    factors: pd.DataFrame,
    variance_explained: pd.DataFrame,
    robust: Sequence[str],
    samples: pd.DataFrame,
    views: Mapping[str, ad.AnnData],
    control: str | None,
    settings: StratificationSettings,
    ifn: pd.DataFrame | None = None,
    cells: str | None = None,
) -> CohortStrata:
    """Stratify a cohort and say what the strata are.

    Parameters
    ----------
    factors
        Index sample, columns Factor1 ... FactorK.
    variance_explained
        Columns view, factor, r2 (percent); factor ``total`` is left aside.
    robust
        The robust factors.
    samples
        Columns sample, patient, disease, the sheet's other columns, ``in_<view>``.
    views
        Normalised matrices by view, for labels, markers and cells.
    control
        Label of the controls, or None.
    settings
        From the config.
    ifn
        Columns sample, score, ifn_class (others are not looked at); None if the phase interferon was not possible.
    cells
        Name of the view of cell proportions, if there is one.
    """
    strata = find_strata(factors, variance_explained, robust, samples, control, settings)
    stratum = strata.stratum
    sheet = samples[samples["sample"].isin(stratum.index)]
    names = name_strata(stratum, sheet, control, ifn, views)
    made_of = set(variance_explained["view"])
    tested, descriptive = _variables(sheet, views, ifn, cells, made_of)
    disease = sheet.set_index("sample")["disease"]
    return CohortStrata(
        strata=_strata_table(strata, sheet, ifn, names),
        selection=strata.selection,
        stability=_stability_table(strata, names),
        composition=composition(stratum, disease),
        associations=associations(stratum, tested, disease, descriptive, settings.generator(3)),
        markers=markers(stratum, views),
        summary=_summary(strata, sheet, control, settings, names),
        model=strata.model,
    )


def _strata_table(strata: Strata, samples: pd.DataFrame, ifn: pd.DataFrame | None, names: pd.DataFrame) -> pd.DataFrame:
    table = strata.table.merge(samples[["sample", "patient", "disease"]], on="sample", how="left")
    classes = pd.Series(dtype=object) if ifn is None else ifn.set_index("sample")["ifn_class"]
    table["ifn_class"] = table["sample"].map(classes).fillna(UNSCORED)
    table["label"] = table["stratum"].map(names.set_index("stratum")["label"])
    return table[["sample", "patient", "disease", "stratum", "confidence", "ifn_class", "label"]]


def _stability_table(strata: Strata, names: pd.DataFrame) -> pd.DataFrame:
    table = names[["stratum", "label"]].assign(
        n=names["stratum"].map(strata.stratum.value_counts()),
        jaccard=names["stratum"].map(strata.jaccard),
    )
    return table[["stratum", "n", "jaccard", "label"]]


def composition(stratum: pd.Series, disease: pd.Series) -> pd.DataFrame:
    """Count the samples of each disease in each stratum.

    Parameters
    ----------
    stratum, disease
        By sample.

    Returns
    -------
    pandas.DataFrame
        Columns stratum, disease, n, fraction (of the samples of the disease; adds up to 1 over strata); every pair
        has a row.
    """
    counts = pd.crosstab(stratum, disease.reindex(stratum.index))
    table = counts.rename_axis(index="stratum", columns="disease").stack().rename("n").reset_index()
    table["fraction"] = table["n"] / table.groupby("disease")["n"].transform("sum")
    return table.sort_values(["stratum", "disease"]).reset_index(drop=True)


def _variables(
    samples: pd.DataFrame,
    views: Mapping[str, ad.AnnData],
    ifn: pd.DataFrame | None,
    cells: str | None,
    made_of: set[str],
) -> tuple[pd.DataFrame, list[str]]:
    """Collect the variables, and name those that were computed from the views that made the strata."""
    sheet = samples.set_index("sample")
    parts, descriptive = [sheet[covariates(sheet)]], []
    if ifn is not None:
        parts.append(ifn.set_index("sample")["score"].rename(IFN_SCORE))
        descriptive += [IFN_SCORE] if RNA in made_of else []
    if cells is not None and cells in views:
        view = views[cells]
        proportions = pd.DataFrame(np.asarray(view.X, dtype=float), view.obs_names, view.var_names)
        parts.append(proportions.add_prefix(f"{cells}:"))
        descriptive += list(parts[-1].columns) if cells in made_of else []
    return pd.concat([part.reindex(sheet.index) for part in parts], axis=1), descriptive


def _summary(
    strata: Strata,
    samples: pd.DataFrame,
    control: str | None,
    settings: StratificationSettings,
    names: pd.DataFrame,
) -> pd.DataFrame:
    clustered = int(strata.table["clustered"].sum())
    dropped = "; ".join(f"{name}: {reason}" for name, reason in strata.space.dropped.items())
    rows = [
        ("strata", strata.number),
        ("reason", strata.reason),
        ("samples", len(strata.table)),
        ("samples_clustered", clustered),
        ("controls", _controls(samples, control, settings)),
        ("factors", " ".join(strata.space.factors) or "none"),
        ("factors_left_out", dropped or "none"),
        ("null_pvalue", f"{strata.null_pvalue:.4g}"),
        ("null_draws", settings.draws),
        ("null_alpha", f"{settings.alpha:g}"),
        ("null_copula", _copula(strata.null_df)),
        ("resamples", settings.resamples),
        ("gaussian_mixture", _mixture(strata)),
    ]
    rows += [(f"label_{row.stratum}", f"{row.label}: {row.reason}") for row in names.itertuples()]
    return pd.DataFrame([(item, str(value)) for item, value in rows], columns=["item", "value"])


def _controls(samples: pd.DataFrame, control: str | None, settings: StratificationSettings) -> str:
    if control is None or not (samples["disease"] == control).any():
        return "none in this cohort"
    if settings.include_controls:
        return "clustered with the patients"
    return "not clustered; placed in the stratum with the nearest centroid"


def _copula(df: float) -> str:
    if np.isnan(df):
        return "not tested"
    return "Gaussian" if np.isinf(df) else f"t with {df:g} degrees of freedom"


def _mixture(strata: Strata) -> str:
    if strata.mixture is None:
        return "not compared: one stratum"
    found = strata.mixture
    return (
        f"adjusted Rand index {found.adjusted_rand:.2f} with the strata, {found.moved} of "
        f"{int(strata.table['clustered'].sum())} patients elsewhere; lowest BIC at {found.bic_k} components"
    )
