"""What a frozen reference and the configuration do not allow is found before any score is computed."""

from __future__ import annotations

import numpy as np
import pytest

from stratifn.interferon import protein_checks, reference_problems, to_parts
from stratifn.shared.errors import InputError, Problem

from .test_interferon_controls import analyse, cohort

COUNTS = {"views": [{"name": "rna", "kind": "counts"}]}
CONTINUOUS = {"views": [{"name": "rna", "kind": "continuous"}]}


@pytest.fixture(scope="module")
def parts():
    return to_parts(analyse(*cohort(1)).reference)


def codes(load, of_cohort, first=True):
    return [problem.code for problem in reference_problems(load, "elsewhere/reference", of_cohort, first)]


def test_a_reference_of_the_same_kind_is_fine_and_none_at_all_too(parts):
    assert codes(lambda: parts, CONTINUOUS) == []
    assert codes(lambda: parts, {"views": [{"name": "cells", "kind": "proportion"}]}) == []
    assert codes(lambda: None, COUNTS) == []


@pytest.mark.parametrize("first", [True, False])
def test_a_reference_of_another_kind_is_refused_for_every_cohort(parts, first):
    assert codes(lambda: parts, COUNTS, first) == ["IN-186"]


def test_a_reference_that_cannot_be_read_is_told_once(parts):
    def unreadable():
        raise InputError(Problem("elsewhere", "the reference", "x", "y", "z", code="IN-221"))

    assert codes(unreadable, CONTINUOUS, first=True) == ["IN-221"]
    assert codes(unreadable, CONTINUOUS, first=False) == []


@pytest.mark.parametrize("name", ["location.zscore", "sd_floor", "boot_scale", "profiles"])
@pytest.mark.parametrize("change", [lambda a: a[:1], lambda a: a.astype(str), lambda a: a[..., None, None]])
def test_arrays_that_do_not_fit_are_refused_while_the_input_is_checked(parts, name, change):
    values, arrays = parts
    assert codes(lambda: (values, arrays | {name: change(np.asarray(arrays[name]))}), CONTINUOUS) == ["IN-014"]


@pytest.mark.parametrize("change", [{"kind": None}, {"genes": []}, {"panel": [{}]}, {"settings": {}}, {"cutoffs": 1}])
def test_values_that_do_not_fit_are_refused(parts, change):
    values, arrays = parts
    assert codes(lambda: (values | change, arrays), CONTINUOUS) in (["IN-014"], ["IN-186"])


def test_a_protein_is_sought_in_the_views_of_concentrations_alone():
    views = [{"name": "a", "kind": "concentration"}, {"name": "b", "kind": "continuous"}]
    checks = protein_checks({"views": views}, "IFNA")
    assert [problem.code for problem in checks.features({"a": ["IL6"], "b": ["IFNA"]})] == ["IN-233"]
    assert checks.features({"a": ["IL6", "IFNA"], "b": []}) == []
    # a matrix that cannot be read may have it
    assert checks.features({"b": ["IFNA"]}) == []
    assert protein_checks({"views": views}, None).features({"a": []}) == []
