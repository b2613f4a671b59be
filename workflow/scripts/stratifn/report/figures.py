"""Every figure of the report: one record each, drawn from the results' tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stratifn.report.cohort_figures import covariates, library_sizes, principal_components, views, volcanoes
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
from stratifn.report.results import Results
from stratifn.report.strata_figures import factors, strata_composition, variance_explained
from stratifn.style import plotting, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    """

    name: str
    caption: str
    draw: Callable[[Results], Iterator[tuple[str, Figure]]]


def draw_figures(results: Results, folder: Path) -> dict[str, list[str]]:
    """Draw every figure that the data allow, as ``.svg`` and ``.png``.

    Returns
    -------
    dict
        Name of the record to the file stems that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, list[str]] = {}
    with plotting():
        for record in FIGURES:
            for item, figure in record.draw(results):
                stem = f"{record.name}_{item}" if item else record.name
                save_figure(figure, folder / stem)
                drawn.setdefault(record.name, []).append(stem)
    return drawn


FIGURES = (
    FigureRecord("views", "Samples measured in each view. Darker: a larger share of the group.", views),
    FigureRecord("library_size", "Library size of every sample; the line is the median of the group.", library_sizes),
    FigureRecord(
        "principal_components",
        "First two principal components of the normalised view. "
        "A split that is not by disease asks for a look at batches.",
        principal_components,
    ),
    FigureRecord(
        "covariates",
        "Share of each principal component's variance that a variable explains; star: adjusted p below 0.05.",
        covariates,
    ),
    FigureRecord(
        "volcano",
        "Effect and evidence of every tested gene; dashed: the false discovery rate of the summary. "
        "The most significant genes are named.",
        volcanoes,
    ),
    FigureRecord(
        "interferon_scores",
        "ISG expression score of every sample; dashed: the cut-off from this run's own controls, "
        "grey: its 95 % bootstrap interval.",
        interferon_scores,
    ),
    FigureRecord(
        "interferon_classes",
        "Share of each group by ISG expression signature. "
        "Borderline: the controls do not settle the side of the cut-off.",
        interferon_classes,
    ),
    FigureRecord(
        "prevalence",
        "Share above the cut-off, with a 95 % interval that carries the cut-off's uncertainty; diamond: the published figure "
        "for the same specimen and healthy controls.",
        prevalence,
    ),
    FigureRecord(
        "types",
        "Type II-weighted against type I response, both over the controls. Interleukin 1 and TNF raise the type II genes too; "
        "in blood of pSS an isolated type II response was not seen in published cohorts.",
        types,
    ),
    FigureRecord(
        "agreement",
        "Agreement of the signatures among patients. Signatures that share genes are no independent evidence.",
        agreement,
    ),
    FigureRecord(
        "protein_ranks",
        "IFN-alpha protein against the ISG expression score, as ranks: points far from the line are people in whom the two "
        "disagree.",
        protein_ranks,
    ),
    FigureRecord(
        "methylation",
        "IFN methylation score of every sample: high where interferon-responsive CpGs are less methylated than in controls.",
        methylation,
    ),
    FigureRecord(
        "axes", "Where the interferon pathway is active in each person, after the places where drugs act.", axes
    ),
    FigureRecord(
        "variance_explained",
        "Variance that each MOFA factor explains in each view (left), and all of them together (right).",
        variance_explained,
    ),
    FigureRecord("factors", "The two leading robust factors, coloured by disease and by stratum.", factors),
    FigureRecord("strata_composition", "How each group divides into the strata.", strata_composition),
)
