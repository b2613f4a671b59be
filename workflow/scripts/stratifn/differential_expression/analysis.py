"""The whole phase for one cohort: every table, and what could not be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad
import pandas as pd

from stratifn.differential_expression.contrasts import Question
from stratifn.differential_expression.cross_disease import cross_disease_columns, cross_disease_table
from stratifn.differential_expression.enrichment import COLUMNS as ENRICHMENT_COLUMNS
from stratifn.differential_expression.enrichment import enrichment_table
from stratifn.differential_expression.model_choice import fit_model
from stratifn.differential_expression.model_fit import ModelFit
from stratifn.differential_expression.permutation import COLUMNS as PERMUTATION_COLUMNS
from stratifn.differential_expression.permutation import permutation_null
from stratifn.differential_expression.possible import impossible_table, possible_comparisons
from stratifn.differential_expression.rank_sum import rank_sum_of
from stratifn.differential_expression.results import contrast_table, summary_table, undetermined_notes
from stratifn.differential_expression.settings import Settings
from stratifn.differential_expression.verdicts import call_verdicts
from stratifn.registry.gene_sets import GeneSet
from stratifn.running.by_products import by_product
from stratifn.shared.claims import verdicts_table
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.design import model_matrix
from stratifn.shared.vocabulary import RNA

if TYPE_CHECKING:
    from pydeseq2.inference import Inference

# above this size each refit is costly, and a few tell whether heavy tails make calls
LARGE = 400
PERMUTATIONS, PERMUTATIONS_IF_LARGE = 10, 2


@dataclass(frozen=True)
class DifferentialExpression:
    """The contract's tables of the phase: `tables` by contrast name, `design` the model matrix that was fitted."""

    tables: dict[str, pd.DataFrame]
    summary: pd.DataFrame
    cross_disease: pd.DataFrame
    enrichment: pd.DataFrame
    permutation: pd.DataFrame
    design: pd.DataFrame
    verdicts: pd.DataFrame
    notes: pd.DataFrame


def analyse_cohort(
    view: ad.AnnData | None,
    samples: pd.DataFrame,
    question: Question,
    settings: Settings,
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
    question
        What is compared.
    settings
        The section of the configuration.
    gene_sets
        For the enrichment.
    inference
        The engine for counts.
    """
    alpha = settings.alpha
    if view is None:
        return _nothing(question, {}, samples, alpha, [("differential expression", "there is no view rna")])
    samples = samples.set_index("sample", drop=False).loc[view.obs_names]
    possible = possible_comparisons(samples, question)
    without = {name: impossible_table(view.var, reason) for name, reason in possible.reasons.items()}
    if possible.reason:
        notes = [("differential expression", possible.reason), *possible.reasons.items()]
        return _nothing(question, without, samples, alpha, notes)
    contrasts, control = possible.question.contrasts, possible.question.control
    design = model_matrix(samples, question.design, control)
    fit = fit_model(view, design, inference)
    made = {
        each.name: contrast_table(fit, each, settings, rank_pvalues=rank_sum_of(view, samples, each))
        for each in contrasts
    }
    tables = {each.name: (made | without)[each.name] for each in question.contrasts}
    permutations = number_of_permutations(settings.permutations, len(samples))
    null, without_null = by_product(
        lambda: permutation_null(
            view, samples, question.design, control, contrasts, permutations, settings, inference=inference
        ),
        pd.DataFrame(columns=PERMUTATION_COLUMNS),
        view=RNA,
        item="calls on permuted labels",
    )
    columns_across = cross_disease_columns(question.diseases)
    across, without_across = by_product(
        lambda: _across(fit, possible.question, made, settings).reindex(columns=columns_across),
        pd.DataFrame(columns=columns_across),
        view=RNA,
        item="effects across diseases",
    )
    sets, without_sets = by_product(
        lambda: enrichment_table(view, design, contrasts, gene_sets),
        pd.DataFrame(columns=ENRICHMENT_COLUMNS),
        view=RNA,
        item="gene sets",
    )
    failed = pd.DataFrame([*without_null, *without_across, *without_sets], columns=list(NOTE_COLUMNS))
    permuted_calls = dict(zip(null["contrast"], null["mean_calls"], strict=True))
    summary = summary_table(tables, list(question.contrasts), samples, alpha, permuted_calls, fit.model)
    return DifferentialExpression(
        tables=tables,
        summary=summary,
        cross_disease=across,
        enrichment=sets,
        permutation=null,
        design=design.matrix.reset_index(),
        verdicts=call_verdicts(summary, null, contrasts, view, samples, settings, tables),
        notes=pd.concat(
            [_notes(fit, question.control, possible.reasons, gene_sets), undetermined_notes(tables), failed],
            ignore_index=True,
        ),
    )


def number_of_permutations(asked: int | None, samples: int) -> int:
    """Return how many refits are made: as many as asked, or by the size of the cohort."""
    if asked is not None:
        return asked
    return PERMUTATIONS if samples <= LARGE else PERMUTATIONS_IF_LARGE


def _across(fit: ModelFit, question: Question, tables: Mapping[str, pd.DataFrame], settings: Settings) -> pd.DataFrame:
    if question.control is None or not question.diseases:
        return pd.DataFrame(columns=cross_disease_columns(question.diseases))
    return cross_disease_table(fit, question.diseases, question.control, tables, settings)


def _notes(
    fit: ModelFit, control: str | None, reasons: Mapping[str, str], gene_sets: Sequence[GeneSet]
) -> pd.DataFrame:
    notes = [(RNA, "differential expression", "model", note) for note in fit.notes]
    if control is None:
        reason = "this run has no controls: diseases are compared only with each other"
        notes.append((RNA, "differential expression against controls, effects across diseases", "not computed", reason))
    notes += [(RNA, name, "not computed", reason) for name, reason in reasons.items()]
    notes += [
        (RNA, f"gene set {each.name}", "repeated genes", f"counted once: {', '.join(each.repeated)}")
        for each in gene_sets
        if each.repeated
    ]
    return pd.DataFrame(notes, columns=list(NOTE_COLUMNS))


def _nothing(
    question: Question,
    tables: Mapping[str, pd.DataFrame],
    samples: pd.DataFrame,
    alpha: float,
    notes: Sequence[tuple[str, str]],
) -> DifferentialExpression:
    """Return the tables of a phase in which nothing is fitted: columns, no numbers, and why (item, reason)."""
    asked = [contrast for contrast in question.contrasts if contrast.name in tables]
    return DifferentialExpression(
        tables={each.name: tables[each.name] for each in asked},
        summary=summary_table(tables, asked, samples, alpha),
        cross_disease=pd.DataFrame(columns=cross_disease_columns(question.diseases)),
        enrichment=pd.DataFrame(columns=ENRICHMENT_COLUMNS),
        permutation=pd.DataFrame(columns=PERMUTATION_COLUMNS),
        design=pd.DataFrame(columns=["sample"]),
        verdicts=verdicts_table([]),
        notes=pd.DataFrame([(RNA, item, "not computed", why) for item, why in notes], columns=list(NOTE_COLUMNS)),
    )
