"""Every figure of the report: one record each, drawn from the results' tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratifn.report.cohort_figures import covariates, library_sizes, principal_components, views, volcanoes
from stratifn.report.content import SHOWN_WORDS
from stratifn.report.interferon_figures import (
    agreement,
    axes,
    interferon_classes,
    interferon_scores,
    methylation,
    prevalence,
    protein_ranks,
    types,
)
from stratifn.report.new_patients import NewPatients
from stratifn.report.new_patients_figures import scores_of_new_patients, strata_of_new_patients
from stratifn.report.results import Results
from stratifn.report.strata_figures import factors, strata_composition, variance_explained
from stratifn.report.style import plotting, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OVERVIEW = "index"


@dataclass(frozen=True)
class FigureRecord:
    """One kind of figure.

    Attributes
    ----------
    name
        Start of the file name, and the section item that it belongs to.
    caption
        What is shown and how to read it.
    draw
        From the results to the figures (item name, figure); nothing where the data are missing.
    again
        Drawn for the overview, and again for each disease from its part of the results.
    shared
        Drawn once; the pages of diseases show the items that are theirs.
    """

    name: str
    caption: str
    draw: Callable[[Any], Iterator[tuple[str, Figure]]]
    again: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Drawing:
    """The figures of one record: its caption, and each item's file without suffix (relative to the folder of figures)."""

    caption: str
    stems: Mapping[str, str]


Drawings = Mapping[str, Drawing]


def draw_figures(results: Results, folder: Path) -> dict[str, Drawings]:
    """Draw every figure that the data allow, as ``.svg`` and ``.png``: in `folder`, and in a folder for each disease.

    Returns
    -------
    dict
        Page (``index``, or the disease) to what it can show, by name of the record.
    """
    overview = draw(FIGURES, results, folder)
    shared = {record.name: overview[record.name] for record in FIGURES if record.shared and record.name in overview}
    again = [record for record in FIGURES if record.again]
    pages: dict[str, Drawings] = {OVERVIEW: overview}
    for disease in results.diseases:
        pages[disease] = shared | draw(again, results.of_disease(disease), folder, f"{disease}/")
    return pages


def draw_new_patients(new: NewPatients, folder: Path) -> Drawings:
    """Draw the figures of new patients, as `draw_figures` does for a cohort."""
    return draw(NEW_PATIENTS_FIGURES, new, folder)


def draw(records: Iterable[FigureRecord], results: Any, folder: Path, prefix: str = "") -> dict[str, Drawing]:
    """Draw the figures of some records; their files' names begin with the prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Drawing] = {}
    with plotting():
        for record in records:
            stems = {}
            for item, figure in record.draw(results):
                stems[item] = f"{prefix}{record.name}_{item}" if item else f"{prefix}{record.name}"
                save_figure(figure, folder / stems[item])
            if stems:
                drawn[record.name] = Drawing(record.caption, stems)
    return drawn


FIGURES = (
    FigureRecord("views", "Samples measured in each view. Darker: a larger share of the group.", views),
    FigureRecord("library_size", "Library size of every sample; the line is the median of the group.", library_sizes),
    FigureRecord(
        "principal_components",
        "First two principal components of each normalised view, over the whole cohort; rings: flagged samples. "
        "If the samples split by something other than disease, check for batches.",
        principal_components,
        again=True,
    ),
    FigureRecord(
        "covariates",
        f"Share of each principal component's variance that a variable explains. Star: {SHOWN_WORDS}.",
        covariates,
    ),
    FigureRecord(
        "volcano",
        "Log2 fold change and adjusted p value of every tested gene. Dashed: the false discovery rate of the summary. "
        "The most significant genes are named.",
        volcanoes,
        shared=True,
    ),
    FigureRecord(
        "interferon_scores",
        "ISG expression score of every measured sample (by ranks where the controls are too few for a reference), "
        "with the median of "
        "each group. Dashed: the cut-off, if there is one; grey: its 95 % bootstrap interval. Rings: measured but "
        "not classed.",
        interferon_scores,
        again=True,
    ),
    FigureRecord(
        "interferon_classes",
        "Share of all samples of a group, unscored ones included, by ISG expression signature. "
        "Borderline: the cut-off is too uncertain to call the sample high or low.",
        interferon_classes,
    ),
    FigureRecord(
        "prevalence",
        "Share of the scored samples above the cut-off, with its 95 % interval. Diamond: the published share for the "
        "same "
        "specimen and healthy controls.",
        prevalence,
    ),
    FigureRecord(
        "types",
        "Type II-weighted against type I response, both relative to the controls. Rings: the type is uncertain. "
        "Interleukin 1 "
        "and TNF raise the type II genes too; in blood of pSS an isolated type II response was not seen in published "
        "cohorts.",
        types,
        again=True,
    ),
    FigureRecord(
        "agreement",
        "Rank correlation of the signatures' scores among patients of all diseases. Signatures that share genes are "
        "not "
        "independent evidence.",
        agreement,
    ),
    FigureRecord(
        "protein_ranks",
        "IFN-alpha protein against the ISG expression score, as ranks among people who have both. In people far from "
        "the line the "
        "two disagree.",
        protein_ranks,
    ),
    FigureRecord(
        "methylation",
        "IFN methylation score of every sample: it is high where interferon-responsive CpGs are less methylated than "
        "in controls.",
        methylation,
    ),
    FigureRecord(
        "axes",
        "Activity of the interferon pathway in each person at the three points where drugs act. All proteins below "
        "the limit of "
        "detection are drawn at the same value.",
        axes,
        again=True,
    ),
    FigureRecord(
        "variance_explained",
        "Variance explained in each view by each MOFA factor (left; no number below 0.5 %) and by all factors (right).",
        variance_explained,
    ),
    FigureRecord(
        "factors",
        "The two leading factors, robust ones first, coloured by disease and, if there are several strata, by stratum.",
        factors,
        again=True,
    ),
    FigureRecord("strata_composition", "Share of each group in each stratum.", strata_composition),
)
NEW_PATIENTS_FIGURES = (
    FigureRecord(
        "interferon_scores",
        "ISG expression score of every patient, with the median of each disease. Dashed: the cut-off from the "
        "reference's "
        "controls; grey: its 95 % bootstrap interval; dotted: the mean of these controls. Rings: measured but not "
        "classed.",
        scores_of_new_patients,
    ),
    FigureRecord(
        "strata",
        "Probability of every patient's stratum. Rings: patients out of the reference.",
        strata_of_new_patients,
    ),
)
