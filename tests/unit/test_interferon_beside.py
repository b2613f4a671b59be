"""Beside the score: axes, the IFN-alpha protein, methylation, cells, treatment, autoantibodies."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from defaults import default_origin, of_kind, settings_of
from stratifn.interferon import Cohort, analyse_cohort
from stratifn.interferon.axes import SENSING_SLOPE, axes_table, response_genes
from stratifn.interferon.cells import leading_components
from stratifn.interferon.concordance import cohens_kappa, rank_correlation
from stratifn.interferon.confounding import confounding_table
from stratifn.interferon.methylation import methylation_table
from stratifn.interferon.protein import (
    Assay,
    concentrations,
    find_ifn_alpha,
    log2_over_controls,
    protein_table,
    rank_agreement,
)
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import load_axis_sets, load_registry

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
REGISTRY = load_registry(RESOURCES / "signatures")
AXES = load_axis_sets(RESOURCES / "gene_sets" / "axes.tsv")
SENSORS = {gene for axis in AXES if axis.axis.startswith("sensing") for gene in axis.symbols}
GENES = np.array(sorted({*REGISTRY.genes(REGISTRY.default_panel), *SENSORS}))
CPGS = sorted(cpg.cpg for cpg in REGISTRY.cpgs if cpg.in_score)


def named(n):
    return [f"S{i:03d}" for i in range(n)]


def view(values, features, **var):
    frame = pd.DataFrame(var, index=features)
    return ad.AnnData(np.asarray(values, dtype=float), obs=pd.DataFrame(index=named(len(values))), var=frame)


def expression(raised, amount):
    """30 people on a log scale, the last 15 raised in some genes."""
    values = np.random.default_rng(1).normal(8, 0.3, (30, len(GENES)))
    values[15:, np.isin(GENES, list(raised))] += amount
    samples = pd.DataFrame({"sample": named(30), "disease": ["HC"] * 15 + ["SLE"] * 15})
    data = view(values, GENES, gene_name=GENES)
    settings = settings_of("interferon", bootstraps=50)
    return analyse_cohort(
        of_kind(data, "continuous"), Cohort(samples, "HC", default_origin()), Knowledge(REGISTRY, AXES), settings
    )


def axes_of(found, **protein):
    table = axes_table(found.people, found.reference, AXES, REGISTRY, **protein)
    return table.pivot(index="sample", columns="axis", values="score"), table


def test_axes_have_three_rows_per_person_and_na_with_a_reason_without_protein():
    wide, table = axes_of(expression([], 0))
    assert list(table) == ["sample", "axis", "score", "evidence"]
    assert len(table) == 90 and wide["ligand"].isna().all()
    assert table.query("axis == 'ligand'")["evidence"].eq("IFN-alpha protein not measured in this run").all()


def test_a_pure_response_does_not_read_as_sensing():
    # stimulated cells raise sensing genes by 0.06 of the response: what the constant slope takes away
    rice = response_genes(REGISTRY)
    values = expression(rice, 4.0)
    wide, _ = axes_of(values)
    assert wide["response"].iloc[15:].min() > 5
    assert wide["sensing"].iloc[15:].mean() == pytest.approx(-SENSING_SLOPE * 4, abs=0.1)


def test_raised_sensors_read_as_sensing_and_not_as_response():
    wide, _ = axes_of(expression(SENSORS - response_genes(REGISTRY), 1.0))
    assert wide["sensing"].iloc[15:].mean() > 0.8
    assert wide["response"].iloc[15:].abs().mean() < 1


def test_the_unverified_sensing_list_is_named_and_left_out_of_the_mean():
    _, table = axes_of(expression([], 0))
    evidence = table.query("axis == 'sensing'")["evidence"]
    assert evidence.str.contains("cgas_sting .*list not verified, not in the mean").all()
    assert evidence.str.contains("rig_i_mda5").all() and evidence.str.contains("endosomal_tlr").all()


def test_axes_are_not_computed_without_a_reference():
    samples = pd.DataFrame({"sample": named(4), "disease": "SLE"})
    data = view(np.random.default_rng(2).normal(8, 1, (4, len(GENES))), GENES, gene_name=GENES)
    found = analyse_cohort(
        of_kind(data, "continuous"),
        Cohort(samples, None, default_origin()),
        Knowledge(REGISTRY, AXES),
        settings_of("interferon"),
    )
    wide, table = axes_of(found)
    assert wide.isna().all().all() and table["evidence"].str.len().gt(0).all()


@pytest.mark.parametrize(
    "name", ["IFN-alpha", "IFNA", "ifn_a2", "IFN-α", "interferon_alpha", "hIFNa2a", "IFNalpha2", "IFNA_fg_ml"]
)
def test_ifn_alpha_is_found_by_its_usual_names(name):
    assert find_ifn_alpha(view(np.ones((2, 3)), ["IL6", name, "IFN-gamma"])) == name


def test_two_candidates_for_ifn_alpha_are_not_guessed_between():
    assert find_ifn_alpha(view(np.ones((2, 2)), ["IFNA", "IFN-alpha"])) is None


def protein_view(values, limit):
    data = view(np.asarray(values)[:, None], ["IFN-alpha"], lod=[limit])
    data.layers["below_lod"] = data.X < limit
    return data


def classes_of(score, n_controls=0, **more):
    disease = ["HC"] * n_controls + ["SLE"] * (len(score) - n_controls)
    return pd.DataFrame({"sample": named(len(score)), "disease": disease, "score": score} | more)


def test_protein_below_the_limit_gets_the_limit_over_root_two():
    measured = concentrations(protein_view([5.0, 20.0, 80.0], limit=10.0), "IFN-alpha")
    assert measured["below_limit"].tolist() == [True, False, False]
    np.testing.assert_allclose(measured["value"], [10 / np.sqrt(2), 20, 80])
    np.testing.assert_allclose(log2_over_controls(measured, ["S001"]).iloc[2], 2.0)
    assert log2_over_controls(measured, []) is None


def test_protein_concordance_is_per_disease_with_the_assays_cutoff():
    rng = np.random.default_rng(3)
    score = rng.normal(size=40)
    protein = np.exp(score + rng.normal(0, 0.3, 40)) * 100
    classes = classes_of(score, 10, ifn_class=np.where(score > 0.5, "high", "low"))
    measured = concentrations(protein_view(protein, 20.0), "IFN-alpha")
    table = protein_table(measured, classes, "IFN-alpha", Assay("Simoa A", 150.0), "RICE_CROW_6", "HC")
    rows = table.set_index("disease")
    assert set(rows.index) == {"HC", "SLE", "all patients"}
    assert rows.loc["SLE", "spearman"] == pytest.approx(
        spearmanr(score[10:], measured["value"].to_numpy()[10:]).statistic
    )
    assert rows.loc["SLE", "ci_low"] < rows.loc["SLE", "spearman"] < rows.loc["SLE", "ci_high"]
    assert rows.loc["SLE", "kappa"] > 0.5 and (rows["assay"] == "Simoa A").all()
    assert rows.loc["SLE", "protein_high"] == (protein[10:] > 150).sum()


def test_protein_in_too_few_people_gives_a_reason():
    classes = classes_of(np.arange(3.0), ifn_class="low")
    measured = concentrations(protein_view([1.0, 2.0, 3.0], 0.5), "IFN-alpha")
    table = protein_table(measured, classes, "IFN-alpha", Assay("Simoa"), "RICE_CROW_6", None)
    assert table["spearman"].isna().all() and table["reason"].str.contains("fewer than 5").all()


def test_ranks_that_agree_lie_on_zero():
    measured = pd.DataFrame({"value": [1.0, 5.0, 9.0], "below_limit": False}, index=named(3))
    points = rank_agreement(measured, classes_of(np.array([-1.0, 0.0, 4.0])))
    assert points["rank_difference"].eq(0).all()


def test_kappa_of_a_known_table():
    # 20 yes-yes, 15 no-no, 10 yes-no, 5 no-yes: observed 0.7, expected 0.5
    first = np.repeat([True, False, True, False], [20, 15, 10, 5])
    second = np.repeat([True, False, False, True], [20, 15, 10, 5])
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert np.isnan(cohens_kappa(np.ones(4, bool), np.ones(4, bool)))


def test_rank_correlation_needs_five_people_and_spread():
    assert rank_correlation(np.arange(4.0), np.arange(4.0)) is None
    assert rank_correlation(np.arange(9.0), np.ones(9)) is None


def methylation_view(n=40, missing=()):
    rng = np.random.default_rng(4)
    values = rng.normal(2, 0.4, (n, len(CPGS)))
    values[20:] -= 1.5
    kept = [cpg not in missing for cpg in CPGS]
    return view(values[:, kept], [cpg for cpg in CPGS if cpg not in missing])


def test_lost_methylation_gives_a_high_score():
    table = methylation_table(methylation_view(), named(20), "", REGISTRY)
    assert list(table) == "sample score score_adjusted cpgs_found cpgs_total status reason".split()
    assert table["score"].iloc[:20].mean() == pytest.approx(0, abs=1e-12)
    assert table["score"].iloc[20:].min() > table["score"].iloc[:20].max()
    assert table["score_adjusted"].isna().all() and table["reason"].str.contains("no cell proportions").all()


def test_cpgs_missing_from_the_array_are_counted_and_named():
    table = methylation_table(methylation_view(missing=CPGS[:2]), named(20), "", REGISTRY)
    assert (table["cpgs_found"] == len(CPGS) - 2).all() and table["status"].eq("partial").all()
    assert table["reason"].str.contains(CPGS[0]).all()


def test_methylation_score_of_one_patient_owes_nothing_to_the_others():
    data, cells = methylation_view(), view(np.random.default_rng(5).normal(size=(40, 4)), list("abcd"))
    full = methylation_table(data, named(20), "", REGISTRY, cells).set_index("sample")
    kept = [*range(20), 25, 30]
    some = methylation_table(data[kept].copy(), named(20), "", REGISTRY, cells).set_index("sample")
    pd.testing.assert_frame_equal(some, full.loc[some.index])
    assert full["score_adjusted"].notna().all()


def test_methylation_adjustment_removes_what_cells_explain_among_the_controls():
    rng = np.random.default_rng(6)
    composition = rng.normal(size=(60, 1))
    values = 2 + rng.normal(0, 0.1, (60, len(CPGS))) - 0.5 * composition
    cells = view(np.hstack([composition, -composition]), ["a", "b"])
    table = methylation_table(view(values, CPGS), named(40), "", REGISTRY, cells)
    assert abs(np.corrcoef(table["score"], composition[:, 0])[0, 1]) > 0.9
    assert abs(np.corrcoef(table["score_adjusted"].iloc[40:], composition[40:, 0])[0, 1]) < 0.5


@pytest.mark.parametrize(
    ("refusal", "controls", "said"), [("this run has no controls", [], "no controls"), ("", ["S000"], "1 control")]
)
def test_methylation_without_controls_is_na_with_a_reason(refusal, controls, said):
    table = methylation_table(methylation_view(), controls, refusal, REGISTRY)
    assert len(table) == 40 and table["score"].isna().all() and table["reason"].str.contains(said).all()


def test_leading_components_are_few():
    cells = np.random.default_rng(7).normal(size=(40, 12))
    assert leading_components(cells, np.ones(40, bool)).shape == (40, 4)
    assert leading_components(cells, np.arange(40) < 12).shape == (40, 1)


def confounded(n=60):
    rng = np.random.default_rng(8)
    composition = rng.normal(size=n)
    composition[n // 2 :] += 2
    score = composition + rng.normal(0, 0.3, n)
    samples = pd.DataFrame({"sample": named(n), "disease": ["HC"] * (n // 2) + ["SLE"] * (n - n // 2)})
    samples["activity"] = np.where(samples["disease"] == "SLE", score + rng.normal(0, 0.5, n), np.nan)
    samples["anti_ro"] = np.where(score > np.median(score[n // 2 :]), "yes", "no")
    samples["hydroxychloroquine"] = rng.choice(["no", "yes"], n)
    samples["glucocorticoid_mg"] = rng.uniform(0, 20, n)
    classes = classes_of(score, n // 2)
    return classes, samples, view(np.column_stack([composition, -composition]), ["a", "b"])


def test_difference_explained_by_cells_is_shown_with_and_without_them():
    table = confounding_table(*confounded()[:2], "HC", confounded()[2])
    cells = table[table["kind"] == "cells"].set_index("variable")
    unadjusted, adjusted = cells.filter(like="unadjusted", axis=0).iloc[0], cells.filter(like="adjusted for", axis=0)
    assert unadjusted["effect"] > 1.5 and abs(adjusted["effect"].iloc[0]) < 0.5
    assert adjusted["note"].str.contains("remove a true effect").all() and cells["padj"].isna().all()


def test_associations_are_per_disease_with_one_family():
    table = confounding_table(*confounded()[:2], "HC").set_index("variable")
    assert set(table["disease"]) == {"SLE"}
    assert table.loc["activity", "test"] == "Spearman" and table.loc["activity", "effect"] > 0.5
    assert table.loc["anti_ro", "kind"] == "autoantibody" and table.loc["anti_ro", "effect"] > 0.9
    assert table.loc["hydroxychloroquine", "test"] == "Mann-Whitney"
    assert table.loc["glucocorticoid_mg", "test"] == "Spearman"
    assert (table["padj"] >= table["pvalue"]).all()


def test_patients_under_anti_interferon_therapy_are_left_out_of_the_other_associations():
    classes, samples, _ = confounded()
    samples["anti_ifn"] = ["no"] * 50 + ["yes"] * 10
    table = confounding_table(classes, samples, "HC").set_index("variable")
    assert table.loc["activity", "n"] == 20 and table.loc["anti_ifn", "n"] == 30
    assert table.loc["anti_ifn", "kind"] == "anti-IFN therapy"


def test_columns_that_cannot_be_tested_stay_with_the_reason():
    classes, samples, _ = confounded()
    samples["hydroxychloroquine"] = "yes"
    row = confounding_table(classes, samples, "HC").set_index("variable").loc["hydroxychloroquine"]
    assert row["test"].startswith("not tested") and np.isnan(row["pvalue"])


def test_a_sheet_without_such_columns_gives_an_empty_table():
    classes, samples, _ = confounded()
    table = confounding_table(classes, samples[["sample", "disease"]], "HC")
    assert table.empty and "padj" in table
