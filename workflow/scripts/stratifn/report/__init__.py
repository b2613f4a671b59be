"""Phase report: what was found, on whom, how certain it is, and how to reproduce it.

In reading order: `results` (the tables of the other phases), `figures` (one record each), `sections` (what each page
says), `page` (HTML), `methods` (text for a paper); `new_patients` (what a reference says of them) with its own figures
and sections.
"""

from stratifn.report.figures.drawing import draw_figures, draw_new_patients
from stratifn.report.methods import methods_text
from stratifn.report.new_patients import NewPatients, read_new_patients
from stratifn.report.page.content import made, page_of_new_patients, pages_of
from stratifn.report.page.render import render, write_tables
from stratifn.report.results import Results, read_results
from stratifn.report.settings import Settings

__all__ = [
    "NewPatients",
    "Results",
    "Settings",
    "draw_figures",
    "draw_new_patients",
    "made",
    "methods_text",
    "read_new_patients",
    "read_results",
    "page_of_new_patients",
    "pages_of",
    "render",
    "write_tables",
]
