"""A user's mistake ends before any model is fitted, with one message that names every problem and no traceback."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from stratifn.running.manifests import listed_sources

from .conftest import clone_to, write_config


@pytest.fixture
def cohort(tmp_path):
    """A small valid cohort of files: sheet, counts, and the configuration for them."""
    clone = clone_to(tmp_path / "clone")
    folder = tmp_path / "mine"
    folder.mkdir()
    samples = [f"P{number:02d}" for number in range(12)]
    sheet = pd.DataFrame({"sample": samples, "disease": ["SLE"] * 6 + ["HC"] * 6})
    counts = pd.DataFrame(np.random.default_rng(1).poisson(30, (50, 12)), columns=samples)
    counts.insert(0, "gene_id", ["IFI27", *(f"G{number}" for number in range(1, 50))])
    config = {
        "diseases": ["SLE"],
        "cohorts": [
            {
                "name": "mine",
                "samples": "samples.tsv",
                "views": [{"name": "rna", "kind": "counts", "path": "counts.tsv"}],
            }
        ],
    }
    return clone, folder, sheet, counts, config


def run(cohort_parts, *targets):
    clone, folder, sheet, counts, config = cohort_parts
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    counts.to_csv(folder / "counts.tsv", sep="\t", index=False)
    path = write_config(folder / "my.yaml", config)
    return clone.snakemake(*targets, "--cores", "1", "--directory", str(folder), "--configfile", str(path))


def check_refused(cohort_parts, *expected: str) -> None:
    done = run(cohort_parts)
    folder = cohort_parts[1]
    assert done.code != 0
    assert "Traceback" not in done.text, done.text
    for part in expected:
        assert part in done.text
    assert not list(folder.glob("results/**/*.*"))


def test_good_input_passes_the_check(cohort):
    done = run(cohort, "check")
    assert done.code == 0, done.text
    assert (cohort[1] / "results" / "mine" / "inputs" / "rna.h5ad").exists()


def test_the_check_tells_the_mistakes_of_every_cohort_and_each_once(cohort):
    clone, folder, sheet, counts, config = cohort
    (mine,) = config["cohorts"]
    config["cohorts"].append(mine | {"name": "yours", "samples": "others.tsv"})
    config["differential_expression"] = {"gene_sets": ["sets.gmt"]}
    (folder / "sets.gmt").write_text("EMPTY\tno genes\n")
    sheet.assign(disease=sheet["disease"].replace("SLE", "lupus")).to_csv(folder / "others.tsv", sep="\t", index=False)
    sheet = sheet.assign(disease=sheet["disease"].replace("HC", "healthy"))
    done = run((clone, folder, sheet, counts, config), "check", "--keep-going")
    assert done.code != 0
    for told in ("`healthy` in 6 samples", "`lupus` in 6 samples", "a set without genes"):
        assert done.text.count(told) == 1, done.text


def test_a_misspelt_key_is_refused_before_anything_runs(cohort):
    cohort[4]["interferon"] = {"cutof": "mean_2sd"}
    cohort[4]["report"] = {"min_cel": 3}
    check_refused(cohort, "2 problems", "interferon.cutof", "Did you mean `cutoff`?", "report.min_cel")


def test_a_value_of_the_command_line_that_is_no_number_is_refused(cohort):
    # nested values of --config reach the workflow as text
    done = run(cohort, "--config", "differential_expression={alpha: .nan}")
    assert done.code != 0
    assert "differential_expression.alpha: found '.nan'; expected a finite number" in done.text
    assert not list(cohort[1].glob("results/**/*.*"))


def test_a_wrong_sheet_and_a_wrong_matrix_are_refused_in_one_message(cohort):
    clone, folder, sheet, counts, config = cohort
    sheet.loc[0, "disease"] = "SLEE"
    sheet.loc[1, "sample"] = "P02"
    counts.loc[4, "P07"] = -1
    counts = counts.drop(columns="P09")
    check_refused(
        (clone, folder, sheet, counts, config),
        "samples.tsv",
        "`SLEE` in 1 sample",
        "Did you mean `SLE`?",
        "the sample `P02` 2 times",
        "counts.tsv",
        "-1 at G4 / P07",
        "lacks: P09",
    )
    problems = json.loads((folder / "logs" / "mine" / "problems.json").read_text())
    assert {problem["source"] for problem in problems} == {"samples.tsv", "counts.tsv"}
    assert all(problem["fix"] for problem in problems)


def test_a_mistake_is_told_once_however_often_jobs_are_retried(cohort):
    cohort[2].loc[0, "disease"] = "SLEE"
    done = run(cohort, "--retries", "2")
    assert done.code != 0
    assert done.text.count("Input: 1 problem;") == 1


def test_the_message_of_a_validation_says_how_to_give_it_more_memory(cohort):
    done = run(cohort, "check", "--dry-run")
    asked, rule = re.search(r"(\d+) MB of memory; if it is killed: --set-resources (\S+):mem_mb=", done.text).groups()
    assert rule == "inputs.mine"
    done = run(cohort, "check", "--dry-run", "--set-resources", f"{rule}:mem_mb={2 * int(asked)}")
    assert f"{2 * int(asked)} MB of memory" in done.text


def test_a_file_of_ids_is_read_and_among_the_sources(cohort):
    clone, folder, sheet, counts, config = cohort
    names = sheet["sample"].tolist()
    counts = counts.rename(columns={name: f"{name}|B cells" for name in names})
    (folder / "ids.tsv").write_text("id\tsample\n" + "".join(f"{name}|B cells\t{name}\n" for name in names))
    config["cohorts"][0]["views"][0]["ids"] = "ids.tsv"
    done = run((clone, folder, sheet, counts, config), "check")
    assert done.code == 0, done.text
    sources = listed_sources([folder / "results" / "mine" / "inputs" / "sources.tsv"])
    assert sorted(sources) == ["counts.tsv", "ids.tsv", "samples.tsv"]


def test_a_missing_file_is_named(cohort):
    view = {"name": "cells", "kind": "proportion", "path": "absent.tsv", "ids": "no_ids.tsv"}
    cohort[4]["cohorts"][0]["views"].append(view)
    check_refused(cohort, "absent.tsv", "no_ids.tsv", "nothing there", "Correct the path")


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("disease + batch", "batch"),
        ("disease + __import__('os').system('touch owned')", "__import__"),
        ("disease + sex", "sex"),
    ],
)
def test_a_design_that_cannot_be_fitted_is_check_refused(cohort, design, expected):
    clone, folder, sheet, counts, config = cohort
    # batch is the disease under another name, and everybody has one sex
    sheet["batch"] = sheet["disease"].map({"SLE": "b1", "HC": "b2"})
    sheet["sex"] = "F"
    config["cohorts"][0]["design"] = design
    check_refused((clone, folder, sheet, counts, config), expected)
    assert not (folder / "owned").exists()
