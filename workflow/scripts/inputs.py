"""Read and validate a cohort's files; write the samples, one canonical matrix per view, and what was left out."""

from stratifn.differential_expression import Question, check_comparisons
from stratifn.inputs import Groups, known_genes, read_cohort, too_few_samples
from stratifn.integration import integration_problems
from stratifn.running.entry_point import run
from stratifn.shared.errors import problems_of
from stratifn.shared.package_data import sheet_schema
from stratifn.shared.samples import write_samples
from stratifn.shared.tables import write_table, write_views
from stratifn.transfer import load_interferon


def main(snakemake):
    cohort, paths, params = snakemake.params.cohort, snakemake.params.paths, snakemake.params
    genes, others = known_genes(params.signature_files, params.signatures, params.gene_sets)

    def check(samples):
        found = check_comparisons(samples, Question.of(cohort, params.contrasts))
        return found + too_few_samples(samples, paths["samples"]) + integration_problems(samples, **params.integration)

    groups = Groups(cohort["diseases"], cohort["control"], params.known)
    others += problems_of(load_interferon, params.reference, params.contract)
    result = read_cohort(cohort, paths, groups, genes, sheet_schema(), check, params.joined, others, params.ratio)
    write_views(result.views, snakemake.output.views)
    write_table(result.notes, snakemake.output.notes)
    write_samples(result.samples, snakemake.output.samples)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
