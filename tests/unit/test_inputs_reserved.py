"""Columns of a sheet that would meet a result are refused by validation, with the mapping that gets rid of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stratifn.configuration.names import joined_columns
from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.shared.errors import InputError

SCHEMAS = Path(__file__).resolve().parents[2] / "workflow" / "schemas"
SCHEMA = yaml.safe_load((SCHEMAS / "samples.schema.yaml").read_text())
JOINED = joined_columns(yaml.safe_load((SCHEMAS / "outputs.yaml").read_text()))
SAMPLES = [f"S{number:02d}" for number in range(12)]
RESERVED = [
    "score", "probability_high", "ifn_class", "ifn_type", "label", "stratum", "confidence", "stability", "informed",
    "Factor1", "Factor12", "library_size", "size_factor", "ifn_score", "Intercept", "index", "in_rna", "in_hospital",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(1).poisson(20, (5, 12))
    pd.DataFrame(values, index=list("ABCDE"), columns=SAMPLES).to_csv("c.tsv", sep="\t", index_label="gene")


def read(columns=None, **more):
    sheet = pd.DataFrame({"sample": SAMPLES, "disease": ["SLE"] * 6 + ["HC"] * 6} | more)
    sheet.to_csv("samples.tsv", sep="\t", index=False)
    views = [{"name": "rna", "kind": "counts", "round": False}]
    settings = {"columns": columns or {}, "labels": {}, "types": {}, "views": views}
    paths = {"samples": "samples.tsv", "rna": "c.tsv"}
    return read_cohort(settings, paths, Groups(["SLE"], "HC"), GeneNames({}, {}), SCHEMA, (), JOINED)


@pytest.mark.parametrize("name", RESERVED)
def test_a_column_that_would_meet_a_result_is_refused_with_the_way_out(folder, name):
    with pytest.raises(InputError) as error:
        read(**{name: range(12)})
    (problem,) = error.value.problems
    assert (problem.source, problem.where, problem.found) == ("samples.tsv", "header", f"the column `{name}`")
    assert f"`columns: {{sheet_{name}: {name}}}`" in problem.fix


@pytest.mark.parametrize("name", RESERVED)
def test_the_mapping_of_the_message_is_accepted(folder, name):
    samples = read({f"sheet_{name}": name}, **{name: range(12)}).samples
    assert samples[f"sheet_{name}"].astype(int).tolist() == list(range(12))


def test_a_column_that_the_config_itself_calls_so_is_refused(folder):
    with pytest.raises(InputError, match="Choose another name for `sledai` in `columns`"):
        read({"score": "sledai"}, sledai=range(12))


def test_every_reserved_column_is_listed_at_once(folder):
    with pytest.raises(InputError, match="3 problems"):
        read(score=1, label="a", in_rna="yes")


@pytest.mark.parametrize("name", ["Factor_V_Leiden", "scores", "status", "method", "inhaled", "Index", "reason"])
def test_names_that_meet_nothing_are_free(folder, name):
    assert name in read(**{name: range(12)}).samples
