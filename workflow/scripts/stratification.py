"""Find the strata of a cohort and describe them."""

from stratifn.integration import posterior_of_cohort, read_model
from stratifn.running.entry_point import run
from stratifn.shared.arrays import write_arrays
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table, read_views, write_table
from stratifn.stratification import Settings, stratify_cohort, stratum_arrays


def main(snakemake):
    read, output, params = snakemake.input, snakemake.output, snakemake.params
    robustness, views = read_table(read.robustness), read_views(read.views)
    factors = read_table(read.factors).set_index("sample")
    posterior = posterior_of_cohort(read_model(read.integrated), views, factors, params.corrected_for)
    # a single seed cannot show robustness; then every factor is used
    robust = robustness.loc[robustness["robust"].fillna(True), "factor"].tolist()
    cohort = read_table(read.variance_explained), robust, read_samples(read.samples), views, params.control
    settings, classes = Settings.from_config(params.settings), read_table(read.classes)
    result = stratify_cohort(posterior.mean, *cohort, settings, classes, params.cells, posterior)
    for name, table in result.tables.items():
        write_table(table, output[name])
    write_arrays(stratum_arrays(result.model), output.model)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
