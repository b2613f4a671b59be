"""Compare IFN-high with IFN-low patients: a second fit, after the classes are known, and descriptive."""

from stratifn.differential_expression import Question, Settings, compare_interferon_status
from stratifn.inference import BatchedInference
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_anndata, read_table, write_table, write_tables


def main(snakemake):
    read, params, output = snakemake.input, snakemake.params, snakemake.output
    view, classes = read_anndata(read.rna[0]), read_table(read.classes)
    samples = read_samples(read.samples).set_index("sample", drop=False).loc[view.obs_names]
    registry = load_knowledge(params.signature_files).registry
    defining, settings = registry.signature(params.signature).symbols, Settings.from_config(params.settings)
    question = Question.of(params.cohort | {"control": None}, [])
    result = compare_interferon_status(view, samples, classes, question, defining, settings, BatchedInference())
    write_tables(result.tables, output.tables)
    write_table(result.summary, output.summary)
    write_table(result.notes, output.notes)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
