"""Draw every figure of the report from the records of the modules beside this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stratifn.report.content import FigureRecord
from stratifn.report.figures import (
    across,
    atlas,
    expression,
    factors,
    new_patients,
    quality,
    response,
    scores,
    strata,
)
from stratifn.report.figures.marks import linked_people
from stratifn.report.figures.style import plotting, save_figure
from stratifn.report.new_patients import NewPatients
from stratifn.report.results import Results

OVERVIEW = "index"
FIGURES = (
    *atlas.FIGURES,
    *scores.FIGURES,
    *response.FIGURES,
    *strata.FIGURES,
    *expression.FIGURES,
    *across.FIGURES,
    *factors.FIGURES,
    *quality.FIGURES,
)


@dataclass(frozen=True)
class Drawing:
    """The figures of one record.

    Attributes
    ----------
    caption
        What is shown and how to read it.
    stems
        Each item's file without suffix, relative to the folder of figures.
    people
        By stem: the id of a group of points in the SVG to the labels of whom they stand for, in their order.
    """

    caption: str
    stems: Mapping[str, str]
    people: Mapping[str, Mapping[str, Sequence[str]]]


Drawings = Mapping[str, Drawing]


def draw_figures(results: Results, folder: Path) -> dict[str, Drawings]:
    """Draw every figure that the data allow, in every one of `FORMATS`: in `folder`, and in a folder for each disease.

    Returns
    -------
    dict
        Page (``index``, or the disease) to what it can show, by name of the record.
    """
    overview = draw(FIGURES, results, folder)
    again = [record for record in FIGURES if record.again]
    pages: dict[str, Drawings] = {OVERVIEW: overview}
    for disease in results.with_own_page:
        pages[disease] = draw(again, results.of_disease(disease), folder, f"{disease}/")
    return pages


def draw_new_patients(new: NewPatients, folder: Path) -> Drawings:
    """Draw the figures of new patients, as `draw_figures` does for a cohort."""
    return draw(new_patients.FIGURES, new, folder)


def draw(records: Iterable[FigureRecord], results: Any, folder: Path, prefix: str = "") -> dict[str, Drawing]:
    """Draw the figures of some records; their files' names begin with the prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Drawing] = {}
    with plotting():
        for record in records:
            stems, people = {}, {}
            for item, figure in record.draw(results):
                stem = stems[item] = f"{prefix}{record.name}_{item}" if item else f"{prefix}{record.name}"
                linked = linked_people(figure)
                people[stem] = {group: tuple(results.labels[list(samples)]) for group, samples in linked.items()}
                save_figure(figure, folder / stem)
            if stems:
                summarised = record.without_people and not results.shown.lists_people
                drawn[record.name] = Drawing(record.without_people if summarised else record.caption, stems, people)
    return drawn
