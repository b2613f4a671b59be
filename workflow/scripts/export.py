"""Gather the normalised views, factors, scores and strata of a cohort in one MuData object."""

from stratifn.running.entry_point import run
from stratifn.running.export import cohort_object, write_mudata
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views


def main(snakemake):
    tables = {name: read_table(snakemake.input[name]) for name in ("classes", "factors", "strata")}
    weights = {
        view: read_table(path) for view, path in zip(snakemake.params.views, snakemake.input.weights, strict=True)
    }
    views = read_views(snakemake.input.views)
    write_mudata(
        cohort_object(read_samples(snakemake.input.samples), views, weights, **tables), snakemake.output.cohort
    )


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
