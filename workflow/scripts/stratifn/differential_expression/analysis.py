"""The whole phase for one cohort: every table, and what could not be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from stratifn.differential_expression.results import contrast_table, summary_table
from stratifn.differential_expression.threshold import threshold_table
from stratifn.shared.design import model_matrix
from stratifn.shared.vocabulary import NOTE_COLUMNS, RNA

if TYPE_CHECKING:
    from pydeseq2.inference import Inference

# above this size nearly every refit calls something, and the refits cost more than they tell
MAX_SAMPLES_PERMUTED = 400
DEFAULT_PERMUTATIONS = 10


@dataclass(frozen=True)
class DifferentialExpression:
    """The contract's tables of the phase: `tables` by contrast name, `design` the model matrix that was fitted."""

    tables: dict[str, pd.DataFrame]
    summary: pd.DataFrame
    cross_disease: pd.DataFrame
    enrichment: pd.DataFrame
    permutation: pd.DataFrame
    design: pd.DataFrame
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
    diseases, control, alpha = cohort["diseases"], cohort["control"], settings["alpha"]
    if view is None or not contrasts:
        reason = "there is no view rna" if view is None else "there is one group: nothing to compare"
        return _nothing(diseases, samples, alpha, reason)
    samples = samples.set_index("sample", drop=False).loc[view.obs_names]
    fit = fit_model(view, model_matrix(samples, cohort["design"], control), inference)
    tables = {each.name: _table(fit, each, settings) for each in contrasts}
    null = permutation_null(
        view,
        samples,
        cohort["design"],
        control,
        contrasts,
        _permutations(settings["permutations"], len(samples)),
        alpha=alpha,
        inference=inference,
    )
    return DifferentialExpression(
        tables=tables,
        summary=summary_table(
            tables, list(contrasts), samples, alpha, dict(zip(null.contrast, null.mean_calls, strict=True))
        ),
        cross_disease=_across(fit, diseases, control, tables, alpha),
        enrichment=enrichment_table(tables, gene_sets),
        permutation=null,
        design=fit.design.matrix.reset_index(),
        notes=_notes(fit, control),
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
    fit: ModelFit, diseases: Sequence[str], control: str | None, tables: Mapping[str, pd.DataFrame], alpha: float
) -> pd.DataFrame:
    if control is None:
        return pd.DataFrame(columns=cross_disease_columns(diseases))
    return cross_disease_table(fit, diseases, control, tables, alpha)


def _notes(fit: ModelFit, control: str | None) -> pd.DataFrame:
    notes = [(RNA, "differential expression", "model", note) for note in fit.notes]
    if control is None:
        reason = "this run has no controls: diseases are compared with each other alone"
        notes.append((RNA, "differential expression against controls, effects across diseases", "not computed", reason))
    return pd.DataFrame(notes, columns=list(NOTE_COLUMNS))


def _nothing(diseases: Sequence[str], samples: pd.DataFrame, alpha: float, reason: str) -> DifferentialExpression:
    """Return every table with its columns and without rows."""
    return DifferentialExpression(
        tables={},
        summary=summary_table({}, [], samples, alpha),
        cross_disease=pd.DataFrame(columns=cross_disease_columns(diseases)),
        enrichment=enrichment_table({}, []),
        permutation=pd.DataFrame(columns=PERMUTATION_COLUMNS),
        design=pd.DataFrame(columns=["sample"]),
        notes=pd.DataFrame([(RNA, "differential expression", "not computed", reason)], columns=list(NOTE_COLUMNS)),
    )
