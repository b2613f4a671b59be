"""Whole runs in which differential expression can compare nothing, or not everything: the other phases go on."""

from __future__ import annotations

import shutil

import pandas as pd

from .conftest import MICRO, breaches_of_all, clone_to, write_config

VIEWS = [
    {"name": "rna", "kind": "counts", "path": "rna.tsv.gz"},
    {"name": "cytokines", "kind": "concentration", "path": "cytokines.tsv"},
]


def rows(path) -> int:
    return len(pd.read_csv(path, sep="\t"))


def test_one_disease_without_controls_gets_scores_factors_and_strata(tmp_path):
    clone = clone_to(tmp_path / "clone")
    simulate = {"patients": 16, "controls": 0, "genes": 300, "cpgs": 200, "seed": 3}
    own = [{"name": "by_sex", "factor": "sex", "level": "M", "baseline": "F"}]
    config = MICRO | {"control": None, "diseases": ["SLE"], "contrasts": own}
    config["cohorts"] = [{"name": "micro", "simulate": simulate, "design": "disease + sex"}]
    run = clone.snakemake("--cores", "2", "--configfile", str(write_config(tmp_path / "c.yaml", config)))
    assert run.code == 0, run.text
    results = clone.folder / "results" / "micro"
    assert breaches_of_all(results.parent, config) == []
    compared = results / "differential_expression"
    assert "one group: nothing to compare" in (compared / "notes.tsv").read_text()
    tables = ("cross_disease.tsv.gz", "enrichment.tsv", "permutation.tsv")
    assert [rows(compared / name) for name in tables] == [0, 0, 0]
    assert set(pd.read_csv(compared / "by_sex.tsv.gz", sep="\t")["status"]) == {"one group: nothing to compare"}
    scores = pd.read_csv(results / "interferon" / "scores.tsv", sep="\t")
    assert scores.loc[scores["method"] == "singscore", "score"].notna().any()
    assert rows(results / "integration" / "factors.tsv") == rows(results / "stratification" / "strata.tsv") == 16
    assert [page.name for page in (results / "report").glob("*.html")] == ["index.html"]
    assert (
        "No contrast could be computed: one group: nothing to compare."
        in (results / "report" / "index.html").read_text()
    )
    assert "Differential expression (" not in (results / "report" / "methods.md").read_text()


def test_a_group_of_two_stops_its_own_comparisons_alone(micro_run, tmp_path, assert_the_checked_design_was_fitted):
    clone, _ = micro_run
    folder = tmp_path / "work"
    shutil.copytree(clone.folder / "results" / "micro" / "simulated", folder)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    few = sheet.index[sheet["disease"] == "DM"][2:]
    sheet.loc[few, "disease"] = "SLE"
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    config = MICRO | {"cohorts": [{"name": "few", "samples": "samples.tsv", "views": VIEWS}]}
    run = clone.snakemake(
        "--cores", "2", "--directory", str(folder), "--configfile", str(write_config(folder / "my.yaml", config))
    )
    assert run.code == 0, run.text
    results = folder / "results" / "few"
    assert breaches_of_all(results.parent, config) == []
    assert_the_checked_design_was_fitted(results, config, folder)
    summary = pd.read_csv(results / "differential_expression" / "summary.tsv", sep="\t").set_index("contrast")
    of_few = [name for name in summary.index if "DM" in name]
    assert len(of_few) == 4 and (summary.loc[of_few, "tested"] == 0).all()
    assert (summary.drop(index=of_few)["tested"] > 0).all()
    strata = pd.read_csv(results / "stratification" / "strata.tsv", sep="\t")
    assert (strata["disease"] == "DM").sum() == 2
    # the report hides small counts of people, the notes beside it do not
    assert "&lt;5 samples of DM; 3 are needed" in (results / "report" / "index.html").read_text()
    page = (results / "report" / "DM.html").read_text()
    assert "DM could not be compared: " in page and "; 3 are needed." in page
    assert "higher in DM than in HC" not in page
