"""Provenance: what was used and what was made."""

from __future__ import annotations

import pandas as pd

from stratifn.running.provenance import research_object, software_versions


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
