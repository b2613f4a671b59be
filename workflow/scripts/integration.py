"""Choose the best of the seeds' models; write its factors, what they explain and follow, and when not to trust them."""

from pathlib import Path

from stratifn.entry_point import resource_folder, run
from stratifn.integration import (
    IntegrationSettings,
    integration_tables,
    prepare_views,
    read_model,
    select_model,
    write_model,
)
from stratifn.samples import read_samples
from stratifn.signatures import load_registry
from stratifn.tables import read_table, read_views, write_table


def main(snakemake):
    read, settings = snakemake.input, IntegrationSettings.from_config(snakemake.params.settings)
    samples, views = read_samples(read.samples), read_views(read.views)
    model_input = prepare_views(views, samples, settings)
    models = {path: read_model(path) for path in read.models}
    score = read_table(read.classes).set_index("sample")["score"]
    integration = select_model(list(models.values()), settings, score)
    chosen = next(path for path, model in models.items() if model.seed == integration.model.seed)
    write_model(integration.model, chosen, snakemake.output.model)
    registry, name = load_registry(resource_folder() / "signatures"), snakemake.params.signature
    gene_sets = {each.signature_id: each.symbols for each in registry.signatures.values() if each.verified}
    signature = (name, gene_sets.get(name, ()))
    tables = integration_tables(integration, model_input, settings, samples, views, score, signature, gene_sets)
    for path in snakemake.output.tables:
        write_table(tables[Path(path).name.split(".tsv")[0]], path)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
