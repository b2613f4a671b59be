"""Freeze a cohort as a reference: everything that placing a new patient needs, nothing about any single patient."""

from stratifn.integration import read_model
from stratifn.interferon import reference_parts
from stratifn.normalization import frozen_arrays
from stratifn.registry.signatures import load_axis_sets, load_registry
from stratifn.registry.user_signatures import registry_with_files
from stratifn.running.entry_point import run
from stratifn.running.provenance import software_versions
from stratifn.shared.arrays import read_arrays
from stratifn.shared.package_data import resource_folder
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views
from stratifn.transfer import FrozenView, Source, freeze_reference, write_reference


def main(snakemake):
    read, params, resources, config = snakemake.input, snakemake.params, resource_folder(), snakemake.params.interferon
    registry, own = registry_with_files(load_registry(resources / "signatures"), config["signature_files"])
    axes, samples = load_axis_sets(resources / "gene_sets" / "axes.tsv"), read_samples(read.samples)
    validated = read_views(read.rna)
    scored = reference_parts(next(iter(validated.values()), None), samples, params.control, registry, axes, config, own)
    views, model, factors = read_views(read.views), read_model(read.model), read_table(read.factors).shape[1] - 1
    frozen = {name: FrozenView.of(*frozen_arrays(view), validated.get(name)) for name, view in views.items()}
    source = Source(params.name, params.contract, software_versions(), **params.measured)
    learnt = model.views, factors, views, model.samples, read_arrays(read.strata), read_table(read.stability)
    write_reference(freeze_reference(source, frozen, *learnt, scored, params.corrected_for), *snakemake.output)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
