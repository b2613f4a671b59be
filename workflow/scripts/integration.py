"""Choose the best of the seeds' models; write its factors, weights, variance explained and robustness."""

from stratifn.entry_point import run
from stratifn.integration import (
    IntegrationSettings,
    factors_table,
    prepare_views,
    read_model,
    select_model,
    variance_table,
    weights_table,
    write_model,
)
from stratifn.samples import read_samples
from stratifn.tables import read_table, read_views, write_table


def main(snakemake):
    settings = IntegrationSettings.from_config(snakemake.params.settings)
    samples, views = read_samples(snakemake.input.samples), read_views(snakemake.input.views)
    model_input = prepare_views(views, samples, settings)
    models = {path: read_model(path) for path in snakemake.input.models}
    score = read_table(snakemake.input.classes).set_index("sample")["score"]
    integration = select_model(list(models.values()), settings, score)
    chosen = next(path for path, model in models.items() if model.seed == integration.model.seed)
    write_model(integration.model, chosen, snakemake.output.model)
    write_table(factors_table(integration), snakemake.output.factors)
    write_table(variance_table(integration, model_input), snakemake.output.variance_explained)
    write_table(integration.robustness, snakemake.output.robustness)
    write_table(integration.seeds, snakemake.output.seeds)
    write_table(model_input.notes, snakemake.output.notes)
    for view, path in zip(views, snakemake.output.weights, strict=True):
        write_table(weights_table(integration, view), path)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
