"""One message for all mistakes: what does not depend on a broken file is told with it, and quickly where files are large."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

from mistakes import Cohort
from stratifn.inputs import analysis
from stratifn.shared.errors import InputError


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Cohort.clean(tmp_path)


def codes(cohort: Cohort) -> set[str]:
    return {problem.code for problem in cohort.problems()}


def message(cohort: Cohort) -> str:
    with pytest.raises(InputError) as error:
        cohort.validated()
    return str(error.value)


def wrong_settings(cohort: Cohort) -> set[str]:
    """Put a mistake into each section of the configuration; return what needs no sheet to be seen."""
    cohort.cohort["design"] = "disease + centre"
    cohort.config["integration"] = {"regress_out": "plate", "min_views": 9}
    cohort.config["contrasts"] = [{"name": "site", "factor": "site", "level": "a", "baseline": "a"}]
    cohort.config["interferon"] = {
        "reference": "nowhere",
        "extra_signatures": ["NO_SUCH_SET"],
        "protein_analyte": "IFNA",
    }
    cohort.config["differential_expression"] = {"gene_sets": ["sets.gmt"]}
    cohort.files["sets.gmt"] = b"EMPTY\tno genes\n"
    return {"IN-144", "IN-208", "IN-221", "IN-193", "IN-190"}


NEED_THE_COLUMNS = {"IN-149", "IN-207", "IN-152"}


def test_sheet_matrices_settings_signatures_sets_and_reference_are_told_together(cohort):
    expected = wrong_settings(cohort) | NEED_THE_COLUMNS
    cohort.sheet.loc[3, "age"] = "240"
    cohort.matrices["rna"].iloc[2, 3] = -4
    cohort.files["methylation.tsv"] = b"id\tS01\tS02\ncg1\t0.5\n"
    cohort.matrices["cells"] = cohort.matrices["cells"].drop(columns="S05").rename(columns={"S06": "S6"})
    assert codes(cohort) >= expected | {"IN-040", "IN-082", "IN-011", "IN-072", "IN-233"}


def test_without_a_sheet_the_rest_is_still_told(cohort):
    expected = wrong_settings(cohort)
    cohort.files["samples.tsv"] = None
    cohort.files["methylation.tsv"] = b"id\tS01\tS02\ncg1\t0.5\n"
    found = codes(cohort)
    assert found >= expected | {"IN-001", "IN-011"}
    # nobody knows the columns
    assert not found & NEED_THE_COLUMNS


def test_a_sheet_without_a_required_column_has_its_other_columns(cohort):
    expected = wrong_settings(cohort) | NEED_THE_COLUMNS
    cohort.sheet = cohort.sheet.rename(columns={"disease": "diagnosis"})
    assert codes(cohort) >= expected | {"IN-031"}


def test_a_column_that_is_mapped_to_a_wrong_name_is_no_unknown_term_too(cohort):
    cohort.cohort.update(design="disease + centre", columns={"centre": "hospitl"})
    cohort.sheet["hospital"] = "x"
    assert codes(cohort) == {"IN-031"}


def test_each_problem_is_told_once(cohort):
    wrong_settings(cohort)
    problems = cohort.problems()
    assert len(problems) == len(set(problems))


@pytest.mark.parametrize("damage", [{"rna.tsv": None}, {"rna.tsv": b"PK\x03\x04"}])
def test_a_confounded_batch_is_told_whether_or_not_the_matrix_can_be_read(cohort, damage):
    cohort.cohort["design"] = "disease + batch"
    cohort.config["integration"] = {"regress_out": "batch"}
    cohort.sheet["batch"] = cohort.sheet["disease"].map({"SLE": "x", "pSS": "y", "HC": "z"})
    cohort.files |= damage
    assert codes(cohort) > {"IN-133", "IN-206"}


def test_a_sample_in_no_matrix_is_told_beside_wrong_values(cohort):
    cohort.matrices["rna"].iloc[2, 3] = -4
    cohort.sheet.loc[len(cohort.sheet)] = ["S99", "SLE", "F", "40", "b1"]
    assert codes(cohort) == {"IN-082", "IN-074"}


def test_an_unknown_analyte_is_not_claimed_while_its_matrix_cannot_be_read(cohort):
    cohort.config["interferon"] = {"protein_analyte": "IFNA"}
    cohort.files["cytokines.tsv"] = None
    assert codes(cohort) == {"IN-001"}


def test_a_batch_that_follows_the_disease_where_a_feature_is_measured_is_found(cohort):
    cohort.config["integration"] = {"regress_out": "batch"}
    in_b1, sle = cohort.sheet["batch"].eq("b1").to_numpy(), cohort.sheet["disease"].eq("SLE").to_numpy()
    cytokines = cohort.matrices["cytokines"]
    # the analyte is measured in the SLE patients of one batch and in the others of the other one
    cytokines.loc["CK3", ~np.where(sle, in_b1, ~in_b1)] = np.nan
    (problem,) = cohort.problems()
    assert (problem.code, "CK3" in problem.found) == ("IN-206", True)


# --- large matrices: their values wait ------------------------------------------------------------------------------


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(analysis, "LARGE", 0)


def as_parquet(cohort: Cohort) -> None:
    cohort.matrices["rna"].rename_axis("id").reset_index().to_parquet("rna.parquet")
    cohort.view("rna")["path"] = "rna.parquet"


def as_h5ad(cohort: Cohort) -> None:
    ad.AnnData(cohort.matrices["rna"].T.astype(float)).write_h5ad("rna.h5ad")
    cohort.view("rna")["path"] = "rna.h5ad"


def as_rows(cohort: Cohort) -> None:
    cohort.matrices["rna"] = cohort.matrices["rna"].T


def as_text(cohort: Cohort) -> None:
    pass


LAYOUTS = [as_text, as_rows, as_parquet, as_h5ad]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_clean_cohort_of_large_files_is_read(cohort, large, layout):
    layout(cohort)
    assert cohort.validated().views["rna"].shape == (36, 40)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_of_large_files_wait_for_the_sheet_and_the_message_says_so(cohort, large, layout):
    cohort.sheet.loc[3, "age"] = "240"
    cohort.matrices["rna"].iloc[2, 3] = -4
    layout(cohort)
    told = message(cohort)
    assert "IN-040" in told
    assert "IN-082" not in told
    path = cohort.view("rna")["path"]
    assert f"Not read yet, because they are large: the values of {path}, methylation.tsv, cytokines.tsv" in told


@pytest.mark.parametrize("layout", [as_text, as_parquet, as_h5ad])
def test_ids_and_designs_of_large_files_are_told_without_their_values(cohort, large, layout):
    cohort.cohort["design"] = "disease + batch"
    cohort.sheet["batch"] = cohort.sheet["disease"]
    cohort.matrices["rna"] = cohort.matrices["rna"].rename(columns={"S04": "X04"})
    cohort.matrices["rna"].iloc[2, 3] = -4
    layout(cohort)
    assert codes(cohort) == {"IN-072", "IN-133"}


def test_without_a_sheet_no_large_file_is_read(cohort, large):
    cohort.files |= {"samples.tsv": None, "rna.tsv": b"a\tb\n1\t2\t3\n"}
    assert codes(cohort) == {"IN-001"}
    assert "Not read yet" in message(cohort)
