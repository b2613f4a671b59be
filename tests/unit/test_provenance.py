"""Provenance and the contract: what was used, what was made, and whether it is what others script against."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stratifn.configuration.contract import breaches
from stratifn.running.provenance import file_digests, research_object, result_files, software_versions

ROOT = Path(__file__).resolve().parents[2]


def test_digests_are_those_of_the_bytes_under_the_users_name(tmp_path):
    (tmp_path / "x.tsv").write_bytes(b"abc")
    table = file_digests({"data/x.tsv": tmp_path / "x.tsv"})
    assert table.to_dict("records") == [
        {"path": "data/x.tsv", "bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    ]


def test_folders_are_listed_file_by_file_without_hidden_ones(tmp_path):
    (tmp_path / "figures").mkdir()
    for name in ("figures/a.png", "figures/.a.tmp.png", "t.tsv", "stale.tsv"):
        (tmp_path / name).write_text("x")
    found = result_files([tmp_path / "figures", tmp_path / "t.tsv"], tmp_path)
    assert sorted(found) == ["figures/a.png", "t.tsv"]


def test_the_versions_name_what_numbers_depend_on():
    versions = software_versions()
    assert {"stratifn", "python", "pydeseq2", "mofapy2", "numpy"} <= set(versions)
    assert all(versions.values())


def test_the_research_object_describes_every_output_and_input():
    outputs = pd.DataFrame([("a.tsv", 1, "f00")], columns=["path", "bytes", "sha256"])
    inputs = pd.DataFrame([("in.tsv", 2, "f01")], columns=["path", "bytes", "sha256"])
    graph = {entry["@id"]: entry for entry in research_object("x", outputs, inputs, "2026-01-01")["@graph"]}
    assert graph["./"]["hasPart"] == [{"@id": "a.tsv"}]
    assert graph["a.tsv"]["sha256"] == "f00"
    assert graph["#run"]["object"] == [{"@id": "#input-1"}]


CONTRACT = {
    "tables": [
        {"path": "t.tsv", "columns": {"sample": "text", "Factor*": "number", "chosen": "boolean?"}},
        {"path": "{name}.tsv.gz", "columns": {"n": "integer"}},
    ],
    "files": ["m.h5ad"],
    "folders": ["figures"],
}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sample\tFactor1\tFactor2\tchosen\na\t1\t-2e5\tNA\n", []),
        ("sample\tchosen\na\ttrue\n", []),
        ("sample\tFactor1\tchosen\na\tNA\ttrue\n", ["column Factor1: 'NA' is no number"]),
        ("sample\tFactor1\tchosen\na\tinf\ttrue\n", ["column Factor1: 'inf' is no number"]),
        ("sample\tFactor1\tchosen\na\t1\tyes\n", ["column chosen: 'yes' is no boolean?"]),
        ("sample\tother\tchosen\na\t1\ttrue\n", ["has the columns sample, other, chosen"]),
    ],
)
def test_tables_are_held_to_their_columns_and_types(tmp_path, table, expected):
    (tmp_path / "t.tsv").write_text(table)
    (tmp_path / "m.h5ad").write_text("")
    found = breaches(tmp_path, CONTRACT)
    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))


def test_missing_and_unknown_files_are_breaches(tmp_path):
    (tmp_path / "t.tsv").write_text("sample\tchosen\na\ttrue\n")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "any.png").write_text("")
    (tmp_path / "stray.txt").write_text("")
    assert breaches(tmp_path, CONTRACT) == ["m.h5ad is missing", "stray.txt is not in the contract"]


def test_every_file_of_the_contract_is_explained_in_the_docs():
    contract = yaml.safe_load((ROOT / "workflow" / "schemas" / "outputs.yaml").read_text())
    text = (ROOT / "docs" / "outputs.md").read_text()
    named = [entry["path"] for entry in contract["tables"]] + contract["files"] + contract["folders"]
    assert [path for path in named if f"`{path}`" not in text] == []
