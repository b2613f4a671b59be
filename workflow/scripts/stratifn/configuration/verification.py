"""Checks a folder of results against its manifests: what is missing, what was changed, what is foreign."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stratifn.configuration.config import complete_config, read_config
from stratifn.configuration.contract import Output, cohort_outputs, transfer_outputs
from stratifn.running.manifests import differences, files_of
from stratifn.shared.errors import InputError
from stratifn.shared.machine import MachineError
from stratifn.shared.package_data import config_schema, output_contract


def expected_outputs(config: Mapping[str, Any]) -> dict[str, list[Output]]:
    """List what a completed configuration has, by folder below that of all results."""
    contract = output_contract()
    cohorts = {cohort["name"]: cohort_outputs(contract, cohort, config) for cohort in config["cohorts"]}
    new = {f"transfer/{item['name']}": transfer_outputs(contract, item) for item in config["transfer"]}
    return cohorts | new


def missing_outputs(results: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence per output of a completed configuration that is not there."""
    for folder, outputs in expected_outputs(config).items():
        if not (results / folder).is_dir():
            yield f"{results / folder} is missing"
            continue
        yield from (
            f"{results / folder / output.path} is missing"
            for output in outputs
            if not (results / folder / output.path).exists()
        )


def verify(results: Path, config: Mapping[str, Any] | None = None) -> list[str]:
    """Check results against their manifests, and against what a configuration has.

    Parameters
    ----------
    results
        The folder of all results, or of one cohort.
    config
        A completed configuration; with it, `results` is the folder of all results, and each of its outputs must be there.

    Returns
    -------
    list of str
        One sentence per file that is missing, changed or foreign; none where all is well.

    Raises
    ------
    InputError
        There are no results, or a manifest cannot be read.
    """
    if not results.is_dir():
        raise InputError(f"{results} is no folder of results")
    return sorted({*differences(results), *(missing_outputs(results, config) if config else ())})


def main(arguments: list[str]) -> int:
    """Check the results of a configuration, or a folder, and print what is wrong with them."""
    parser = argparse.ArgumentParser(prog="verify", description=__doc__)
    parser.add_argument("results", type=Path, help="the folder of all results, or of one cohort")
    parser.add_argument(
        "--config", type=Path, help="the configuration of all these results: each of its outputs must be there"
    )
    given = parser.parse_args(arguments)
    folder = given.results
    try:
        config = (
            complete_config(read_config(given.config), config_schema(), output_contract()) if given.config else None
        )
        found = verify(folder, config)
    except (InputError, MachineError) as error:
        print(error, file=sys.stderr)
        return 1
    count = sum(1 for _ in files_of([folder]))
    if not found:
        print(f"{folder}: {count} files are what stratifn wrote.")
        return 0
    print(f"{folder}: {len(found)} problems, {count} files.", *found, sep="\n  ", file=sys.stderr)
    print(
        "Delete changed files and run again: they are made anew. What no manifest lists is no result.", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
