import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratifn.shared.design import aliased_columns, check_design, check_terms, model_matrix, parse_design
from stratifn.shared.errors import InputError


def cohort(**columns):
    samples = pd.DataFrame(
        {
            "sample": [f"S{i}" for i in range(12)],
            "disease": ["HC"] * 4 + ["SLE"] * 4 + ["DM"] * 4,
            "sex": ["F", "M", "F", "M"] * 3,
            "age": np.arange(30.0, 54.0, 2.0),
            "batch": ["1", "2", "2", "1"] * 3,
        }
    )
    return samples.assign(**columns)


def found(samples, design, control="HC"):
    return "\n".join(str(problem) for problem in check_design(samples, design, control))


def test_columns_are_named_like_coefficients_with_the_control_as_baseline():
    design = model_matrix(cohort(), "sex + disease + age + disease:sex", "HC")
    assert design.columns == [
        "Intercept",
        "sex[M]",
        "disease[DM]",
        "disease[SLE]",
        "age",
        "disease[DM]:sex[M]",
        "disease[SLE]:sex[M]",
    ]
    assert design.levels == {"sex": ("F", "M"), "disease": ("HC", "DM", "SLE")}
    assert list(design.matrix.index) == [f"S{i}" for i in range(12)]
    expected = design.matrix["disease[SLE]"] * design.matrix["sex[M]"]
    assert design.matrix["disease[SLE]:sex[M]"].equals(expected)


def test_the_effect_of_a_continuous_covariate_is_per_unit_of_the_sheet():
    samples = cohort()
    design = model_matrix(samples, "disease + age", "HC")
    outcome = 3.0 + 0.25 * samples["age"].to_numpy()
    coefficients = np.linalg.lstsq(design.matrix.to_numpy(), outcome, rcond=None)[0]
    assert coefficients @ design.contrast({"age": 1}) == pytest.approx(0.25)


def test_a_level_contrast_is_the_difference_of_two_coefficients():
    design = model_matrix(cohort(), "disease", "HC")
    assert design.level_contrast("disease", "SLE", "DM").tolist() == [0, -1, 1]
    assert design.level_contrast("disease", "SLE", "HC").tolist() == [0, 0, 1]


@pytest.mark.parametrize("terms", ["disease", "disease + sex + age", "sex + disease + disease:sex + disease:age + age"])
def test_relevelling_changes_the_coefficients_and_not_the_model(terms):
    rng = np.random.default_rng(1)
    design = model_matrix(cohort(age=rng.normal(50, 9, 12)), terms, "HC")
    other = design.relevelled("disease", "SLE")
    assert other.levels["disease"] == ("SLE", "HC", "DM") and "disease[HC]" in other.columns
    outcome = rng.normal(size=12)
    fits = [np.linalg.lstsq(d.matrix.to_numpy(), outcome, rcond=None)[0] for d in (design, other)]
    assert design.matrix.to_numpy() @ fits[0] == pytest.approx(other.matrix.to_numpy() @ fits[1])
    effects = [fit @ d.level_contrast("disease", "DM", "SLE") for fit, d in zip(fits, (design, other), strict=True)]
    if ":" not in terms:
        assert effects[0] == pytest.approx(effects[1])
    assert np.count_nonzero(other.level_contrast("disease", "DM", "SLE")) == 1


@pytest.mark.parametrize(
    "design",
    ["", "~ disease", "disease * sex", "disease + (1|patient)", "disease - 1", "disease + {print(1)}", "a b",
     "disease +", "disease:", "np.log(age)", "disease + I(age)", "disease|sex", "disease\nsex"],
)  # fmt: skip
def test_anything_but_names_plus_and_colon_is_refused(design):
    with pytest.raises(InputError, match="and nothing else"):
        parse_design(design)


@given(st.text(max_size=30))
def test_no_text_at_all_gets_past_the_parser_but_names(text):
    try:
        terms = parse_design(text)
    except InputError:
        return
    assert all(name.replace(".", "").replace("_", "").replace("-", "").isalnum() for term in terms for name in term)


def test_a_term_twice_and_an_interaction_without_its_main_effects_are_refused():
    for design, words in (
        ("disease + disease", "repeated"),
        ("disease + sex + disease:sex + sex:disease", "repeated"),
        ("disease:disease + disease", "repeated"),
        ("disease + disease:sex", "main effects disease \\+ sex"),
    ):
        with pytest.raises(InputError, match=words):
            parse_design(design)


def test_every_problem_of_the_sheet_is_found_at_once():
    samples = cohort(sex=["F"] * 12)
    samples.loc[[1, 2], "age"] = np.nan
    text = found(samples, "disease + sex + age + ethnicity")
    assert "column sex: found only F" in text
    assert "column age: found no value for S1, S2" in text
    assert "ethnicity" in text and "a column of the sample sheet" in text


def test_a_batch_identical_to_the_disease_is_named():
    assert "batch identical to disease" in found(cohort(batch=["1"] * 4 + ["2"] * 4 + ["3"] * 4), "disease + batch")


def test_aliased_columns_are_named():
    text = found(cohort(batch=["1"] * 8 + ["2"] * 4), "disease + batch")
    assert "aliased columns: batch[2] = +1 disease[DM]" in text
    empty = cohort(sex=["F", "M", "F", "M"] * 2 + ["F"] * 4)
    assert "disease[DM]:sex[M] = 0 (no sample is in this cell)" in found(empty, "disease + sex + disease:sex")


def test_a_small_group_is_no_obstacle_to_the_fit_of_the_others():
    samples = cohort()
    assert found(samples[:10], "disease") == found(samples[:9], "disease") == ""
    assert "column disease: found only HC" in found(samples[:4], "disease")


def test_what_is_a_mistake_in_a_design_is_one_with_a_single_group_too():
    samples = cohort()[:4]
    assert check_terms(samples, "disease + sex") == []
    assert "ethnicity" in check_terms(samples, "disease + ethnicity")[0].found
    assert "and nothing else" in check_terms(samples, "~disease")[0].expected
    assert "the term disease" in check_terms(samples, "sex")[0].expected
    (problem,) = check_terms(samples.assign(age=[50, np.nan, 40, 41]), "disease + age")
    assert (problem.where, problem.found) == ("column age", "no value for S1")
    (problem,) = check_terms(samples.assign(age=[50, np.inf, 40, 41]), "disease + age")
    assert (problem.found, problem.code) == ("an infinite value", "IN-131")


def test_a_control_that_matches_nobody_and_a_design_without_disease_are_problems():
    assert "no sample of the control 'healthy'" in found(cohort(), "disease", "healthy")
    assert "the term disease among them" in found(cohort(), "sex + age")


def test_as_many_coefficients_as_samples_is_a_problem():
    samples = cohort(site=list("abcdefghijkl"))
    assert "aliased" in found(samples, "disease + site") or "more samples" in found(samples, "disease + site")


def test_unknown_levels_and_coefficients_in_a_contrast_are_named():
    design = model_matrix(cohort(), "disease + sex", "HC")
    with pytest.raises(InputError, match="'pSS'.*one of HC, DM, SLE.*IN-143"):
        design.level_contrast("disease", "pSS", "HC")
    with pytest.raises(InputError, match="a factor of the design"):
        design.level_contrast("batch", "1", "2")
    with pytest.raises(InputError, match="disease\\[pSS\\]"):
        design.contrast({"disease[pSS]": 1})
    with pytest.raises(InputError, match="all zero"):
        design.contrast({"sex[M]": 0})
    with pytest.raises(InputError, match="against itself"):
        design.level_contrast("disease", "SLE", "SLE")


def test_independent_columns_have_no_alias():
    assert aliased_columns(pd.DataFrame(np.eye(4), columns=list("abcd"))) == {}
