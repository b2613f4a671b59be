"""Record where the results of a cohort, or of new patients, come from."""

from pathlib import Path

import yaml

from stratifn.running.entry_point import run
from stratifn.running.installation import machine, software
from stratifn.running.provenance import file_digests, result_files
from stratifn.running.research_object import research_object
from stratifn.shared.files import write_json, write_text
from stratifn.shared.tables import write_table


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    write_text(yaml.safe_dump(params.config, sort_keys=True, allow_unicode=True), output.config)
    write_text(params.contract + "\n", output.contract)
    write_text(params.workflow, output.workflow)
    write_table(software(), output.software)
    write_table(machine(), output.machine)
    inputs = file_digests({path: path for path in params.paths})
    write_table(inputs, output.inputs)
    folder = Path(output.outputs).parents[1]
    own = [output.inputs, output.software, output.config, output.contract, output.workflow]
    outputs = file_digests(result_files([*snakemake.input.results, *own], folder))
    write_table(outputs, output.outputs)
    write_json(research_object(params.subject, outputs, inputs), output.crate)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
