"""The benchmark of interferon classes in its short form: error rates hold where controls are ill or scores skewed."""

import sys
from importlib import import_module

import numpy as np
import pytest

SETS = 100
# at most this share of healthy people high, at least this share of patients at +2 log2 (0: no bound)
BOUNDS = {
    "Gaussian": (0.025, 0.80),
    "one infected control": (0.025, 0.80),
    "5 % of the controls infected": (0.025, 0.0),
    "exponential": (0.035, 0.0),
    "lognormal": (0.055, 0.0),
}


@pytest.mark.full
@pytest.mark.parametrize("name", BOUNDS)
def test_classes_and_prevalence_hold_their_error_rates(name, root, monkeypatch):
    # the folder of the benchmarks is not on the path of the tests
    monkeypatch.setattr(sys, "path", [str(root / "benchmarks"), *sys.path])
    benchmark = import_module("calibration_interferon")
    situation = next(one for one in benchmark.SITUATIONS if one.name == name)
    found = benchmark.results_of(situation, SETS)
    error = 3 * found[["healthy high", "raised high", "healthy borderline", "covered"]].std(ddof=1) / np.sqrt(SETS)
    high, sensitivity = BOUNDS[name]
    assert found["healthy high"].mean() <= high + error["healthy high"]
    assert found["raised high"].mean() >= sensitivity - error["raised high"]
    assert found["healthy borderline"].mean() <= 0.12 + error["healthy borderline"]
    assert found["covered"].mean() >= 0.90 - error["covered"]
