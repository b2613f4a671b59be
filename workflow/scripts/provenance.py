"""Record where the results of a cohort, or of new patients, come from."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import yaml

from stratifn.running.entry_point import run
from stratifn.running.provenance import file_digests, research_object, result_files, software_versions
from stratifn.shared.files import write_json, write_text
from stratifn.shared.tables import write_table


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    write_text(yaml.safe_dump(params.config, sort_keys=True, allow_unicode=True), output.config)
    write_text(params.contract + "\n", output.contract)
    write_table(pd.DataFrame(software_versions().items(), columns=["name", "version"]), output.software)
    inputs = file_digests({path: path for path in params.paths})
    write_table(inputs, output.inputs)
    folder = Path(output.outputs).parents[1]
    own = [output.inputs, output.software, output.config, output.contract]
    outputs = file_digests(result_files([*snakemake.input.results, *own], folder))
    write_table(outputs, output.outputs)
    write_json(research_object(params.subject, outputs, inputs, datetime.now(UTC).isoformat()), output.crate)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
