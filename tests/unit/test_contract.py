"""The contract: which files a configuration has, and whether results are what others script against."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from stratifn.configuration.config import complete_config
from stratifn.configuration.contract import (
    CONDITIONS,
    breaches,
    cohort_outputs,
    entries,
    named_tables,
    outputs,
    phase_tables,
    transfer_outputs,
)
from stratifn.shared.columns import columns_of

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "workflow" / "schemas"
SCHEMA = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
SHIPPED = yaml.safe_load((SCHEMAS / "outputs.yaml").read_text())


SMALL = {
    "tables": [
        {"path": "t.tsv", "columns": {"sample": "text", "Factor*": "number", "chosen": "boolean?"}},
        {"path": "{view}.tsv.gz", "when": "rna", "columns": {"n": "integer"}},
    ],
    "files": ["m.h5ad"],
    "sources": [],
    "manifests": [],
    "folders": ["figures"],
}


def expected_of(views):
    return outputs(SMALL, {"views": [{"name": name} for name in views]}, {"view": views})


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
    (tmp_path / "figures").mkdir()
    found = breaches(tmp_path, expected_of([]))
    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))


def test_what_a_configuration_has_must_be_there_and_nothing_else(tmp_path):
    (tmp_path / "t.tsv").write_text("sample\tchosen\na\ttrue\n")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "any.png").write_text("")
    for name in ("stray.txt", "rna.tsv.gz", ".half-written.tmp"):
        (tmp_path / name).write_text("")
    assert breaches(tmp_path, expected_of(["cells"])) == [
        "m.h5ad is missing",
        "rna.tsv.gz is not in the contract of this configuration",
        "stray.txt is not in the contract of this configuration",
    ]
    (tmp_path / "rna.tsv.gz").unlink()
    assert "rna.tsv.gz is missing" in breaches(tmp_path, expected_of(["rna"]))
    (tmp_path / "figures" / "any.png").unlink()
    (tmp_path / "figures").rmdir()
    assert "figures is missing" in breaches(tmp_path, expected_of(["cells"]))


def completed(**keys):
    return complete_config({"cohorts": [{"name": "demo", "simulate": {}}]} | keys, SCHEMA, SHIPPED)


def paths_of(config):
    return [output.path for output in cohort_outputs(SHIPPED, config["cohorts"][0], config)]


def test_placeholders_stand_for_the_names_of_the_configuration():
    found = paths_of(completed(diseases=["SLE", "DM"], integration={"seeds": [3, 7]}))
    assert len(found) == len(set(found))
    assert [path for path in found if path.startswith("integration/models/")] == [
        "integration/models/seed_3.hdf5",
        "integration/models/seed_7.hdf5",
        "integration/models/seed_3_files.tsv",
        "integration/models/seed_7_files.tsv",
    ]
    assert {path.split("/")[1] for path in found if path.endswith(".html")} == {"index.html", "SLE.html", "DM.html"}
    contrasts = {"SLE_vs_HC", "DM_vs_HC", "SLE_vs_DM", "IFN_high_vs_IFN_low", "SLE_IFN_high_vs_IFN_low"}
    contrasts |= {"DM_IFN_high_vs_IFN_low", "cross_disease"}
    assert {
        path.removeprefix("differential_expression/").removesuffix(".tsv.gz")
        for path in found
        if path.startswith("differential_expression/") and path.endswith(".gz")
    } == contrasts


def test_a_simulated_cohort_alone_has_simulated_files_and_their_truth():
    read = {"name": "mine", "samples": "s.tsv", "views": [{"name": "rna", "kind": "counts", "path": "../my/rna.tsv"}]}
    simulated, mine = paths_of(completed()), paths_of(completed(cohorts=[read]))
    assert {"truth", "simulated/samples.tsv", "simulated/rna.tsv.gz"} <= set(simulated)
    assert not [path for path in mine if path.startswith(("truth", "simulated"))]
    assert "inputs/rna.h5ad" in mine


def test_without_expression_there_are_tables_with_a_header_but_no_contrasts():
    cells = {"name": "mine", "samples": "s.tsv", "views": [{"name": "cells", "kind": "proportion", "path": "c.tsv"}]}
    found = [path for path in paths_of(completed(cohorts=[cells])) if path.startswith("differential_expression/")]
    assert sorted(Path(path).name for path in found) == [
        "cross_disease.tsv.gz",
        "design.tsv",
        "enrichment.tsv",
        "files.tsv",
        "notes.tsv",
        "permutation.tsv",
        "sources.tsv",
        "summary.tsv",
        "verdicts.tsv",
    ]


def test_new_patients_have_the_views_that_they_bring():
    views = [{"name": "rna", "kind": "counts", "path": "r.tsv"}]
    new = {"name": "later", "reference": "demo", "samples": "s.tsv", "views": views}
    config = completed(transfer=[new])
    found = {output.path: output.phase for output in transfer_outputs(SHIPPED, config["transfer"][0])}
    assert [path for path in found if path.endswith(".h5ad")] == ["inputs/rna.h5ad"]
    assert found["provenance/reference.tsv"] == "transfer"
    assert found["provenance/outputs.tsv"] == "provenance"


def test_every_condition_of_the_contract_is_known_and_used():
    asked = {entry.get("when") for part in (SHIPPED, SHIPPED["transfer"]) for _, entry in entries(part)} - {None}
    assert asked == set(CONDITIONS)


def test_tables_of_the_same_file_name_are_named_after_their_phase_whatever_the_configuration_has():
    part = {
        "tables": [
            {"path": "inputs/notes.tsv", "columns": {}},
            {"path": "inputs/samples.tsv", "columns": {}},
            {"path": "later/notes.tsv", "when": "rna", "columns": {}},
            {"path": "later/{view}.tsv.gz", "columns": {}},
        ],
        "files": [],
        "sources": [],
        "manifests": [],
        "folders": [],
    }
    cohort = {"views": [{"name": "cells"}]}
    assert named_tables(part, outputs(part, cohort, {"view": ["cells"]})) == {
        "inputs_notes": "inputs/notes.tsv",
        "samples": "inputs/samples.tsv",
    }


def test_the_tables_of_a_phase_are_those_in_its_folder():
    assert set(phase_tables(SHIPPED, "stratification")) == {
        f"stratification/{name}.tsv"
        for name in (
            "strata",
            "selection",
            "consensus",
            "stability",
            "composition",
            "associations",
            "markers",
            "summary",
            "verdicts",
        )
    }


def test_every_file_of_the_contract_is_explained_in_the_docs():
    text = (ROOT / "docs" / "outputs.md").read_text()
    assert [entry["path"] for _, entry in entries(SHIPPED) if f"`{entry['path']}`" not in text] == []


def test_no_module_lists_the_columns_of_a_table_a_second_time():
    listed = {
        tuple(entry["columns"])
        for part in (SHIPPED, SHIPPED["transfer"])
        for _, entry in entries(part)
        if "columns" in entry and not entry.get("more")
    }
    repeated = []
    for module in sorted((ROOT / "workflow" / "scripts").rglob("*.py")):
        # the columns of notes are a word of the vocabulary: sheets and phases share them
        if module.name == "vocabulary.py":
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 2:
                names = tuple(each.value for each in node.elts if isinstance(each, ast.Constant))
                if len(names) == len(node.elts) and names in listed:
                    repeated.append(f"{module.name}:{node.lineno}")
    assert repeated == []


def test_the_columns_of_a_table_are_asked_for_by_its_path():
    assert columns_of("integration/factor_associations.tsv")[:2] == ("factor", "variable")
    assert columns_of("transfer/{name}/patients.tsv")[0] == "sample"
    with pytest.raises(LookupError, match="no table"):
        columns_of("integration/nothing.tsv")
