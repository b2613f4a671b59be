"""Score the interferon signatures, call classes against the cohort's own controls, and set beside them what is known."""

from stratifn.interferon import Beside, Origin, Settings, interferon_tables
from stratifn.registry.signatures import load_axis_sets, load_registry
from stratifn.registry.user_signatures import registry_with_files
from stratifn.running.entry_point import run
from stratifn.shared.package_data import resource_folder
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_tables
from stratifn.shared.vocabulary import RNA
from stratifn.transfer import load_interferon


def main(snakemake):
    read, cohort, config = snakemake.input, snakemake.params.cohort, snakemake.params.settings
    resources, rna = resource_folder(), read_views(read.rna).get(RNA)
    registry, own = registry_with_files(load_registry(resources / "signatures"), config["signature_files"])
    axis_sets = load_axis_sets(resources / "gene_sets" / "axes.tsv")
    beside = Beside.of(*(read_views(paths) for paths in (read.concentrations, read.methylation, read.cells)), config)
    origin = Origin(cohort["specimen"], cohort["platform"], cohort["control_type"])
    samples, settings = read_samples(read.samples), Settings.from_config(config)
    extra = [*own, *config["extra_signatures"]]
    frozen = load_interferon(config["reference"], snakemake.params.contract)
    tables = interferon_tables(
        rna, samples, cohort["control"], registry, axis_sets, settings, origin, beside, extra, frozen
    )
    write_tables(tables, snakemake.output)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
