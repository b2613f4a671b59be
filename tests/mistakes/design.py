"""Designs and contrasts that these samples cannot answer."""

from __future__ import annotations

import numpy as np

from mistakes import Cohort, mistake


def design(cohort: Cohort, terms: str) -> None:
    cohort.cohort["design"] = terms


def contrast(cohort: Cohort, **item: object) -> None:
    cohort.config["contrasts"] = [{"name": "mine_or_not", **item}]


@mistake("IN-130")
def a_covariate_of_the_design_is_missing_for_somebody(cohort: Cohort) -> None:
    design(cohort, "disease + age")
    cohort.sheet.loc[5, "age"] = ""


@mistake("IN-132")
def a_covariate_of_the_design_is_the_same_for_all(cohort: Cohort) -> None:
    design(cohort, "disease + sex")
    cohort.sheet["sex"] = "F"


@mistake("IN-133")
def a_batch_is_the_disease(cohort: Cohort) -> None:
    design(cohort, "disease + batch")
    cohort.sheet["batch"] = cohort.sheet["disease"].map({"SLE": "x", "pSS": "y", "HC": "z"})


@mistake("IN-140")
def a_contrast_of_a_coefficient_that_there_is_not(cohort: Cohort) -> None:
    contrast(cohort, coefficients={"disease[SLE]:sex[M]": 1})


@mistake("IN-141")
def a_contrast_of_nothing(cohort: Cohort) -> None:
    contrast(cohort, coefficients={"disease[SLE]": 0})


@mistake("IN-142")
def a_contrast_of_a_factor_outside_of_the_design(cohort: Cohort) -> None:
    contrast(cohort, factor="sex", level="F", baseline="M")


@mistake("IN-144")
def a_contrast_of_a_level_with_itself(cohort: Cohort) -> None:
    contrast(cohort, factor="disease", level="SLE", baseline="SLE")


@mistake("IN-145")
def a_design_with_code(cohort: Cohort) -> None:
    design(cohort, "disease + np.log(age)")


@mistake("IN-146")
def a_design_with_a_term_twice(cohort: Cohort) -> None:
    design(cohort, "disease + sex + sex")


@mistake("IN-147")
def an_interaction_without_its_main_effects(cohort: Cohort) -> None:
    design(cohort, "disease + disease:sex")


@mistake("IN-148")
def a_design_without_the_disease(cohort: Cohort) -> None:
    design(cohort, "sex + age")


@mistake("IN-149")
def a_design_with_a_column_that_there_is_not(cohort: Cohort) -> None:
    design(cohort, "disease + centre")


@mistake("IN-150")
def a_batch_that_follows_from_disease_and_sex(cohort: Cohort) -> None:
    design(cohort, "disease + sex + batch")
    cohort.sheet["batch"] = cohort.sheet["sex"].map({"F": "b1", "M": "b2"})


@mistake("IN-151")
def more_coefficients_than_samples(cohort: Cohort) -> None:
    names = [f"lab{number}" for number in range(33)]
    values = np.random.default_rng(1).normal(size=(len(cohort.sheet), len(names))).round(3)
    cohort.sheet[names] = values.astype(str)
    design(cohort, " + ".join(["disease", *names]))


@mistake("IN-152")
def a_contrast_of_a_column_that_there_is_not(cohort: Cohort) -> None:
    contrast(cohort, factor="centre", level="a", baseline="b")
