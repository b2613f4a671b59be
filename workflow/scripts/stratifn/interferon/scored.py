"""The whole phase for one cohort (`analyse_cohort`), and the same path for new patients (`place_patients`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.interferon.classes import Standing, class_table, standing, under_anti_ifn, with_everybody
from stratifn.interferon.controls import Controls, find_controls
from stratifn.interferon.depth import deep_controls
from stratifn.interferon.expression import KINDS
from stratifn.interferon.influence import Influence, leave_one_out
from stratifn.interferon.learning import fit_reference
from stratifn.interferon.methods import METHODS
from stratifn.interferon.notes import notes_table
from stratifn.interferon.prevalence import agreement_table, prevalence_table
from stratifn.interferon.reference import Reference, from_parts
from stratifn.interferon.replicates import disagreeing_replicates
from stratifn.interferon.scoring import People, measure, score_table, set_scores
from stratifn.interferon.settings import Origin, Settings
from stratifn.interferon.types import type_table, types_of_sheet
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import Registry
from stratifn.shared.columns import columns_of
from stratifn.shared.errors import InputError

REFERENCE_COLUMNS = columns_of("interferon/reference.tsv")
# a mean of z-scores of the controls is zero; what is left of it below this many decimals is rounding
DECIMALS = 12


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
    """Results of the phase: the frozen reference, the people on its scale, and the contract's tables.

    Attributes
    ----------
    influence
        What each control decides, by signature and method; empty with a reference from another run.
    outlying
        Controls far above the others.
    """

    reference: Reference
    people: People
    influence: Mapping[tuple[str, str], Influence]
    outlying: tuple[str, ...]
    scores: pd.DataFrame
    reference_table: pd.DataFrame
    classes: pd.DataFrame
    types: pd.DataFrame
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
        controls = _controls(rna, samples, control, knowledge, settings)
        fitted, outlying = fit_reference(rna, kind, controls, knowledge, settings)
    else:
        controls, fitted, outlying = Controls((), "", ("the reference was made by another run",)), reference, ()
        _same_kind(reference, kind)
    people = measure(rna, fitted)
    standings = {name: standing(people, fitted, gene_set) for name, gene_set in fitted.panel.items()}
    registry = knowledge.registry
    scores, types = score_table(people, fitted), type_table(people, fitted)
    influence = leave_one_out(fitted, people, _rows_of_controls(people, fitted, controls, outlying))
    return Interferon(
        reference=fitted,
        people=people,
        influence=influence,
        outlying=outlying,
        scores=scores,
        reference_table=reference_table(fitted, influence, _untreated_patients(people, samples, control)),
        classes=class_table(people, fitted, samples, types),
        types=types_of_sheet(types, samples),
        prevalence=_prevalence(people, standings, fitted, samples, registry, control, origin),
        agreement=agreement_table(standings, fitted, _patients(people, samples, control)),
        notes=notes_table(fitted, people, controls, outlying, _disagreeing(fitted, people, samples), registry, origin),
    )


def reference_of_cohort(
    data: ad.AnnData, samples: pd.DataFrame, control: str | None, knowledge: Knowledge, settings: Settings
) -> Reference:
    """Learn the reference of a cohort's controls, the one that `analyse_cohort` scores it against.

    Parameters are those of `Cohort` and `analyse_cohort`.
    """
    controls = _controls(data, samples, control, knowledge, settings)
    return fit_reference(data, str(data.uns["kind"]), controls, knowledge, settings)[0]


def _controls(
    data: ad.AnnData, samples: pd.DataFrame, control: str | None, knowledge: Knowledge, settings: Settings
) -> Controls:
    """Return the controls that a reference is learnt from."""
    found = find_controls(samples, data.obs_names, control, settings.min_controls)
    return deep_controls(data, str(data.uns["kind"]), found, knowledge, settings)


def place_patients(
    data: ad.AnnData, kind: str, samples: pd.DataFrame, reference: Reference
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score new patients with a frozen reference alone: the tables of `scores.tsv` and `classes.tsv`.

    The path is that of the cohort, person by person: one patient alone gets what it gets in a batch.
    """
    _same_kind(reference, kind)
    people = measure(data, reference)
    return score_table(people, reference), class_table(people, reference, samples, type_table(people, reference))


def score_frozen(
    values: Mapping[str, Any], arrays: Mapping[str, np.ndarray], data: ad.AnnData, samples: pd.DataFrame
) -> pd.DataFrame:
    """Return the table of `classes.tsv` of new patients by a reference as values and arrays."""
    return place_patients(data, str(data.uns["kind"]), samples, from_parts(values, arrays))[1]


def reference_table(
    reference: Reference, influence: Mapping[tuple[str, str], Influence], patients: np.ndarray
) -> pd.DataFrame:
    """Return `reference.tsv`: a row per signature and method; NA where there is no reference.

    Parameters
    ----------
    reference
        The frozen reference.
    influence
        From `leave_one_out`.
    patients
        Whose share above the cut-off is followed when one control is left out (boolean per person).
    """
    rows = []
    fixed = {"n_controls": reference.n_controls, "excluded": reference.excluded}
    for signature in reference.panel:
        for method in METHODS:
            numbers = vars(reference.cutoff(signature, method))
            rounded = {key: round(value, DECIMALS) + 0.0 for key, value in numbers.items()}
            without = _without_one(influence.get((signature, method)), patients)
            rows.append({"signature": signature, "method": method} | fixed | rounded | without)
    table = pd.DataFrame(rows, columns=list(REFERENCE_COLUMNS)).astype({"flipped": float})
    return table.sort_values(["signature", "method"], ignore_index=True)


def _without_one(influence: Influence | None, patients: np.ndarray) -> dict[str, float]:
    shares = np.array([]) if influence is None else influence.shares(patients)
    if influence is None or not len(shares):
        return dict.fromkeys(("prevalence_low", "prevalence_high", "flipped"), float("nan"))
    return {
        "prevalence_low": float(shares.min()),
        "prevalence_high": float(shares.max()),
        "flipped": influence.flipped(patients),
    }


def _rows_of_controls(people: People, reference: Reference, controls: Controls, outlying: Sequence[str]) -> np.ndarray:
    """Return the positions of the controls that the reference rests on."""
    left_out = set(outlying) if reference.excluded else set()
    kept = set(controls.samples) - left_out
    return np.flatnonzero([name in kept for name in people.samples])


def _disagreeing(reference: Reference, people: People, samples: pd.DataFrame) -> list[str]:
    settings = reference.settings
    scores = set_scores(people, reference, reference.panel[settings.signature], settings.method)
    sd = reference.cutoff(settings.signature, settings.method).sd
    return disagreeing_replicates(samples, pd.Series(scores, index=list(people.samples)), sd)


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


def _untreated_patients(people: People, samples: pd.DataFrame, control: str | None) -> np.ndarray:
    return _patients(people, samples, control) & ~under_anti_ifn(_sheet(people, samples))


def _sheet(people: People, samples: pd.DataFrame) -> pd.DataFrame:
    return samples.set_index("sample").reindex(list(people.samples)).reset_index()


def _prevalence(
    people: People,
    standings: dict[str, Standing],
    reference: Reference,
    samples: pd.DataFrame,
    registry: Registry,
    control: str | None,
    origin: Origin,
) -> pd.DataFrame:
    return prevalence_table(
        standings=standings,
        all_controls={name: with_everybody(people, reference, gene_set) for name, gene_set in reference.panel.items()},
        reference=reference,
        disease=_disease(people, samples),
        masked=under_anti_ifn(_sheet(people, samples)),
        registry=registry,
        control=control,
        origin=origin,
    )
