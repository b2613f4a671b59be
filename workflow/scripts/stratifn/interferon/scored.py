"""The whole phase for one cohort (`analyse_cohort`), and the same path for new patients (`place_patients`)."""

from __future__ import annotations

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.interferon.classes import Standing, class_table, standing, under_anti_ifn
from stratifn.interferon.controls import Controls, find_controls
from stratifn.interferon.expression import KINDS
from stratifn.interferon.learning import fit_reference
from stratifn.interferon.methods import METHODS
from stratifn.interferon.notes import notes_table
from stratifn.interferon.prevalence import agreement_table, prevalence_table
from stratifn.interferon.reference import Reference
from stratifn.interferon.scoring import People, measure, score_table
from stratifn.interferon.settings import Settings
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import Registry
from stratifn.shared.columns import columns_of
from stratifn.shared.errors import InputError

REFERENCE_COLUMNS = columns_of("interferon/reference.tsv")
# a mean of z-scores of the controls is zero; what is left of it below this many decimals is rounding
DECIMALS = 12


@dataclass(frozen=True)
class Origin:
    """Where the expression comes from: it decides the wording and what may be compared.

    Attributes
    ----------
    specimen, platform
        As in the config (``whole_blood``, ``rnaseq``, ...).
    control_type
        ``healthy`` or ``other``.
    """

    specimen: str
    platform: str
    control_type: str


@dataclass(frozen=True)
class Cohort:
    """Whom the phase scores.

    Attributes
    ----------
    samples
        The sheet: ``sample``, ``disease`` and any of ``batch``, ``centre``, ``anti_ifn``.
    control
        Label of the controls in ``disease``, or None.
    origin
        Specimen, platform, kind of controls.
    """

    samples: pd.DataFrame
    control: str | None
    origin: Origin


@dataclass(frozen=True)
class Interferon:
    """Results of the phase: the frozen reference, the people on its scale, and the contract's tables."""

    reference: Reference
    people: People
    scores: pd.DataFrame
    reference_table: pd.DataFrame
    classes: pd.DataFrame
    prevalence: pd.DataFrame
    agreement: pd.DataFrame
    notes: pd.DataFrame


def analyse_cohort(
    rna: ad.AnnData, cohort: Cohort, knowledge: Knowledge, settings: Settings, reference: Reference | None = None
) -> Interferon:
    """Score a cohort against its own controls, or against a reference that another run exported.

    Parameters
    ----------
    rna
        Raw counts of all genes or log-scale values, samples x features; ``uns["kind"]`` says which (``counts`` or
        ``continuous``).
    cohort
        Whom to score.
    knowledge
        From `stratifn.registry.knowledge.load_knowledge`.
    settings
        The config's section.
    reference
        A frozen reference to use instead of the run's own controls.

    Returns
    -------
    Interferon
        Tables with exactly the contract's columns; every sample has its rows, scored or with the reason why not.

    Raises
    ------
    InputError
        For an unknown signature, method or rule, and for a matrix of another kind than the reference's.
    """
    kind, samples, control, origin = str(rna.uns["kind"]), cohort.samples, cohort.control, cohort.origin
    if kind not in KINDS:
        raise InputError(f"interferon scores need counts or a log-scale matrix; this view is of kind {kind}.")
    if reference is None:
        controls = find_controls(samples, rna.obs_names, control, settings.min_controls)
        fitted = fit_reference(rna, kind, controls, knowledge, settings)
    else:
        controls, fitted = Controls((), "", ("the reference was made by another run",)), reference
        _same_kind(reference, kind)
    people = measure(rna, fitted)
    standings = {name: standing(people, fitted, gene_set) for name, gene_set in fitted.panel.items()}
    registry = knowledge.registry
    return Interferon(
        reference=fitted,
        people=people,
        scores=score_table(people, fitted),
        reference_table=reference_table(fitted),
        classes=class_table(people, fitted, samples),
        prevalence=_prevalence(people, standings, fitted, samples, registry, control, origin),
        agreement=agreement_table(standings, fitted, _patients(people, samples, control)),
        notes=notes_table(fitted, people, controls, registry, origin.specimen, origin.platform, origin.control_type),
    )


def reference_of_cohort(
    data: ad.AnnData, samples: pd.DataFrame, control: str | None, knowledge: Knowledge, settings: Settings
) -> Reference:
    """Learn the reference of a cohort's controls, the one that `analyse_cohort` scores it against.

    Parameters are those of `Cohort` and `analyse_cohort`.
    """
    controls = find_controls(samples, data.obs_names, control, settings.min_controls)
    return fit_reference(data, str(data.uns["kind"]), controls, knowledge, settings)


def place_patients(
    data: ad.AnnData, kind: str, samples: pd.DataFrame, reference: Reference
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score new patients with a frozen reference alone: the tables of `scores.tsv` and `classes.tsv`.

    The path is that of the cohort, person by person: one patient alone gets what it gets in a batch.
    """
    _same_kind(reference, kind)
    people = measure(data, reference)
    return score_table(people, reference), class_table(people, reference, samples)


def reference_table(reference: Reference) -> pd.DataFrame:
    """Return `reference.tsv`: a row per signature and method; NA where there is no reference."""
    rows = []
    for signature in reference.panel:
        for method in METHODS:
            numbers = vars(reference.cutoff(signature, method))
            rounded = {key: round(value, DECIMALS) + 0.0 for key, value in numbers.items()}
            rows.append({"signature": signature, "method": method, "n_controls": reference.n_controls} | rounded)
    table = pd.DataFrame(rows, columns=list(REFERENCE_COLUMNS))
    return table.sort_values(["signature", "method"], ignore_index=True)


def _same_kind(reference: Reference, kind: str) -> None:
    if kind != reference.kind:
        raise InputError(
            f"the reference was made from a matrix of kind {reference.kind}, this one is of kind {kind}: "
            "their scores are not on one scale."
        )


def _disease(people: People, samples: pd.DataFrame) -> np.ndarray:
    return samples.set_index("sample")["disease"].reindex(list(people.samples)).astype(str).to_numpy()


def _patients(people: People, samples: pd.DataFrame, control: str | None) -> np.ndarray:
    return _disease(people, samples) != str(control)


def _prevalence(
    people: People,
    standings: dict[str, Standing],
    reference: Reference,
    samples: pd.DataFrame,
    registry: Registry,
    control: str | None,
    origin: Origin,
) -> pd.DataFrame:
    sheet = samples.set_index("sample").reindex(list(people.samples)).reset_index()
    return prevalence_table(
        standings=standings,
        reference=reference,
        disease=_disease(people, samples),
        masked=under_anti_ifn(sheet),
        registry=registry,
        control=control,
        specimen=origin.specimen,
        control_type=origin.control_type,
    )
