"""Freeze a cohort as a reference: everything that placing a new patient needs, nothing about any single patient."""

from stratifn.arrays import read_arrays
from stratifn.entry_point import resource_folder, run
from stratifn.integration import read_model
from stratifn.interferon import reference_parts
from stratifn.normalization import frozen_transform, to_arrays
from stratifn.provenance import software_versions
from stratifn.samples import read_samples
from stratifn.signatures import load_axis_sets, load_registry
from stratifn.tables import read_table, read_views
from stratifn.transfer import FrozenView, Source, freeze_reference, write_reference
from stratifn.user_signatures import registry_with_files


def main(snakemake):
    read, params, resources, config = snakemake.input, snakemake.params, resource_folder(), snakemake.params.interferon
    registry, own = registry_with_files(load_registry(resources / "signatures"), config["signature_files"])
    axes, samples = load_axis_sets(resources / "gene_sets" / "axes.tsv"), read_samples(read.samples)
    validated = read_views(read.rna)
    scored = reference_parts(validated.get("rna"), samples, params.control, registry, axes, config, own)
    views, model, factors = read_views(read.views), read_model(read.model), read_table(read.factors).shape[1] - 1
    frozen = {
        name: FrozenView.of(view.uns["kind"], to_arrays(frozen_transform(view)), validated.get(name))
        for name, view in views.items()
    }
    strata, stability = read_arrays(read.strata), read_table(read.stability)
    source = Source(params.name, params.contract, software_versions(), **params.measured)
    mofa = model.views, factors, views, model.samples
    reference = freeze_reference(source, frozen, *mofa, strata, stability, scored, params.corrected_for)
    write_reference(reference, snakemake.output.values, snakemake.output.arrays)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
