"""What the samples do not allow is a table with its reason; what is written wrongly is a mistake, found before any fit."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.differential_expression import (
    Question,
    all_contrasts,
    analyse_cohort,
    check_comparisons,
    contrast_table,
    fit_model,
    possible_comparisons,
)
from stratifn.differential_expression.contrasts import versus
from stratifn.differential_expression.possible import ONE_GROUP
from stratifn.differential_expression.results import COLUMNS
from stratifn.inference import BatchedInference
from stratifn.normalization import normalize_view
from stratifn.shared.design import model_matrix

GENES = 60
SETTINGS = settings_of("differential_expression", permutations=1)
FEW = "2 samples of DM; 3 are needed"


def sheet(sizes):
    disease = np.repeat(list(sizes), list(sizes.values()))
    samples = pd.DataFrame({"sample": [f"S{i:03d}" for i in range(len(disease))], "disease": disease})
    samples["sex"] = np.resize(["F", "M"], len(disease))
    samples["age"] = np.random.default_rng(1).normal(50, 9, len(disease))
    return samples.assign(in_rna=True)


def normalised(samples, kind="continuous"):
    rng = np.random.default_rng(2)
    values = rng.normal(8, 1, (len(samples), GENES))
    values[samples["disease"].isin(["SLE", "DM"]).to_numpy(), :10] += 3
    if kind == "counts":
        values = rng.poisson(2**values)
    view = ad.AnnData(
        pd.DataFrame(values, index=samples["sample"].to_list(), columns=[f"G{i:02d}" for i in range(GENES)])
    )
    return normalize_view(
        view, "rna", kind, samples, settings_of("normalization", min_count=0), inference=BatchedInference()
    ).data


def question(diseases, control, own=(), design="disease"):
    return Question.of({"diseases": diseases, "control": control, "design": design}, own)


def analysed(samples, diseases, control, own=(), design="disease", kind="continuous"):
    asked = question(diseases, control, own, design)
    return analyse_cohort(normalised(samples, kind), samples, asked, SETTINGS, [], BatchedInference())


def mistakes(samples, diseases, control, design="disease", own=()):
    problems = check_comparisons(samples, question(diseases, control, own, design))
    return [(problem.where, problem.found) for problem in problems]


def possible(samples, diseases, control, own=()):
    return possible_comparisons(samples, question(diseases, control, own))


BY_SEX = {"name": "by_sex", "factor": "sex", "level": "M", "baseline": "F"}


# --- one group ------------------------------------------------------------------------------------------------------


def test_one_group_is_no_mistake_and_its_tables_are_empty_with_the_note():
    samples = sheet({"SLE": 12})
    assert mistakes(samples, ["SLE"], None) == []
    made = analysed(samples, ["SLE"], None)
    assert made.tables == {}
    assert made.notes[["item", "reason"]].to_numpy().tolist() == [["differential expression", ONE_GROUP]]
    assert all(len(table) == 0 for table in (made.summary, made.cross_disease, made.enrichment, made.permutation))
    assert "log2FoldChange_SLE" in made.cross_disease


def test_a_contrast_of_the_config_with_one_group_is_a_table_with_the_reason():
    samples = sheet({"SLE": 12})
    assert mistakes(samples, ["SLE"], None, "disease + sex", [BY_SEX]) == []
    made = analysed(samples, ["SLE"], None, [BY_SEX], "disease + sex")
    table = made.tables["by_sex"]
    assert list(table.columns) == COLUMNS and len(table) == GENES
    assert set(table["status"]) == {ONE_GROUP}
    assert table[COLUMNS[2:-1]].isna().all(axis=None)
    assert made.summary[["contrast", "tested", "up"]].to_numpy().tolist() == [["by_sex", 0, 0]]
    assert made.notes["item"].tolist() == ["differential expression", "by_sex"]


def test_controls_that_only_other_views_hold_leave_one_group():
    samples = sheet({"SLE": 12, "HC": 6})
    samples["in_rna"] = samples["disease"].eq("SLE")
    assert mistakes(samples, ["SLE"], "HC") == []
    made = analysed(samples[samples["in_rna"]], ["SLE"], "HC")
    assert set(made.tables["SLE_vs_HC"]["status"]) == {ONE_GROUP}


@pytest.mark.parametrize("sizes", [{"SLE": 12}, {"SLE": 6, "HC": 6}])
def test_a_mistake_in_the_design_is_one_whatever_is_fitted(sizes):
    samples, control = sheet(sizes), "HC" if "HC" in sizes else None
    assert mistakes(samples, ["SLE"], control, "disease + ethnicity") == [("design", "ethnicity")]
    assert "'~disease'" in mistakes(samples, ["SLE"], control, "~disease")[0][1]
    unknown = samples.assign(age=samples["age"].where(samples.index != 3))
    assert mistakes(unknown, ["SLE"], control, "disease + age") == [("column age", "no value for S003")]
    own = [{"name": "x", "factor": "sexx", "level": "M", "baseline": "F"}]
    assert mistakes(samples, ["SLE"], control, "disease + sex", own) == [("contrasts: x", "sexx")]


def test_a_design_that_cannot_be_fitted_is_a_mistake_only_where_there_is_something_to_fit():
    same = sheet({"SLE": 12}).assign(sex="F")
    assert mistakes(same, ["SLE"], None, "disease + sex") == []
    both = sheet({"SLE": 6, "HC": 6}).assign(sex="F")
    assert mistakes(both, ["SLE"], "HC", "disease + sex") == [("column sex", "only F")]
    batch = sheet({"SLE": 6, "HC": 6, "DM": 6}).assign(batch=["b1"] * 12 + ["b2"] * 6)
    assert "aliased columns: batch[b2]" in mistakes(batch, ["SLE", "DM"], "HC", "disease + batch")[0][1]


def test_without_expression_only_the_words_of_the_design_count():
    samples = sheet({"SLE": 6, "HC": 6}).drop(columns="in_rna").assign(sex="F")
    assert mistakes(samples, ["SLE"], "HC", "disease + sex") == []
    assert mistakes(samples, ["SLE"], "HC", "disease + sexx") == [("design", "sexx")]


# --- small groups ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["continuous", "counts"])
def test_a_small_group_stops_its_own_comparisons_alone(kind):
    samples = sheet({"HC": 8, "SLE": 8, "pSS": 8, "DM": 2})
    diseases = ["SLE", "pSS", "DM"]
    assert mistakes(samples, diseases, "HC") == []
    made = analysed(samples, diseases, "HC", kind=kind)
    of_few = ["DM_vs_HC", "SLE_vs_DM", "pSS_vs_DM"]
    assert list(made.tables) == [each.name for each in all_contrasts(diseases, "HC")]
    assert all(set(made.tables[name]["status"]) == {FEW} for name in of_few)
    why = made.notes[made.notes["what"] == "not computed"].set_index("item")["reason"]
    assert why.to_dict() == dict.fromkeys(of_few, FEW)
    summary = made.summary.set_index("contrast")
    assert summary.loc["SLE_vs_HC", "up"] >= 9 and summary.loc["SLE_vs_pSS", "up"] >= 9
    assert summary.loc[of_few, ["n_level", "tested"]].to_numpy().tolist() == [[2, 0], [8, 0], [8, 0]]
    assert made.cross_disease["log2FoldChange_DM"].isna().all()
    assert made.cross_disease["class"].iloc[0] == "specific:SLE"


def test_a_small_group_stays_in_the_fit():
    samples = sheet({"HC": 8, "SLE": 8, "DM": 1})
    made = analysed(samples, ["SLE", "DM"], "HC").tables["SLE_vs_HC"]
    fit = fit_model(normalised(samples), model_matrix(samples, "disease", "HC"))
    ranks = ["rank_pvalue", "rank_padj"]
    expected = contrast_table(fit, versus("SLE", "HC"), SETTINGS)
    pd.testing.assert_frame_equal(made.drop(columns=ranks), expected.drop(columns=ranks))
    assert made["padj"].notna().all()


def test_too_few_controls_leave_the_diseases():
    samples = sheet({"HC": 2, "SLE": 8, "DM": 8})
    made = analysed(samples, ["SLE", "DM"], "HC")
    assert made.summary.set_index("contrast")["tested"].to_dict() == {"SLE_vs_HC": 0, "DM_vs_HC": 0, "SLE_vs_DM": GENES}
    assert made.cross_disease.empty and "padj_DM" in made.cross_disease


def test_only_small_groups_leave_nothing_to_fit():
    made = analysed(sheet({"HC": 2, "SLE": 12}), ["SLE"], "HC")
    assert set(made.tables["SLE_vs_HC"]["status"]) == {"2 samples of HC; 3 are needed"}
    assert made.notes["reason"].unique().tolist() == ["2 samples of HC; 3 are needed"]


def test_a_contrast_of_the_config_can_be_made_where_no_automatic_one_can():
    samples = sheet({"HC": 2, "SLE": 12})
    assert mistakes(samples, ["SLE"], "HC", "disease + sex", [BY_SEX]) == []
    made = analysed(samples, ["SLE"], "HC", [BY_SEX], "disease + sex")
    assert made.summary.set_index("contrast")["tested"].to_dict() == {"SLE_vs_HC": 0, "by_sex": GENES}


def test_a_level_of_few_samples_is_a_reason_and_an_unknown_level_is_a_mistake():
    samples = sheet({"HC": 6, "SLE": 6})
    samples.loc[:1, "sex"] = "X"
    few = BY_SEX | {"level": "X"}
    assert mistakes(samples, ["SLE"], "HC", "disease + sex", [few]) == []
    assert possible(samples, ["SLE"], "HC", [few]).reasons == {"by_sex": "2 samples of X; 3 are needed"}
    unknown = BY_SEX | {"level": "male"}
    assert mistakes(samples, ["SLE"], "HC", "disease + sex", [unknown]) == [("contrasts: by_sex", "sex 'male'")]


@pytest.mark.parametrize("name", ["disease[DM]", "disease[DM]:sex[M]", "sex[M]:disease[DM]"])
def test_coefficients_of_a_small_group_are_a_reason_and_unknown_ones_a_mistake(name):
    samples = sheet({"HC": 8, "SLE": 8, "DM": 2})
    own = [{"name": "own", "coefficients": {name: 1, "disease[SLE]": -1}}]
    assert possible(samples, ["SLE", "DM"], "HC", own).reasons["own"] == FEW
    design = "disease + sex + disease:sex"
    wrong = [{"name": "own", "coefficients": {"disease[pSS]": 1}}]
    assert mistakes(samples, ["SLE", "DM"], "HC", design, wrong) == [("contrasts: own", "disease[pSS]")]


def test_coefficients_mean_nothing_where_no_control_is_measured():
    # without the control another disease becomes the baseline, and the same words another comparison
    samples = sheet({"HC": 6, "SLE": 6, "DM": 6})
    samples["in_rna"] = samples["disease"].ne("HC")
    own = [{"name": "own", "coefficients": {"disease[SLE]": 1}}]
    assert mistakes(samples, ["SLE", "DM"], "HC", own=own) == []
    found = possible(samples[samples["in_rna"]], ["SLE", "DM"], "HC", own)
    assert found.question.control is None
    assert [contrast.name for contrast in found.question.contrasts] == ["SLE_vs_DM"]
    assert found.reasons["own"] == "no sample of HC, the baseline of the model, has expression data"
    assert found.reasons["SLE_vs_HC"] == "0 samples of HC; 3 are needed"


def test_everything_is_made_where_every_group_is_large_enough():
    samples = sheet({"HC": 3, "SLE": 3, "DM": 3})
    found = possible(samples, ["SLE", "DM"], "HC", [BY_SEX])
    asked = question(["SLE", "DM"], "HC", [BY_SEX])
    assert (found.reason, found.reasons, found.question) == ("", {}, asked)
    assert len(asked.contrasts) == 4
