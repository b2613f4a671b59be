"""Place new patients with a frozen reference alone."""

from pathlib import Path

from stratifn.interferon import from_parts, place_by_own_controls
from stratifn.interferon import place_patients as score_patients
from stratifn.normalization import KINDS, from_arrays
from stratifn.running.entry_point import run
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views, write_table
from stratifn.stratification import stratum_model
from stratifn.transfer import Measured, Phases, load_reference, place_patients


def main(snakemake):
    read, params = snakemake.input, snakemake.params

    def score(values, arrays, rna, samples):
        return score_patients(rna, rna.uns["kind"], samples, from_parts(values, arrays))[1]

    def score_locally(values, arrays, rna, samples, control):
        return place_by_own_controls(rna, samples, control, from_parts(values, arrays))

    def transform(frozen, view):
        return from_arrays(KINDS[frozen.kind].frozen, frozen.fields).transform(view)

    phases, measured = Phases(transform, score, stratum_model, score_locally), Measured(**params.measured)
    given = read_views(read.views), read_samples(read.samples), phases, measured, read_table(read.notes)
    reference = load_reference(Path(read.reference[0]).parent, params.contract)
    for name, table in vars(place_patients(reference, *given)).items():
        write_table(table, snakemake.output[name])


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
