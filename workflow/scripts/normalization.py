"""Normalize every view of a cohort: size factors and VST of counts, the other kinds' transforms, quality."""

from pathlib import Path

import pandas as pd

from stratifn.entry_point import resource_folder, run
from stratifn.inference import BatchedInference
from stratifn.normalization import covariate_associations, normalize_view, quality_table, size_factor_table
from stratifn.samples import read_samples
from stratifn.signatures import load_registry
from stratifn.tables import read_anndata, write_anndata, write_table


def main(snakemake):
    samples = read_samples(snakemake.input.samples)
    registry = load_registry(resource_folder() / "signatures")
    options = dict(snakemake.params.settings, always_keep=registry.genes(), inference=BatchedInference())
    normalized = {}
    for source, target in zip(snakemake.input.views, snakemake.output.views, strict=True):
        name = Path(source).stem
        view = read_anndata(source)
        normalized[name] = normalize_view(view, name, view.uns["kind"], samples, in_place=True, **options)
        write_anndata(normalized[name].data, target)
    views = {name: view.data for name, view in normalized.items()}
    write_table(size_factor_table(views), snakemake.output.size_factors, float_format="%.10g")
    write_table(quality_table(views, samples), snakemake.output.quality)
    write_table(covariate_associations(views, samples), snakemake.output.covariate_associations)
    write_table(pd.concat([view.notes for view in normalized.values()]), snakemake.output.notes)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
