"""Gather the normalised views, factors, scores, strata and contrasts of a cohort in one MuData object."""

from pathlib import Path

from stratifn.report.colours import category_colours
from stratifn.running.entry_point import run
from stratifn.running.export import TABLES, Exported, cohort_object, write_mudata
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views


def main(snakemake):
    read, params = snakemake.input, snakemake.params
    tables = {name: read_table(read[name]) for name in TABLES}
    weights = {view: read_table(path) for view, path in zip(params.views, read.weights, strict=True)}
    contrasts = {Path(path).name.removesuffix(".tsv.gz"): read_table(path) for path in read.contrasts}
    colours = category_colours(params.diseases, params.control, read_table(read.stability))
    samples, views = read_samples(read.samples), read_views(read.views)
    write_mudata(cohort_object(Exported(samples, views, tables, weights, contrasts, colours)), snakemake.output.cohort)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
