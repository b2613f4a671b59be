"""A sheet through validation and the jobs after it: the model that is fitted is the one that was checked."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from stratifn.shared.tables import read_table

from .conftest import MICRO, clone_to, write_config

FITTED = "differential_expression/SLE_vs_HC.tsv.gz"


@pytest.mark.parametrize("values", ["continuous", pytest.param("four", marks=pytest.mark.full)])
def test_a_covariate_below_zero_is_fitted_as_the_same_covariate_above(
    micro_run, tmp_path, assert_the_checked_design_was_fitted, values
):
    micro, _ = micro_run
    clone, folder = clone_to(tmp_path / "clone"), tmp_path / "work"
    shutil.copytree(micro.folder / "results" / "micro" / "simulated", folder)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    rng = np.random.default_rng(7)
    pc1 = rng.normal(size=len(sheet)) if values == "continuous" else np.resize([-2, -1, 1, 2], len(sheet))
    views = [{"name": "rna", "kind": "counts", "path": "rna.tsv.gz"}]
    cohorts = []
    for name, column in (("below", pc1), ("above", pc1 + 10)):
        sheet.assign(pc1=column).to_csv(folder / f"{name}.tsv", sep="\t", index=False)
        cohort = {"name": name, "samples": f"{name}.tsv", "views": views, "design": "disease + pc1"}
        cohorts.append(cohort | {"types": {"pc1": "number"}})
    config = MICRO | {"cohorts": cohorts, "differential_expression": {"permutations": 0}}
    path = write_config(folder / "my.yaml", config)
    targets = [f"results/{cohort['name']}/{FITTED}" for cohort in cohorts]
    run = clone.snakemake(*targets, "--cores", "2", "--directory", str(folder), "--configfile", str(path))
    assert run.code == 0, run.text
    for name in ("below", "above"):
        assert_the_checked_design_was_fitted(folder / "results" / name, config, folder)
    below, above = (read_table(folder / target) for target in targets)
    assert below["stat"].notna().sum() > 200
    # six digits are printed
    pd.testing.assert_frame_equal(below, above, rtol=2e-5, atol=1e-8)
