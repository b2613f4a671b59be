"""Read and validate new patients' files, and check that they match their reference."""

from functools import partial

from stratifn.inputs import GeneNames, any_group, read_cohort
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.errors import gathered
from stratifn.shared.package_data import sheet_schema
from stratifn.shared.samples import write_samples
from stratifn.shared.tables import write_table, write_views
from stratifn.transfer import cohort_features, reference_features, require_features


def main(snakemake):
    params, genes = snakemake.params, GeneNames.of(load_knowledge().registry)
    where, groups = f"transfer ({params.name}).views", any_group(params.settings["control"])
    if params.folder is None:
        features = partial(cohort_features, snakemake.input.reference)
    else:
        features = partial(reference_features, params.folder, params.contract, where, params.settings["views"])
    given = params.settings, params.paths, groups, genes, sheet_schema(), (), params.joined
    known, new = gathered(features, partial(read_cohort, *given))
    require_features(known, new.views, params.paths)
    write_views(new.views, snakemake.output.views)
    write_table(new.notes, snakemake.output.notes)
    write_samples(new.samples, snakemake.output.samples)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
