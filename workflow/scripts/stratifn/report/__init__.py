"""Phase report: what was found, on whom, how sure we are, and how to reproduce it.

In reading order: `results` (the tables of the other phases), `figures`, `sections` (what each part of the page says),
`page` (HTML), `methods` (text for a paper).
"""

from stratifn.report.figures import draw_figures
from stratifn.report.methods import methods_text
from stratifn.report.page import render_page
from stratifn.report.results import Results, read_results

__all__ = ["Results", "draw_figures", "methods_text", "read_results", "render_page"]
