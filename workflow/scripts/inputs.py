"""Read and validate a cohort's files; write the samples, one canonical matrix per view, and what was left out."""

from pathlib import Path

from stratifn.differential_expression import all_contrasts, check_contrasts, read_gmt
from stratifn.entry_point import resource_folder, run, sheet_schema
from stratifn.inputs import GeneNames, Groups, problems_of, read_cohort, too_few_samples
from stratifn.signatures import load_registry
from stratifn.tables import write_anndata, write_table
from stratifn.user_signatures import require_signatures


def main(snakemake):
    settings, paths, params = snakemake.params.cohort, snakemake.params.paths, snakemake.params
    groups = Groups(settings["diseases"], settings["control"], params.known)
    registry = load_registry(resource_folder() / "signatures")
    contrasts = all_contrasts(settings["diseases"], settings["control"], params.contrasts)

    def check(samples):
        tested = samples[samples["in_rna"]] if "in_rna" in samples else samples
        problems = check_contrasts(tested, settings["design"], settings["control"], contrasts)
        problems += [problem for path in params.gene_sets for problem in problems_of(read_gmt, path)]
        problems += problems_of(require_signatures, registry, params.signature_files, params.signatures)
        return problems + too_few_samples(samples, paths["samples"])

    cohort = read_cohort(settings, paths, groups, GeneNames.of(registry), sheet_schema(), check)
    for path in snakemake.output.views:
        write_anndata(cohort.views[Path(path).stem], path)
    write_table(cohort.notes, snakemake.output.notes)
    write_table(cohort.samples, snakemake.output.samples)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
