"""Warnings about factors, what they go with, what they are made of."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.integration import (
    collect_variables,
    factor_associations,
    factors_table,
    interferon_factor,
    prepare_views,
    quality_warnings,
    select_model,
    top_features,
    train_mofa,
    variance_table,
    weight_enrichment,
)
from stratifn.integration.verdicts import factor_verdicts
from stratifn.shared.claims import standing
from stratifn.shared.statistics import benjamini_hochberg

SAMPLES = [f"P{number:03d}" for number in range(80)]
SHEET = pd.DataFrame({"sample": SAMPLES, "in_rna": True})
ISG = ["ISG1", "ISG2", "ISG3", "ISG4", "ISG5", "ISG6"]


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).normal(size=(80, 3))


@pytest.fixture(scope="module")
def integrated(truth, tmp_path_factory):
    """Genes and cytokines; the first true factor drives the ISGs, the second the overall level of the genes."""
    rng = np.random.default_rng(1)
    genes = pd.DataFrame(rng.normal(size=(80, 100)), SAMPLES, ISG + [f"G{number}" for number in range(94)])
    genes[ISG] += 3.0 * truth[:, [0]]
    genes.iloc[:, 6:40] += 0.3 * truth[:, [0]] * rng.normal(size=34)
    genes.iloc[:, 6:] += 1.2 * truth[:, [1]]
    cytokines = pd.DataFrame(rng.normal(size=(80, 20)), SAMPLES, [f"C{number}" for number in range(20)])
    cytokines += 1.5 * truth[:, [2]] * np.tile([-1, 1], 10)
    views = {"rna": ad.AnnData(genes), "cytokines": ad.AnnData(cytokines)}
    settings = settings_of("integration", factors=4)
    model_input = prepare_views(views, pd.DataFrame({"sample": SAMPLES}), settings)
    folder = tmp_path_factory.mktemp("models")
    models = [train_mofa(model_input, settings, seed, folder / f"{seed}.hdf5") for seed in (1, 2)]
    score = pd.Series(truth[:, 0], SAMPLES)
    return select_model(models, settings, score), model_input, views, score


def following(integration, truth):
    """Which reported factor follows each true one."""
    factors = factors_table(integration).drop(columns="sample")
    r = np.corrcoef(truth.T, factors.T)[: truth.shape[1], truth.shape[1] :]
    return [factors.columns[k] for k in np.abs(r).argmax(axis=1)]


def test_a_factor_that_is_the_level_of_a_view_is_flagged_and_others_are_not(integrated, truth):
    integration, model_input, _, _ = integrated
    warnings = quality_warnings(integration, model_input)
    levels = warnings[warnings["warning"] == "sample_mean"]
    assert levels["factor"].tolist() == [following(integration, truth)[1]]
    assert levels["about"].tolist() == ["mean of rna"]


def test_a_factor_that_follows_library_size_is_flagged(integrated, truth):
    integration, model_input, _, _ = integrated
    size = pd.Series(np.exp(15 + truth[:, 2]), SAMPLES)
    warnings = quality_warnings(integration, model_input, size)
    assert warnings.loc[warnings["warning"] == "library_size", "factor"].tolist() == [following(integration, truth)[2]]


def test_correlated_factors_are_flagged(integrated):
    integration, model_input, _, _ = integrated
    integration.model.factors.setflags(write=True)
    before = integration.model.factors[:, 1].copy()
    integration.model.factors[:, 1] = integration.model.factors[:, 0]
    try:
        warnings = quality_warnings(integration, model_input)
    finally:
        integration.model.factors[:, 1] = before
    pair = warnings[warnings["warning"] == "correlated_factors"].iloc[0]
    assert (pair["factor"], pair["about"], pair["value"]) == ("Factor1", "Factor2", pytest.approx(1.0))


def test_a_factor_made_of_copies_of_one_feature_is_flagged(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 60))
    values[:, 1] = values[:, 0] + 0.01 * rng.normal(size=80)
    frame = pd.DataFrame(values, SAMPLES, [f"G{number}" for number in range(60)])
    settings = settings_of("integration", factors=2)
    model_input = prepare_views({"rna": ad.AnnData(frame)}, pd.DataFrame({"sample": SAMPLES}), settings)
    integration = select_model([train_mofa(model_input, settings, 1, tmp_path / "m.hdf5")], settings)
    assert "few_features" in set(quality_warnings(integration, model_input)["warning"])


def test_a_model_whose_factors_are_all_in_use_says_that_there_may_be_more(integrated):
    integration, model_input, _, _ = integrated
    start = integration.model.factors.shape[1]
    said = quality_warnings(replace(integration, active=start), model_input)["warning"]
    assert "all_in_use" in set(said)
    assert "all_in_use" not in set(quality_warnings(replace(integration, active=start - 1), model_input)["warning"])


@pytest.fixture(scope="module")
def associations(integrated, truth):
    integration, model_input, views, score = integrated
    rng = np.random.default_rng(2)
    samples = pd.DataFrame(
        {
            "sample": SAMPLES,
            "patient": SAMPLES,
            "in_rna": True,
            "disease": np.where(truth[:, 0] > 0.5, "SLE", np.where(truth[:, 0] < -0.5, "HC", "SSc")),
            "sex": np.where(truth[:, 2] > 0, "M", "F"),
            "age": rng.uniform(20, 70, size=80),
            "site": "one",
            "sparse": [1.0, 2.0, 3.0] + [np.nan] * 77,
        }
    )
    variables = collect_variables(samples, {"cytokines": views["cytokines"]}, {"RICE_CROW_6": (score, "rna")})
    variance = variance_table(integration, model_input)
    return factor_associations(factors_table(integration), variables, variance, min_r2=1.0)


def test_each_type_of_variable_gets_its_test(associations):
    tests = associations.drop_duplicates("variable").set_index("variable")["test"]
    assert tests["disease"] == "kruskal_wallis"
    assert tests["sex[M]"] == "mann_whitney"
    assert tests["age"] == "spearman"
    assert tests["RICE_CROW_6"] == "spearman"
    assert tests["site"] == tests["sparse"] == "none"
    assert not {"patient", "in_rna"} & set(tests.index)


def test_planted_associations_are_found_and_age_is_not(associations, integrated, truth):
    table = associations.set_index(["factor", "variable"])
    interferon, _, cytokine = following(integrated[0], truth)
    assert table.loc[(interferon, "disease"), "padj"] < 1e-6
    assert table.loc[(cytokine, "sex[M]"), "padj"] < 1e-6
    assert abs(table.loc[(cytokine, "sex[M]"), "effect"]) > 0.8
    assert (associations.loc[associations["variable"] == "age", "padj"] > 0.05).all()


def test_a_variable_from_the_factors_own_view_has_an_effect_and_no_p_value(associations, integrated, truth):
    table = associations.set_index(["factor", "variable"])
    interferon, _, cytokine = following(integrated[0], truth)
    own = table.loc[(cytokine, "cytokines:C0")]
    assert abs(own["effect"]) > 0.5
    assert np.isnan(own["pvalue"])
    assert np.isnan(own["padj"])
    assert np.isnan(table.loc[(interferon, "RICE_CROW_6"), "pvalue"])
    assert np.isfinite(table.loc[(interferon, "cytokines:C0"), "pvalue"])


def test_p_values_are_adjusted_over_the_whole_table(associations):
    np.testing.assert_allclose(associations["padj"], benjamini_hochberg(associations["pvalue"]))


def test_rank_biserial_is_the_known_value():
    factors = pd.DataFrame({"sample": list("abcdef"), "Factor1": [1.0, 2, 3, 4, 5, 6]})
    samples = pd.DataFrame({"sample": list("abcdef"), "arm": list("xxyxyy")})
    variance = pd.DataFrame({"view": ["rna"], "factor": ["Factor1"], "r2": [10.0]})
    row = factor_associations(factors, collect_variables(samples), variance, 1.0).iloc[0]
    # of nine pairs (y, x) eight have the larger factor in y
    assert (row["variable"], row["effect"]) == ("arm[y]", pytest.approx(2 * 8 / 9 - 1))


def test_the_interferon_factor_is_named_with_its_evidence(integrated, truth):
    integration, _, _, score = integrated
    found = interferon_factor(integration, score, "rna", ISG)
    assert found.candidate == following(integration, truth)[0]
    assert found.spearman > 0.9
    assert found.auc > 0.95
    assert found.genes == 6
    verdicts = factor_verdicts(integration, found, SHEET)
    judged = standing(verdicts, "interferon_factor", found.candidate)
    assert judged.verdict == ("supported" if found.robust else "unsupported")
    assert {row["criterion"] for row in judged.rows.values()} == {"follows_score", "signature_auc", "robust"}


def test_a_score_that_no_factor_follows_has_no_interferon_factor(integrated):
    score = pd.Series(np.random.default_rng(5).normal(size=80), SAMPLES)
    found = interferon_factor(integrated[0], score, "rna", ISG)
    judged = standing(factor_verdicts(integrated[0], found, SHEET), "interferon_factor", found.candidate)
    assert judged.verdict == "unsupported" and judged.failing[0]["criterion"] in ("follows_score", "signature_auc")


def test_a_factor_is_robust_exactly_where_its_criteria_hold(integrated):
    integration, _, _, score = integrated
    verdicts = factor_verdicts(integration, interferon_factor(integration, score, "rna", ISG), SHEET)
    for row in integration.robustness.itertuples():
        found = standing(verdicts, "factor", row.factor).verdict
        assert found == {True: "supported", False: "unsupported"}.get(row.robust, "not_computed")


def test_a_factor_that_says_who_has_a_view_is_weak(integrated, truth):
    integration, _, _, score = integrated
    factor = following(integration, truth)[2]
    highest = pd.Series(truth[:, 2], SAMPLES).rank().gt(40).tolist()
    verdicts = factor_verdicts(
        integration, interferon_factor(integration, score, "rna", ISG), SHEET.assign(in_rna=True, in_cells=highest)
    )
    row = standing(verdicts, "factor", factor).rows["missing_view"]
    assert (row["verdict"], row["reason"]) == ("weak", "cells")
    others = [name for name in integration.robustness["factor"] if name != factor]
    assert all(standing(verdicts, "factor", name).rows["missing_view"]["verdict"] == "supported" for name in others)


def test_top_features_of_the_interferon_factor_are_its_genes(integrated, truth):
    top = top_features(integrated[0], count=6)
    chosen = top[(top["view"] == "rna") & (top["factor"] == following(integrated[0], truth)[0])]
    assert set(chosen["feature"]) == set(ISG)
    assert chosen["rank"].tolist() == [1, 2, 3, 4, 5, 6]


def test_sets_with_too_few_genes_have_no_auc_and_symbols_are_used(integrated):
    symbols = {"ISG1": "IFI44L"}
    table = weight_enrichment(integrated[0], "rna", {"one": ["IFI44L"], "isg": ISG[1:]}, symbols)
    assert table.loc[table["gene_set"] == "one", "auc"].isna().all()
    assert table.loc[table["gene_set"] == "one", "n_genes"].eq(1).all()
    assert table.loc[table["gene_set"] == "isg", "auc"].max() > 0.95
