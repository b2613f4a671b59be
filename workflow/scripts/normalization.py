"""Normalize every view of a cohort: size factors and VST of counts, the other kinds' transforms, quality."""

from stratifn.inference import BatchedInference
from stratifn.normalization import Settings, normalize_cohort
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_table, write_views


def main(snakemake):
    read, output, settings = snakemake.input, snakemake.output, Settings.from_config(snakemake.params.settings)
    genes = load_knowledge().registry.genes()
    made = normalize_cohort(read_views(read.views), read_samples(read.samples), settings, genes, BatchedInference())
    write_views(made.views, output.views)
    write_table(made.size_factors, output.size_factors)
    for name in ("quality", "covariate_associations", "notes"):
        write_table(getattr(made, name), output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
