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


@pytest.mark.full
@pytest.mark.parametrize("controls", [24, 10])
def test_types_are_rarely_wrong_in_tissues_that_answer_otherwise(controls, root, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "benchmarks"), *sys.path])
    benchmark = import_module("calibration_types")
    design = benchmark.Design(controls)
    shares = benchmark.results_of_types(design, SETS)
    for place, kind in enumerate(benchmark.KINDS):
        found = benchmark.wrong(shares, place)
        assert found.mean() <= kind.nominal(design) + 3 * found.std(ddof=1) / np.sqrt(SETS), kind.name


@pytest.mark.full
def test_libraries_are_scored_from_a_third_of_the_depth_and_not_at_a_hundredth(root, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "benchmarks"), *sys.path])
    benchmark = import_module("calibration_types")
    found = benchmark.results_of_depth(SETS)
    healthy, raised = (found[found["group"] == group].set_index("depth") for group in ("healthy", "raised"))
    for depth in (1.0, 0.5, 0.3):
        at_depth = healthy.loc[depth]
        assert at_depth["unscored"].mean() <= 0.05 and raised.loc[depth, "high"].mean() >= 0.95
        assert at_depth["high"].mean() <= benchmark.ABOVE + 3 * at_depth["high"].std(ddof=1) / np.sqrt(SETS)
        assert at_depth["typed"].mean() <= 0.05 + 3 * at_depth["typed"].std(ddof=1) / np.sqrt(SETS)
    assert healthy.loc[0.01, "unscored"].mean() == raised.loc[0.01, "unscored"].mean() == 1
    assert healthy.loc[0.03, "unscored"].mean() >= 0.9
    assert raised["low"].max() == 0
