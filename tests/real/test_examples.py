"""The public data of the examples, put in place by the script for them, pass the check."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from mistakes.cohort import check_cohort
from stratifn.configuration.config import complete_config, read_config
from stratifn.shared.package_data import config_schema, output_contract

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="needs the shared real data")
SAMPLES = {"breast-tcga": 150, "ifn-stimulated-airway": 16, "pss-salivary-gland": 23, "ssc-blood": 74}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_prepared_public_data_pass_the_check(tmp_path, monkeypatch, name):
    monkeypatch.syspath_prepend(ROOT / "config" / "examples")
    prepare = importlib.import_module("prepare")
    files = {what: DATA / name / file for what, file in prepare.EXAMPLES[name].files.items()}
    matrices = [f"--matrix={view}={path}" for view, path in files.items() if view != "samples"]
    prepare.main([name, f"--sheet={files['samples']}", *matrices, f"--to={tmp_path}"])
    monkeypatch.chdir(tmp_path)
    complete = complete_config(read_config(tmp_path / f"{name}.yaml"), config_schema(), output_contract())
    (cohort,) = complete["cohorts"]
    assert len(check_cohort(cohort, complete).samples) == SAMPLES[name]
