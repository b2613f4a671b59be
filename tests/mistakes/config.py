"""Configurations that are no YAML, do not fit the schema, or contradict themselves."""

from __future__ import annotations

from mistakes import Cohort, mistake


def config_text(cohort: Cohort, old: str, new: str) -> None:
    """Replace something in the text of the configuration."""
    cohort.write()
    text = (cohort.folder / "config.yaml").read_text()
    assert old in text
    cohort.files["config.yaml"] = text.replace(old, new).encode()


def keep(cohort: Cohort, name: str) -> None:
    """Keep one view."""
    cohort.cohort["views"] = [cohort.view(name)]
    cohort.matrices = {name: cohort.matrices[name]}


def simulated(cohort: Cohort, **settings: int) -> None:
    cohort.config["cohorts"] = [{"name": "demo", "simulate": settings}]


@mistake("IN-001")
def the_configuration_is_missing(cohort: Cohort) -> None:
    cohort.files["config.yaml"] = None


@mistake("IN-007")
def the_configuration_is_in_latin_1(cohort: Cohort) -> None:
    cohort.files["config.yaml"] = "# K\u00f6ln\ncohorts: []\n".encode("latin-1")


@mistake("IN-160")
def a_key_twice(cohort: Cohort) -> None:
    config_text(cohort, "diseases:", "control: HC\ncontrol: null\ndiseases:")


@mistake("IN-161")
def a_contrast_of_a_factor_and_of_coefficients(cohort: Cohort) -> None:
    cohort.config["contrasts"] = [
        {"name": "x", "factor": "sex", "level": "F", "baseline": "M", "coefficients": {"sex[M]": 1}}
    ]


@mistake("IN-162")
def the_numbers_of_strata_are_swapped(cohort: Cohort) -> None:
    cohort.config["stratification"] = {"clusters": [5, 2]}


@mistake("IN-163")
def a_cohort_without_samples(cohort: Cohort) -> None:
    del cohort.cohort["samples"]


@mistake("IN-163")
def a_cohort_both_read_and_simulated(cohort: Cohort) -> None:
    cohort.cohort["simulate"] = {}


@mistake("IN-164")
def a_cohort_without_views(cohort: Cohort) -> None:
    cohort.cohort["views"] = []


@mistake("IN-165")
def views_of_a_simulated_cohort(cohort: Cohort) -> None:
    views = cohort.cohort["views"]
    simulated(cohort)
    cohort.cohort["views"] = views


@mistake("IN-166")
def the_control_is_a_disease_too(cohort: Cohort) -> None:
    cohort.config["diseases"] = ["SLE", "pSS", "hc"]


@mistake("IN-167")
def a_simulation_of_controls_without_a_control(cohort: Cohort) -> None:
    simulated(cohort, controls=12)
    cohort.config["control"] = None


@mistake("IN-168")
def gene_expression_of_a_wrong_kind(cohort: Cohort) -> None:
    cohort.view("rna")["kind"] = "beta"


@mistake("IN-169")
def rounding_of_what_is_not_counted(cohort: Cohort) -> None:
    cohort.view("cytokines")["round"] = True


@mistake("IN-170")
def size_factors_of_what_is_not_counted(cohort: Cohort) -> None:
    cohort.view("cytokines")["size_factors"] = "rna"


@mistake("IN-171")
def size_factors_of_an_unknown_view(cohort: Cohort) -> None:
    view = cohort.view("rna") | {"name": "mirna", "size_factors": "transposons"}
    cohort.cohort["views"].append(view)


@mistake("IN-172")
def no_yaml(cohort: Cohort) -> None:
    cohort.files["config.yaml"] = b"cohorts: [\n"


@mistake("IN-172")
def yaml_nested_too_deep(cohort: Cohort) -> None:
    cohort.files["config.yaml"] = b"a: " + b"[" * 5000 + b"]" * 5000


@mistake("IN-173")
def a_list_for_a_configuration(cohort: Cohort) -> None:
    cohort.files["config.yaml"] = b"- a\n- b\n"


@mistake("IN-174")
def a_template_that_runs_code(cohort: Cohort) -> None:
    config_text(cohort, "diseases:", "__use_yte__: true\ndiseases:")


@mistake("IN-175")
def a_contrast_with_the_name_of_an_automatic_one(cohort: Cohort) -> None:
    cohort.config["contrasts"] = [{"name": "SLE_vs_HC", "factor": "sex", "level": "F", "baseline": "M"}]


@mistake("IN-176")
def two_views_of_one_name(cohort: Cohort) -> None:
    cohort.cohort["views"].append(cohort.view("cells") | {"name": "Cells"})


@mistake("IN-177")
def a_cohort_with_a_reserved_name(cohort: Cohort) -> None:
    cohort.cohort["name"] = "transfer"


@mistake("IN-178")
def a_name_with_two_dots(cohort: Cohort) -> None:
    cohort.cohort["name"] = "a..b"


@mistake("IN-179")
def two_comparisons_of_one_name(cohort: Cohort) -> None:
    cohort.config["diseases"] = ["SLE", "SLE_vs_pSS", "pSS", "pSS_vs_HC"]


@mistake("IN-180")
def a_number_without_end(cohort: Cohort) -> None:
    cohort.config["differential_expression"] = {"lfc_threshold": float("inf")}


@mistake("IN-181")
def a_key_misspelt(cohort: Cohort) -> None:
    cohort.cohort["sample"] = "samples.tsv"


@mistake("IN-182")
def a_view_without_a_kind(cohort: Cohort) -> None:
    del cohort.view("cells")["kind"]


@mistake("IN-183")
def a_kind_that_there_is_not(cohort: Cohort) -> None:
    cohort.view("cells")["kind"] = "percent"


@mistake("IN-183")
def a_number_out_of_its_bounds(cohort: Cohort) -> None:
    cohort.config["differential_expression"] = {"alpha": 2}


@mistake("IN-207")
def a_batch_that_is_no_column(cohort: Cohort) -> None:
    cohort.config["integration"] = {"regress_out": "nope"}


@mistake("IN-204")
def a_batch_with_missing_values(cohort: Cohort) -> None:
    cohort.config["integration"] = {"regress_out": "batch"}
    cohort.sheet.loc[3, "batch"] = ""


@mistake("IN-205")
def a_single_batch_to_regress_out(cohort: Cohort) -> None:
    cohort.config["integration"] = {"regress_out": "batch"}
    cohort.sheet["batch"] = "b1"


@mistake("IN-206")
def a_batch_that_follows_the_disease(cohort: Cohort) -> None:
    cohort.config["integration"] = {"regress_out": "batch"}
    cohort.sheet["batch"] = cohort.sheet["disease"].map({"SLE": "b1", "pSS": "b2", "HC": "b2"})


@mistake("IN-208")
def more_views_wanted_than_there_are(cohort: Cohort) -> None:
    cohort.config["integration"] = {"min_views": 5}


@mistake("IN-221")
def a_reference_that_is_not_there(cohort: Cohort) -> None:
    cohort.config["interferon"] = {"reference": "nowhere/reference"}


@mistake("IN-209")
def a_matrix_of_copies(cohort: Cohort) -> None:
    keep(cohort, "cells")
    cohort.matrices["cells"] = cohort.matrices["cells"].apply(lambda row: row.iloc[0] + 0 * row, axis=1)


@mistake("IN-233")
def a_protein_that_is_not_measured(cohort: Cohort) -> None:
    cohort.config["interferon"] = {"protein_analyte": "IFNA"}


@mistake("IN-233")
def a_protein_without_a_view_of_concentrations(cohort: Cohort) -> None:
    keep(cohort, "rna")
    cohort.config["interferon"] = {"protein_analyte": "CK1"}
