"""Place new patients with a frozen reference alone."""

from pathlib import Path

from stratifn.interferon import score_by_own_controls, score_frozen
from stratifn.normalization import transform_frozen
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views, write_table
from stratifn.stratification import stratum_model
from stratifn.transfer import Measured, Phases, load_reference, place_patients


def main(snakemake):
    read, params = snakemake.input, snakemake.params
    phases = Phases(transform_frozen, score_frozen, stratum_model, score_by_own_controls)
    given = read_views(read.views), read_samples(read.samples), phases, Measured(**params.measured)
    reference = load_reference(Path(read.reference[0]).parent, params.contract)
    for name, table in vars(place_patients(reference, *given, read_table(read.notes))).items():
        write_table(table, snakemake.output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
