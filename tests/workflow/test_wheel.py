"""The wheel alone is enough for a notebook: installed outside the clone, it scores a matrix as docs/usage.md says."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import zipfile

import numpy as np
import pandas as pd
import pytest

from stratifn.registry.signatures import load_registry

from .conftest import ROOT, environment

SHIPPED = {"resources": "resources", "schemas": "workflow/schemas", "report": "workflow/report"}
FOLDERS = """
from stratifn.shared.package_data import resource_folder, sheet_schema, template_folder
assert (resource_folder() / "genes").is_dir() and (template_folder() / "page.html.j2").is_file() and sheet_schema()
print(resource_folder(), template_folder(), sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network as everything else in the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("stratifn-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """An environment outside the clone that has the wheel; what it depends on is that of the tests."""
    folder = tmp_path_factory.mktemp("notebook")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    (site_packages,) = folder.glob("lib/python3*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def output(python, code, folder):
    done = subprocess.run(
        [python, "-W", "error::RuntimeWarning", "-c", code],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def example():
    text = (ROOT / "docs" / "usage.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", text[text.index("## As a library") :], re.DOTALL | re.MULTILINE)
    return code


def write_cohort(folder):
    """Write counts of 12 controls and 6 patients, half of whom have every interferon-stimulated gene eightfold."""
    rng = np.random.default_rng(1)
    signature = load_registry(ROOT / "resources" / "signatures").signatures["RICE_CROW_6"].symbols
    genes = [*signature, *(f"GENE{number}" for number in range(500))]
    samples = [f"s{number:02d}" for number in range(18)]
    means = np.tile(rng.uniform(50, 500, size=(len(genes), 1)), 18)
    means[: len(signature), 15:] *= 8
    pd.DataFrame(rng.poisson(means), index=genes, columns=samples).to_csv(folder / "counts.tsv", sep="\t")
    diseases = ["HC"] * 12 + ["SLE"] * 6
    pd.DataFrame({"sample": samples, "disease": diseases}).to_csv(folder / "samples.tsv", sep="\t", index=False)


def test_the_wheel_holds_what_the_clone_ships(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for packaged, place in SHIPPED.items():
        files = [path.relative_to(ROOT / place) for path in (ROOT / place).rglob("*") if path.is_file()]
        assert files
        assert {f"stratifn/package_data/{packaged}/{file.as_posix()}" for file in files} <= names


def test_the_installed_library_finds_what_it_ships_and_not_the_clone(python, tmp_path):
    environment_folder = python.parents[1]
    for line in output(python, FOLDERS, tmp_path).splitlines():
        assert line.startswith(str(environment_folder))


def test_the_example_of_the_docs_scores_a_matrix_with_the_wheel_alone(python, tmp_path):
    write_cohort(tmp_path)
    code = example() + "\nscored.classes.to_csv('classes.tsv', sep='\\t', index=False)\n"
    printed = output(python, code, tmp_path)
    assert "ifn_class" in printed
    classes = pd.read_csv(tmp_path / "classes.tsv", sep="\t").set_index("sample")["ifn_class"]
    assert classes.loc["s15":"s17"].tolist() == ["high"] * 3
    assert classes.loc["s12":"s14"].ne("high").all()
