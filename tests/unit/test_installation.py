"""What is installed and where it runs: the commit as clone, archive and wheel say it; the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from stratifn.running.installation import _processor, machine, software, software_versions, source_commit
from stratifn.shared.tables import write_table

ROOT = Path(__file__).resolve().parents[2]
NO_ARCHIVE = "$Format:%H %cs$\n"


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    done = subprocess.run(["git", *identity, "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path):
    """A clone with a package, and a file that `git archive` fills."""
    folder = tmp_path / "clone"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "__init__.py").write_text("")
    (folder / "commit.txt").write_text(NO_ARCHIVE)
    (folder / ".gitattributes").write_text("commit.txt export-subst\n")
    git(tmp_path, "init", "-q", folder)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def commit_of(folder):
    return source_commit(folder / "package", folder / "commit.txt")


def test_a_clone_names_its_commit(clone):
    assert commit_of(clone) == git(clone, "rev-parse", "HEAD")


def test_a_changed_file_is_said_and_a_file_of_the_user_is_not(clone):
    (clone / "my.yaml").write_text("cohorts: []")
    assert commit_of(clone) == git(clone, "rev-parse", "HEAD")
    (clone / "package" / "__init__.py").write_text("changed = True\n")
    assert commit_of(clone) == f"{git(clone, 'rev-parse', 'HEAD')} with uncommitted changes"


def test_an_archive_names_the_commit_that_it_was_made_of(clone, tmp_path):
    git(clone, "archive", "-o", tmp_path / "archive.tar", "HEAD")
    with tarfile.open(tmp_path / "archive.tar") as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert commit_of(tmp_path / "unpacked") == git(clone, "rev-parse", "HEAD")


def test_a_copy_without_git_knows_no_commit(clone):
    shutil.rmtree(clone / ".git")
    assert commit_of(clone) is None


def test_code_below_the_clone_of_something_else_does_not_take_its_commit(clone):
    installed = clone / ".venv"
    shutil.copytree(clone / "package", installed / "package")
    shutil.copy(clone / "commit.txt", installed / "commit.txt")
    assert commit_of(installed) is None


def test_without_git_on_the_path_a_clone_knows_no_commit(clone, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(clone) is None


def test_a_hook_of_another_clone_does_not_change_the_commit(clone, monkeypatch, tmp_path):
    git(tmp_path, "init", "-q", tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    own = {name: value for name, value in os.environ.items() if name != "GIT_DIR"}
    head = subprocess.check_output(["git", "-C", clone, "rev-parse", "HEAD"], env=own, text=True).strip()
    assert commit_of(clone) == head


def test_the_machine_names_its_processor_and_every_kernel_of_linear_algebra():
    values = machine().set_index("name")["value"]
    assert {"system", "architecture", "cpu", "blas numpy", "blas scipy"} <= set(values.index)
    assert all(values)
    assert values["blas numpy"].split()[0] in ("openblas", "mkl", "blis")


def test_the_kernel_is_the_one_that_computes():
    code = (
        "from stratifn.running.installation import machine; print(machine().set_index('name').loc['blas numpy'].item())"
    )
    environment = os.environ | {"OPENBLAS_CORETYPE": "Nehalem", "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert printed.split()[-1] == "Nehalem"


def test_a_processor_without_a_name_is_not_empty(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\nflags\t: fpu\n")
    assert _processor(tmp_path / "cpuinfo") == "Some CPU @ 2.0GHz"
    assert _processor(tmp_path / "none") != ""


def test_an_unknown_commit_is_a_missing_cell(monkeypatch, tmp_path):
    monkeypatch.setattr("stratifn.running.installation.source_commit", lambda: None)
    path = tmp_path / "provenance" / "software.tsv"
    path.parent.mkdir()
    write_table(software(), path)
    assert path.read_text().splitlines()[-1] == "commit\tNA"


def test_git_archive_fills_the_file_that_is_read():
    assert "resources/commit.txt export-subst" in (ROOT / ".gitattributes").read_text().splitlines()
    assert re.fullmatch(
        r"\$Format:%H %cs\$|[0-9a-f]{40,64} [0-9-]{10}", (ROOT / "resources" / "commit.txt").read_text().strip()
    )


def test_the_versions_name_what_numbers_depend_on():
    versions = software_versions()
    assert {"stratifn", "python", "pydeseq2", "mofapy2", "numpy"} <= set(versions)
    assert all(versions.values())
