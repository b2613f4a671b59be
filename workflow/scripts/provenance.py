"""Record where the results of a cohort, or of new patients, come from."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import yaml

from stratifn.running.entry_point import run
from stratifn.running.manifests import digests_of, joined_results, joined_sources, write_evidence
from stratifn.running.provenance import research_object, software_versions
from stratifn.shared.files import write_json, write_text
from stratifn.shared.tables import read_table, write_table


def main(snakemake):
    read, params, output = snakemake.input, snakemake.params, snakemake.output
    write_text(yaml.safe_dump(params.config, sort_keys=True, allow_unicode=True), output.config)
    write_text(params.contract + "\n", output.contract)
    write_table(pd.DataFrame(software_versions().items(), columns=["name", "version"]), output.software)
    write_evidence(joined_sources(read.sources) | digests_of(read.get("reference", [])), output.inputs)
    folder = Path(output.outputs).parents[1]
    own = digests_of([output.inputs, output.software, output.config, output.contract], folder)
    write_evidence(joined_results(read.manifests, folder) | own, output.outputs)
    tables = read_table(output.outputs), read_table(output.inputs)
    write_json(research_object(params.subject, *tables, datetime.now(UTC).isoformat()), output.crate)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
