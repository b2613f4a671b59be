"""The rules themselves: their names, their resources, what the final target asks for. Dry runs, but for one."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from .conftest import MICRO, Clone, Run, clone_to, without_network, write_config

SIMULATED = MICRO["cohorts"][0]["simulate"]


def cohorts(*names: str) -> list[dict]:
    return [{"name": name, "simulate": SIMULATED} for name in names]


def new_patients(*names: str, reference: str) -> list[dict]:
    views = [{"name": "cells", "kind": "proportion", "path": "cells.tsv"}]
    return [{"name": name, "reference": reference, "samples": "new.tsv", "views": views} for name in names]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    """A clone whose rules have no messages: a dry run prints either these or what a job reads and asks for."""
    clone = clone_to(tmp_path_factory.mktemp("rules") / "clone")
    for path in (clone.folder / "workflow" / "rules").glob("*.smk"):
        path.write_text(re.sub(r"^ +message:\n.+\n", "", path.read_text(), flags=re.MULTILINE))
    return clone


def plan(clone: Clone, folder: Path, config: dict, *arguments: str) -> Run:
    path = write_config(folder / "my.yaml", MICRO | config)
    return clone.snakemake("-n", *arguments, "--configfile", str(path), "--directory", str(folder))


def test_names_that_contain_one_another_or_a_phase_do_not_collide(clone, tmp_path):
    # `interferon_status_x` was the rule of two cohorts, and `transfer_report_a` that of two sets of new patients
    names, new = ("x", "status_x", "demo", "demo.x", "report.demo"), ("a", "report_a", "inputs_a", "x")
    config = {"cohorts": cohorts(*names), "transfer": new_patients(*new, reference="x")}
    run = plan(clone, tmp_path, config)
    assert run.code == 0, run.text
    looped = ("inputs", "normalization", "differential_expression", "interferon_status", "integration", "report")
    expected = {f"{phase}.{name}": 1 for phase in looped for name in names}
    expected |= {f"transfer_inputs.{name}": 1 for name in new}
    wildcard = ("simulate", "interferon", "stratification", "reference", "export", "provenance")
    expected |= dict.fromkeys(wildcard, len(names))
    expected |= dict.fromkeys(("transfer", "transfer_report", "transfer_provenance"), len(new))
    assert run.planned == expected | {"mofa": 2 * len(names), "default": 1}


def resources_of(run: Run) -> dict[str, list[str]]:
    """Memory that every planned job asks for, by rule."""
    asked: dict[str, list[str]] = {}
    for rule, lines in re.findall(r"^(?:local)?rule (\S+):\n((?:    .*\n)+)", run.text, re.MULTILINE):
        asked.setdefault(rule, []).extend(re.findall(r"^    resources: .*\bmem_mb=([^,\s]+)", lines, re.MULTILINE))
    return asked


def test_resources_that_are_set_for_a_rule_are_those_of_every_cohort_and_seed(clone, tmp_path):
    setting = ("--set-resources", "mofa:mem_mb=8000", "inputs.one:mem_mb=777")
    asked = resources_of(plan(clone, tmp_path, {"cohorts": cohorts("one", "two")}, *setting))
    assert asked["mofa"] == ["8000"] * 4
    assert asked["inputs.one"] == ["777"]
    assert "777" not in asked["inputs.two"]
    assert "8000" not in asked["interferon"]


def test_code_is_digested_once_per_rule_however_many_cohorts_there_are(tmp_path):
    clone = clone_to(tmp_path / "clone")
    module = clone.folder / "workflow" / "scripts" / "stratifn" / "running" / "code_digest.py"
    calls = tmp_path / "calls.txt"
    module.write_text(
        module.read_text()
        + f"""
_digest = code_digest
def code_digest(script, data=()):
    with open({str(calls)!r}, "a") as handle:
        handle.write(script.stem + chr(10))
    return _digest(script, data)
"""
    )
    counted = []
    for names in (("c1",), ("c1", "c2", "c3")):
        calls.write_text("")
        transfer = new_patients(*(f"new{name}" for name in names), reference="c1")
        run = plan(clone, tmp_path / names[-1], {"cohorts": cohorts(*names), "transfer": transfer})
        assert run.code == 0, run.text
        counted.append(Counter(calls.read_text().split()))
    scripts = {path.stem for path in (clone.folder / "workflow" / "scripts").glob("*.py")}
    assert counted == [Counter(scripts)] * 2


@pytest.mark.parametrize(
    ("target", "config"),
    [
        ("results/transfer/interferon/scores.tsv", {}),
        ("results/nobody/interferon/scores.tsv", {"cohorts": []}),
        ("results/transfer/nobody/patients.tsv", {}),
        ("results/mine/simulated/samples.tsv", {}),
    ],
)
def test_a_folder_that_is_no_cohort_of_the_run_is_not_taken_for_one(clone, tmp_path, target, config):
    views = [{"name": "cells", "kind": "proportion", "path": "cells.tsv"}]
    mine = {"name": "mine", "samples": "s.tsv", "views": views}
    config = {"cohorts": [mine, *cohorts("micro")], "transfer": new_patients("later", reference="folder")} | config
    run = plan(clone, tmp_path, config, target)
    assert run.code != 0
    assert "MissingRuleException" in run.text, run.text


@pytest.mark.parametrize(
    ("deleted", "rule"),
    [
        ("truth", "simulate"),
        ("inputs/notes.tsv", "inputs.micro"),
        ("differential_expression/IFN_high_vs_IFN_low.tsv.gz", "interferon_status.micro"),
        ("interferon/axes.tsv", "interferon"),
        ("integration/models/seed_2.hdf5", "mofa"),
        ("report/figures", "report.micro"),
        ("cohort.h5mu", "export"),
    ],
)
def test_any_output_that_was_deleted_comes_back(micro_run, tmp_path, deleted, rule):
    finished, _ = micro_run
    folder = tmp_path / "clone"
    shutil.copytree(finished.folder, folder, copy_function=shutil.copy2)
    gone = folder / "results" / "micro" / deleted
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    run = Clone(folder).snakemake("-n", "--configfile", str(folder / "micro.yaml"))
    assert rule in run.planned, run.text


def test_snakemakes_own_report_shows_the_results_and_needs_no_network(micro_run, tmp_path):
    clone, config = micro_run
    archive = tmp_path / "report.zip"
    run = clone.snakemake("--configfile", str(config), "--report", str(archive), within=without_network())
    assert run.code == 0, run.text
    with zipfile.ZipFile(archive) as opened:
        shown = {"/".join(Path(name).parts[4:]) for name in opened.namelist() if name.startswith("report/data/raw/")}
        summary = opened.read("report/report.html").decode("utf-8")
    report = clone.folder / "results" / "micro" / "report"
    names = {str(path.relative_to(report)) for path in report.rglob("*") if path.suffix in (".html", ".md")}
    for folder, suffix in (("figures", "svg"), ("tables", "tsv")):
        names |= {str(path.relative_to(report / folder)) for path in (report / folder).rglob(f"*.{suffix}")}
    assert shown == names
    assert "The report of cohort micro" in summary


def test_the_figures_are_replaced_whole(micro_run, tmp_path):
    finished, _ = micro_run
    folder = tmp_path / "clone"
    shutil.copytree(finished.folder, folder, copy_function=shutil.copy2)
    report = folder / "results" / "micro" / "report"
    drawn = sorted(path.name for path in (report / "figures").rglob("*.svg"))
    (report / "figures" / "of_an_older_configuration.svg").write_text("")
    target = (str(report.relative_to(folder) / "methods.md"), "--forcerun", "report.micro", "--cores", "1")
    run = Clone(folder).snakemake(*target, "--configfile", str(folder / "micro.yaml"))
    assert run.code == 0, run.text
    assert sorted(path.name for path in (report / "figures").rglob("*.svg")) == drawn


def test_as_a_module_results_get_the_prefix_and_the_users_files_do_not(clone, tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("samples.tsv", "cells.tsv"):
        (tmp_path / "data" / name).write_text("")
    views = [{"name": "cells", "kind": "proportion", "path": "data/cells.tsv"}]
    write_config(tmp_path / "my.yaml", {"cohorts": [{"name": "mine", "samples": "data/samples.tsv", "views": views}]})
    (tmp_path / "Snakefile").write_text(
        f"""
configfile: "my.yaml"

module stratifn:
    snakefile: {str(clone.folder / "workflow" / "Snakefile")!r}
    config: config
    prefix: "blood"

use rule * from stratifn as stratifn_*

rule all:
    default_target: True
    input: rules.stratifn_all.input
"""
    )
    run = Clone(tmp_path).snakemake("-n")
    assert run.code == 0, run.text
    read = re.search(r"^rule stratifn_inputs\.mine:\n    input: (.*)\n    output: (.*)$", run.text, re.MULTILINE)
    assert read.group(1) == "data/samples.tsv, data/cells.tsv"
    assert all(path.startswith("blood/results/mine/inputs/") for path in read.group(2).split(", "))
    scored = re.search(r"^rule stratifn_interferon:\n    input: (.*)$", run.text, re.MULTILINE).group(1)
    assert scored.split(", ") == [
        "blood/results/mine/inputs/samples.tsv",
        "blood/results/mine/inputs/samples.types.json",
        "blood/results/mine/normalization/cells.h5ad",
        "blood/results/mine/inputs/files.tsv",
        "blood/results/mine/normalization/files.tsv",
    ]
