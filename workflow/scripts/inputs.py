"""Read and validate a cohort's files; write the samples, one canonical matrix per view, and what was left out."""

from functools import partial

from stratifn.differential_expression import comparison_checks
from stratifn.inputs import Groups, known_genes, read_cohort, size_checks, write_cohort
from stratifn.integration import integration_checks
from stratifn.interferon import protein_checks, reference_problems
from stratifn.running.entry_point import run
from stratifn.shared.package_data import sheet_schema
from stratifn.transfer import load_interferon


def main(snakemake):
    cohort, paths, params = snakemake.params.cohort, snakemake.params.paths, snakemake.params
    genes, others = known_genes(params.signature_files, params.signatures, params.gene_sets)
    frozen = partial(load_interferon, params.reference, params.contract)
    others = [*others * params.first, *reference_problems(frozen, params.reference, cohort, params.first)]
    design, size = comparison_checks(cohort, params.contrasts), size_checks(paths["samples"])
    factors, protein = integration_checks(cohort, **params.integration), protein_checks(cohort, params.analyte)
    groups, checks = Groups(cohort["diseases"], cohort["control"], params.known), (design, size, factors, protein)
    result = read_cohort(cohort, paths, groups, genes, sheet_schema(), checks, params.joined, others, params.ratio)
    write_cohort(result, snakemake.output)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
