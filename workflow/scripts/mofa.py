"""Train MOFA from one seed."""

from stratifn.integration import Settings, prepare_views, train_mofa
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_views


def main(snakemake):
    settings = Settings.from_config(snakemake.params.settings)
    model_input = prepare_views(read_views(snakemake.input.views), read_samples(snakemake.input.samples), settings)
    train_mofa(model_input, settings, int(snakemake.wildcards.seed), snakemake.output.model)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
