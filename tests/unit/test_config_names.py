"""Names that would clash in one file, folder or column are refused when the configuration is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stratifn.configuration.config import complete_config
from stratifn.configuration.names import JOINED_TABLES, joined_columns, reserved_names
from stratifn.differential_expression.contrasts import all_contrasts
from stratifn.shared.comparisons import contrast_names, interferon_contrast_names
from stratifn.shared.errors import InputError

SCHEMAS = Path(__file__).resolve().parents[2] / "workflow" / "schemas"
SCHEMA = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
CONTRACT = yaml.safe_load((SCHEMAS / "outputs.yaml").read_text())
RNA = {"name": "rna", "kind": "counts", "path": "c.tsv"}
READ = {"name": "mine", "samples": "s.tsv", "views": [RNA]}


def complete(**config):
    return complete_config({"cohorts": [READ]} | config, SCHEMA, CONTRACT)


def problems(**config):
    with pytest.raises(InputError) as error:
        complete(**config)
    return error.value.problems


def view(name):
    return {"name": name, "kind": "continuous", "path": "v.tsv"}


@pytest.mark.parametrize("name", ["transfer", "studies", "Studies"])
def test_a_cohort_cannot_be_called_like_a_folder_beside_the_cohorts(name):
    (problem,) = problems(cohorts=[READ | {"name": name}])
    assert (problem.where, problem.found) == ("cohorts", f"the reserved name `{name.lower()}`")
    assert problem.fix == "Rename it."


@pytest.mark.parametrize(
    "name",
    ["index", "cross_disease", "summary", "enrichment", "transfer", "studies", "notes", "permutation", "verdicts",
     "files", "interferon_status", "interferon_status_notes", "Summary"],
)  # fmt: skip
def test_a_contrast_cannot_be_called_like_a_file_of_its_phase(name):
    (problem,) = problems(contrasts=[{"name": name}])
    assert (problem.where, problem.found) == ("contrasts", f"the reserved name `{name.lower()}`")


@pytest.mark.parametrize(
    "name", ["SLE_vs_HC", "sle_vs_hc", "SLE_vs_DM", "IFN_high_vs_IFN_low", "SLE_IFN_high_vs_IFN_low"]
)
def test_a_contrast_cannot_be_called_like_one_that_is_made_anyway(name):
    (problem,) = problems(contrasts=[{"name": "fine"}, {"name": name}])
    assert problem.where == "contrasts[1].name"
    assert problem.found == f"`{name}`, the name of a comparison that is always made (cohort mine)"
    assert problem.fix == "Rename it, or remove it."


def test_a_contrast_may_be_called_like_one_that_is_not_made():
    # the second of a pair against the first is not among the automatic ones, and this cohort has no DM
    assert complete(contrasts=[{"name": "DM_vs_SLE"}])["contrasts"]
    assert complete(diseases=["SLE"], contrasts=[{"name": "DM_vs_HC"}])["contrasts"]


def test_a_contrast_is_compared_with_those_of_every_cohort():
    other = READ | {"name": "other", "diseases": ["RA"], "control": "donor"}
    (problem,) = problems(cohorts=[READ, other], contrasts=[{"name": "RA_vs_donor"}])
    assert "(cohort other)" in problem.found


def test_contrasts_cannot_differ_by_case_alone():
    (problem,) = problems(contrasts=[{"name": "by_age"}, {"name": "By_Age"}])
    assert problem.found == "`by_age` 2 times (case does not count)"


@pytest.mark.parametrize("name", ["IFN_high", "IFN_low", "ifn_low", "index", "methods", "figures"])
def test_a_disease_cannot_be_called_like_a_page_or_like_a_class(name):
    (problem,) = problems(diseases=["SLE", name])
    assert (problem.where, problem.found) == ("cohorts[0] (mine).diseases", f"the reserved name `{name.lower()}`")


@pytest.mark.parametrize(
    ("diseases", "control", "name"),
    [
        (["A", "A_vs_B", "B_vs_C"], "C", "a_vs_b_vs_c"),
        (["SLE_IFN_high", "SLE"], "IFN_low", "sle_ifn_high_vs_ifn_low"),
        (["a_vs_b", "A", "c"], "B_vs_C", "a_vs_b_vs_c"),
    ],
)
def test_two_comparisons_cannot_have_one_name(diseases, control, name):
    (problem,) = problems(diseases=diseases, control=control)
    assert problem.where == "cohorts[0] (mine).diseases"
    assert problem.found == f"2 comparisons that would be called `{name}`"
    assert "`labels`" in problem.fix


def test_a_label_with_vs_in_it_is_fine_where_nothing_meets():
    assert complete(diseases=["drug_vs_placebo", "SLE"])["cohorts"]


@pytest.mark.parametrize("control", ["SLE", "sle"])
def test_the_control_cannot_be_a_disease_in_any_case(control):
    (problem,) = problems(control=control)
    assert problem.found == f"`{control}` as control and as disease"


@pytest.mark.parametrize(
    "name",
    # a file of the phases, the sheet among the input paths, a word of the notes, the factors in cohort.h5mu, MOFA's own
    ["samples", "notes", "quality", "size_factors", "covariate_associations", "all", "model", "X_mofa", "data", "groups",
     "expectations", "Samples"],
)  # fmt: skip
def test_a_view_cannot_be_called_like_what_lies_beside_it(name):
    (problem,) = problems(cohorts=[READ | {"views": [RNA, view(name)]}])
    assert (problem.where, problem.found) == ("cohorts[0] (mine).views", f"the reserved name `{name.lower()}`")
    placed = {"name": "later", "reference": "folder", "samples": "n.tsv", "views": [view(name)]}
    (problem,) = problems(transfer=[placed])
    assert problem.where == "transfer[0] (later).views"


def test_the_views_of_the_demo_and_other_usual_names_are_free():
    views = [RNA, *map(view, ("methylation", "cytokines", "cells", "proteome", "transposons", "mirna"))]
    assert complete(cohorts=[READ | {"views": views}])["cohorts"]
    assert complete_config({"cohorts": [{"name": "demo", "simulate": {}}]}, SCHEMA, CONTRACT)["cohorts"]


def test_names_that_collide_are_listed_with_everything_else():
    found = problems(contrasts=[{"name": "summary"}], cohorts=[READ | {"name": "transfer", "views": [RNA, RNA]}])
    assert len(found) == 3


def test_reserved_names_follow_the_contract():
    more = {"path": "differential_expression/new.tsv", "columns": {}}
    grown = CONTRACT | {"tables": [*CONTRACT["tables"], more]}
    assert reserved_names(grown, "contrast") == reserved_names(CONTRACT, "contrast") | {"new"}


def test_the_names_are_those_of_the_tables():
    diseases = ["SLE", "pSS", "DM"]
    assert contrast_names(diseases, "HC") == [each.name for each in all_contrasts(diseases, "HC")]
    assert len(contrast_names(diseases, "HC")) == 3 + 3
    assert len(interferon_contrast_names(diseases)) == 4


def test_the_tables_whose_columns_meet_those_of_the_sheet_are_in_the_contract():
    assert {entry["path"] for entry in CONTRACT["tables"]} >= JOINED_TABLES
    assert {"score", "label", "stratum", "confidence", "ifn_class", "Factor*", "library_size"} <= joined_columns(
        CONTRACT
    )
    assert not {"sample", "patient", "disease"} & joined_columns(CONTRACT)


def test_a_contrast_of_a_factor_and_of_coefficients_at_once_is_refused():
    both = {"name": "x", "factor": "sex", "level": "F", "baseline": "M", "coefficients": {"disease[SLE]": 1}}
    with pytest.raises(InputError, match="both `factor` and `coefficients`"):
        complete_config({"cohorts": [{"name": "demo", "simulate": {}}], "contrasts": [both]}, SCHEMA, CONTRACT)
