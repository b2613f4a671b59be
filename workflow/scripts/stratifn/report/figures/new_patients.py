"""Figures of new patients: their scores against the reference's cut-off, and the probability of their strata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stratifn.report.content import FigureRecord
from stratifn.report.figures.marks import strip, subplots
from stratifn.report.figures.scores import cut_off
from stratifn.report.new_patients import NewPatients
from stratifn.shared.vocabulary import UNSCORED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def scores_of_new_patients(new: NewPatients) -> Iterator[tuple[str, Figure]]:
    """Draw the score of every patient by disease, with cut-off and mean of the reference's controls."""
    patients = new.patients.set_index("sample")
    if patients["score"].isna().all():
        return
    figure, (panel,) = subplots(2.4 + 0.95 * len(new.looks), 3.8)
    ringed = patients["ifn_class"].eq(UNSCORED) | ~new.supported
    groups = new.disease_of.reindex(patients.index)
    strip(panel, patients["score"], groups, new.looks, new.with_score, new.shown, ringed)
    if new.cutoff is not None:
        low, high = (
            float("nan") if new.cutoff[key] is None else new.cutoff[key] for key in ("cutoff_low", "cutoff_high")
        )
        cut_off(panel, new.cutoff["cutoff"], low, high)
        panel.axhline(new.cutoff["mean"], color="black", linewidth=1, linestyle=":", zorder=1)
    panel.set_ylabel(f"ISG expression score\n{new.signature}")
    yield "", figure


def strata_of_new_patients(new: NewPatients) -> Iterator[tuple[str, Figure]]:
    """Draw the probability of every patient's stratum; those that are not supported as rings."""
    patients = new.patients.set_index("sample")
    placed = patients[patients["probability"].notna() & ~new.is_own_control]
    if placed.empty:
        return
    figure, (panel,) = subplots(1.6 + 1.25 * len(new.stratum_names), 3.6)
    outside = ~new.supported.loc[placed.index]
    names = placed["stratum"].map(new.stratum_names)
    probability = placed["probability"].astype(float)
    strip(panel, probability, names, new.stratum_looks, new.with_stratum, new.shown, outside, median=False)
    panel.set(ylabel="probability of the stratum", ylim=(0, 1.05))
    yield "", figure


FIGURES = (
    FigureRecord(
        "interferon_scores",
        "ISG expression score of every patient, with the median of each disease. Dashed: the cut-off from the "
        "reference's "
        "controls; grey: its 95 % bootstrap interval; dotted: the mean of these controls. Rings: without a class, "
        "or with one that is not supported because the patient or the batch is out of the reference.",
        scores_of_new_patients,
        without_people="ISG expression score of each disease: quartiles and median. Dashed: the cut-off from the reference's "
        "controls; grey: its 95 % bootstrap interval; dotted: the mean of these controls.",
    ),
    FigureRecord(
        "strata",
        "Probability of every patient's stratum. Rings: not supported, because the patient or the batch is out of the reference.",
        strata_of_new_patients,
        without_people="Probability of the patients' strata: quartiles and median by stratum.",
    ),
)
