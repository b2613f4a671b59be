"""Rows that are no features, and values on another scale than their kind promises."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mistakes import Cohort, mistake
from mistakes.cohort import SAMPLES

GENERATOR = np.random.default_rng(2)


def _many(values: np.ndarray, prefix: str) -> pd.DataFrame:
    return pd.DataFrame(values, index=[f"{prefix}{number}" for number in range(1, len(values) + 1)], columns=SAMPLES)


def _counts() -> np.ndarray:
    means = GENERATOR.lognormal(2.5, 2, 500)[:, None] * GENERATOR.lognormal(0, 0.3, len(SAMPLES))
    return GENERATOR.poisson(means * GENERATOR.gamma(5, 0.2, means.shape)) + 1.0


def _rounded(cohort: Cohort, values: np.ndarray) -> None:
    cohort.matrices["rna"] = _many(values, "GENE")
    cohort.view("rna")["round"] = True


@mistake("IN-100")
def a_matrix_of_correlations_of_samples(cohort: Cohort) -> None:
    cohort.view("rna")["kind"] = "continuous"
    cohort.matrices["rna"] = cohort.matrices["rna"].corr()


@mistake("IN-101")
def a_column_of_the_sheet_stands_in_the_matrix_too(cohort: Cohort) -> None:
    cohort.sheet["CRP"] = GENERATOR.lognormal(1, 1, len(SAMPLES)).round(2)
    cohort.matrices["cytokines"].loc["CRP"] = cohort.sheet["CRP"].to_numpy()


@mistake("IN-102")
def nothing_but_counters_of_reads(cohort: Cohort) -> None:
    names = ["__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned", "__alignment_not_unique"]
    cohort.matrices["rna"] = cohort.matrices["rna"].iloc[:5].set_axis(names)


@mistake("IN-110")
def raw_counts_as_continuous(cohort: Cohort) -> None:
    cohort.view("rna")["kind"] = "continuous"


@mistake("IN-111")
def unlogged_intensities_as_continuous(cohort: Cohort) -> None:
    cohort.view("rna")["kind"] = "continuous"
    cohort.matrices["rna"] = (cohort.matrices["rna"] * 10.7).round(1)


@mistake("IN-112")
def a_number_for_missing_among_log_values(cohort: Cohort) -> None:
    cohort.view("rna")["kind"] = "continuous"
    cohort.matrices["rna"] = np.log2(cohort.matrices["rna"]).round(3)
    cohort.matrices["rna"].iloc[3, 4] = -9999


@mistake("IN-113")
def log_values_as_counts(cohort: Cohort) -> None:
    _rounded(cohort, np.log2(_counts() * 1.3 + 1))


@mistake("IN-114")
def tpm_as_counts(cohort: Cohort) -> None:
    counts = _counts() / GENERATOR.lognormal(7, 1, 500)[:, None]
    _rounded(cohort, counts / counts.sum(axis=0) * 1e6)


@mistake("IN-115")
def normalized_counts_as_counts(cohort: Cohort) -> None:
    _rounded(cohort, _counts() / GENERATOR.lognormal(0, 0.4, len(SAMPLES)))


@mistake("IN-116")
def whole_log_values_as_counts(cohort: Cohort) -> None:
    cohort.matrices["rna"] = _many(np.rint(np.log2(_counts() + 1)), "GENE")


@mistake("IN-117")
def npx_as_concentrations(cohort: Cohort) -> None:
    means = GENERATOR.uniform(-2, 9, 30)[:, None]
    cohort.matrices["cytokines"] = _many(GENERATOR.normal(means, 0.8, (30, len(SAMPLES))), "CK")


@mistake("IN-118")
def npx_above_0_as_concentrations(cohort: Cohort) -> None:
    means = GENERATOR.uniform(3, 10, 30)[:, None]
    cohort.matrices["cytokines"] = _many(np.abs(GENERATOR.normal(means, 0.7, (30, len(SAMPLES)))), "CK")


@mistake("IN-119")
def percentages_of_some_samples(cohort: Cohort) -> None:
    cohort.matrices["cells"].iloc[:, :9] *= 100


@mistake("IN-120")
def percentages_as_proportions(cohort: Cohort) -> None:
    cohort.matrices["cells"] *= 100


@mistake("IN-121")
def proportions_divided_by_100(cohort: Cohort) -> None:
    cohort.matrices["cells"] /= 100


@mistake("IN-122")
def m_values_as_beta(cohort: Cohort) -> None:
    beta = cohort.matrices["methylation"].clip(0.001, 0.999)
    cohort.matrices["methylation"] = np.log2(beta / (1 - beta))


@mistake("IN-123")
def methylation_in_percent(cohort: Cohort) -> None:
    cohort.matrices["methylation"] *= 100
