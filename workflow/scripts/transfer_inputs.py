"""Read and validate new patients' files, and check that they match their reference."""

from functools import partial

from stratifn.inputs import GeneNames, any_group, read_cohort, write_cohort
from stratifn.interferon import score_frozen
from stratifn.normalization import transform_frozen
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.errors import gathered
from stratifn.shared.package_data import sheet_schema
from stratifn.stratification import stratum_model
from stratifn.transfer import Phases, reference_features, require_features, require_usable


def main(snakemake):
    params, genes = snakemake.params, GeneNames.of(load_knowledge().registry)
    where, groups = f"transfer ({params.name}).views", any_group(params.settings["control"])
    frozen = params.folder, params.contract
    features = partial(reference_features, *frozen, where, params.settings["views"], snakemake.input.reference)
    given = params.settings, params.paths, groups, genes, sheet_schema(), (), params.joined
    known, new = gathered(features, partial(read_cohort, *given))
    require_features(known, new.views, params.paths)
    require_usable(*frozen, new.views, new.samples, Phases(transform_frozen, score_frozen, stratum_model))
    write_cohort(new, snakemake.output)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
