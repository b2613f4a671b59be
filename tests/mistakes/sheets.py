"""Sample sheets: what is wrong in their rows, names, labels, numbers and levels, and between them and the matrices."""

from __future__ import annotations

import pandas as pd

from mistakes import Cohort, mistake


def with_cells(cohort: Cohort, column: str, cells: dict[int, str]) -> None:
    """Write some cells of a column of the sheet, by the number of their row."""
    values = cohort.sheet[column].astype(object) if column in cohort.sheet else pd.Series("", cohort.sheet.index)
    for row, cell in cells.items():
        values[row] = cell
    cohort.sheet[column] = values


def titres(cohort: Cohort, *limits: str) -> None:
    """Add a column of numbers from 10 to 45, of which the first ones are limits."""
    cohort.sheet["titre"] = [*limits, *(str(10 + row) for row in range(len(limits), 36))]


# --- rows and columns -----------------------------------------------------------------------------------------------


@mistake("IN-010")
def a_quote_in_the_sheet_is_not_closed(cohort: Cohort) -> None:
    cohort.files["samples.tsv"] = cohort.text("samples").replace("S05\tSLE", 'S05\t"SLE').encode()


@mistake("IN-011")
def a_cell_of_the_sheet_is_lost(cohort: Cohort) -> None:
    cohort.files["samples.tsv"] = cohort.text("samples").replace("S05\tSLE", "S05").encode()


@mistake("IN-011")
def a_row_of_the_sheet_has_one_cell_too_many(cohort: Cohort) -> None:
    cohort.files["samples.tsv"] = cohort.text("samples").replace("S05\tSLE", "S05\tSLE\tSLE").encode()


@mistake("IN-012")
def ages_have_points_and_commas(cohort: Cohort) -> None:
    with_cells(cohort, "age", {0: "45,5", 1: "45.5"})


@mistake("IN-013")
def a_number_of_the_sheet_may_have_thousands(cohort: Cohort) -> None:
    cohort.sheet["platelets"] = [f"{row},250" for row in range(101, 137)]


@mistake("IN-016")
def a_column_is_there_twice(cohort: Cohort) -> None:
    cohort.files["samples.tsv"] = cohort.text("samples").replace("\tbatch", "\tage").encode()


@mistake("IN-016")
def two_columns_have_one_name_in_the_results(cohort: Cohort) -> None:
    cohort.sheet["disease duration"] = "5"
    cohort.sheet["disease_duration"] = "6"


@mistake("IN-030")
def a_mapped_column_is_in_the_sheet_too(cohort: Cohort) -> None:
    cohort.sheet["gender"] = cohort.sheet["sex"]
    cohort.cohort["columns"] = {"sex": "gender"}


@mistake("IN-031")
def a_required_column_is_missing(cohort: Cohort) -> None:
    cohort.sheet = cohort.sheet.rename(columns={"disease": "Diagnosis"})


@mistake("IN-031")
def a_mapped_column_is_missing(cohort: Cohort) -> None:
    cohort.cohort["columns"] = {"sex": "gender"}


@mistake("IN-042")
def a_column_has_the_name_of_a_result(cohort: Cohort) -> None:
    cohort.sheet["ifn_class"] = "high"


@mistake("IN-066")
def one_column_is_mapped_to_two(cohort: Cohort) -> None:
    cohort.sheet = cohort.sheet.rename(columns={"batch": "centre"})
    cohort.cohort["columns"] = {"batch": "centre", "site": "centre"}


# --- samples and groups ---------------------------------------------------------------------------------------------


@mistake("IN-034")
def a_sample_is_there_twice(cohort: Cohort) -> None:
    with_cells(cohort, "sample", {1: "S01"})


@mistake("IN-035")
def two_samples_differ_by_case_alone(cohort: Cohort) -> None:
    with_cells(cohort, "sample", {1: "s01"})


@mistake("IN-036")
def a_sample_has_an_odd_name(cohort: Cohort) -> None:
    with_cells(cohort, "sample", {1: "S 02"})


@mistake("IN-036")
def a_sample_has_no_name(cohort: Cohort) -> None:
    with_cells(cohort, "sample", {1: ""})


@mistake("IN-041")
def a_patient_has_two_samples(cohort: Cohort) -> None:
    cohort.sheet["patient"] = ["P1", "P1", *(f"P{row}" for row in range(3, 37))]


@mistake("IN-045")
def a_cohort_is_too_small(cohort: Cohort) -> None:
    kept = [0, 1, 2, 12, 13, 14, 24, 25, 26]
    cohort.sheet = cohort.sheet.iloc[kept]
    cohort.matrices = {name: frame.iloc[:, kept] for name, frame in cohort.matrices.items()}


@mistake("IN-037")
def a_label_is_unknown(cohort: Cohort) -> None:
    with_cells(cohort, "disease", {1: "SEL"})


@mistake("IN-038")
def a_listed_disease_has_no_sample(cohort: Cohort) -> None:
    cohort.sheet["disease"] = cohort.sheet["disease"].replace("pSS", "SLE")


@mistake("IN-038")
def a_disease_is_left_without_samples_when_others_are_ignored(cohort: Cohort) -> None:
    cohort.cohort["extra_samples"] = "ignore"
    cohort.matrices = {name: frame.drop(columns=frame.columns[12:24]) for name, frame in cohort.matrices.items()}


@mistake("IN-039")
def there_is_no_control(cohort: Cohort) -> None:
    cohort.sheet["disease"] = cohort.sheet["disease"].replace("HC", "SLE")


@mistake("IN-032")
def a_mapped_label_is_missing(cohort: Cohort) -> None:
    cohort.cohort["labels"] = {"HC": ["HC", "healthy"]}


@mistake("IN-060")
def one_label_is_mapped_to_two_groups(cohort: Cohort) -> None:
    cohort.sheet["disease"] = cohort.sheet["disease"].replace("pSS", "sicca")
    cohort.cohort["labels"] = {"pSS": "sicca", "SLE": ["SLE", "sicca"]}


@mistake("IN-061")
def a_label_is_in_the_sheet_and_another_is_mapped_to_it(cohort: Cohort) -> None:
    with_cells(cohort, "disease", {35: "Control"})
    cohort.cohort["labels"] = {"HC": "Control"}


@mistake("IN-067")
def r_changed_an_id_of_a_matrix_that_would_be_ignored(cohort: Cohort) -> None:
    cohort.cohort["extra_samples"] = "ignore"
    cohort.matrices["rna"] = cohort.matrices["rna"].rename(columns={"S05": "S.05"})


# --- cells ----------------------------------------------------------------------------------------------------------


@mistake("IN-040")
def an_age_is_impossible(cohort: Cohort) -> None:
    with_cells(cohort, "age", {3: "450"})


@mistake("IN-040")
def an_age_is_in_months(cohort: Cohort) -> None:
    with_cells(cohort, "age", {3: "18 months"})


@mistake("IN-040")
def a_sex_is_no_word_for_one(cohort: Cohort) -> None:
    with_cells(cohort, "sex", {3: "X"})


@mistake("IN-050")
def a_cell_among_numbers_is_none(cohort: Cohort) -> None:
    cohort.sheet["crp"] = [f"{row}.5" for row in range(36)]
    with_cells(cohort, "crp", {3: "high"})


@mistake("IN-051")
def codes_in_the_design_may_be_amounts(cohort: Cohort) -> None:
    cohort.sheet["centre"] = ["1", "2", "3"] * 12
    cohort.cohort["design"] = "disease + centre"


@mistake("IN-052")
def a_type_is_given_to_no_column(cohort: Cohort) -> None:
    cohort.cohort["types"] = {"centre": "factor"}


@mistake("IN-053")
def a_known_column_is_given_another_type(cohort: Cohort) -> None:
    cohort.cohort["types"] = {"age": "factor"}


@mistake("IN-054")
def ages_are_dates_of_birth(cohort: Cohort) -> None:
    cohort.sheet["age"] = [f"{1950 + row}-03-12" for row in range(36)]


@mistake("IN-054")
def one_age_is_a_date_of_birth(cohort: Cohort) -> None:
    with_cells(cohort, "age", {3: "12.03.1965"})


@mistake("IN-054")
def ages_are_years_of_birth(cohort: Cohort) -> None:
    cohort.sheet["age"] = [str(1950 + row) for row in range(36)]


@mistake("IN-055")
def a_spreadsheet_made_dates_of_numbers(cohort: Cohort) -> None:
    cohort.sheet["crp"] = [f"{row}.5" for row in range(36)]
    with_cells(cohort, "crp", {3: "05. Feb", 7: "3-Apr", 9: "2024-02-05 00:00:00"})


@mistake("IN-055")
def a_column_of_numbers_by_the_config_has_dates(cohort: Cohort) -> None:
    cohort.sheet["sampled"] = [f"{1 + row % 28}/2/2024" for row in range(36)]
    cohort.cohort["types"] = {"sampled": "number"}


@mistake("IN-056")
def a_limit_is_below_other_values(cohort: Cohort) -> None:
    titres(cohort, ">30", ">30")


@mistake("IN-056")
def a_column_has_two_lower_limits(cohort: Cohort) -> None:
    titres(cohort, "<10", "<5")


@mistake("IN-057")
def a_column_with_limits_is_in_the_design(cohort: Cohort) -> None:
    titres(cohort, ">300", "<10")
    cohort.cohort["design"] = "disease + titre"


@mistake("IN-058")
def a_batch_is_written_in_two_ways(cohort: Cohort) -> None:
    with_cells(cohort, "batch", {3: "B2", 4: "b 1"})


@mistake("IN-058")
def a_batch_is_a_number_with_and_without_its_zero(cohort: Cohort) -> None:
    cohort.sheet["batch"] = ["1", "2", "1.0"] * 12


@mistake("IN-058")
def a_patient_is_written_in_two_ways(cohort: Cohort) -> None:
    cohort.sheet["patient"] = ["P1", "p1", *(f"P{row}" for row in range(3, 37))]


@mistake("IN-059")
def sex_is_a_code(cohort: Cohort) -> None:
    cohort.sheet["sex"] = ["1", "2", "1"] * 12


# --- ids of a matrix ------------------------------------------------------------------------------------------------


def with_ids(cohort: Cohort, table: str) -> None:
    """Give the view rna ids such as ``S01|B cells`` and a file of ids."""
    cohort.matrices["rna"] = cohort.matrices["rna"].add_suffix("|B cells")
    cohort.view("rna")["ids"] = "ids.tsv"
    cohort.files["ids.tsv"] = table.encode()


def ids_table(cohort: Cohort) -> str:
    """Return the right file of ids."""
    return "id\tsample\n" + "".join(f"{name}|B cells\t{name}\n" for name in cohort.sheet["sample"])


@mistake("IN-001")
def the_file_of_ids_is_missing(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort))
    cohort.files["ids.tsv"] = None


@mistake("IN-062")
def the_file_of_ids_has_a_third_column(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort).replace("\n", "\tx\n"))


@mistake("IN-062")
def the_file_of_ids_has_no_header(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort).removeprefix("id\tsample\n"))


@mistake("IN-063")
def the_file_of_ids_has_an_id_twice(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort) + "S01|B cells\tS01\n")


@mistake("IN-063")
def the_file_of_ids_has_an_empty_cell(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort).replace("\tS05", "\t"))


@mistake("IN-064")
def the_file_of_ids_names_an_unknown_sample(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort).replace("\tS05", "\tS0S"))


@mistake("IN-065")
def the_file_of_ids_is_that_of_another_matrix(cohort: Cohort) -> None:
    with_ids(cohort, ids_table(cohort).replace("|B cells", "|T cells"))
