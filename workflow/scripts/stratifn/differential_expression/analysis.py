"""The whole phase for one cohort: every table, and what could not be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anndata as ad
import pandas as pd

from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.cross_disease import cross_disease_columns, cross_disease_table
from stratifn.differential_expression.enrichment import GeneSet, enrichment_table
from stratifn.differential_expression.model_choice import fit_model
from stratifn.differential_expression.model_fit import ModelFit
from stratifn.differential_expression.permutation import COLUMNS as PERMUTATION_COLUMNS
from stratifn.differential_expression.permutation import permutation_null
from stratifn.differential_expression.possible import Possible, impossible_table, possible_comparisons
from stratifn.differential_expression.results import contrast_table, summary_table
from stratifn.differential_expression.threshold import threshold_table
from stratifn.shared.design import model_matrix

if TYPE_CHECKING:
    from pydeseq2.inference import Inference

# above this size nearly every refit calls something, and the refits cost more than they tell
MAX_SAMPLES_PERMUTED = 400
DEFAULT_PERMUTATIONS = 10
NOTE_COLUMNS = ["view", "item", "what", "reason"]


@dataclass(frozen=True)
class DifferentialExpression:
    """The contract's tables of the phase; `tables` by contrast name, `notes` with columns view, item, what, reason."""

    tables: dict[str, pd.DataFrame]
    summary: pd.DataFrame
    cross_disease: pd.DataFrame
    enrichment: pd.DataFrame
    permutation: pd.DataFrame
    notes: pd.DataFrame


def analyse_cohort(
    view: ad.AnnData | None,
    samples: pd.DataFrame,
    cohort: Mapping[str, Any],
    contrasts: Sequence[Contrast],
    settings: Mapping[str, Any],
    gene_sets: Sequence[GeneSet],
    inference: Inference | None = None,
) -> DifferentialExpression:
    """Fit a cohort once and read everything from the fit.

    Parameters
    ----------
    view
        The normalised view ``rna``, or None where the cohort has none.
    samples
        The cohort's samples.
    cohort
        `diseases`, `control` and `design`.
    contrasts
        What is compared.
    settings
        `alpha`, `shrink`, `lfc_threshold` and `permutations` (None: ten up to 400 samples, none above).
    gene_sets
        For the enrichment.
    inference
        The engine for counts.
    """
    diseases, alpha = cohort["diseases"], settings["alpha"]
    if view is None:
        return _nothing(diseases, samples, alpha, [("differential expression", "there is no view rna")])
    samples = samples.set_index("sample", drop=False).loc[view.obs_names]
    possible = possible_comparisons(samples, diseases, cohort["control"], contrasts)
    without = {name: impossible_table(view.var, reason) for name, reason in possible.reasons.items()}
    if possible.reason:
        notes = [("differential expression", possible.reason), *possible.reasons.items()]
        return _nothing(diseases, samples, alpha, notes, contrasts, without)
    control = possible.control
    fit = fit_model(view, model_matrix(samples, cohort["design"], control), inference)
    made = {each.name: _table(fit, each, settings) for each in possible.contrasts}
    tables = {each.name: (made | without)[each.name] for each in contrasts}
    null = permutation_null(
        view,
        samples,
        cohort["design"],
        control,
        possible.contrasts,
        _permutations(settings["permutations"], len(samples)),
        alpha=alpha,
        inference=inference,
    )
    return DifferentialExpression(
        tables=tables,
        summary=summary_table(
            tables, list(contrasts), samples, alpha, dict(zip(null.contrast, null.mean_calls, strict=True))
        ),
        cross_disease=_across(fit, diseases, possible, made, alpha),
        enrichment=enrichment_table(made, gene_sets),
        permutation=null,
        notes=_notes(fit, cohort["control"], possible.reasons),
    )


def _table(fit: ModelFit, contrast: Contrast, settings: Mapping[str, Any]) -> pd.DataFrame:
    table = contrast_table(fit, contrast, settings["alpha"], settings["shrink"])
    if not settings["lfc_threshold"]:
        return table
    beyond = threshold_table(fit, contrast, settings["lfc_threshold"], settings["alpha"])
    return beyond.assign(log2FoldChangeShrunk=table["log2FoldChangeShrunk"])


def _permutations(asked: int | None, samples: int) -> int:
    if asked is not None:
        return asked
    return DEFAULT_PERMUTATIONS if samples <= MAX_SAMPLES_PERMUTED else 0


def _across(
    fit: ModelFit, diseases: Sequence[str], possible: Possible, tables: Mapping[str, pd.DataFrame], alpha: float
) -> pd.DataFrame:
    """Pool the diseases that can be compared with the control; the columns of the others stay empty."""
    columns = cross_disease_columns(diseases)
    if possible.control is None or not possible.diseases:
        return pd.DataFrame(columns=columns)
    table = cross_disease_table(fit, possible.diseases, possible.control, tables, alpha)
    return table.reindex(columns=columns)


def _notes(fit: ModelFit, control: str | None, reasons: Mapping[str, str]) -> pd.DataFrame:
    notes = [("rna", "differential expression", "model", note) for note in fit.notes]
    if control is None:
        reason = "this run has no controls: diseases are compared with each other alone"
        notes.append(
            ("rna", "differential expression against controls, effects across diseases", "not computed", reason)
        )
    notes += [("rna", name, "not computed", reason) for name, reason in reasons.items()]
    return pd.DataFrame(notes, columns=NOTE_COLUMNS)


def _nothing(
    diseases: Sequence[str],
    samples: pd.DataFrame,
    alpha: float,
    notes: Sequence[tuple[str, str]],
    contrasts: Sequence[Contrast] = (),
    tables: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> DifferentialExpression:
    """Return the tables of a phase in which nothing is fitted: columns, no numbers, and why (item, reason)."""
    return DifferentialExpression(
        tables={each.name: tables[each.name] for each in contrasts},
        summary=summary_table(tables, list(contrasts), samples, alpha),
        cross_disease=pd.DataFrame(columns=cross_disease_columns(diseases)),
        enrichment=enrichment_table({}, []),
        permutation=pd.DataFrame(columns=PERMUTATION_COLUMNS),
        notes=pd.DataFrame([("rna", item, "not computed", why) for item, why in notes], columns=NOTE_COLUMNS),
    )
