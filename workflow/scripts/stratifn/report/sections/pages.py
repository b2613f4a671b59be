"""The contents of each page of the report: sentences, tables and figures, from the results alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stratifn.report.content import Item, Section
from stratifn.report.results import Results
from stratifn.report.sections.cohort import patients, quality, who_was_analysed
from stratifn.report.sections.expression import differential_expression, expression_of_disease
from stratifn.report.sections.factors import factors_of_disease, integration
from stratifn.report.sections.interferon import interferon
from stratifn.report.sections.strata import stratification


def build_sections(results: Results) -> list[Section]:
    """Write every section of a page, in reading order."""
    sections = OVERVIEW_SECTIONS if results.disease is None else DISEASE_SECTIONS
    return [Section(name, title, tuple(write(results))) for name, title, write in sections]


Write = Callable[[Results], Iterator[Item]]
# the answer first, then what it rests on
OVERVIEW_SECTIONS: tuple[tuple[str, str, Write], ...] = (
    ("interferon", "Interferon-stimulated genes", interferon),
    ("strata", "Strata across diagnoses", stratification),
    ("differential-expression", "Differential expression", differential_expression),
    ("integration", "Factors", integration),
    ("cohort", "Who was analysed, and what was left out", who_was_analysed),
    ("quality", "Quality", quality),
    ("patients", "Patients", patients),
)
# what differs from the overview
DISEASE_SECTIONS: tuple[tuple[str, str, Write], ...] = (
    ("interferon", "Interferon-stimulated genes", interferon),
    ("differential-expression", "Differential expression", expression_of_disease),
    ("integration", "Factors", factors_of_disease),
    ("cohort", "Who was analysed, and what was left out", who_was_analysed),
    ("patients", "Patients", patients),
)
