"""Draw the figures and write the pages and the methods text of one cohort."""

from pathlib import Path

from stratifn.normalization import described
from stratifn.report import draw_figures, methods_text, read_results, render_pages
from stratifn.running.entry_point import run
from stratifn.running.installation import software_versions
from stratifn.shared.files import write_text
from stratifn.shared.package_data import template_folder


def main(snakemake):
    cohort = snakemake.params.cohort
    tables = {name: snakemake.input[name] for name in snakemake.params.tables}
    config, read = snakemake.params.config | {"cohort": cohort}, snakemake.input
    results = read_results(cohort["name"], config, tables, read.contrasts, read.views)
    figures = Path(snakemake.output.figures)
    drawn = draw_figures(results, figures)
    methods = methods_text(results, software_versions(), described)
    write_text(methods, snakemake.output.methods)
    pages = render_pages(results, drawn, figures, template_folder(), methods)
    for path in snakemake.output.pages:
        write_text(pages[Path(path).stem], path)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
