from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import polygamma
from scipy.stats import ttest_ind

from defaults import settings_of
from stratifn.differential_expression import (
    Contrast,
    all_contrasts,
    contrast_table,
    control_contrasts,
    cross_disease_table,
    fit_model,
    summary_table,
)
from stratifn.differential_expression.contrasts import versus
from stratifn.differential_expression.moderated_t import trigamma_inverse, variance_prior
from stratifn.differential_expression.results import COLUMNS, gene_status
from stratifn.inference import BatchedInference, Separation
from stratifn.normalization import normalize_view
from stratifn.shared.comparisons import contrast_names
from stratifn.shared.design import model_matrix
from stratifn.shared.errors import InputError

SETTINGS = settings_of("differential_expression", shrink=False, permutations=0)


def contrast_rows(fit, contrast, **settings):
    return contrast_table(fit, contrast, replace(SETTINGS, **settings))


def simulated(groups, n_genes=200, seed=1, changed=20, effect=1.5, dispersion=0.08):
    """Counts with `changed` genes up in every group but the first, and their sheet."""
    rng = np.random.default_rng(seed)
    disease = np.repeat(list(groups), list(groups.values()))
    n = len(disease)
    means = rng.lognormal(5, 1, n_genes)
    mu = np.tile(means, (n, 1)) * rng.lognormal(0, 0.25, (n, 1))
    mu[np.ix_(disease != next(iter(groups)), np.arange(changed))] *= 2**effect
    size = 1 / (dispersion + 1 / means)
    counts = rng.negative_binomial(size, size / (size + mu))
    samples = pd.DataFrame(
        {
            "sample": [f"S{i:03d}" for i in range(n)],
            "disease": disease,
            "sex": rng.permutation(np.resize(["F", "M"], n)),
            "age": rng.normal(50, 10, n),
        }
    )
    names = [f"G{i:04d}" for i in range(n_genes)]
    return ad.AnnData(pd.DataFrame(counts, index=samples["sample"].to_list(), columns=names)), samples


def fitted(view, samples, design="disease", control="HC", **options):
    every_gene = settings_of("normalization", min_count=0)
    data = normalize_view(view, "rna", "counts", samples, every_gene, inference=BatchedInference(), **options).data
    return fit_model(data, model_matrix(samples, design, control), BatchedInference())


def table_of(view, samples, contrast=None, design="disease", control="HC", **options):
    fit = fitted(view, samples, design, control, **options)
    return contrast_rows(fit, contrast or versus("SLE", "HC")).set_index("gene_id")


def test_the_table_has_the_contracts_columns_and_finds_the_planted_genes():
    view, samples = simulated({"HC": 8, "SLE": 8})
    fit = fitted(view, samples)
    contrast = versus("SLE", "HC")
    table = contrast_rows(fit, contrast, shrink=True)
    assert list(table.columns) == COLUMNS
    assert table["gene_id"].is_monotonic_increasing
    called = set(table.loc[table["padj"] < 0.05, "gene_id"])
    planted = {f"G{i:04d}" for i in range(20)}
    assert len(called & planted) >= 19 and len(called - planted) <= 4
    assert set(table["status"]) <= {"tested", "low_count"}
    shrunken = table["log2FoldChangeShrunk"]
    assert shrunken.notna().all()
    assert (shrunken.abs() <= table["log2FoldChange"].abs() + 0.05).mean() > 0.95


def test_the_summary_counts_groups_and_calls():
    view, samples = simulated({"HC": 6, "SLE": 8, "DM": 7})
    fit = fitted(view, samples)
    contrasts = all_contrasts(["SLE", "DM"], "HC", [{"name": "both", "coefficients": {"disease[SLE]": 1}}])
    assert [c.name for c in contrasts] == ["SLE_vs_HC", "DM_vs_HC", "SLE_vs_DM", "both"]
    tables = {c.name: contrast_rows(fit, c) for c in contrasts}
    summary = summary_table(tables, contrasts, samples, SETTINGS.alpha, permuted_calls={"SLE_vs_HC": 0.5}).set_index(
        "contrast"
    )
    assert summary.loc["SLE_vs_DM", ["n_level", "n_baseline"]].tolist() == [8, 7]
    assert summary.loc["SLE_vs_HC", "up"] >= 18 and summary.loc["SLE_vs_HC", "permuted_calls"] == 0.5
    assert summary.loc["SLE_vs_HC", "up_lfc1"] <= summary.loc["SLE_vs_HC", "up"]
    assert pd.isna(summary.loc["both", "n_level"]) and pd.isna(summary.loc["DM_vs_HC", "permuted_calls"])
    pd.testing.assert_frame_equal(tables["both"], tables["SLE_vs_HC"])


def test_no_control_means_no_contrast_against_one():
    assert control_contrasts(["A", "B"], None) == []
    assert [c.name for c in all_contrasts(["A", "B", "C"], None)] == ["A_vs_B", "A_vs_C", "B_vs_C"]


@pytest.mark.parametrize("control", ["HC", None])
def test_the_names_that_the_configuration_gives_are_those_of_the_contrasts_that_are_made(control):
    asked = ["A", "B", "C"], control, [{"name": "sex", "factor": "sex", "level": "M", "baseline": "F"}]
    assert contrast_names(*asked) == [contrast.name for contrast in all_contrasts(*asked)]


def test_size_factors_of_the_normalization_are_used_as_they_are():
    view, samples = simulated({"HC": 6, "SLE": 6})
    data = normalize_view(
        view, "rna", "counts", samples, settings_of("normalization", min_count=0), inference=BatchedInference()
    ).data
    design = model_matrix(samples, "disease", "HC")
    before = fit_model(data, design, BatchedInference())
    data.obs["size_factor"] = data.obs["size_factor"] * np.where(samples["disease"] == "SLE", 2.0, 1.0)
    after = fit_model(data, design, BatchedInference())
    shift = after.estimate(versus("SLE", "HC")).log2_fold_change - before.estimate(versus("SLE", "HC")).log2_fold_change
    assert np.median(shift) == pytest.approx(-1, abs=0.02)


def test_two_groups_of_three_and_a_gene_with_a_single_counted_sample():
    view, samples = simulated({"HC": 3, "SLE": 3}, n_genes=120)
    view.X[:, 0] = [0, 0, 0, 0, 0, 9]
    view.X[:, 1] = 0
    table = table_of(view, samples, always_keep={"G0001"})
    assert table.loc["G0001", "status"] == "all_zero"
    assert table.loc["G0001", ["pvalue", "padj", "log2FoldChange"]].isna().all()
    assert np.isfinite(table.loc["G0000", ["baseMean", "log2FoldChange", "lfcSE"]].astype(float)).all()
    assert table.loc["G0000", "status"] in {"low_count", "outlier", "tested"}
    assert (table.loc[table["status"] == "tested", "padj"].notna()).all()


def test_a_gene_carried_by_one_sample_is_an_outlier_without_p_value():
    view, samples = simulated({"HC": 4, "SLE": 4, "DM": 4}, changed=0)
    view.X[5, 7] = 60_000
    table = table_of(view, samples)
    assert table.loc["G0007", "status"] == "outlier"
    assert np.isnan(table.loc["G0007", "pvalue"]) and np.isnan(table.loc["G0007", "padj"])


def test_an_outlying_count_among_seven_replicates_is_replaced_and_the_gene_tested():
    view, samples = simulated({"HC": 8, "SLE": 8}, changed=0)
    view.X[10, 7] = 60_000
    table = table_of(view, samples)
    assert table.loc["G0007", "status"] in {"tested", "low_count"}
    assert table.loc["G0007", "pvalue"] > 0.001


def test_genes_without_a_count_in_both_compared_groups_have_effect_zero_as_in_r():
    view, samples = simulated({"HC": 5, "SLE": 5, "DM": 5}, changed=0)
    view.X[:10, 3] = 0
    fit = fitted(view, samples)
    row = contrast_rows(fit, versus("SLE", "HC")).set_index("gene_id").loc["G0003"]
    assert (row["log2FoldChange"], row["stat"], row["pvalue"]) == (0, 0, 1)
    other = contrast_rows(fit, versus("DM", "HC")).set_index("gene_id").loc["G0003"]
    assert other["log2FoldChange"] > 5


def test_nothing_significant_is_a_table_like_any_other():
    view, samples = simulated({"HC": 5, "SLE": 5}, changed=0, seed=11)
    fit = fitted(view, samples)
    contrast = versus("SLE", "HC")
    table = contrast_rows(fit, contrast)
    assert not (table["padj"] < 1e-3).any() and len(table) == 200
    summary = summary_table({contrast.name: table}, [contrast], samples, alpha=1e-3)
    assert summary.loc[0, ["up", "down", "up_lfc1", "down_lfc1"]].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", ["counts", "continuous"])
def test_one_gene_alone_can_be_tested(kind):
    view, samples = simulated({"HC": 6, "SLE": 6}, n_genes=40)
    if kind == "continuous":
        view = ad.AnnData(np.log2(view.to_df() + 1))
    data = normalize_view(
        view, "rna", kind, samples, settings_of("normalization", min_count=0), inference=BatchedInference()
    ).data
    table = contrast_rows(
        fit_model(data[:, :1].copy(), model_matrix(samples, "disease", "HC"), BatchedInference()), versus("SLE", "HC")
    )
    assert len(table) == 1 and 0 <= table.loc[0, "pvalue"] <= 1


def test_a_contrast_with_an_unknown_level_is_an_input_error():
    view, samples = simulated({"HC": 4, "SLE": 4}, n_genes=60)
    with pytest.raises(InputError, match="pSS"):
        contrast_rows(fitted(view, samples), versus("pSS", "HC"))


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 10_000))
def test_p_values_do_not_depend_on_the_order_of_samples_or_genes(seed):
    view, samples = simulated({"HC": 5, "SLE": 6, "DM": 5}, n_genes=60)
    expected = table_of(view, samples, design="disease + sex")
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(view.n_obs), rng.permutation(view.n_vars)
    shuffled = view[rows, columns].copy()
    table = table_of(shuffled, samples.iloc[rows].reset_index(drop=True), design="disease + sex")
    # sums in another order differ in their last bits, iterations stop at 1e-8
    np.testing.assert_allclose(table["stat"], expected["stat"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(table["pvalue"], expected["pvalue"], rtol=1e-3, atol=1e-9)


@settings(deadline=None, max_examples=3)
@given(st.sampled_from(["SLE", "DM"]), st.sampled_from(["disease", "disease + sex + age"]))
def test_p_values_do_not_depend_on_the_baseline(baseline, design):
    view, samples = simulated({"HC": 6, "SLE": 6, "DM": 6}, n_genes=60)
    fit, other = fitted(view, samples, design), fitted(view, samples, design, control=baseline)
    for contrast in (versus("SLE", "HC"), versus("SLE", "DM")):
        for test in (contrast_rows, lambda f, c: contrast_rows(f, c, lfc_threshold=0.5)):
            a, b = test(fit, contrast), test(other, contrast)
            np.testing.assert_allclose(a["pvalue"], b["pvalue"], rtol=1e-3, atol=1e-9)


def test_the_threshold_test_asks_for_more_than_the_threshold():
    view, samples = simulated({"HC": 10, "SLE": 10, "DM": 10}, effect=2.0)
    fit = fitted(view, samples)
    plain, beyond = contrast_rows(fit, versus("SLE", "HC")), contrast_rows(fit, versus("SLE", "HC"), lfc_threshold=1.0)
    assert (beyond["pvalue"] >= plain["pvalue"] - 1e-12).all()
    assert list(beyond.columns) == COLUMNS
    within = plain["log2FoldChange"].abs() < 1
    assert (beyond.loc[within, "stat"] == 0).all() and (beyond.loc[within, "pvalue"] == 1).all()
    # SLE and DM share the shift, so between them nothing exceeds anything
    assert not (contrast_rows(fit, versus("SLE", "DM"), lfc_threshold=1.0)["padj"] < 0.05).any()
    zero = contrast_rows(fit, versus("SLE", "HC"), lfc_threshold=0.0)
    np.testing.assert_allclose(zero["pvalue"], plain["pvalue"])


def test_a_combination_of_coefficients_has_no_shrunken_effect():
    view, samples = simulated({"HC": 5, "SLE": 5, "DM": 5}, n_genes=60)
    fit = fitted(view, samples)
    mean = Contrast("mean", coefficients={"disease[SLE]": 0.5, "disease[DM]": 0.5})
    assert contrast_rows(fit, mean, shrink=True)["log2FoldChangeShrunk"].isna().all()
    between = contrast_rows(fit, versus("SLE", "DM"), shrink=True)["log2FoldChangeShrunk"]
    assert between.notna().all()


def test_covariates_are_per_unit_of_the_sheet():
    view, samples = simulated({"HC": 8, "SLE": 8}, n_genes=60)
    per_year = Contrast("age", coefficients={"age": 1})
    years = contrast_rows(fitted(view, samples, "disease + age"), per_year)
    decades = samples.assign(age=samples["age"] / 10)
    tens = contrast_rows(fitted(view, decades, "disease + age"), per_year)
    np.testing.assert_allclose(tens["log2FoldChange"], 10 * years["log2FoldChange"], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(tens["pvalue"], years["pvalue"], rtol=1e-4)


def log_view(values, samples):
    columns = [f"G{i:03d}" for i in range(values.shape[1])]
    view = ad.AnnData(pd.DataFrame(values, index=samples["sample"].to_list(), columns=columns))
    return normalize_view(view, "rna", "continuous", samples, settings_of("normalization")).data


def test_one_gene_without_others_to_learn_from_has_the_ordinary_t():
    _, samples = simulated({"HC": 5, "SLE": 6}, changed=0)
    values = np.random.default_rng(3).normal(8, 1, (11, 1))
    table = contrast_rows(
        fit_model(log_view(values, samples), model_matrix(samples, "disease", "HC")), versus("SLE", "HC")
    )
    sle = (samples["disease"] == "SLE").to_numpy()
    expected = ttest_ind(values[sle, 0], values[~sle, 0])
    assert table.loc[0, "stat"] == pytest.approx(expected.statistic)
    assert table.loc[0, "pvalue"] == pytest.approx(expected.pvalue)
    assert table.loc[0, "baseMean"] == pytest.approx(values.mean())


def test_the_variance_prior_recovers_what_was_simulated():
    rng = np.random.default_rng(8)
    df, df_prior, variance = 10.0, 6.0, 0.3
    true = variance * df_prior / rng.chisquare(df_prior, 20_000)
    prior = variance_prior(true * rng.chisquare(df, 20_000) / df, np.full(20_000, df))
    assert prior.df == pytest.approx(df_prior, rel=0.1) and prior.variance == pytest.approx(variance, rel=0.05)
    same = variance_prior(variance * rng.chisquare(df, 5000) / df, np.full(5000, df))
    assert same.df > 100


def test_trigamma_inverse_inverts_trigamma():
    for x in (1e-4, 0.01, 0.3, 1.0, 7.0, 1e3, 1e8):
        assert trigamma_inverse(float(polygamma(1, x))) == pytest.approx(x, rel=1e-6)


def test_missing_values_are_left_out_gene_by_gene():
    _, samples = simulated({"HC": 6, "SLE": 6}, changed=0)
    values = np.random.default_rng(5).normal(8, 1, (12, 30))
    values[2, 4] = np.nan
    values[6:, 9] = np.nan
    table = contrast_rows(
        fit_model(log_view(values, samples), model_matrix(samples, "disease", "HC")), versus("SLE", "HC")
    )
    table = table.set_index("gene_id")
    means = [np.nanmean(values[half, 4]) for half in (slice(6, 12), slice(0, 6))]
    assert table.loc["G004", "log2FoldChange"] == pytest.approx(means[0] - means[1])
    assert table.loc["G009", "status"] == "low_count" and np.isnan(table.loc["G009", "pvalue"])
    assert (table.drop("G009")["status"] == "tested").all()


def test_the_first_reason_that_applies_is_the_status():
    view, samples = simulated({"HC": 4, "SLE": 4}, n_genes=60)
    fit = fitted(view, samples)
    flags = np.zeros((3, 60), dtype=bool)
    flags[0, 0] = flags[1, :2] = flags[2, :3] = True
    fit = replace(fit, all_zero=flags[0], outlier=flags[1], not_converged=flags[2])
    padj = np.r_[np.full(4, np.nan), np.full(56, 0.5)]
    assert list(gene_status(fit, versus("SLE", "HC"), padj)[:5]) == [
        "all_zero",
        "outlier",
        "not_converged",
        "low_count",
        "tested",
    ]


# --- effects that the counts do not determine --------------------------------------------------------------------


def y_linked(men):
    """Three groups of eight, of which some hold so many men; gene G0000 has counts in men alone."""
    view, samples = simulated({"HC": 8, "SLE": 8, "SSc": 8}, n_genes=120, changed=0)
    rank = np.tile(np.arange(8), 3)
    samples["sex"] = np.where(rank < samples["disease"].map(men), "M", "F")
    counts = np.array(view.X)
    counts[:, 0] = np.where(samples["sex"] == "M", 300 + 10 * rank, 0)
    view.X = counts
    return view, samples


def test_an_effect_that_may_be_large_either_way_is_not_given():
    view, samples = y_linked({"HC": 4, "SLE": 4, "SSc": 0})
    fit = fitted(view, samples, "disease + sex")
    unknown = contrast_rows(fit, versus("SSc", "HC"), shrink=True).set_index("gene_id").loc["G0000"]
    numbers = ["log2FoldChange", "lfcSE", "stat", "pvalue", "padj", "log2FoldChangeShrunk"]
    assert unknown["status"] == "undetermined" and unknown[numbers].isna().all() and unknown["baseMean"] > 0
    known = contrast_rows(fit, versus("SLE", "HC"), shrink=True).set_index("gene_id").loc["G0000"]
    assert known["status"] == "tested" and known[numbers].notna().all() and abs(known["log2FoldChange"]) < 0.5


def test_a_gene_with_one_undetermined_effect_has_no_class_across_diseases():
    view, samples = y_linked({"HC": 4, "SLE": 4, "SSc": 0})
    fit = fitted(view, samples, "disease + sex")
    tables = {f"{d}_vs_HC": contrast_rows(fit, versus(d, "HC")) for d in ("SLE", "SSc")}
    across = cross_disease_table(fit, ["SLE", "SSc"], "HC", tables, SETTINGS).set_index("gene_id")
    assert across.loc["G0000", "class"] == "untested" and np.isnan(across.loc["G0000", "pooled_log2FoldChange"])
    assert across["pooled_log2FoldChange"].isna().sum() == 1


def test_a_gene_that_one_group_alone_expresses_keeps_the_number_that_r_gives():
    view, samples = simulated({"HC": 8, "SLE": 8}, n_genes=120, changed=0)
    counts = np.array(view.X)
    counts[:, 0] = np.where(samples["disease"] == "SLE", counts[:, 0] + 50, 0)
    view.X = counts
    silent = table_of(view, samples).loc["G0000"]
    assert silent["status"] == "tested" and silent["log2FoldChange"] > 5 and silent["padj"] < 1e-3


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_an_effect_is_undetermined_exactly_if_the_likelihood_rises_both_ways(seed):
    """Checked by linear programs: the largest and the smallest contrast over the directions that lower no sample's fit."""
    rng = np.random.default_rng(seed)
    groups, sex = rng.integers(0, 3, 14), rng.integers(0, 2, 14)
    matrix = np.column_stack([np.ones(14), groups == 1, groups == 2, sex, rng.normal(size=14)]).astype(float)
    matrix = matrix[:, : rng.integers(4, 6)]
    counts = rng.integers(0, 2, (14, 12)) * (rng.random(12) < 0.5) + (rng.random((14, 12)) < 0.15)
    counts = counts[:, counts.any(axis=0)]
    weights = rng.choice([-1.0, 0.0, 1.0], matrix.shape[1])
    weights[1] = 1.0
    assume(np.linalg.matrix_rank(matrix) == matrix.shape[1])
    found = Separation.of(counts, matrix).undetermined(weights, counts.shape[1])
    for gene, y in enumerate(counts.T):
        lowest, highest = (
            linprog(
                sign * weights, A_ub=matrix[y == 0], b_ub=np.zeros((y == 0).sum()), A_eq=matrix[y > 0],
                b_eq=np.zeros((y > 0).sum()), bounds=(-1, 1),
            ).fun
            for sign in (1, -1)
        )  # fmt: skip
        assert found[gene] == (lowest < -1e-6 and highest < -1e-6)


def test_other_kinds_of_views_have_no_model():
    _, samples = simulated({"HC": 4, "SLE": 4}, changed=0)
    data = log_view(np.ones((8, 3)), samples)
    data.uns["kind"] = "beta"
    with pytest.raises(InputError, match="kind beta"):
        fit_model(data, model_matrix(samples, "disease", "HC"))
