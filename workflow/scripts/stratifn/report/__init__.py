"""Phase report: what was found, on whom, how certain it is, and how to reproduce it.

In reading order: `results` (the tables of the other phases), `figures` (one record each; how they are drawn is in the
modules `..._figures`), `sections` (what each page says; in words in the modules `..._sections`), `page` (HTML),
`methods` (text for a paper); `new_patients` (what a reference says of them) with its own figures and sections.
"""

from stratifn.report.figures import draw_figures, draw_new_patients
from stratifn.report.methods import methods_text
from stratifn.report.new_patients import NewPatients, read_new_patients
from stratifn.report.page import render_new_patients, render_pages
from stratifn.report.results import Results, read_results
from stratifn.report.settings import Settings

__all__ = [
    "NewPatients",
    "Results",
    "Settings",
    "draw_figures",
    "draw_new_patients",
    "methods_text",
    "read_new_patients",
    "read_results",
    "render_new_patients",
    "render_pages",
]
