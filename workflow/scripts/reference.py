"""Freeze a cohort as a reference: what is needed to place a new patient, nothing about any single patient."""

from stratifn.integration import read_model
from stratifn.interferon import Settings, reference_parts
from stratifn.normalization import frozen_arrays
from stratifn.registry.knowledge import load_knowledge
from stratifn.running.entry_point import run
from stratifn.running.installation import software_versions
from stratifn.shared.arrays import read_arrays
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views
from stratifn.shared.vocabulary import RNA
from stratifn.transfer import FrozenView, LearntModel, Source, freeze_reference, write_reference


def main(snakemake):
    read, params, output, config = snakemake.input, snakemake.params, snakemake.output, snakemake.params.interferon
    knowledge = load_knowledge(config["signature_files"], config["extra_signatures"])
    validated, views, model = read_views(read.rna), read_views(read.views), read_model(read.model)
    samples, settings = read_samples(read.samples), Settings.from_config(config)
    scored = reference_parts(validated.get(RNA), samples, params.control, knowledge, settings)
    frozen = {name: FrozenView.of(*frozen_arrays(view), validated.get(name)) for name, view in views.items()}
    source, factors = Source(**params.source, software=software_versions()), read_table(read.factors).shape[1] - 1
    learnt = LearntModel(model.views, factors, model.samples, read_arrays(read.strata), read_table(read.stability))
    made = freeze_reference(source, frozen, learnt, views, scored, map(read_table, read.verdicts), params.corrected_for)
    write_reference(made, output.values, output.arrays)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
