"""What is built on one fit: pooling over diseases, permutations, enrichment, IFN-high against IFN-low."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from stratifn.differential_expression import (
    GeneSet,
    all_contrasts,
    compare_interferon_status,
    contrast_table,
    control_contrasts,
    cross_disease_table,
    enrichment_table,
    fit_model,
    permutation_null,
    read_gmt,
)
from stratifn.differential_expression.contrasts import Contrast
from stratifn.differential_expression.cross_disease import Effects, heterogeneity_pvalues, inconsistency, pool
from stratifn.differential_expression.permutation import permutation_strata, shuffled_within
from stratifn.inference import BatchedInference
from stratifn.normalization import normalize_view
from stratifn.shared.comparisons import interferon_contrast_names
from stratifn.shared.design import model_matrix
from stratifn.shared.errors import InputError
from stratifn.shared.statistics import benjamini_hochberg

DISEASES = ["SLE", "pSS", "DM"]


def cohort(sizes, effects, n_genes=300, seed=1, kind="counts"):
    """A normalised view; `effects` maps (gene, disease) to log2 fold changes."""
    rng = np.random.default_rng(seed)
    disease = np.repeat(list(sizes), list(sizes.values()))
    samples = pd.DataFrame({"sample": [f"S{i:03d}" for i in range(len(disease))], "disease": disease})
    samples["sex"] = rng.permutation(np.resize(["F", "M"], len(disease)))
    names = [f"G{i:04d}" for i in range(n_genes)]
    log_mean = np.tile(rng.normal(8, 1, n_genes), (len(disease), 1))
    for (gene, group), effect in effects.items():
        log_mean[disease == group, gene] += effect
    if kind == "counts":
        mu = 2**log_mean * rng.lognormal(0, 0.2, (len(disease), 1))
        values = rng.negative_binomial(10, 10 / (10 + mu))
    else:
        values = log_mean + rng.normal(0, 0.5, log_mean.shape)
    view = ad.AnnData(pd.DataFrame(values, index=samples["sample"].to_list(), columns=names))
    data = normalize_view(view, "rna", kind, samples, min_count=0, inference=BatchedInference()).data
    return data, samples


def crossed(data, samples, diseases=DISEASES, design="disease"):
    fit = fit_model(data, model_matrix(samples, design, "HC"), BatchedInference())
    tables = {c.name: contrast_table(fit, c) for c in control_contrasts(diseases, "HC")}
    return cross_disease_table(fit, diseases, "HC", tables).set_index("gene_id")


PLANTED = {
    **{(0, disease): 2.0 for disease in DISEASES},  # shared
    (1, "SLE"): 2.0,  # specific
    **{(2, "SLE"): 2.0, (2, "pSS"): -2.0},  # discordant
    **{(3, disease): effect for disease, effect in zip(DISEASES, (4.0, 2.0, 2.0), strict=True)},  # shared, unequal
}
SIZES = {"HC": 12, "SLE": 12, "pSS": 12, "DM": 12}


@pytest.mark.parametrize("kind", ["counts", "continuous"])
def test_planted_genes_get_their_class(kind):
    table = crossed(*cohort(SIZES, PLANTED, kind=kind))
    assert list(table["class"].iloc[:4]) == ["shared", "specific:SLE", "discordant", "shared"]
    assert (table["class"].iloc[4:] == "none").mean() > 0.95
    assert table.loc["G0000", "pooled_log2FoldChange"] == pytest.approx(2, abs=0.5)
    assert table.loc["G0000", "pooled_padj"] < 1e-6 and table.loc["G0000", "Q_padj"] > 0.05
    assert table.loc["G0001", "I2"] > 50 and table.loc["G0001", "Q_padj"] < 0.01


def test_the_columns_are_the_contracts():
    table = crossed(*cohort(SIZES, {}, n_genes=60)).reset_index()
    effects = [f"{what}_{disease}" for what in ("log2FoldChange", "padj") for disease in DISEASES]
    pooled = ["pooled_log2FoldChange", "pooled_lfcSE", "pooled_padj", "Q", "Q_padj", "I2", "class"]
    assert list(table.columns) == ["gene_id", "gene_name", *effects, *pooled]


def test_a_disease_without_its_own_effect_is_not_specific_because_the_others_move():
    effects = {(0, "pSS"): 2.0, (0, "DM"): 2.0}
    table = crossed(*cohort(SIZES, effects))
    assert table.loc["G0000", "class"] == "discordant"


def test_two_diseases_are_told_apart_as_well():
    sizes = {"HC": 12, "SLE": 12, "DM": 12}
    table = crossed(*cohort(sizes, {(0, "DM"): 2.5, (1, "SLE"): 2.0, (1, "DM"): 2.0}), diseases=["SLE", "DM"])
    assert list(table["class"].iloc[:2]) == ["specific:DM", "shared"]


def test_one_disease_alone_has_nothing_to_pool():
    data, samples = cohort({"HC": 6, "SLE": 6}, {}, n_genes=60)
    table = crossed(data, samples, ["SLE"])
    assert (table["class"] == "untested").all()
    assert table[["pooled_log2FoldChange", "pooled_padj", "Q", "Q_padj", "I2"]].isna().all(axis=None)
    assert table["log2FoldChange_SLE"].notna().all()


def test_pooling_is_generalised_least_squares():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(5, 3, 3))
    covariance = root @ root.transpose(0, 2, 1) + np.eye(3)
    b = rng.normal(size=(5, 3))
    pooled = pool(Effects(b, covariance))
    for g in range(5):
        inverse = np.linalg.inv(covariance[g])
        total = inverse.sum()
        mean = (inverse @ b[g]).sum() / total
        rest = b[g] - mean
        assert pooled.effect[g] == pytest.approx(mean)
        assert pooled.standard_error[g] == pytest.approx(total**-0.5)
        assert pooled.q[g] == pytest.approx(rest @ inverse @ rest)
    assert inconsistency(np.array([10.0, 1.0, 0.0, np.nan]), 2) == pytest.approx([80, 0, 0, np.nan], nan_ok=True)


def null_rejections(n_genes, seeds, kind, per_group):
    pooled, q = [], []
    for seed in seeds:
        sizes = dict.fromkeys(["HC", *DISEASES, "SSc"], per_group)
        data, samples = cohort(sizes, {}, n_genes=n_genes, seed=seed, kind=kind)
        fit = fit_model(data, model_matrix(samples, "disease", "HC"), BatchedInference())
        contrasts = control_contrasts([*DISEASES, "SSc"], "HC")
        tables = {c.name: contrast_table(fit, c) for c in contrasts}
        table = cross_disease_table(fit, [*DISEASES, "SSc"], "HC", tables).set_index("gene_id").loc[fit.genes.index]
        statistic = (table["pooled_log2FoldChange"] / table["pooled_lfcSE"]).to_numpy()
        pooled.append(fit.pvalues(statistic) < 0.05)
        q.append(heterogeneity_pvalues(table["Q"].to_numpy(), 3, fit.df) < 0.05)
    return np.mean(pooled), np.mean(q)


@pytest.mark.parametrize(("kind", "per_group"), [("counts", 30), ("continuous", 8)])
def test_under_the_null_pooled_effect_and_q_reject_one_in_twenty(kind, per_group):
    # 10,000 genes: the binomial standard error is 0.2 %
    pooled, q = null_rejections(5000, (1, 2), kind, per_group)
    assert 0.04 <= pooled <= 0.06
    assert 0.04 <= q <= 0.06


def test_pooling_as_if_the_studies_were_independent_would_reject_far_too_often():
    data, samples = cohort(dict.fromkeys(["HC", *DISEASES, "SSc"], 20), {}, n_genes=3000, kind="continuous")
    fit = fit_model(data, model_matrix(samples, "disease", "HC"))
    estimates = [fit.estimate(c) for c in control_contrasts([*DISEASES, "SSc"], "HC")]
    precision = np.array([e.standard_error**-2.0 for e in estimates])
    effect = (precision * [e.log2_fold_change for e in estimates]).sum(axis=0) / precision.sum(axis=0)
    naive = np.mean(fit.pvalues(effect * np.sqrt(precision.sum(axis=0))) < 0.05)
    assert naive > 0.15


def test_labels_are_shuffled_within_batch_and_sex():
    _, samples = cohort({"HC": 20, "SLE": 20}, {}, n_genes=20)
    samples["batch"] = ["a", "b"] * 20
    strata = permutation_strata(samples)
    assert len(np.unique(strata)) == 4
    shuffled = shuffled_within(samples["disease"].to_numpy(), strata, np.random.default_rng(1))
    assert (shuffled != samples["disease"]).any()
    before = pd.crosstab(strata, samples["disease"])
    pd.testing.assert_frame_equal(pd.crosstab(strata, pd.Series(shuffled, name="disease")), before)


def test_permuted_labels_call_almost_nothing_where_true_ones_call_much():
    effects = {(gene, "SLE"): 2.0 for gene in range(60)}
    data, samples = cohort({"HC": 10, "SLE": 10}, effects)
    contrasts = [*all_contrasts(["SLE"], "HC"), Contrast("sex", "sex", "M", "F")]
    arguments = (data, samples, "disease + sex", "HC", contrasts, 4)
    null = permutation_null(*arguments, inference=BatchedInference()).set_index("contrast")
    assert null.loc["SLE_vs_HC", "permutations"] == 4
    assert null.loc["SLE_vs_HC", "mean_calls"] <= null.loc["SLE_vs_HC", "max_calls"] <= 30
    assert pd.isna(null.loc["sex", "mean_calls"]) and "not about the disease" in null.loc["sex", "reason"]
    again = permutation_null(*arguments, inference=BatchedInference()).set_index("contrast")
    pd.testing.assert_frame_equal(null, again)


def test_nothing_to_shuffle_is_said():
    data, samples = cohort({"HC": 6, "SLE": 6}, {}, n_genes=40)
    samples["sex"] = np.where(samples["disease"] == "SLE", "F", "M")
    contrasts = all_contrasts(["SLE"], "HC")
    null = permutation_null(data, samples, "disease", "HC", contrasts, 3, inference=BatchedInference())
    assert null.loc[0, "permutations"] == 0 and "no shuffle within batch and sex" in null.loc[0, "reason"]
    none = permutation_null(data, samples, "disease", "HC", contrasts, 0, inference=BatchedInference())
    assert none.loc[0, "reason"] == "no permutation was asked for"


def de_table(statistic):
    names = [f"G{i:04d}" for i in range(len(statistic))]
    return pd.DataFrame({"gene_id": names, "gene_name": names, "stat": statistic, "pvalue": 0.5})


def test_enrichment_finds_a_small_set_and_not_the_others():
    rng = np.random.default_rng(1)
    statistic = rng.normal(size=2000)
    statistic[:4] = 5
    sets = [
        GeneSet("ifn", "paper", tuple(f"G{i:04d}" for i in range(4))),
        GeneSet("null", "paper", tuple(f"G{i:04d}" for i in range(500, 530))),
        GeneSet("absent", "paper", ("NOPE",)),
    ]
    table = enrichment_table({"SLE_vs_HC": de_table(statistic), "null_vs_HC": de_table(-statistic)}, sets)
    assert list(table.columns) == ["contrast", "gene_set", "source", "n_genes", "score", "pvalue", "padj"]
    assert list(table["contrast"]) == ["SLE_vs_HC"] * 3 + ["null_vs_HC"] * 3
    by = table.set_index(["contrast", "gene_set"])
    assert by.loc[("SLE_vs_HC", "ifn"), "padj"] < 0.01 and by.loc[("SLE_vs_HC", "ifn"), "score"] > 0
    assert by.loc[("null_vs_HC", "ifn"), "score"] < 0
    assert by.loc[("SLE_vs_HC", "null"), "pvalue"] > 0.05
    assert by.loc[("SLE_vs_HC", "absent"), "n_genes"] == 0 and pd.isna(by.loc[("SLE_vs_HC", "absent"), "score"])
    shuffled = enrichment_table({"SLE_vs_HC": de_table(statistic).sample(frac=1, random_state=3)}, sets[::-1])
    pd.testing.assert_frame_equal(shuffled, table[:3])
    assert by.loc["SLE_vs_HC", "padj"].to_numpy() == pytest.approx(
        benjamini_hochberg(by.loc["SLE_vs_HC", "pvalue"]), nan_ok=True
    )


def test_genes_without_a_test_are_not_ranked():
    table = de_table(np.arange(50.0))
    table.loc[0, "pvalue"] = np.nan
    result = enrichment_table({"c": table}, [GeneSet("s", "x", ("G0000", "G0001"))])
    assert result.loc[0, "n_genes"] == 1


def test_a_users_gmt_is_read_and_its_faults_are_all_named(tmp_path):
    path = tmp_path / "mine.gmt"
    path.write_text("A\tsome paper\tISG15\tMX1\tISG15\n\nB\t\tIFI44\n")
    sets = read_gmt(path)
    assert [(s.name, s.symbols) for s in sets] == [("A", ("ISG15", "MX1")), ("B", ("IFI44",))]
    assert sets[0].source == "mine.gmt: some paper" and sets[1].source == "mine.gmt"
    path.write_text("A\tx\tISG15\nA\tx\tMX1\nempty\tx\n")
    with pytest.raises(InputError, match="line 2(.|\n)*line 3"):
        read_gmt(path)


def interferon_cohort(low_of_dm=6):
    groups = {"HC": 8, "SLE": 16, "DM": 10 + low_of_dm, "pSS": 6}
    data, samples = cohort(groups, {}, seed=4)
    status = ["low"] * 8 + ["high"] * 10 + ["low"] * 6 + ["high"] * 10 + ["low"] * low_of_dm + ["borderline"] * 6
    rng = np.random.default_rng(7)
    counts = data.layers["counts"]
    high = np.array(status) == "high"
    counts[np.ix_(high, np.arange(15))] = (counts[np.ix_(high, np.arange(15))] * 6).astype(counts.dtype)
    data.layers["counts"] = counts
    classes = pd.DataFrame({"sample": samples["sample"], "ifn_class": status}).sample(
        frac=1, random_state=rng.integers(99)
    )
    return data, samples, classes


def test_ifn_high_patients_are_compared_within_their_disease():
    data, samples, classes = interferon_cohort()
    result = compare_interferon_status(
        data, samples, classes, ["SLE", "DM", "pSS"], defining={"G0000", "G0001"},
        design="disease + sex + disease:sex", inference=BatchedInference(),
    )  # fmt: skip
    assert list(result.tables) == interferon_contrast_names(["SLE", "DM", "pSS"])
    overall = result.tables["IFN_high_vs_IFN_low"].set_index("gene_id")
    assert (overall.loc[["G0000", "G0001"], "status"] == "defining").all()
    assert overall.loc[["G0000", "G0001"], ["stat", "pvalue", "padj"]].isna().all(axis=None)
    assert (overall.loc[["G0000", "G0001"], "log2FoldChange"] > 1.5).all()
    called = set(overall.index[overall["padj"] < 0.05])
    assert {f"G{i:04d}" for i in range(2, 15)} <= called and len(called) <= 20
    within = [result.tables[f"{d}_IFN_high_vs_IFN_low"].set_index("gene_id")["log2FoldChange"] for d in ("SLE", "DM")]
    np.testing.assert_allclose(overall["log2FoldChange"], sum(within) / 2, atol=1e-6)
    empty = result.tables["pSS_IFN_high_vs_IFN_low"]
    assert len(empty) == data.n_vars and empty["pvalue"].isna().all()
    assert empty["status"].unique().tolist() == ["0 IFN-high and 0 IFN-low patients of pSS; 3 are needed"]
    summary = result.summary.set_index("contrast")
    assert summary.loc["IFN_high_vs_IFN_low", ["n_level", "n_baseline"]].tolist() == [20, 12]
    assert summary.loc["SLE_IFN_high_vs_IFN_low", ["n_level", "n_baseline"]].tolist() == [10, 6]
    assert summary.loc["pSS_IFN_high_vs_IFN_low", "tested"] == 0


def test_a_disease_with_hardly_any_ifn_low_patient_gives_the_reason_and_the_others_go_on():
    data, samples, classes = interferon_cohort(low_of_dm=2)
    result = compare_interferon_status(
        data, samples, classes, ["SLE", "DM"], defining=set(), inference=BatchedInference()
    )
    assert result.tables["DM_IFN_high_vs_IFN_low"]["status"].iloc[0] == "2 IFN-low patients of DM; 3 are needed"
    assert result.tables["SLE_IFN_high_vs_IFN_low"]["pvalue"].notna().any()


def test_without_any_class_every_table_exists_with_its_reason():
    data, samples, classes = interferon_cohort()
    classes["ifn_class"] = "unscored"
    result = compare_interferon_status(
        data, samples, classes, ["SLE", "DM"], defining=set(), inference=BatchedInference()
    )
    assert all(len(table) == data.n_vars and table["log2FoldChange"].isna().all() for table in result.tables.values())
    assert "no disease has enough" in result.tables["IFN_high_vs_IFN_low"]["status"].iloc[0]


def test_a_covariate_that_these_patients_cannot_tell_apart_is_left_out_and_noted():
    data, samples, classes = interferon_cohort()
    samples["batch"] = np.where(samples["disease"] == "HC", "1", "2")
    result = compare_interferon_status(
        data, samples, classes, ["SLE", "DM"], defining=set(), design="disease + batch", inference=BatchedInference()
    )
    assert "not adjusted by 'disease + batch'" in result.notes["reason"].iloc[0]
    assert result.tables["IFN_high_vs_IFN_low"]["pvalue"].notna().any()
