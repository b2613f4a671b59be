"""New patients through the workflow: beside their reference's cohort, and with a copied folder alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stratifn.contract import breaches
from stratifn.tables import read_table

from .conftest import MICRO, ROOT, write_config

CONTRACT = yaml.safe_load((ROOT / "workflow" / "schemas" / "outputs.yaml").read_text())
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
    for message in ("Freezing cohort", "Training MOFA", "Writing the report", "Recording the provenance"):
        assert message not in run.text
    assert breaches(clone.folder / "results" / "transfer" / "later", CONTRACT["transfer"]) == []
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


def test_a_copied_folder_alone_gives_the_same_bytes(transferred, tmp_path):
    clone, _, _ = transferred
    shutil.copytree(clone.folder / "results" / "micro" / "reference", tmp_path / "frozen")
    shutil.copytree(clone.folder / "new", tmp_path / "new")
    config = write_config(tmp_path / "my.yaml", {"cohorts": [], "transfer": [item("frozen")]})
    run = clone.snakemake("--cores", "1", "--configfile", str(config), "--directory", str(tmp_path), cwd=tmp_path)
    assert run.code == 0, run.text
    for table in ("patients", "factors", "notes"):
        there = clone.folder / "results" / "transfer" / "later" / f"{table}.tsv"
        assert (tmp_path / "results" / "transfer" / "later" / f"{table}.tsv").read_bytes() == there.read_bytes()
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["transfer"]


def test_a_damaged_reference_is_refused_in_plain_words(transferred, tmp_path):
    clone, _, _ = transferred
    shutil.copytree(clone.folder / "results" / "micro" / "reference", tmp_path / "frozen")
    shutil.copytree(clone.folder / "new", tmp_path / "new")
    values = json.loads((tmp_path / "frozen" / "reference.json").read_text())
    values["parts"]["interferon"]["reference"]["n_controls"] = 1000
    (tmp_path / "frozen" / "reference.json").write_text(json.dumps(values))
    config = write_config(tmp_path / "my.yaml", {"cohorts": [], "transfer": [item("frozen")]})
    run = clone.snakemake("--cores", "1", "--configfile", str(config), "--directory", str(tmp_path), cwd=tmp_path)
    assert run.code != 0
    assert "values that differ from their checksum: damaged or edited" in run.text
    assert "Traceback" not in run.text.split("values that differ")[0]
    (problem,) = json.loads((tmp_path / "logs" / "transfer" / "later.problems.json").read_text())
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
