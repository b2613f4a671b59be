"""The whole phase for one cohort: strata, their names, and every table of the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.shared.columns import columns_of
from stratifn.shared.factor_posterior import FactorPosterior
from stratifn.shared.samples import covariates, measured_views
from stratifn.shared.vocabulary import RNA, UNCERTAIN, UNSCORED
from stratifn.stratification.associations import associations
from stratifn.stratification.labels import Label, name_strata
from stratifn.stratification.markers import markers
from stratifn.stratification.model import StratumModel
from stratifn.stratification.settings import Settings
from stratifn.stratification.strata import Strata, find_strata
from stratifn.stratification.verdicts import strata_verdicts

if TYPE_CHECKING:
    import anndata as ad

IFN_SCORE = "ifn_score"


@dataclass(frozen=True)
class CohortStrata:
    """All tables of the phase, each with the columns of its file, and the model for further patients.

    Attributes
    ----------
    strata
        sample, patient, disease, stratum (or ``uncertain``), confidence, stability, informed, ifn_class, label.
    selection
        k, pac, silhouette, stability, bic, null_pvalue, chosen.
    consensus
        sample, stratum, consensus.
    stability
        stratum, n, jaccard, label.
    composition
        stratum (or ``uncertain``), disease, n, fraction (of the disease's samples).
    associations
        variable, test, n, effect, pvalue, padj, pvalue_within_disease, padj_within_disease.
    markers
        stratum, view, feature, difference, auc.
    summary
        item, value: what was done and what came out.
    verdicts
        How far the strata and their labels can be trusted.
    model
        Places further patients; None if there is one stratum.
    """

    strata: pd.DataFrame
    selection: pd.DataFrame
    consensus: pd.DataFrame
    stability: pd.DataFrame
    composition: pd.DataFrame
    associations: pd.DataFrame
    markers: pd.DataFrame
    summary: pd.DataFrame
    verdicts: pd.DataFrame
    model: StratumModel | None

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by the name of its file."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "model"}


def stratify_cohort(
    factors: pd.DataFrame,
    variance_explained: pd.DataFrame,
    robust: Sequence[str],
    samples: pd.DataFrame,
    views: Mapping[str, ad.AnnData],
    control: str | None,
    settings: Settings,
    ifn: pd.DataFrame | None = None,
    cells: str | None = None,
    posterior: FactorPosterior | None = None,
) -> CohortStrata:
    """Stratify a cohort and say what the strata are.

    Labels, associations and markers are read from the samples whose data show the strata.

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
    posterior
        Of the factors; None if they are known without error.
    """
    strata = find_strata(factors, variance_explained, robust, samples, control, settings, posterior)
    stratum = strata.shown
    sheet = samples[samples["sample"].isin(strata.stratum.index)]
    labels = name_strata(stratum, sheet, control, ifn, views)
    made_of = set(variance_explained["view"])
    tested, descriptive = _variables(sheet, views, ifn, cells, made_of)
    disease = sheet.set_index("sample")["disease"]
    placed = _strata_table(strata, sheet, ifn, labels)
    return CohortStrata(
        strata=placed,
        selection=strata.selection,
        consensus=strata.consensus,
        stability=_stability_table(strata, labels),
        composition=composition(placed.set_index("sample")["stratum"], disease),
        associations=associations(stratum, tested, disease, descriptive, settings.generator(3)),
        markers=markers(stratum, views),
        summary=_summary(strata, sheet, control, settings),
        verdicts=strata_verdicts(strata, labels, sheet, control, settings),
        model=strata.model,
    )


def _strata_table(
    strata: Strata, samples: pd.DataFrame, ifn: pd.DataFrame | None, labels: Mapping[int, Label]
) -> pd.DataFrame:
    table = strata.table.merge(samples[["sample", "patient", "disease"]], on="sample", how="left")
    classes = pd.Series(dtype=object) if ifn is None else ifn.set_index("sample")["ifn_class"]
    table["ifn_class"] = table["sample"].map(classes).fillna(UNSCORED)
    names = {number: label.name for number, label in labels.items()}
    table["label"] = table["stratum"].map(names).mask(table["uncertain"], UNCERTAIN)
    table["stratum"] = table["stratum"].astype(str).mask(table["uncertain"], UNCERTAIN)
    return table[list(columns_of("stratification/strata.tsv"))]


def _stability_table(strata: Strata, labels: Mapping[int, Label]) -> pd.DataFrame:
    sizes = strata.table.loc[~strata.table["uncertain"], "stratum"].value_counts()
    rows = [(number, int(sizes.get(number, 0)), strata.jaccard[number], label.name) for number, label in labels.items()]
    return pd.DataFrame(rows, columns=list(columns_of("stratification/stability.tsv")))


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
    parts, descriptive = [sheet[covariates(sheet)], measured_views(sheet)], []
    if ifn is not None:
        parts.append(ifn.set_index("sample")["score"].rename(IFN_SCORE))
        descriptive += [IFN_SCORE] if RNA in made_of else []
    if cells is not None and cells in views:
        view = views[cells]
        proportions = pd.DataFrame(np.asarray(view.X, dtype=float), view.obs_names, view.var_names)
        parts.append(proportions.add_prefix(f"{cells}:"))
        descriptive += list(parts[-1].columns) if cells in made_of else []
    return pd.concat([part.reindex(sheet.index) for part in parts], axis=1), descriptive


def _summary(strata: Strata, samples: pd.DataFrame, control: str | None, settings: Settings) -> pd.DataFrame:
    """Say what was done, in items and values; the report makes the sentences."""
    dropped = "; ".join(f"{name}: {reason}" for name, reason in strata.space.dropped.items())
    rows = [
        ("strata", strata.number),
        ("samples", len(strata.table)),
        ("samples_clustered", int(strata.table["clustered"].sum())),
        ("samples_uninformed", int((~strata.table["informed"]).sum())),
        ("samples_uncertain", int(strata.table["uncertain"].sum())),
        ("controls", _controls(samples, control, settings)),
        ("factors", " ".join(strata.space.factors) or None),
        ("factors_left_out", dropped or None),
        ("null_pvalue", f"{strata.null_pvalue:.4g}"),
        ("null_draws", settings.draws),
        ("null_copula_df", f"{strata.null_df:g}"),
        ("resamples", settings.resamples),
    ]
    # a number that could not be computed is printed as nan
    shown = [(item, None if value in (None, "nan") else str(value)) for item, value in rows]
    return pd.DataFrame(shown, columns=["item", "value"])


def _controls(samples: pd.DataFrame, control: str | None, settings: Settings) -> str:
    """Say what was done with the controls: ``none``, ``clustered`` with the patients, or ``placed`` afterwards."""
    if control is None or not (samples["disease"] == control).any():
        return "none"
    return "clustered" if settings.include_controls else "placed"
