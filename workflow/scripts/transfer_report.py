"""Draw the figures and write the page of new patients."""

from pathlib import Path

from stratifn import report
from stratifn.running.entry_point import run
from stratifn.running.installation import source_commit, source_date
from stratifn.shared.files import write_text
from stratifn.transfer import load_reference


def main(snakemake):
    read, params, written = snakemake.input, snakemake.params, snakemake.output
    tables = {name: read[name] for name in ("samples", "patients", "factors", "notes", "verdicts", "provenance")}
    reference = load_reference(Path(read.reference[0]).parent, params.contract)
    shown = report.Settings.from_config(params.shown)
    frozen = {name: part.values for name, part in reference.parts.items()}
    control = params.control or reference.source.control
    new = report.read_new_patients(params.name, shown, tables, frozen, control)
    drawn = report.draw_new_patients(new, Path(written.figures))
    page = report.page_of_new_patients(new, report.made(source_commit(), source_date(), read.sources))
    report.write_tables([page], Path(written.tables))
    write_text(report.render(page, drawn, Path(written.figures)), written.page)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
