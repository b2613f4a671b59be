"""The RO-Crate: valid by its profiles' own validator, complete, and the same bytes for the same results."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from crates import unmet_requirements
from stratifn.running.manifests import digests_of
from stratifn.running.research_object import DATE, UNDIGESTED, research_object

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ["path", "bytes", "sha256"]
RESULTS = ("interferon/classes.tsv", "report/figures/SLE/volcano.svg", "provenance/Snakefile")


@pytest.fixture
def results(tmp_path):
    """Results of a run, with a crate."""
    for name in (*RESULTS, *UNDIGESTED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    write(tmp_path, document(tmp_path))
    return tmp_path


def digests_of_results(results):
    found = digests_of([results / name for name in RESULTS], results)
    return pd.DataFrame([(path, each.bytes, each.sha256) for path, each in found.items()], columns=COLUMNS)


def document(results):
    inputs = pd.DataFrame([("data/my sheet.tsv", 2, "f01")], columns=COLUMNS)
    outputs = digests_of_results(results)
    return research_object("cohort mine", outputs, inputs)


def write(results, crate):
    (results / "provenance" / "ro-crate-metadata.json").write_text(json.dumps(crate))


def entities(crate):
    return {entity["@id"]: entity for entity in crate["@graph"]}


def test_the_crate_meets_every_requirement_of_workflow_run_crate(results, tmp_path_factory):
    assert unmet_requirements(results / "provenance", tmp_path_factory.mktemp("cache")) == []


@pytest.mark.parametrize(
    ("entity", "key", "check"),
    [
        ("./", "mainEntity", "workflow-ro-crate"),
        ("./", "conformsTo", "workflow-run-crate"),
        ("./", "datePublished", "ro-crate-1.1"),
        ("#run", "instrument", "process-run-crate"),
        ("Snakefile", "programmingLanguage", "workflow-ro-crate"),
    ],
)
def test_a_crate_without_what_a_profile_requires_is_refused(results, tmp_path_factory, entity, key, check):
    crate = document(results)
    del entities(crate)[entity][key]
    write(results, crate)
    unmet = unmet_requirements(results / "provenance", tmp_path_factory.mktemp("cache"))
    assert [one for one in unmet if one.startswith(check)]


def test_a_result_that_is_not_there_is_refused(results, tmp_path_factory):
    (results / "interferon" / "classes.tsv").unlink()
    (unmet,) = unmet_requirements(results / "provenance", tmp_path_factory.mktemp("cache"))
    assert "'../interferon/classes.tsv'" in unmet


def test_the_crate_says_what_was_run_on_what_and_what_it_made(results):
    found = entities(document(results))
    run = found["#run"]
    made = {"../interferon/classes.tsv", "../report/figures/SLE/volcano.svg", "machine.tsv", "outputs.tsv"}
    assert {one["@id"] for one in run["result"]} == made
    assert {one["@id"] for one in found["./"]["hasPart"]} == made | {"Snakefile"}
    assert run["instrument"] == found["./"]["mainEntity"] == {"@id": "Snakefile"}
    (used,) = run["object"]
    assert found[used["@id"]]["name"] == "data/my sheet.tsv"
    assert found[used["@id"]]["sha256"] == "f01"
    digests = digests_of_results(results).set_index("path")["sha256"]
    assert found["../interferon/classes.tsv"]["sha256"] == digests["interferon/classes.tsv"]
    assert found["Snakefile"]["sha256"] == digests["provenance/Snakefile"]


def test_what_differs_between_machines_is_named_without_its_digest(results):
    found = entities(document(results))
    assert not {"sha256", "contentSize"} & set(found["machine.tsv"])


def test_the_same_results_give_the_same_crate(results):
    assert document(results) == document(results)


def test_the_date_is_that_of_the_version(results):
    assert entities(document(results))["./"]["datePublished"] == DATE
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["date-released"]) == DATE
