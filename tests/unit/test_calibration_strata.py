"""A short form of the calibration benchmark of strata: probabilities are what they say."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from defaults import settings_of

SETTINGS = settings_of("stratification", resamples=60)


@pytest.fixture(scope="module")
def calibration(root):
    # its folder is on the path of the benchmarks, not of the tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root / "benchmarks"), *sys.path])
        yield importlib.import_module("calibration_strata")


def test_calibration_error_is_zero_for_frequencies_and_large_for_certainty(calibration):
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 1.0, 20_000)
    assert calibration.calibration_error(confidence, rng.random(20_000) < confidence) <= 0.01
    assert calibration.calibration_error(np.ones(1000), rng.random(1000) < 0.8) == pytest.approx(0.2, abs=0.05)


def test_a_person_is_right_in_the_stratum_of_most_of_its_kind(calibration):
    truth, found = np.array([0, 0, 0, 1, 1]), np.array([2, 2, 1, 1, 1])
    np.testing.assert_array_equal(calibration.right(truth, found), [True, True, False, True, True])


@pytest.mark.full
def test_confidence_is_a_probability(calibration):
    rows = list(calibration.confidence(20, SETTINGS, people=(120,)))
    for row in rows:
        low, high = (-0.05, 0.05) if "minus" in row.situation else (0.0, 0.05)
        assert low - 3 * row.error <= row.value <= high + 3 * row.error, row


@pytest.mark.full
def test_people_without_the_view_that_decides_get_no_stratum_with_certainty(calibration):
    without = next(row for row in calibration.uninformed(8, SETTINGS) if row.situation.endswith("of those without"))
    assert without.value <= 0.65 + 3 * without.error
