"""Score the interferon signatures, call classes against the cohort's controls, and compare with other measurements."""

from stratifn.interferon import Beside, Cohort, Origin, ProteinSettings, Settings, interferon_tables
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_tables
from stratifn.shared.vocabulary import RNA
from stratifn.transfer import load_interferon


def main(snakemake):
    read, params, config = snakemake.input, snakemake.params, snakemake.params.settings
    knowledge = load_knowledge(config["signature_files"], config["extra_signatures"])
    cohort = Cohort(read_samples(read.samples), params.control, Origin(**params.origin))
    protein = ProteinSettings.from_config(config)
    beside = Beside.of(*(read_views(paths) for paths in (read.concentrations, read.methylation, read.cells)), protein)
    frozen, rna = load_interferon(config["reference"], params.contract), read_views(read.rna).get(RNA)
    tables = interferon_tables(rna, cohort, knowledge, Settings.from_config(config), beside, frozen)
    write_tables(tables, snakemake.output.tables)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
