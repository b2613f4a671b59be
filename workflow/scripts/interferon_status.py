"""Compare IFN-high with IFN-low patients: a second fit, after the classes are known, and descriptive."""

from stratifn.differential_expression import compare_interferon_status
from stratifn.entry_point import resource_folder, run
from stratifn.inference import BatchedInference
from stratifn.samples import read_samples
from stratifn.signatures import load_registry
from stratifn.tables import read_anndata, read_table, write_table
from stratifn.user_signatures import registry_with_files


def main(snakemake):
    cohort, params = snakemake.params.cohort, snakemake.params
    view = read_anndata(snakemake.input.rna[0])
    registry, _ = registry_with_files(load_registry(resource_folder() / "signatures"), params.signature_files)
    result = compare_interferon_status(
        view,
        read_samples(snakemake.input.samples).set_index("sample", drop=False).loc[view.obs_names],
        read_table(snakemake.input.classes),
        cohort["diseases"],
        defining=registry.signature(params.signature).symbols,
        design=cohort["design"],
        alpha=params.alpha,
        inference=BatchedInference(),
    )
    for table, path in zip(result.tables.values(), snakemake.output.tables, strict=True):
        write_table(table, path)
    write_table(result.summary, snakemake.output.summary)
    write_table(result.notes, snakemake.output.notes)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
