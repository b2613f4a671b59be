"""The benchmark of transfer in its short form: people of the reference's own kind are inside, others are out."""

import sys
from importlib import import_module

import numpy as np
import pytest

SETS = 20


@pytest.mark.full
@pytest.mark.parametrize("shape", ["Gaussian", "t"])
@pytest.mark.parametrize(("people", "views"), [(60, 3), (60, 6), (120, 3)])
def test_the_share_out_of_reference_holds_its_level(shape, people, views, root, monkeypatch):
    # the folder of the benchmarks is not on the path of the tests
    monkeypatch.setattr(sys, "path", [str(root / "benchmarks"), *sys.path])
    benchmark = import_module("calibration_transfer")
    situation = benchmark.Situation(shape, people, views)
    assert situation in benchmark.SITUATIONS
    found = benchmark.results_of(situation, SETS)
    error = 3 * found.std(ddof=1) / np.sqrt(SETS)
    assert 0.003 - error["as they are"] <= found["as they are"].mean() <= 0.02 + error["as they are"]
    assert found["every feature raised by 1 SD"].mean() >= 0.9
