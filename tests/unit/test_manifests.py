"""What jobs read and wrote is proved: manifests, sources, and what happens to a file that is another one by then."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs import Files
from stratifn.configuration.verification import main as verify
from stratifn.running.entry_point import run
from stratifn.running.manifests import (
    begin_reading,
    differences,
    digest_of,
    joined_results,
    joined_sources,
    write_evidence,
    write_manifest,
)
from stratifn.shared.errors import InputError
from stratifn.shared.machine import MachineError


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A cohort of two jobs: `inputs` read the user's sheet, `interferon` a matrix and a folder of figures."""
    monkeypatch.chdir(tmp_path)
    for path, content in {
        "samples.tsv": "sample\tdisease\n",
        "results/mine/inputs/samples.tsv": "sample\n",
        "results/mine/inputs/rna.h5ad": "numbers",
        "results/mine/interferon/classes.tsv": "sample\n",
        "results/mine/interferon/figures/scores.svg": "<svg/>",
        "results/mine/interferon/figures/.scores.tmp.svg": "half",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    inputs, interferon = "results/mine/inputs/", "results/mine/interferon/"
    write_evidence({"samples.tsv": digest_of("samples.tsv")}, f"{inputs}sources.tsv")
    write_manifest([f"{inputs}{name}" for name in ("samples.tsv", "rna.h5ad", "sources.tsv")], f"{inputs}files.tsv")
    write_manifest([f"{interferon}classes.tsv", f"{interferon}figures"], f"{interferon}files.tsv")
    return Path("results/mine")


MANIFESTS = ["results/mine/inputs/files.tsv", "results/mine/interferon/files.tsv"]
SOURCES = ["results/mine/inputs/sources.tsv"]
READ = [*MANIFESTS, *SOURCES, "samples.tsv", "results/mine/inputs/rna.h5ad", "results/mine/interferon/classes.tsv"]


def problems_of(function, *arguments):
    with pytest.raises((InputError, MachineError)) as caught:
        function(*arguments)
    return {problem.source: problem for problem in caught.value.problems}


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "deleted": lambda path: path.unlink(),
    "truncated": lambda path: os.truncate(path, path.stat().st_size - 1),
    "emptied": lambda path: path.write_bytes(b""),
    "with a bit flipped": flip_a_bit,
    "edited": lambda path: path.write_text(path.read_text() + "x\n"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["inputs/rna.h5ad", "interferon/classes.tsv"])
def test_a_damaged_result_is_named_by_its_reader_the_provenance_and_the_check(results, name, damage):
    assert begin_reading(READ, MANIFESTS, SOURCES).unlisted == []
    assert differences(results) == []
    damage(results / name)
    path = f"results/mine/{name}"
    for found in (
        problems_of(begin_reading, READ, MANIFESTS, SOURCES),
        problems_of(joined_results, MANIFESTS, results),
    ):
        (problem,) = [problem for source, problem in found.items() if source.endswith(path)]
        assert len(found) == 1
        assert "again" in problem.fix
    assert len(differences(results)) == 1
    assert name in differences(results)[0]


def test_every_damaged_file_is_named_at_once(results):
    (results / "inputs/rna.h5ad").unlink()
    flip_a_bit(results / "interferon/classes.tsv")
    found = problems_of(begin_reading, READ, MANIFESTS, SOURCES)
    assert set(found) == {"results/mine/inputs/rna.h5ad", "results/mine/interferon/classes.tsv"}


def test_a_file_of_the_users_that_was_edited_between_two_jobs_is_refused_even_with_its_old_time(results):
    sheet = Path("samples.tsv")
    before = sheet.stat()
    sheet.write_text("sample\tcondition\n"[: before.st_size])
    os.utime(sheet, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sheet.stat().st_size == before.st_size
    for found in (problems_of(begin_reading, READ, MANIFESTS, SOURCES), problems_of(joined_sources, SOURCES)):
        assert list(found) == ["samples.tsv"]
        assert "touch" in found["samples.tsv"].fix
        assert found["samples.tsv"].code == "IN-230"


def test_two_jobs_that_read_different_versions_of_a_file_are_found_out(results, tmp_path):
    write_evidence({"samples.tsv": digest_of(results / "inputs/rna.h5ad")}, tmp_path / "sources.tsv")
    assert list(problems_of(joined_sources, [*SOURCES, tmp_path / "sources.tsv"])) == ["samples.tsv"]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("more than before"),
        lambda path: os.utime(path, (1, 1)),
        lambda path: os.replace(path.with_name("samples.tsv"), path),
        lambda path: path.unlink(),
    ],
    ids=["written to", "older", "replaced", "removed"],
)
def test_a_file_that_changes_while_it_is_read_is_named(results, change):
    reading = begin_reading(READ, MANIFESTS, SOURCES)
    reading.require_unchanged()
    change(results / "inputs" / "rna.h5ad")
    assert "results/mine/inputs/rna.h5ad" in problems_of(reading.require_unchanged)


@pytest.mark.parametrize(
    "content", [b"", b"path\n", b"path\tbytes\tsha256\na\tmany\tx\n", gzip.compress(b"x"), b"\xff\xfe"]
)
def test_a_manifest_that_is_none_is_named(results, content):
    (results / "inputs" / "files.tsv").write_bytes(content)
    assert list(problems_of(begin_reading, READ, MANIFESTS, SOURCES)) == ["results/mine/inputs/files.tsv"]


def test_a_manifest_that_is_cut_off_within_a_row_is_named_and_accuses_no_other_file(results):
    (results / "provenance").mkdir()
    write_evidence(joined_results(MANIFESTS, results), results / "provenance" / "outputs.tsv")
    write_manifest([results / "provenance" / "outputs.tsv"], results / "provenance" / "files.tsv")
    assert differences(results) == []
    manifest = results / "inputs" / "files.tsv"
    os.truncate(manifest, manifest.stat().st_size - 9)
    assert [sentence.split()[0] for sentence in differences(results)] == ["results/mine/inputs/files.tsv"]
    assert list(problems_of(begin_reading, READ, MANIFESTS, SOURCES)) == ["results/mine/inputs/files.tsv"]


def test_the_joined_results_hold_the_manifests_and_all_that_they_list_below_the_folder(results):
    outside = results.parent / "other" / "reference"
    outside.mkdir(parents=True)
    (outside / "arrays.npz").write_text("x")
    write_manifest([outside / "arrays.npz"], outside / "files.tsv")
    joined = joined_results([*MANIFESTS, outside / "files.tsv"], results)
    inside = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert set(joined) == inside - {"interferon/figures/.scores.tmp.svg"}
    assert joined["inputs/rna.h5ad"] == digest_of(results / "inputs" / "rna.h5ad")


def job(results, main, **output):
    files = {name: f"results/mine/stratification/{path}" for name, path in output.items()}
    read = Files(
        manifests=MANIFESTS, sources=SOURCES, files=["samples.tsv"], classes="results/mine/interferon/classes.tsv"
    )
    log = Files(log=str(results / "job.log"))
    run(main, SimpleNamespace(input=read, output=Files(files), log=log, rule="stratification"))


def write(text):
    def main(snakemake):
        path = snakemake.output.strata
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    return main


def test_a_job_lists_what_it_wrote_and_what_it_read(results):
    job(results, write("strata"), strata="strata.tsv", sources="sources.tsv", manifest="files.tsv")
    folder = results / "stratification"
    assert "samples.tsv" in (folder / "sources.tsv").read_text()
    manifest = (folder / "files.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in manifest] == ["path", "sources.tsv", "strata.tsv"]
    assert differences(results) == [f"{os.path.normpath(results / 'job.log')} is in no manifest"]


def test_a_job_writes_no_manifest_when_what_it_reads_changes_meanwhile(results, capsys):
    def main(snakemake):
        write("strata")(snakemake)
        (results / "interferon" / "classes.tsv").write_text("edited")

    with pytest.raises(SystemExit):
        job(results, main, strata="strata.tsv", manifest="files.tsv")
    assert "IN-231" in capsys.readouterr().err
    assert not (results / "stratification" / "files.tsv").exists()


def test_a_rule_that_reads_a_result_without_its_manifest_is_a_fault_of_the_pipeline(results, capsys):
    Path("samples.tsv").write_text("x")
    read = Files(classes="results/mine/interferon/classes.tsv")
    log = Files(log=str(results / "job.log"))
    with pytest.raises(SystemExit):
        run(lambda snakemake: None, SimpleNamespace(input=read, output=Files(manifest="files.tsv"), log=log, rule="x"))
    assert "no manifest lists results/mine/interferon/classes.tsv" in capsys.readouterr().err


def test_the_check_of_a_folder_prints_each_problem_and_fails(results, capsys):
    assert verify([str(results)]) == 0
    assert "7 files are what stratifn wrote" in capsys.readouterr().out
    (results / "notes.txt").write_text("mine")
    (results / "inputs" / "rna.h5ad").unlink()
    assert verify([str(results)]) == 1
    printed = capsys.readouterr().err
    assert "2 problems" in printed
    assert "rna.h5ad is missing" in printed
    assert "notes.txt is in no manifest" in printed
    assert verify([str(results / "nowhere")]) == 1
