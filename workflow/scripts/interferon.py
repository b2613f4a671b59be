"""Score the interferon signatures, call classes against the cohort's own controls, and set beside them what is known."""

from pathlib import Path

from stratifn.entry_point import resource_folder, run
from stratifn.interferon import Assay, Beside, Origin, Settings, interferon_tables
from stratifn.samples import read_samples
from stratifn.signatures import load_axis_sets, load_registry
from stratifn.tables import read_views, write_table
from stratifn.user_signatures import registry_with_files


def main(snakemake):
    read, cohort, settings = snakemake.input, snakemake.params.cohort, snakemake.params.settings
    resources = resource_folder()
    registry, own = registry_with_files(load_registry(resources / "signatures"), settings["signature_files"])
    tables = interferon_tables(
        read_views(read.rna).get("rna"),
        read_samples(read.samples),
        cohort["control"],
        registry,
        load_axis_sets(resources / "gene_sets" / "axes.tsv"),
        Settings.from_config(settings),
        Origin(cohort["specimen"], cohort["platform"], cohort["control_type"]),
        Beside(
            read_views(read.concentrations),
            next(iter(read_views(read.methylation).values()), None),
            next(iter(read_views(read.cells).values()), None),
            settings["protein_analyte"] or "",
            Assay(settings["protein_assay"], settings["protein_cutoff"]),
        ),
        [*own, *settings["extra_signatures"]],
    )
    for path in snakemake.output:
        write_table(tables[Path(path).stem], path)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
