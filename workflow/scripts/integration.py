"""Choose the best of the seeds' models; write its factors, what they explain and follow, and warnings about them."""

from stratifn.integration import Settings, choose_model, integration_tables, prepare_views, write_model
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views, write_tables


def main(snakemake):
    read, params = snakemake.input, snakemake.params
    settings = Settings.from_config(params.settings)
    registry = load_knowledge(params.signature_files).registry
    samples, views = read_samples(read.samples), read_views(read.views)
    model_input = prepare_views(views, samples, settings)
    score = read_table(read.classes).set_index("sample")["score"]
    integration, trained = choose_model(read.models, settings, score)
    write_model(integration.model, trained, snakemake.output.model, model_input if params.save_data else None)
    signature = (params.signature, registry.signature(params.signature).symbols)
    gene_sets = registry.verified_sets()
    tables = integration_tables(integration, model_input, settings, samples, views, score, signature, gene_sets)
    write_tables(tables, snakemake.output.tables)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
