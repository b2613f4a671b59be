"""Place new patients with a frozen reference alone."""

from pathlib import Path

from stratifn.entry_point import resource_folder, run, sheet_schema
from stratifn.inputs import ANY_GROUP, GeneNames, read_cohort
from stratifn.interferon import from_parts
from stratifn.interferon import place_patients as score_patients
from stratifn.normalization import KINDS, from_arrays
from stratifn.samples import typed_samples
from stratifn.signatures import load_registry
from stratifn.stratification import stratum_model
from stratifn.tables import write_tables
from stratifn.transfer import Phases, load_reference, place_patients


def main(snakemake):
    params, genes = snakemake.params, GeneNames.of(load_registry(resource_folder() / "signatures"))
    reference = load_reference(params.folder or Path(snakemake.input.reference[0]).parent, params.contract)
    new = read_cohort(params.settings, params.paths, ANY_GROUP, genes, sheet_schema(), lambda samples: [])

    def score(values, arrays, rna, samples):
        return score_patients(rna, rna.uns["kind"], samples, from_parts(values, arrays))[1]

    def transform(frozen, view):
        return from_arrays(KINDS[frozen.kind].frozen, frozen.fields).transform(view)

    phases = Phases(transform, score, stratum_model)
    placed = place_patients(reference, new.views, typed_samples(new.samples), phases, new.notes)
    write_tables(vars(placed), snakemake.output)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
