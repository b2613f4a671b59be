"""Sheets as they are: what can be read without doubt is, with a note that says how; the rest is a problem."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stratifn.inputs import ANY_GROUP, GeneNames, Groups, read_cohort
from stratifn.integration.associations import Variables, factor_associations
from stratifn.shared.errors import InputError
from stratifn.shared.package_data import sheet_schema

SAMPLES = [f"S{number:02d}" for number in range(20)]
GROUPS = Groups(["SLE"], "HC", ["DM"])
NUMBERS = [str(20 + number) for number in range(20)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet(**columns) -> pd.DataFrame:
    return pd.DataFrame({"sample": SAMPLES, "disease": ["SLE"] * 10 + ["HC"] * 10} | columns)


def counts(names=SAMPLES) -> pd.DataFrame:
    values = np.random.default_rng(1).poisson(20, (5, len(names)))
    return pd.DataFrame(values, index=list("ABCDE"), columns=names)


def read(table: pd.DataFrame | str, rna=None, groups=GROUPS, view=None, **settings):
    """Validate a sheet (a table, or the text of the file) beside counts; return the cohort."""
    text = table if isinstance(table, str) else table.to_csv(sep="\t", index=False)
    Path("samples.tsv").write_text(text)
    (counts() if rna is None else rna).to_csv("counts.tsv", sep="\t", index_label="gene")
    views = [{"name": "rna", "kind": "counts", "round": False} | (view or {})]
    settings = {"columns": {}, "labels": {}, "types": {}, "views": views} | settings
    paths = {"samples": "samples.tsv", "rna": "counts.tsv"}
    return read_cohort(settings, paths, groups, GeneNames({}, {}), sheet_schema(), ())


def notes(cohort, item=None) -> list[tuple[str, str]]:
    found = cohort.notes if item is None else cohort.notes[cohort.notes["item"] == item]
    return list(zip(found["what"], found["reason"], strict=True))


def refused(*arguments, **settings) -> dict[str, str]:
    """Return what is found wrong, by code."""
    with pytest.raises(InputError) as error:
        read(*arguments, **settings)
    return {problem.code: f"{problem.where}: {problem.found}. {problem.fix}" for problem in error.value.problems}


def replaced(values, **cells) -> list[str]:
    """Return values of which some, by their position, are others: ``_3="x"``."""
    values = list(values)
    for position, cell in cells.items():
        values[int(position[1:])] = cell
    return values


def test_a_clean_sheet_is_read_without_a_note():
    cohort = read(sheet(sex=["F", "M"] * 10, age=NUMBERS, batch=["b1", "b2"] * 10, anti_ro=["yes", "no"] * 10))
    assert cohort.notes[cohort.notes["view"] == "samples"].empty


# --- names of columns -----------------------------------------------------------------------------------------------


def test_a_column_whose_name_in_the_results_the_config_does_not_give_has_a_note():
    mapped = {"sex": "gender", "crp (mg/l)": "CRP"}
    given = sheet(**{"disease duration (y)": NUMBERS, "gender": ["F", "M"] * 10, "CRP": NUMBERS})
    cohort = read(given, columns=mapped)
    assert {"disease_duration_y", "sex", "crp_mg_l"} <= set(cohort.samples)
    assert notes(cohort, "gender") == []
    assert notes(cohort, "CRP") == [("renamed", "read as `crp_mg_l`, by `columns`")]
    ((what, reason),) = notes(cohort, "disease duration (y)")
    assert what == "renamed" and reason.startswith("read as `disease_duration_y`")


def test_two_columns_that_would_have_one_name_are_both_named():
    found = refused(sheet(**{"crp mg": NUMBERS, "crp_mg": NUMBERS}))
    assert "`crp mg` and `crp_mg`" in found["IN-016"]


def test_names_around_which_white_space_was_removed_have_a_note():
    cohort = read(sheet().rename(columns={"disease": " disease "}))
    assert notes(cohort, "header") == [("corrected", "whitespace: removed around 1 names")]


def test_row_names_of_r_are_the_samples_where_no_column_is():
    table = sheet(age=NUMBERS).set_index("sample")
    text = "disease\tage\n" + table.to_csv(sep="\t", header=False)
    cohort = read(text)
    assert cohort.samples["sample"].tolist() == SAMPLES
    assert ("renamed", "row names: the first column, which has no name, holds the samples") in notes(cohort)


def test_row_names_of_r_beside_the_samples_are_no_covariate():
    cohort = read(sheet().to_csv(sep="\t", index=True))
    assert list(cohort.samples) == ["sample", "patient", "disease", "in_rna"]
    assert notes(cohort, "column 1") == [("column left out", "row names")]


def test_a_column_can_take_the_name_of_one_that_is_mapped_away():
    cohort = read(sheet(dx=["DM", "SLE"] * 10), columns={"disease": "dx", "first": "disease"}, groups=ANY_GROUP)
    assert set(cohort.samples["first"]) == {"SLE", "HC"}
    assert set(cohort.samples["disease"]) == {"SLE", "DM"}


# --- labels of groups -----------------------------------------------------------------------------------------------


def test_several_labels_of_the_sheet_are_one_group():
    table = sheet()
    table["disease"] = ["lupus", "SLE", "LN", "SLE", "SLE"] * 2 + ["Control", "healthy donor"] * 5
    cohort = read(table, labels={"SLE": ["SLE", "lupus", "LN"], "HC": ["Control", "healthy donor"]})
    assert cohort.samples["disease"].tolist() == ["SLE"] * 10 + ["HC"] * 10
    assert notes(cohort, "SLE") == [("renamed", "`lupus` in 2 samples, `LN` in 2 samples, by `labels`")]
    assert notes(cohort, "HC") == [("renamed", "`Control` in 5 samples, `healthy donor` in 5 samples, by `labels`")]


def test_one_label_is_still_enough():
    table = sheet()
    table["disease"] = table["disease"].replace("HC", "Control")
    assert read(table, labels={"HC": "Control"}).samples["disease"].tolist() == ["SLE"] * 10 + ["HC"] * 10


def test_labels_that_merge_groups_unasked_are_refused_with_the_list_to_write():
    table = sheet()
    table.loc[19, "disease"] = "Control"
    assert "`labels: {HC: [HC, Control]}`" in refused(table, labels={"HC": "Control"})["IN-061"]


# --- yes and no, words of sex, missing ------------------------------------------------------------------------------


@pytest.mark.parametrize("yes", ["Yes", "YES", "1", "TRUE", "True", "y", "Positive"])
@pytest.mark.parametrize("no", ["No", "0", "false", "FALSE", "N", "Negative"])
def test_every_case_of_yes_and_no_is_an_answer_where_one_is_asked_for(yes, no):
    cohort = read(sheet(hydroxychloroquine=[yes, no] * 10, anti_ifn=[yes, no] * 10, anti_ro=[yes, no] * 10))
    for column in ("hydroxychloroquine", "anti_ifn", "anti_ro"):
        assert cohort.samples[column].tolist() == ["yes", "no"] * 10


def test_answers_written_in_several_ways_are_one_answer_in_any_column():
    cohort = read(sheet(smoker=["Yes", "yes", "No", "TRUE", "0"] * 4))
    assert cohort.samples["smoker"].tolist() == ["yes", "yes", "no", "yes", "no"] * 4
    assert notes(cohort, "smoker") == [("renamed", "read 0 as no, No as no, TRUE as yes, Yes as yes")]


@pytest.mark.parametrize("cells", [["Yes", "No"], ["TRUE", "FALSE"], ["yes", "no"], ["1", "0"]])
def test_answers_written_in_one_way_keep_their_words(cells):
    cohort = read(sheet(smoker=cells * 10))
    assert [f"{cell:g}" if isinstance(cell, float) else cell for cell in cohort.samples["smoker"]] == cells * 10
    assert notes(cohort, "smoker") == []


def test_words_of_sex_are_read_and_noted_and_codes_are_not_guessed():
    cohort = read(sheet(sex=["female", "Male", "F", "m "] * 5))
    assert cohort.samples["sex"].tolist() == ["F", "M", "F", "M"] * 5
    assert notes(cohort, "sex") == [("renamed", "Male, female, m read as F and M")]
    found = refused(sheet(sex=["1", "2"] * 10))
    assert set(found) == {"IN-059"}
    assert "`1` in 10 samples and `2` in 10 samples" in found["IN-059"]


def test_marks_of_missing_cells_that_are_not_ours_have_a_note():
    cohort = read(sheet(crp=replaced(NUMBERS, _0="", _1="NA", _2=".", _3="#N/A")))
    assert cohort.samples["crp"].isna().sum() == 4
    assert notes(cohort, "crp") == [("missing", "read as missing: `#N/A` in 1 samples, `.` in 1 samples")]


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["y", " years", " yrs", "yr.", " Years", "Y"])
def test_the_unit_of_an_age_is_removed(unit):
    cohort = read(sheet(age=replaced(NUMBERS, _3=f"45{unit}", _4=f"46.5{unit}")))
    assert cohort.samples["age"].tolist()[2:5] == [22, 45, 46.5]
    assert notes(cohort, "age") == [("corrected", f"units: {unit.strip()} removed from 2 cells")]


@pytest.mark.parametrize("cell", ["45 months", "18 m", "45 z", "4 5", "45-50", "45y 3m"])
def test_what_is_not_surely_an_age_in_years_is_refused(cell):
    assert set(refused(sheet(age=replaced(NUMBERS, _3=cell)))) == {"IN-040"}


@pytest.mark.parametrize("column", ["age", "crp"])
def test_decimal_commas_are_read(column):
    cohort = read(sheet(**{column: replaced(NUMBERS, _3="45,5", _4="46,25")}))
    assert cohort.samples[column].tolist()[2:5] == [22, 45.5, 46.25]
    assert notes(cohort, column) == [("corrected", "decimal comma: read as such in 2 cells")]


@pytest.mark.parametrize("written", ["{},5", "0,{:03d}"])
def test_a_column_all_in_decimal_commas_is_one_of_numbers(written):
    cells = [written.format(number) for number in range(20)]
    values = read(sheet(crp=cells)).samples["crp"]
    assert values.tolist() == [float(cell.replace(",", ".")) for cell in cells]


@pytest.mark.parametrize("cell", ["1,234.5", "1.234.567"])
def test_marks_between_thousands_are_refused(cell):
    assert set(refused(sheet(crp=replaced(NUMBERS, _3=cell, _4="1.5")))) == {"IN-050"}


def test_values_beyond_a_limit_are_that_limit_and_counted():
    titre = replaced(NUMBERS, _0="<10", _1="< 10", _2=">300", _3=">300", _4=">300", _5="300")
    cohort = read(sheet(titre=titre))
    assert cohort.samples["titre"].tolist()[:7] == [10, 10, 300, 300, 300, 300, 26]
    expected = "`< 10` in 1 samples, `<10` in 1 samples, `>300` in 3 samples: ranked at the limit"
    assert notes(cohort, "titre") == [("at the limit", expected)]


def test_a_limit_counts_as_a_tie_in_associations():
    """Spearman's coefficient does not depend on how far beyond its limit a value is."""
    titre = replaced(NUMBERS, _18=">37", _19=">37")
    cohort = read(sheet(titre=titre))
    factors = pd.DataFrame({"sample": SAMPLES, "Factor1": np.random.default_rng(2).normal(size=20)})
    variance = pd.DataFrame({"view": ["rna"], "factor": ["Factor1"], "r2": [9.0]})

    def row(values):
        variables = Variables(pd.DataFrame({"titre": values}, index=pd.Index(SAMPLES)), {})
        return factor_associations(factors, variables, variance, 1).iloc[0]

    ours = row(cohort.samples.set_index("sample")["titre"])
    known = pd.Series([float(cell.strip(">")) for cell in titre], SAMPLES)
    tied = row(known.replace(37.0, 1e6))
    assert ours["test"] == "spearman" and ours["n"] == 20
    assert (ours["effect"], ours["pvalue"]) == (tied["effect"], tied["pvalue"])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"_0": ">30"}, "'>30' in sample S00 (line 2), and values beyond this limit: '31' in sample S11"),
        ({"_0": "<25"}, "'<25' in sample S00 (line 2), and values beyond this limit: '21' in sample S01"),
        ({"_0": "<10", "_1": "<5"}, "'<10' in sample S00 (line 2), and values beyond this limit: '<5' in sample S01"),
    ],
)
def test_limits_that_cannot_be_ranked_are_refused(cells, expected):
    assert expected in refused(sheet(titre=replaced(NUMBERS, **cells)))["IN-056"]


def test_a_limit_that_the_lowest_value_reaches_can_be_ranked():
    cohort = read(sheet(titre=replaced(NUMBERS, _0="<21", _19=">38")))
    assert cohort.samples["titre"].tolist()[:2] == [21, 21]


def test_a_column_with_limits_is_no_covariate_of_a_model():
    found = refused(sheet(titre=replaced(NUMBERS, _0=">300")), design="disease + titre")
    assert set(found) == {"IN-057"}
    assert "'>300' in sample S00" in found["IN-057"] and "out of the design" in found["IN-057"]


@pytest.mark.parametrize("cells", [["<50", ">=50"], ["<18", "18-64", ">64"], ["low", "<5", "high"]])
def test_groups_that_are_named_by_their_limits_stay_groups(cells):
    cohort = read(sheet(age_group=[cells[row % len(cells)] for row in range(20)]))
    assert set(cohort.samples["age_group"]) == set(cells)
    assert notes(cohort, "age_group") == []


def test_the_config_can_say_that_limits_are_words():
    cohort = read(sheet(titre=replaced(NUMBERS, _0=">300")), types={"titre": "factor"})
    assert cohort.samples["titre"].iloc[0] == ">300"


@pytest.mark.parametrize("cell", ["1965-03-12", "12.03.1965", "3/12/65", "12-Mar-1965", "1965", "1965-03-12 00:00:00"])
def test_a_date_of_birth_is_refused_without_being_repeated(cell):
    found = refused(sheet(age=replaced(NUMBERS, _3=cell)))
    assert set(found) == {"IN-054"}
    assert "S03 in line 5" in found["IN-054"]
    assert cell not in found["IN-054"]


@pytest.mark.parametrize("cell", ["5-Feb", "Feb-05", "05.02.2024", "2024-02-05", "5. Feb", "Mai 12"])
def test_a_date_among_numbers_is_named(cell):
    found = refused(sheet(crp=replaced(NUMBERS, _3=cell)))
    assert set(found) == {"IN-055"}
    assert f"'{cell}' in sample S03 (line 5)" in found["IN-055"]


def test_a_column_of_dates_is_text():
    cohort = read(sheet(sampled=[f"2024-02-{day:02d}" for day in range(1, 21)]))
    assert cohort.samples["sampled"].iloc[0] == "2024-02-01"


@pytest.mark.parametrize("values", [["1", "2", "3"], ["0", "1", "2"], [str(number) for number in range(12)]])
def test_codes_in_the_design_ask_for_their_type(values):
    centre = [values[row % len(values)] for row in range(20)]
    assert "types: {centre: factor}" in refused(sheet(centre=centre), design="disease + centre")["IN-051"]


# --- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "levels", [("b1", "B1"), ("b 1", "b1"), ("1", "1.0"), ("01", "1"), ("batch one", "batch  one")]
)
@pytest.mark.parametrize("column", ["batch", "centre"])
def test_one_level_in_two_spellings_is_named(column, levels):
    found = refused(sheet(**{column: [levels[0], "other", levels[1], "x"] * 5}))
    assert f"`{min(levels)}` in 5 samples and `{max(levels)}` in 5 samples" in found["IN-058"]


@pytest.mark.parametrize("levels", [("A+", "A-"), ("b1", "b11"), ("1", "10")])
def test_levels_that_differ_are_levels(levels):
    assert set(read(sheet(batch=levels * 10)).samples["batch"]) == set(levels)


def test_free_text_may_be_written_in_any_way():
    comments = replaced([f"comment {number}" for number in range(20)], _0="none", _1="None")
    assert read(sheet(comment=comments)).samples["comment"].tolist() == comments


# --- samples in one file alone --------------------------------------------------------------------------------------


def test_samples_in_one_file_alone_are_left_out_where_the_config_says_so():
    rna = counts([*SAMPLES[:-1], "X1", "X2"])
    assert set(refused(sheet(), rna)) == {"IN-072"}
    assert set(refused(sheet(), rna.iloc[:, :19])) == {"IN-074"}
    cohort = read(sheet(), rna, extra_samples="ignore")
    assert cohort.samples["sample"].tolist() == SAMPLES[:-1]
    assert list(cohort.views["rna"].obs_names) == SAMPLES[:-1]
    np.testing.assert_array_equal(cohort.views["rna"].X, rna[SAMPLES[:-1]].T)
    # of the view `samples`, so that a report without ids counts them
    left_out = cohort.notes[cohort.notes["what"] == "left out"].set_index("item")
    assert set(left_out["view"]) == {"samples"}
    assert left_out["reason"].to_dict() == {
        "X1": "in the matrix of rna, but not in the sheet",
        "X2": "in the matrix of rna, but not in the sheet",
        "S19": "in the sheet, but in no matrix",
    }


def test_nothing_is_ignored_where_nothing_fits():
    assert set(refused(sheet(), counts([f"X{name}" for name in range(20)]), extra_samples="ignore")) == {"IN-070"}


@pytest.mark.parametrize("theirs", ["s03", "S.03", "S-03", "S_03"])
def test_another_spelling_of_a_sample_is_not_ignored(theirs):
    rna = counts(replaced(SAMPLES, _3=theirs))
    found = refused(sheet(), rna, extra_samples="ignore")
    assert set(found) == {"IN-067"}
    assert f"`{theirs}`, but `S03` in the sheet" in found["IN-067"]


def test_a_group_without_a_measured_sample_is_refused_although_samples_are_ignored():
    found = refused(sheet(), counts(SAMPLES[:10]), extra_samples="ignore")
    assert set(found) == {"IN-039"}
    assert "`HC` in any matrix" in found["IN-039"]


def test_new_patients_in_one_file_alone_are_left_out_too():
    cohort = read(sheet(), counts([*SAMPLES[5:], "X1"]), groups=ANY_GROUP, extra_samples="ignore")
    assert cohort.samples["sample"].tolist() == SAMPLES[5:]


# --- ids of a matrix ------------------------------------------------------------------------------------------------


def ids_file(names=SAMPLES, header="id\tsample", suffix="|B cells") -> str:
    Path("ids.tsv").write_text(header + "\n" + "".join(f"{name}{suffix}\t{name}\n" for name in names))
    return "ids.tsv"


@pytest.mark.parametrize("transposed", [False, True])
def test_a_file_of_ids_says_which_sample_is_which(transposed):
    rna = counts([f"{name}|B cells" for name in SAMPLES])
    view = {"ids": ids_file()}
    cohort = read(sheet(), rna.T if transposed else rna, view=view)
    assert list(cohort.views["rna"].obs_names) == SAMPLES
    np.testing.assert_array_equal(cohort.views["rna"].X, rna.T)
    assert notes(cohort, "sample ids") == [("renamed", "20 of 20, by ids.tsv")]


def test_ids_that_the_file_does_not_list_stay_as_they_are():
    rna = counts([*(f"{name}|B cells" for name in SAMPLES[:5]), *SAMPLES[5:]])
    cohort = read(sheet(), rna, view={"ids": ids_file(SAMPLES[:8])})
    np.testing.assert_array_equal(cohort.views["rna"][SAMPLES].X, rna.T)
    assert notes(cohort, "sample ids") == [
        ("renamed", "5 of 20, by ids.tsv"),
        ("not used", "not in the matrix: 3 of 8 ids of ids.tsv"),
    ]


def test_the_columns_of_a_file_of_ids_may_be_in_either_order():
    Path("ids.tsv").write_text("sample\tarray\n" + "".join(f"{name}\tA{name}\n" for name in SAMPLES))
    cohort = read(sheet(), counts([f"A{name}" for name in SAMPLES]), view={"ids": "ids.tsv"})
    assert list(cohort.views["rna"].obs_names) == SAMPLES


def test_every_mistake_in_a_file_of_ids_is_named_with_its_line():
    rna = counts([f"{name}|B cells" for name in SAMPLES])
    Path(ids_file()).open("a").write("S00|B cells\tS01\n")
    found = refused(sheet(), rna, view={"ids": "ids.tsv"})
    assert set(found) == {"IN-063"}
    assert "lines 3, 22: the sample `S01` 2 times" in found["IN-063"]
    assert set(refused(sheet(), rna, view={"ids": ids_file(header="a\tb")})) == {"IN-062"}
    assert set(refused(sheet(), rna, view={"ids": ids_file(suffix="|T cells")})) == {"IN-065"}
    ids = Path(ids_file()).read_text().replace("\tS03", "\tS3")
    Path("ids.tsv").write_text(ids)
    found = refused(sheet(), rna, view={"ids": "ids.tsv"})
    assert "line 5: the sample `S3`" in found["IN-064"]
    # told once, and not as an unknown id of the matrix again
    assert "IN-072" not in found


def test_a_sheet_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_ids():
    found = refused(sheet().drop(columns="disease"), view={"ids": ids_file(header="a\tb")})
    assert set(found) == {"IN-031", "IN-062"}
