"""Score the interferon signatures, call classes against the cohort's own controls, and compare with published figures."""

from stratifn.entry_point import resource_folder, run
from stratifn.interferon import Origin, Settings, analyse_cohort
from stratifn.samples import read_samples
from stratifn.signatures import load_axis_sets, load_registry
from stratifn.tables import read_anndata, write_table


def main(snakemake):
    cohort, resources = snakemake.params.cohort, resource_folder()
    rna = read_anndata(snakemake.input.rna[0])
    result = analyse_cohort(
        rna,
        rna.uns["kind"],
        read_samples(snakemake.input.samples),
        cohort["control"],
        load_registry(resources / "signatures"),
        load_axis_sets(resources / "gene_sets" / "axes.tsv"),
        Settings.from_config(snakemake.params.settings),
        Origin(cohort["specimen"], cohort["platform"], cohort["control_type"]),
    )
    for name in ("scores", "classes", "prevalence", "agreement", "notes"):
        write_table(getattr(result, name), snakemake.output[name])
    write_table(result.reference_table, snakemake.output.reference)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
