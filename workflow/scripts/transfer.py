"""Place new patients with a frozen reference alone."""

from pathlib import Path

from stratifn.interferon import from_parts
from stratifn.interferon import place_patients as score_patients
from stratifn.normalization import KINDS, from_arrays
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views, write_table
from stratifn.stratification import stratum_model
from stratifn.transfer import Measured, Phases, load_reference, place_patients


def main(snakemake):
    read, params = snakemake.input, snakemake.params
    reference = load_reference(Path(read.reference[0]).parent, params.contract)

    def score(values, arrays, rna, samples):
        return score_patients(rna, rna.uns["kind"], samples, from_parts(values, arrays))[1]

    def transform(frozen, view):
        return from_arrays(KINDS[frozen.kind].frozen, frozen.fields).transform(view)

    phases = Phases(transform, score, stratum_model)
    samples, notes = read_samples(read.samples), read_table(read.notes)
    placed = place_patients(reference, read_views(read.views), samples, phases, Measured(**params.measured), notes)
    for name, table in vars(placed).items():
        write_table(table, snakemake.output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
