"""What the strata are: labels, associations, markers, and the tables of the contract."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, kruskal
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import StratifiedTable

from defaults import settings_of
from stratifn.shared.claims import EVERYBODY, standing
from stratifn.stratification import LABEL_RULES, stratify_cohort
from stratifn.stratification.associations import ASSOCIATION_COLUMNS, associations, block_test
from stratifn.stratification.labels import auc, name_strata
from stratifn.stratification.markers import MARKER_COLUMNS, markers
from stratifn.stratification.verdicts import follows

CONTRACT = {
    "strata": ["sample", "patient", "disease", "stratum", "confidence", "stability", "informed", "ifn_class", "label"],
    "selection": ["k", "pac", "silhouette", "stability", "bic", "null_pvalue", "chosen"],
    "stability": ["stratum", "n", "jaccard", "label"],
    "composition": ["stratum", "disease", "n", "fraction"],
    "associations": ASSOCIATION_COLUMNS,
    "consensus": ["sample", "stratum", "consensus"],
    "markers": ["stratum", "view", "feature", "difference", "auc"],
}
SETTINGS = settings_of("stratification", resamples=30, clusters=(2, 6))
RNG = np.random.default_rng


def planted_cohort(seed: int = 1):
    """Healthy-like, interferon, inflammatory and lymphoid strata that cut across two diseases."""
    rng = RNG(seed)
    truth = np.repeat(["healthy-like", "interferon", "inflammatory", "lymphoid"], [45, 35, 30, 25])
    n = len(truth)
    names = [f"P{i:03d}" for i in range(n)]
    disease = rng.choice(["SLE", "pSS"], n)
    disease[:30] = "HC"
    axes = {label: (truth == label).astype(float) for label in ("interferon", "inflammatory", "lymphoid")}
    factors = rng.standard_normal((n, 5))
    for axis, label in enumerate(axes):
        factors[:, axis] += 6 * axes[label]
    genes = {"interferon": ["IFI27", "IFI44L", "RSAD2"], "inflammatory": ["FCGR3B", "CXCR1"], "lymphoid": ["CD3E"]}
    columns = {gene: rng.standard_normal(n) + 3 * axes[label] for label, of in genes.items() for gene in of}
    columns |= {f"NOISE{i}": rng.standard_normal(n) for i in range(40)}
    rna = ad.AnnData(pd.DataFrame(columns, names))
    rna.var["gene_name"] = rna.var_names
    rna.var_names = [f"ENSG{i:05d}" for i in range(rna.n_vars)]
    cells = ad.AnnData(pd.DataFrame({"B_cells": rng.standard_normal(n) + 2 * axes["lymphoid"]}, names))
    frame = pd.DataFrame(factors, names, [f"Factor{k + 1}" for k in range(5)])
    explained = [
        (view, factor, r2) for view in ("rna", "cells") for factor, r2 in zip(frame, (9, 8, 7, 2, 1), strict=True)
    ]
    samples = pd.DataFrame(
        {
            "sample": names,
            "patient": names,
            "disease": disease,
            "sex": rng.choice(["F", "M"], n),
            "age": rng.normal(50, 10, n) + 15 * axes["lymphoid"],
            "site": "one",
            "in_rna": True,
        }
    )
    score = rng.standard_normal(n) + 4 * axes["interferon"]
    ifn = pd.DataFrame({"sample": names, "score": score, "ifn_class": np.where(score > 2, "high", "low")})
    return (
        truth,
        frame,
        pd.DataFrame(explained, columns=["view", "factor", "r2"]),
        samples,
        {"rna": rna, "cells": cells},
        ifn,
    )


@pytest.fixture(scope="module")
def planted():
    return planted_cohort()


@pytest.fixture(scope="module")
def stratified(planted):
    _, factors, explained, samples, views, ifn = planted
    return stratify_cohort(factors, explained, list(factors), samples, views, "HC", SETTINGS, ifn, cells="cells")


@pytest.mark.parametrize("table", CONTRACT)
def test_tables_have_the_columns_of_the_contract(stratified, table):
    assert list(getattr(stratified, table).columns) == CONTRACT[table]
    assert len(getattr(stratified, table)) > 0


def test_strata_carry_the_label_of_what_was_planted(stratified, planted):
    assert (stratified.strata["label"].to_numpy() == planted[0]).mean() >= 0.95
    assert set(stratified.stability["label"]) == {"healthy-like", "interferon", "inflammatory", "lymphoid"}
    assert stratified.stability["jaccard"].between(0.75, 1).all()
    assert stratified.stability["n"].sum() == len(stratified.strata)


def test_composition_counts_every_sample_once(stratified):
    composition = stratified.composition
    assert composition["n"].sum() == len(stratified.strata)
    np.testing.assert_allclose(composition.groupby("disease")["fraction"].sum(), 1)
    assert len(composition) == 4 * 3


def test_associations_find_what_was_planted_and_no_more(stratified):
    table = stratified.associations.set_index("variable")
    assert table.loc["age", "padj"] < 0.01
    assert table.loc["age", "padj_within_disease"] < 0.01
    assert table.loc["sex", "padj"] > 0.05
    assert table.loc["site", "test"] == "none"
    assert "in_rna" not in table.index


def test_what_the_strata_were_made_of_gets_an_effect_and_no_pvalue(stratified):
    table = stratified.associations.set_index("variable")
    for variable in ("ifn_score", "cells:B_cells"):
        assert table.loc[variable, "test"] == "descriptive"
        assert table.loc[variable, "effect"] > 0.1
        assert table.loc[variable, ["pvalue", "padj", "pvalue_within_disease"]].isna().all()


def test_markers_are_the_planted_genes_without_pvalues(stratified, planted):
    symbols = planted[4]["rna"].var["gene_name"]
    labels = stratified.stability.set_index("stratum")["label"]
    first = stratified.markers[stratified.markers["view"] == "rna"].groupby("stratum").head(1)
    for row in first.itertuples():
        if labels[row.stratum] == "interferon":
            assert symbols[row.feature] in ("IFI27", "IFI44L", "RSAD2")
            assert row.auc > 0.9
            assert row.difference == pytest.approx(3, abs=0.7)


def test_the_summary_holds_what_was_done_and_the_verdicts_what_it_is_worth(stratified):
    said = stratified.summary.set_index("item")["value"]
    assert said["strata"] == "4" and said["controls"] == "clustered"
    assert said["samples_uninformed"] == said["samples_uncertain"] == "0"
    assert stratified.summary["value"].dropna().map(type).eq(str).all()
    assert stratified.summary.loc[said.isna().to_numpy(), "item"].tolist() == ["factors_left_out"]
    assert standing(stratified.verdicts, "strata", EVERYBODY).verdict == "supported"
    labels = stratified.stability.set_index("stratum")["label"]
    verdicts = {labels[n]: standing(stratified.verdicts, "stratum_label", str(n)) for n in labels.index}
    assert {name: found.verdict for name, found in verdicts.items()} == dict.fromkeys(labels, "supported")
    assert verdicts["interferon"].rows["mostly_high"]["value"] >= 0.5
    assert verdicts["healthy-like"].rows["controls_inside"]["value"] >= 0.5


def test_strata_that_repeat_a_diagnosis_a_batch_or_a_missing_view_are_weak(planted):
    truth, factors, explained, samples, views, ifn = planted
    for column, criterion in (("disease", "one_diagnosis"), ("batch", "one_batch"), ("in_cells", "missing_view")):
        values = truth == "healthy-like" if column.startswith("in_") else truth
        repeated = samples.assign(**{column: values})
        control = None if column == "disease" else "HC"
        result = stratify_cohort(factors, explained, list(factors.columns), repeated, views, control, SETTINGS, ifn)
        found = standing(result.verdicts, "strata", EVERYBODY)
        assert [row["criterion"] for row in found.failing] == [criterion], column
        assert found.verdict == "weak"


def test_a_few_samples_without_a_view_do_not_make_strata_weak(planted):
    truth, factors, explained, samples, views, ifn = planted
    smallest = np.flatnonzero(truth == "lymphoid")[:1]
    few = samples.assign(in_cells=~np.isin(np.arange(len(truth)), smallest))
    result = stratify_cohort(factors, explained, list(factors.columns), few, views, "HC", SETTINGS, ifn)
    found = standing(result.verdicts, "strata", EVERYBODY)
    assert found.verdict == "supported" and 0 < found.rows["missing_view"]["value"] < 0.5


def test_a_label_whose_rival_fits_as_well_is_weak(planted):
    truth, factors, explained, samples, views, ifn = planted
    rival = {"rna": views["rna"].copy()}
    both = np.isin(truth, ["inflammatory"])[:, None] * np.array(
        [symbol == "CD3E" for symbol in rival["rna"].var["gene_name"]]
    )
    rival["rna"].X = rival["rna"].X + 9 * both - 3 * (truth == "lymphoid")[:, None] * both.any(axis=0)
    result = stratify_cohort(factors, explained, list(factors.columns), samples, rival, "HC", SETTINGS, ifn)
    number = int(result.strata.loc[pd.Series(truth == "inflammatory"), "stratum"].mode().iloc[0])
    found = standing(result.verdicts, "stratum_label", str(number))
    assert found.verdict == "weak" and [row["criterion"] for row in found.failing] == ["margin"]


def test_one_stratum_fills_every_table_and_carries_its_number_as_label(planted):
    _, factors, explained, samples, views, _ = planted
    result = stratify_cohort(factors, explained, [], samples, views, None, SETTINGS)
    assert result.strata["label"].eq("1").all()
    assert result.strata["ifn_class"].eq("unscored").all()
    assert result.stability["jaccard"].isna().all()
    assert result.markers.empty and list(result.markers.columns) == MARKER_COLUMNS
    assert result.associations["test"].eq("none").all()
    assert result.model is None


def test_without_scores_the_interferon_genes_decide_and_without_controls_nobody_is_healthy_like(planted):
    truth, factors, _, samples, views, _ = planted
    stratum = pd.Series(pd.factorize(truth)[0] + 1, factors.index)
    names = name_strata(stratum, samples, None, None, views)
    assert {number: label.name for number, label in names.items()} == {
        1: "1",
        2: "interferon",
        3: "inflammatory",
        4: "lymphoid",
    }


def test_a_stratum_that_is_mostly_low_is_not_called_interferon(planted):
    truth, factors, _, samples, _, ifn = planted
    stratum = pd.Series(pd.factorize(truth)[0] + 1, factors.index)
    low = ifn.assign(ifn_class="low")
    assert "interferon" not in {label.name for label in name_strata(stratum, samples, "HC", low, {}).values()}


def test_scattered_controls_make_no_stratum_healthy_like(planted):
    truth, factors, _, samples, _, _ = planted
    stratum = pd.Series(pd.factorize(truth)[0] + 1, factors.index)
    scattered = samples.assign(disease=np.where(np.arange(len(samples)) % 3 == 0, "HC", "SLE"))
    labels = name_strata(stratum, scattered, "HC", None, {})
    assert [label.name for label in labels.values()] == ["1", "2", "3", "4"]


def test_label_rules_are_documented_and_their_genes_are_no_one_elses():
    assert len({rule.label for rule in LABEL_RULES}) == len(LABEL_RULES)
    assert all(rule.rule and rule.source for rule in LABEL_RULES)
    genes = [gene for rule in LABEL_RULES for gene in rule.genes]
    assert len(genes) == len(set(genes))


def test_auc_equals_scikit_learn_and_needs_three_on_a_side():
    rng = RNG(1)
    values, inside = pd.Series(rng.integers(0, 5, 40).astype(float)), pd.Series(rng.random(40) < 0.4)
    assert auc(values, inside) == pytest.approx(roc_auc_score(inside, values))
    assert np.isnan(auc(values, pd.Series(np.arange(40) < 2)))


def test_markers_equal_scikit_learn_with_missing_values():
    rng = RNG(1)
    values = rng.standard_normal((40, 6))
    values[rng.random(values.shape) < 0.2] = np.nan
    names = [f"s{i}" for i in range(40)]
    stratum = pd.Series(np.repeat([1, 2], [15, 25]), names)
    table = markers(stratum, {"rna": ad.AnnData(pd.DataFrame(values, names, [f"g{i}" for i in range(6)]))})
    for row in table.itertuples():
        column = values[:, int(row.feature[1:])]
        known, inside = np.isfinite(column), (stratum == row.stratum).to_numpy()
        assert row.auc == pytest.approx(roc_auc_score(inside[known], column[known]))
        assert row.difference == pytest.approx(np.nanmean(column[inside]) - np.nanmean(column[~inside]))


def test_one_block_of_a_number_is_kruskal_wallis_and_of_a_category_pearson():
    rng = RNG(1)
    groups, together = np.repeat([1, 2, 3], 20), np.zeros(60, dtype=int)
    values = pd.Series(rng.integers(0, 9, 60).astype(float) + groups)
    theirs = kruskal(*(values[groups == g] for g in (1, 2, 3)))
    ours = block_test(groups, values, together, True, rng)
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.pvalue == pytest.approx(theirs.pvalue)
    colour = pd.Series(rng.choice(["a", "b", "c"], 60))
    pearson = chi2_contingency(pd.crosstab(groups, colour), correction=False).statistic
    assert block_test(groups, colour, together, False, rng).statistic == pytest.approx(pearson * 59 / 60)


def test_two_by_two_tables_within_blocks_are_cochran_mantel_haenszel():
    rng = RNG(2)
    blocks, groups = np.repeat([0, 1, 2], 40), rng.integers(0, 2, 120)
    answer = pd.Series(np.where(rng.random(120) < 0.3 + 0.3 * groups, "yes", "no"))
    tables = [pd.crosstab(groups[blocks == b], answer[blocks == b]).to_numpy() for b in range(3)]
    theirs = StratifiedTable(tables).test_null_odds(correction=False)
    ours = block_test(groups, answer, blocks, False, rng)
    assert ours.statistic == pytest.approx(theirs.statistic)
    assert ours.pvalue == pytest.approx(theirs.pvalue)


def test_what_follows_the_disease_alone_is_gone_within_disease():
    rng = RNG(3)
    names = [f"s{i:03d}" for i in range(300)]
    disease = pd.Series(np.repeat(["SLE", "pSS", "HC"], 100), names)
    stratum = pd.Series(np.where(rng.random(300) < np.repeat([0.8, 0.5, 0.1], 100), 1, 2), names)
    dose = pd.Series(np.repeat([3.0, 1.0, 0.0], 100) + rng.standard_normal(300), names)
    row = associations(stratum, pd.DataFrame({"dose": dose}), disease, [], rng).iloc[0]
    assert row["pvalue"] < 1e-6
    assert row["pvalue_within_disease"] > 0.01


def test_rare_categories_are_tested_by_permutation_and_pvalues_are_uniform_without_association():
    rng = RNG(4)
    names = [f"s{i:02d}" for i in range(40)]
    stratum, disease = pd.Series(np.repeat([1, 2], 20), names), pd.Series("SLE", names)
    rare = pd.DataFrame({f"v{i}": rng.permutation(np.repeat(["a", "b"], [34, 6])) for i in range(20)}, names)
    table = associations(stratum, rare, disease, [], rng)
    assert table["test"].eq("chi_squared_permutation").all()
    assert table["pvalue"].between(1 / 2000, 1).all()
    assert table["padj"].min() > 0.05


def test_many_small_batches_do_not_follow_strata_by_chance():
    # uncorrected, Cramer's V of 20 batches and 3 strata of 60 samples lies above one half in four of five draws
    rng = RNG(5)
    draws = [
        follows(pd.Series(rng.integers(0, 20, 60).astype(str)), pd.Series(rng.integers(1, 4, 60))) for _ in range(200)
    ]
    assert np.mean(np.array(draws) > 0.5) <= 0.05
    same = pd.Series(np.repeat([1, 2, 3], 20))
    assert follows(same.astype(str), same) == pytest.approx(1.0)
