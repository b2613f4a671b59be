"""Fit the view `rna` once; read every contrast, the effects across diseases and the gene sets from the fit."""

from stratifn.differential_expression import Question, Settings, analyse_cohort
from stratifn.inference import BatchedInference
from stratifn.registry.gene_sets import read_gmt, registry_sets
from stratifn.registry.signatures import load_axis_sets, load_registry
from stratifn.running.entry_point import run
from stratifn.shared.package_data import resource_folder
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_table
from stratifn.shared.vocabulary import RNA


def main(snakemake):
    read, output, params, resources = snakemake.input, snakemake.output, snakemake.params, resource_folder()
    settings, question = Settings.from_config(params.settings), Question.of(params.cohort, params.contrasts)
    registry, axes = load_registry(resources / "signatures"), load_axis_sets(resources / "gene_sets" / "axes.tsv")
    gene_sets = registry_sets(registry, axes)
    gene_sets += [gene_set for path in settings.gene_sets for gene_set in read_gmt(path, registry.aliases)]
    view, samples = read_views(read.rna).get(RNA), read_samples(read.samples)
    result = analyse_cohort(view, samples, question, settings, gene_sets, BatchedInference())
    for table, path in zip(result.tables.values(), output.tables, strict=True):
        write_table(table, path)
    for name in ("summary", "cross_disease", "enrichment", "permutation", "design", "verdicts", "notes"):
        write_table(getattr(result, name), output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
