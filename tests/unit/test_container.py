"""The container recipe, which is not built here: it installs the lock, and copies what a run needs."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
RECIPE = (ROOT / "envs" / "Dockerfile").read_text()
INSTRUCTIONS = [
    tuple(line.split(maxsplit=1)) for line in RECIPE.splitlines() if line.strip() and not line.startswith("#")
]
INSIDE = "/opt/stratifn"
# what `tests/workflow/conftest.py` runs as a clone: without one of these no run starts
NEEDED = {"Snakefile", "workflow", "config", "resources", "profiles", "envs", "requirements.lock"}


def arguments(instruction):
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def test_the_recipe_has_instructions_of_docker_alone_and_one_base():
    assert {name for name, _ in INSTRUCTIONS} == {"FROM", "COPY", "RUN", "ENV", "WORKDIR", "ENTRYPOINT"}
    assert INSTRUCTIONS[0][0] == "FROM"
    (base,) = arguments("FROM")
    version = re.fullmatch(r"python:(3\.\d+)-slim-[a-z]+", base).group(1)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert version in SpecifierSet(project["requires-python"])


def test_the_recipe_installs_the_lock_with_its_hashes_and_nothing_else():
    (command,) = arguments("RUN")
    words = shlex.split(command)
    assert words[:2] == ["pip", "install"]
    assert "--require-hashes" in words
    assert [word for word in words[2:] if not word.startswith("--")] == [f"{INSIDE}/requirements.lock"]
    assert [name for name, _ in INSTRUCTIONS].index("COPY") < [name for name, _ in INSTRUCTIONS].index("RUN")


def test_the_recipe_copies_what_a_run_needs_to_where_the_clone_has_it():
    copied = dict(shlex.split(rest) for rest in arguments("COPY"))
    assert set(copied) == NEEDED
    assert all((ROOT / source).exists() for source in copied)
    assert copied == {source: f"{INSIDE}/{source}" for source in copied}
    (entry,) = arguments("ENTRYPOINT")
    assert json.loads(entry) == ["snakemake", "--snakefile", f"{INSIDE}/Snakefile"]


def test_recipe_and_docs_say_that_it_was_not_built():
    assert "Not built by this project's tests" in RECIPE
    usage = (ROOT / "docs" / "usage.md").read_text()
    section = usage[usage.index("## Sites without Python, or without a network") :]
    assert "envs/Dockerfile" in section and "not built" in section[: section.index("\n## ")]
