"""Draw the figures and write the page of new patients."""

from pathlib import Path

from stratifn.report import Settings, draw_new_patients, read_new_patients, render_new_patients
from stratifn.running.entry_point import run
from stratifn.shared.files import write_text
from stratifn.shared.package_data import template_folder
from stratifn.transfer import load_reference


def main(snakemake):
    read, params = snakemake.input, snakemake.params
    tables = {name: read[name] for name in ("samples", "patients", "factors", "notes", "verdicts", "provenance")}
    reference = load_reference(Path(read.reference[0]).parent, params.contract)
    shown, frozen = Settings.from_config(params.shown), {name: part.values for name, part in reference.parts.items()}
    new = read_new_patients(params.name, shown, tables, frozen, params.control or reference.source.control)
    figures = Path(snakemake.output.figures)
    drawn = draw_new_patients(new, figures)
    write_text(render_new_patients(new, drawn, figures, template_folder()), snakemake.output.page)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
