"""Fit the view `rna` once; read every contrast, the effects across diseases and the gene sets from the fit."""

from stratifn.differential_expression import Question, Settings, analyse_cohort
from stratifn.inference import BatchedInference
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views, write_table
from stratifn.shared.vocabulary import RNA


def main(snakemake):
    read, output, params = snakemake.input, snakemake.output, snakemake.params
    settings, question = Settings.from_config(params.settings), Question.of(params.cohort, params.contrasts)
    view, samples = read_views(read.rna).get(RNA), read_samples(read.samples)
    gene_sets = load_knowledge().gene_sets(settings.gene_sets)
    result = analyse_cohort(view, samples, question, settings, gene_sets, BatchedInference())
    for table, path in zip(result.tables.values(), output.tables, strict=True):
        write_table(table, path)
    for name in ("summary", "cross_disease", "enrichment", "permutation", "design", "verdicts", "notes"):
        write_table(getattr(result, name), output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
