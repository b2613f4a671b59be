"""Every table of the phase: the scores of the cohort, and the other measurements that the cohort has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.interferon.axes import AXIS_COLUMNS, axes_table
from stratifn.interferon.classes import CLASS_COLUMNS
from stratifn.interferon.confounding import CONFOUNDING_COLUMNS, confounding_table
from stratifn.interferon.methylation import METHYLATION_COLUMNS, methylation_table
from stratifn.interferon.prevalence import AGREEMENT_COLUMNS, PREVALENCE_COLUMNS
from stratifn.interferon.protein import (
    PROTEIN_COLUMNS,
    RANK_COLUMNS,
    Assay,
    concentrations,
    find_ifn_alpha,
    log2_over_controls,
    protein_table,
    rank_agreement,
)
from stratifn.interferon.reference import from_parts, to_parts
from stratifn.interferon.scored import REFERENCE_COLUMNS, Cohort, analyse_cohort, reference_of_cohort
from stratifn.interferon.scoring import SCORE_COLUMNS
from stratifn.interferon.settings import ProteinSettings, Settings
from stratifn.interferon.types import TYPE_COLUMNS
from stratifn.interferon.verdicts import interferon_verdicts
from stratifn.registry.knowledge import Knowledge
from stratifn.shared.claims import COLUMNS as VERDICT_COLUMNS
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.vocabulary import RNA, UNSCORED

FROM_ELSEWHERE = "read with care"
COLUMNS = {
    "scores": SCORE_COLUMNS,
    "reference": REFERENCE_COLUMNS,
    "classes": CLASS_COLUMNS,
    "response_types": TYPE_COLUMNS,
    "prevalence": PREVALENCE_COLUMNS,
    "agreement": AGREEMENT_COLUMNS,
    "axes": AXIS_COLUMNS,
    "protein": PROTEIN_COLUMNS,
    "protein_ranks": RANK_COLUMNS,
    "methylation": METHYLATION_COLUMNS,
    "confounding": CONFOUNDING_COLUMNS,
    "verdicts": VERDICT_COLUMNS,
    "notes": NOTE_COLUMNS,
}


@dataclass(frozen=True)
class Beside:
    """What may be known beside expression.

    Attributes
    ----------
    concentrations
        Validated views of concentrations by name (not transformed).
    methylation, cells
        M-values and centred log-ratios of cell proportions, or None.
    analyte
        Name of the IFN-alpha protein in its view; empty if it is to be detected from the analytes' names.
    assay
        Name and cut-off of its assay.
    """

    concentrations: Mapping[str, ad.AnnData]
    methylation: ad.AnnData | None
    cells: ad.AnnData | None
    analyte: str
    assay: Assay

    @classmethod
    def of(
        cls,
        concentrations: Mapping[str, ad.AnnData],
        methylation: Mapping[str, ad.AnnData],
        cells: Mapping[str, ad.AnnData],
        protein: ProteinSettings,
    ) -> Beside:
        """Take the first view of each kind, and what is known of the protein's assay."""
        return cls(
            concentrations,
            next(iter(methylation.values()), None),
            next(iter(cells.values()), None),
            protein.protein_analyte or "",
            Assay(protein.protein_assay, protein.protein_cutoff),
        )


def interferon_tables(
    rna: ad.AnnData | None,
    cohort: Cohort,
    knowledge: Knowledge,
    settings: Settings,
    beside: Beside,
    frozen: tuple[Mapping[str, Any], Mapping[str, np.ndarray]] | None = None,
) -> dict[str, pd.DataFrame]:
    """Compute every table of the phase.

    Parameters
    ----------
    rna
        The validated view ``rna`` (``uns["kind"]`` tells counts from log values), or None where there is none: then
        every sample is unscored, with the reason.
    cohort, knowledge, settings
        As for `analyse_cohort`.
    beside
        Protein, methylation and cells.
    frozen
        Values and arrays of a reference that another run exported, to be used instead of this run's controls.

    Returns
    -------
    dict
        Table by the name of its file, see `COLUMNS`. A table whose data are missing has no rows; the notes say why.
    """
    tables = {name: pd.DataFrame(columns=list(columns)) for name, columns in COLUMNS.items()}
    samples, control, registry = cohort.samples, cohort.control, knowledge.registry
    if rna is None:
        return tables | _without_expression(samples)
    scored = analyse_cohort(rna, cohort, knowledge, settings, from_parts(*frozen) if frozen else None)
    controls = samples.loc[samples["disease"].eq(control), "sample"].tolist() if control is not None else []
    notes = [scored.notes]
    if frozen:
        notes.append(_note("reference", "scores and cut-offs come from a reference of another run", FROM_ELSEWHERE))
    protein, analyte = _ifn_alpha(beside)
    if protein is None:
        sought = f"the analyte {beside.analyte}" if beside.analyte else "exactly one IFN-alpha analyte"
        notes.append(_note("protein", f"no view of concentrations has {sought}"))
        relative = None
    else:
        tables["protein"] = protein_table(protein, scored.classes, analyte, beside.assay, settings.signature, control)
        tables["protein_ranks"] = rank_agreement(protein, scored.classes)
        relative = log2_over_controls(protein, controls)
    if beside.methylation is None:
        notes.append(_note("methylation", "there is no view of kind beta"))
    else:
        tables["methylation"] = methylation_table(
            beside.methylation, controls, scored.reference.refusal, registry, beside.cells
        )
    return tables | {
        "scores": scored.scores,
        "reference": scored.reference_table,
        "classes": scored.classes,
        "response_types": scored.types,
        "prevalence": scored.prevalence,
        "agreement": scored.agreement,
        "axes": axes_table(scored.people, scored.reference, knowledge.axis_sets, registry, relative, analyte),
        "confounding": confounding_table(scored.classes, samples, control, beside.cells),
        "verdicts": interferon_verdicts(scored, cohort, settings),
        "notes": pd.concat(notes, ignore_index=True),
    }


def reference_parts(
    rna: ad.AnnData | None, samples: pd.DataFrame, control: str | None, knowledge: Knowledge, settings: Settings
) -> tuple[dict, dict[str, np.ndarray]] | None:
    """Freeze what scoring a new patient needs: values and arrays, or None without a view ``rna``.

    Parameters are those of `scored.reference_of_cohort`.
    """
    return None if rna is None else to_parts(reference_of_cohort(rna, samples, control, knowledge, settings))


def _note(item: str, reason: str, what: str = "not computed") -> pd.DataFrame:
    return pd.DataFrame([(RNA, item, what, reason)], columns=list(NOTE_COLUMNS))


def _without_expression(samples: pd.DataFrame) -> dict[str, pd.DataFrame]:
    reason = "there is no view rna"
    classes = samples[["sample", "disease"]].assign(ifn_class=UNSCORED, reason=reason)
    return {
        "classes": classes.reindex(columns=list(CLASS_COLUMNS)).sort_values("sample", ignore_index=True),
        "notes": _note("ISG expression scores", reason),
    }


def _ifn_alpha(beside: Beside) -> tuple[pd.DataFrame | None, str]:
    """Return the IFN-alpha protein and its name, from the one view that has it."""
    for view in beside.concentrations.values():
        analyte = beside.analyte or find_ifn_alpha(view)
        if analyte and analyte in view.var_names:
            return concentrations(view, analyte), analyte
    return None, ""
