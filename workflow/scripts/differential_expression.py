"""Fit the view `rna` once; read every contrast, the effects across diseases and the enrichment from the fit."""

from stratifn.differential_expression import all_contrasts, analyse_cohort, read_gmt, registry_sets
from stratifn.inference import BatchedInference
from stratifn.registry.signatures import load_axis_sets, load_registry
from stratifn.running.entry_point import resource_folder, run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_table
from stratifn.shared.vocabulary import RNA


def main(snakemake):
    read, output, cohort = snakemake.input, snakemake.output, snakemake.params.cohort
    resources, settings = resource_folder(), snakemake.params.settings
    gene_sets = registry_sets(
        load_registry(resources / "signatures"), load_axis_sets(resources / "gene_sets" / "axes.tsv")
    )
    gene_sets += [gene_set for path in settings["gene_sets"] for gene_set in read_gmt(path)]
    contrasts = all_contrasts(cohort["diseases"], cohort["control"], snakemake.params.contrasts)
    view, samples = read_views(read.rna).get(RNA), read_samples(read.samples)
    result = analyse_cohort(view, samples, cohort, contrasts, settings, gene_sets, BatchedInference())
    for table, path in zip(result.tables.values(), output.tables, strict=True):
        write_table(table, path)
    for name in ("summary", "cross_disease", "enrichment", "permutation", "design", "notes"):
        write_table(getattr(result, name), output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
