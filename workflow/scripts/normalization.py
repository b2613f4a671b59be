"""Normalize every view of a cohort: size factors and VST of counts, the other kinds' transforms, quality."""

import pandas as pd

from stratifn.inference import BatchedInference
from stratifn.normalization import covariate_associations, normalize_view, quality_table, size_factor_table
from stratifn.registry.signatures import load_registry
from stratifn.running.entry_point import resource_folder, run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_table, write_views


def main(snakemake):
    output, samples = snakemake.output, read_samples(snakemake.input.samples)
    registry = load_registry(resource_folder() / "signatures")
    options = dict(snakemake.params.settings, always_keep=registry.genes(), inference=BatchedInference())
    normalized = {
        name: normalize_view(view, name, view.uns["kind"], samples, in_place=True, **options)
        for name, view in read_views(snakemake.input.views).items()
    }
    views = {name: view.data for name, view in normalized.items()}
    write_views(views, output.views)
    write_table(size_factor_table(views), output.size_factors)
    write_table(quality_table(views, samples), output.quality)
    write_table(covariate_associations(views, samples), output.covariate_associations)
    write_table(pd.concat([view.notes for view in normalized.values()]), output.notes)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
