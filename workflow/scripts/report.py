"""Draw the figures and write the pages, their tables, and the methods text of one cohort."""

from pathlib import Path

from stratifn import report
from stratifn.normalization import described
from stratifn.running.entry_point import run
from stratifn.running.installation import software_versions, source_commit, source_date
from stratifn.shared.files import write_text


def main(snakemake):
    params, read, written = snakemake.params, snakemake.input, snakemake.output
    tables, figures = {name: read[name] for name in params.tables}, Path(written.figures)
    config = params.config | {"cohort": params.cohort}
    results = report.read_results(params.cohort["name"], config, tables, read.contrasts, read.views)
    drawn = report.draw_figures(results, figures)
    methods = report.methods_text(results, software_versions(), described)
    write_text(methods, written.methods)
    pages = report.pages_of(results, methods, report.made(source_commit(), source_date(), read.sources))
    report.write_tables(pages.values(), Path(written.tables))
    for path in written.pages:
        write_text(report.render(pages[Path(path).stem], drawn[Path(path).stem], figures), path)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
