"""Record where the results of a cohort, or of new patients, come from."""

from pathlib import Path

import yaml

from stratifn.running.entry_point import run
from stratifn.running.installation import machine, software
from stratifn.running.manifests import digests_of, joined_results, joined_sources, write_evidence
from stratifn.running.research_object import research_object
from stratifn.shared.files import write_json, write_text
from stratifn.shared.tables import read_table, write_table


def main(snakemake):
    read, params, output = snakemake.input, snakemake.params, snakemake.output
    write_text(yaml.safe_dump(params.config, sort_keys=True, allow_unicode=True), output.config)
    write_text(params.contract + "\n", output.contract)
    write_text(params.workflow, output.workflow)
    write_table(software(), output.software)
    write_table(machine(), output.machine)
    write_evidence(joined_sources(read.sources) | digests_of(read.get("reference", [])), output.inputs)
    folder = Path(output.outputs).parents[1]
    own = digests_of([output.inputs, output.software, output.config, output.contract, output.workflow], folder)
    write_evidence(joined_results(read.manifests, folder) | own, output.outputs)
    write_json(research_object(params.subject, read_table(output.outputs), read_table(output.inputs)), output.crate)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
