"""Simulate a cohort: the files that a user would provide, and separately the simulated truth."""

from pathlib import Path

import pandas as pd

from stratifn.registry.signatures import load_registry
from stratifn.running.entry_point import run
from stratifn.shared.package_data import resource_folder
from stratifn.simulation import Settings, simulate_cohort


def main(snakemake):
    resources = resource_folder()
    simulate_cohort(
        Settings.from_config(snakemake.params.settings),
        snakemake.params.diseases,
        snakemake.params.control,
        load_registry(resources / "signatures"),
        pd.read_csv(resources / "genes" / "human_protein_coding.tsv", sep="\t", keep_default_na=False),
        simulated=Path(snakemake.output.sheet).parent,
        truth=Path(snakemake.output.truth),
    )


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
