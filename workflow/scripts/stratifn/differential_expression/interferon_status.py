"""IFN-high against IFN-low patients: a second fit, after the classes are known, and descriptive.

The classes were made from some of the genes that are compared here, so these have no p-value, and the
p-values of genes that follow them are optimistic.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast, Question
from stratifn.differential_expression.model_choice import fit_model
from stratifn.differential_expression.model_fit import ModelFit
from stratifn.differential_expression.possible import impossible_table
from stratifn.differential_expression.results import (
    SUMMARY_COLUMNS,
    SUMMARY_COUNTS,
    contrast_table,
    summary_row,
    undetermined_notes,
)
from stratifn.differential_expression.settings import Settings
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.comparisons import interferon_contrast_names
from stratifn.shared.design import MIN_REPLICATES, check_design, model_matrix, parse_design
from stratifn.shared.vocabulary import HIGH, LOW, RNA, UNDETERMINED

if TYPE_CHECKING:
    from pydeseq2.inference import Inference

DEFINING = "defining"
# the patient's disease, under a name that no column of a sheet can have
OF = "of the disease"


@dataclass(frozen=True)
class InterferonStatusResult:
    """Tables by contrast name, their summary, and what a reader should know.

    Attributes
    ----------
    tables
        Columns of `results.contrast_table`. Where a comparison is not possible every number is NA and `status` holds
        the reason.
    summary
        Columns of `results.summary_table`.
    notes
        Columns view, item, what, reason.
    """

    tables: dict[str, pd.DataFrame]
    summary: pd.DataFrame
    notes: pd.DataFrame


def compare_interferon_status(
    view: ad.AnnData,
    samples: pd.DataFrame,
    classes: pd.DataFrame,
    question: Question,
    defining: Collection[str],
    settings: Settings,
    inference: Inference | None = None,
) -> InterferonStatusResult:
    """Compare IFN-high with IFN-low patients within each disease and over all.

    Controls, borderline and unscored patients are left out. One fit with a mean per disease and class, adjusted for
    the other covariates of the design; the overall effect is the mean of the diseases' own differences, so that a
    disease with more IFN-high patients does not enter it as a disease.

    Parameters
    ----------
    view
        The normalised view.
    samples
        The samples in the view.
    classes
        ``interferon/classes.tsv``: sample, ifn_class.
    question
        The cohort's diseases and design; interactions with the disease are left out of the design.
    defining
        Ids or symbols of the genes of the scoring signature; status ``defining``, no p-value.
    settings
        As for the other contrasts; effects are not shrunken.
    inference
        The engine for counts.
    """
    settings, diseases = replace(settings, shrink=False), question.diseases
    chosen, reasons = _patients(samples, classes, diseases)
    possible = [disease for disease in diseases if not reasons[disease]]
    fit: ModelFit | None = None
    notes: list[str] = []
    if possible:
        chosen = chosen[chosen[OF].isin(possible)]
        fit, notes = _fit(view, chosen, question.design, inference)
        if fit is None:
            reasons = dict.fromkeys(diseases, notes[-1])
            possible = []
    overall = "" if possible else "no disease has enough IFN-high and IFN-low patients to compare"
    genes = view.var[["gene_name"]]
    tables, rows = {}, []
    for name, disease in zip(interferon_contrast_names(diseases), [None, *diseases], strict=True):
        members = possible if disease is None else [disease]
        reason = overall if disease is None else reasons[disease]
        if fit is None or reason:
            tables[name] = impossible_table(genes, reason)
        else:
            defined = _is_defining(genes, defining)
            tables[name] = _descriptive(fit, _difference(fit, name, members), defined, settings)
        rows.append(_summary_row(name, tables[name], chosen, members if not reason else [], settings.alpha, fit))
    summary = pd.DataFrame(rows, columns=SUMMARY_COLUMNS).astype(SUMMARY_COUNTS)
    note_rows = [[RNA, "IFN-high against IFN-low", "descriptive", note] for note in notes]
    all_notes = pd.concat([pd.DataFrame(note_rows, columns=list(NOTE_COLUMNS)), undetermined_notes(tables)])
    return InterferonStatusResult(tables, summary, all_notes.reset_index(drop=True))


def _patients(
    samples: pd.DataFrame, classes: pd.DataFrame, diseases: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the patients with a class, and per disease why it cannot be compared (empty if it can)."""
    ifn_class = classes.set_index("sample")["ifn_class"]
    table = samples.assign(**{OF: samples["disease"].astype(str), "ifn_class": samples["sample"].map(ifn_class)})
    table = table[table[OF].isin(diseases) & table["ifn_class"].isin([HIGH, LOW])]
    table = table.assign(disease=table[OF] + "." + table["ifn_class"]).reset_index(drop=True)
    reasons = {}
    for disease in diseases:
        sizes = {group: int((table["disease"] == f"{disease}.{group}").sum()) for group in (HIGH, LOW)}
        few = [f"{size} IFN-{group}" for group, size in sizes.items() if size < MIN_REPLICATES]
        reasons[disease] = f"{' and '.join(few)} patients of {disease}; {MIN_REPLICATES} are needed" if few else ""
    return table, reasons


def _fit(
    view: ad.AnnData, chosen: pd.DataFrame, design: str, inference: Inference | None
) -> tuple[ModelFit | None, list[str]]:
    """Fit with the design's covariates, or without them where these patients cannot tell them apart."""
    terms = [term for term in parse_design(design) if term == ("disease",) or "disease" not in term]
    adjusted = " + ".join(":".join(term) for term in terms)
    notes: list[str] = []
    for attempt in dict.fromkeys([adjusted, "disease"]):
        problems = check_design(chosen, attempt, None)
        if not problems:
            return fit_model(view, model_matrix(chosen, attempt), inference), notes
        notes.append(f"design {attempt!r} not possible: {problems[0].found}")
    return None, notes


def _difference(fit: ModelFit, name: str, diseases: Sequence[str]) -> Contrast:
    """High minus low, averaged over diseases."""
    weights: dict[str, float] = {}
    for disease in diseases:
        for group, sign in ((HIGH, 1.0), (LOW, -1.0)):
            column = f"disease[{disease}.{group}]"
            if column in fit.design.matrix.columns:  # the first cell is the intercept
                weights[column] = sign / len(diseases)
    return Contrast(name, coefficients=weights)


def _is_defining(genes: pd.DataFrame, defining: Collection[str]) -> np.ndarray:
    return (genes.index.isin(defining) | genes["gene_name"].astype(str).isin(defining)).astype(bool)


def _descriptive(fit: ModelFit, contrast: Contrast, defining: np.ndarray, settings: Settings) -> pd.DataFrame:
    table = contrast_table(fit, contrast, settings, without_test=defining)
    is_defining = table["gene_id"].isin(fit.genes.index[defining]) & (table["status"] != UNDETERMINED)
    table.loc[is_defining, "status"] = DEFINING
    table.loc[is_defining, "stat"] = np.nan
    return table


def _summary_row(
    name: str,
    table: pd.DataFrame,
    chosen: pd.DataFrame,
    diseases: Sequence[str],
    alpha: float,
    fit: ModelFit | None,
) -> list:
    members = chosen[chosen[OF].isin(diseases)]
    sizes = [int((members["ifn_class"] == group).sum()) for group in (HIGH, LOW)]
    return summary_row(name, sizes, table, alpha, model=fit.model if fit else None)
