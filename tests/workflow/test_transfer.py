"""New patients through the workflow: beside their reference's cohort, and with a copied folder alone."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stratifn.shared.tables import read_table

from .conftest import MICRO, breaches_of_all, write_config

VIEWS = [
    {"name": "rna", "kind": "counts", "path": "new/rna.tsv"},
    {"name": "cytokines", "kind": "concentration", "path": "new/cytokines.tsv"},
]


def item(reference: str) -> dict:
    return {"name": "later", "reference": reference, "samples": "new/samples.tsv", "views": VIEWS}


def new_patients(simulated: Path, folder: Path) -> list[str]:
    """Every third sample of the cohort under a new name, without disease, with some genes and two views missing."""
    folder.mkdir()
    sheet = pd.read_csv(simulated / "samples.tsv", sep="\t", dtype=str)
    names = {sample: f"new-{sample}" for sample in sheet["sample"].iloc[::3]}
    pd.DataFrame({"sample": list(names.values())}).to_csv(folder / "samples.tsv", sep="\t", index=False)
    rna = pd.read_csv(simulated / "rna.tsv.gz", sep="\t", index_col=0)[list(names)].rename(columns=names)
    rna.iloc[:-20].to_csv(folder / "rna.tsv", sep="\t")
    cytokines = pd.read_csv(simulated / "cytokines.tsv", sep="\t", dtype=str, index_col=0, keep_default_na=False)
    cytokines[cytokines.index.isin(names)].rename(index=names).to_csv(folder / "cytokines.tsv", sep="\t")
    return sorted(names)


@pytest.fixture(scope="module")
def transferred(micro_run, tmp_path_factory):
    """The micro run with new patients added to its configuration: clone, its results, who was placed."""
    clone, _ = micro_run
    folder = tmp_path_factory.mktemp("transfer") / "clone"
    shutil.copytree(clone.folder, folder, copy_function=shutil.copy2)
    names = new_patients(folder / "results" / "micro" / "simulated", folder / "new")
    config = write_config(folder / "micro.yaml", MICRO | {"transfer": [item("micro")]})
    run = type(clone)(folder).snakemake("--cores", "1", "--configfile", str(config))
    assert run.code == 0, run.text
    return type(clone)(folder), run, names


def test_new_patients_are_placed_without_touching_the_cohort(transferred):
    clone, run, names = transferred
    assert "Placing the patients of later" in run.text
    for message in (
        "Freezing cohort",
        "Training MOFA",
        "Writing the report of cohort",
        "Recording the provenance of cohort",
    ):
        assert message not in run.text
    assert breaches_of_all(clone.folder / "results", MICRO | {"transfer": [item("micro")]}) == []
    patients = read_table(clone.folder / "results" / "transfer" / "later" / "patients.tsv")
    assert patients["sample"].tolist() == [f"new-{name}" for name in names]
    assert set(patients["views_used"]) <= {"rna", "rna+cytokines"}
    notes = read_table(clone.folder / "results" / "transfer" / "later" / "notes.tsv")
    assert "20 of 300 features of the reference" in set(notes["item"])
    assert set(notes.loc[notes["item"].isin(["methylation", "cells"]), "what"]) == {"missing"}


def test_patients_of_the_cohort_come_back_with_their_own_scores_and_mostly_their_strata(transferred):
    clone, _, names = transferred
    results = clone.folder / "results"
    patients = read_table(results / "transfer" / "later" / "patients.tsv").set_index("sample")
    patients.index = patients.index.str.removeprefix("new-")
    strata = read_table(results / "micro" / "stratification" / "strata.tsv").set_index("sample").loc[names]
    classes = read_table(results / "micro" / "interferon" / "classes.tsv").set_index("sample").loc[names]
    # the size factors lack 20 genes of 300
    assert patients["score"].corr(classes["score"]) > 0.99
    # two views of four and 280 genes of 300 are left of everybody, in a cohort of 24
    assert (patients["stratum"].astype(str) == strata["stratum"].astype(str)).mean() >= 0.7


def test_the_provenance_names_the_reference_every_input_and_every_result(transferred):
    clone, _, _ = transferred
    folder = clone.folder / "results" / "transfer" / "later"
    reference = clone.folder / "results" / "micro" / "reference"
    inputs = read_table(folder / "provenance" / "inputs.tsv").set_index("path")["sha256"]
    for path in ("new/samples.tsv", "new/rna.tsv", "results/micro/reference/arrays.npz"):
        assert inputs[path] == hashlib.sha256((clone.folder / path).read_bytes()).hexdigest()
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*") if path.is_file()}
    listed = set(read_table(folder / "provenance" / "outputs.tsv")["path"])
    unlisted = ("outputs.tsv", "machine.tsv", "ro-crate-metadata.json", "files.tsv")
    assert files - listed == {f"provenance/{name}" for name in unlisted}
    assert listed <= files
    (row,) = read_table(folder / "provenance" / "reference.tsv").to_dict("records")
    assert row["name"] == "micro"
    assert row["sha256"] == json.loads((reference / "reference.json").read_text())["sha256"]
    assert row["specimen"] == "whole_blood"
    effective = yaml.safe_load((folder / "provenance" / "config.yaml").read_text())
    assert effective["transfer"][0]["reference"] == "micro"


@pytest.fixture(scope="module")
def placed_from_a_folder(transferred, tmp_path_factory):
    """The same patients, once the reference is named by its folder, so that its cohort may leave the configuration."""
    clone, _, _ = transferred
    folder = tmp_path_factory.mktemp("folder") / "clone"
    shutil.copytree(clone.folder, folder, copy_function=shutil.copy2)
    here = type(clone)(folder)
    config = MICRO | {"transfer": [item("results/micro/reference")]}
    run = here.snakemake("--cores", "1", "--configfile", str(write_config(folder / "micro.yaml", config)))
    assert run.code == 0, run.text
    return here, config


@pytest.mark.parametrize(
    "change",
    [
        {"report": {"min_cell": 3}},
        {"differential_expression": {"alpha": 0.1}},
        {"cohorts": [*MICRO["cohorts"], {"name": "second", "simulate": {"seed": 4}}]},
        {"cohorts": []},
    ],
    ids=["report", "differential expression", "another cohort", "the cohort is gone"],
)
def test_what_the_reference_does_not_hold_places_nobody_again(placed_from_a_folder, tmp_path, change):
    clone, config = placed_from_a_folder
    run = clone.snakemake("-n", "--configfile", str(write_config(tmp_path / "changed.yaml", config | change)))
    assert run.code == 0, run.text
    assert not set(run.planned) & {"transfer", "transfer_inputs.later"}


def test_patients_with_ensembl_ids_beside_symbols_get_the_same_numbers(transferred, tmp_path):
    clone, _, _ = transferred
    shutil.copytree(clone.folder / "results" / "micro" / "reference", tmp_path / "frozen")
    shutil.copytree(clone.folder / "new", tmp_path / "new")
    rna = pd.read_csv(tmp_path / "new" / "rna.tsv", sep="\t", index_col=0)
    rna.insert(0, "gene_name", rna.index)
    rna.index = pd.Index([f"ENSG{number:011d}.{number % 9 + 1}" for number in range(len(rna))], name="gene_id")
    rna.to_csv(tmp_path / "new" / "rna.tsv", sep="\t")
    skin = item("frozen") | {"specimen": "skin", "platform": "rnaseq"}
    config = write_config(tmp_path / "my.yaml", {"cohorts": [], "transfer": [skin]})
    run = clone.snakemake("--cores", "1", "--configfile", str(config), "--directory", str(tmp_path), cwd=tmp_path)
    assert run.code == 0, run.text
    there, here = (
        read_table(folder / "results" / "transfer" / "later" / "patients.tsv") for folder in (clone.folder, tmp_path)
    )
    pd.testing.assert_frame_equal(here.drop(columns="reason"), there.drop(columns="reason"))
    assert here["reason"].str.startswith("specimen is skin, but whole_blood in the reference").all()
    notes = read_table(tmp_path / "results" / "transfer" / "later" / "notes.tsv").set_index("what")
    assert notes.loc["matched by gene name", "item"] == "280 of 300 features of the reference"
    assert "20 of 300" in notes.loc[notes["view"].eq("rna")].loc["missing", "item"]


def test_everything_that_is_wrong_is_said_at_once_and_before_anything_is_fitted(transferred, tmp_path):
    clone, _, _ = transferred
    shutil.copytree(clone.folder / "results" / "micro" / "reference", tmp_path / "frozen")
    shutil.copytree(clone.folder / "new", tmp_path / "new")
    (tmp_path / "new" / "rna.tsv").write_text("gene_id\tnew-S001\nIFI44L\t-3\n")
    bad = item("frozen") | {"views": [VIEWS[0], VIEWS[1] | {"name": "proteins"}]}
    config = write_config(tmp_path / "my.yaml", {"cohorts": [], "transfer": [bad]})
    run = clone.snakemake("check", "--configfile", str(config), "--directory", str(tmp_path), "-c1", cwd=tmp_path)
    assert run.code != 0
    # the matrix of one gene has lost a sample that the cytokines do not have either
    assert "Input: 3 problems; nothing was computed." in run.text
    assert "1 sample in no matrix" in run.text
    assert "transfer (later).views.proteins: found a view that the reference does not have" in run.text
    assert "-3 at IFI44L / new-S001" in run.text
    assert "Traceback" not in run.text
    assert not (tmp_path / "results").exists() or not list((tmp_path / "results").rglob("*.*"))


def test_gene_ids_that_a_cohort_of_this_run_does_not_have_are_refused_before_it_is_fitted(micro_run, tmp_path):
    clone, _ = micro_run
    shutil.copytree(clone.folder / "results" / "micro" / "simulated", tmp_path / "old")
    names = new_patients(tmp_path / "old", tmp_path / "new")
    rna = pd.read_csv(tmp_path / "new" / "rna.tsv", sep="\t", index_col=0)
    rna.index = pd.Index([f"ENSG{number:011d}" for number in range(len(rna))], name="gene_id")
    rna.to_csv(tmp_path / "new" / "rna.tsv", sep="\t")
    views = [{"name": "rna", "kind": "counts", "path": "old/rna.tsv.gz"}]
    cohort = {"name": "mine", "samples": "old/samples.tsv", "views": views}
    sheet = pd.read_csv(tmp_path / "old" / "samples.tsv", sep="\t", dtype=str)
    sequenced = pd.read_csv(tmp_path / "old" / "rna.tsv.gz", sep="\t", nrows=0).columns
    sheet[sheet["sample"].isin(sequenced)].to_csv(tmp_path / "old" / "samples.tsv", sep="\t", index=False)
    new = item("mine") | {"views": VIEWS[:1]}
    sheet = pd.DataFrame({"sample": [f"new-{name}" for name in names if name in sequenced]})
    sheet.to_csv(tmp_path / "new" / "samples.tsv", sep="\t", index=False)
    config = write_config(tmp_path / "my.yaml", MICRO | {"cohorts": [cohort], "transfer": [new]})
    run = clone.snakemake("--configfile", str(config), "--directory", str(tmp_path), "--cores", "1", cwd=tmp_path)
    assert run.code != 0
    assert "0 of the 300 features of the reference (ids here: ENSG00000000000" in run.text
    # one core, and both are ready after the cohort's validation: the other validation goes first
    assert (tmp_path / "results" / "mine" / "inputs" / "rna.h5ad").exists()
    assert not (tmp_path / "results" / "mine" / "normalization").exists()


def test_a_copied_folder_alone_gives_the_same_bytes(transferred, tmp_path):
    clone, _, _ = transferred
    shutil.copytree(clone.folder / "results" / "micro" / "reference", tmp_path / "frozen")
    shutil.copytree(clone.folder / "new", tmp_path / "new")
    config = write_config(tmp_path / "my.yaml", {"cohorts": [], "transfer": [item("frozen")]})
    run = clone.snakemake("--cores", "1", "--configfile", str(config), "--directory", str(tmp_path), cwd=tmp_path)
    assert run.code == 0, run.text
    there, here = (folder / "results" / "transfer" / "later" for folder in (clone.folder, tmp_path))
    same = [
        "patients.tsv",
        "factors.tsv",
        "notes.tsv",
        "inputs/samples.tsv",
        "inputs/rna.h5ad",
        "provenance/reference.tsv",
    ]
    for name in same:
        assert (here / name).read_bytes() == (there / name).read_bytes()
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["transfer"]


@pytest.mark.parametrize(
    ("manifest", "found"),
    [(True, "what stratifn wrote there"), (False, "values that differ from their checksum: damaged or edited")],
)
def test_a_damaged_reference_is_refused_in_plain_words(transferred, tmp_path, manifest, found):
    clone, _, _ = transferred
    shutil.copytree(clone.folder / "results" / "micro" / "reference", tmp_path / "frozen")
    shutil.copytree(clone.folder / "new", tmp_path / "new")
    values = json.loads((tmp_path / "frozen" / "reference.json").read_text())
    values["parts"]["interferon"]["reference"]["n_controls"] = 1000
    (tmp_path / "frozen" / "reference.json").write_text(json.dumps(values))
    # with its manifest the file is known to be another one; the reference also holds checksums of its own
    if not manifest:
        (tmp_path / "frozen" / "files.tsv").unlink()
    config = write_config(tmp_path / "my.yaml", {"cohorts": [], "transfer": [item("frozen")]})
    run = clone.snakemake("--cores", "1", "--configfile", str(config), "--directory", str(tmp_path), cwd=tmp_path)
    assert run.code != 0
    assert found in run.text
    assert "Traceback" not in run.text.split(found)[0]
    (problem,) = json.loads((tmp_path / "logs" / "transfer" / "later" / "problems.json").read_text())
    assert problem["source"].endswith("frozen/reference.json")


def test_a_cohort_can_be_scored_against_a_reference_of_another_run(micro_run, tmp_path):
    clone, _ = micro_run
    own = clone.folder / "results" / "micro"
    folder = tmp_path / "work"
    shutil.copytree(own / "simulated", folder)
    shutil.copytree(own / "reference", folder / "reference")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    # without a single control of its own
    patients = sheet[sheet["disease"] != "HC"]
    patients.to_csv(folder / "samples.tsv", sep="\t", index=False)
    counts = pd.read_csv(folder / "rna.tsv.gz", sep="\t", dtype=str)
    kept = [column for column in counts.columns if column in {counts.columns[0], *patients["sample"]}]
    counts[kept].to_csv(folder / "counts.tsv", sep="\t", index=False)
    measured = patients["sample"].isin(kept)
    patients[measured].to_csv(folder / "samples.tsv", sep="\t", index=False)
    cohort = {
        "name": "others",
        "samples": "samples.tsv",
        "views": [{"name": "rna", "kind": "counts", "path": "counts.tsv"}],
    }
    config = MICRO | {"control": None, "cohorts": [cohort]}
    config["interferon"] = MICRO["interferon"] | {"reference": "reference"}
    path = write_config(folder / "my.yaml", config)
    target = "results/others/interferon/classes.tsv"
    run = clone.snakemake(target, "--cores", "1", "--directory", str(folder), "--configfile", str(path))
    assert run.code == 0, run.text
    there = read_table(own / "interferon" / "classes.tsv").set_index("sample")
    here = read_table(folder / target).set_index("sample")
    # the tables hold six digits
    assert (here["score"] - there["score"].reindex(here.index)).abs().max() < 1e-4
    assert here["ifn_class"].equals(there["ifn_class"].reindex(here.index))
    assert "another run" in (folder / "results" / "others" / "interferon" / "notes.tsv").read_text()
