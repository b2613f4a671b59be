"""Where the files that come with the library are: inside the installed wheel, or in the folders of a clone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# where pyproject.toml puts resources, schemas and templates in the wheel
PACKAGED = Path(__file__).resolve().parents[1] / "package_data"
CLONE = Path(__file__).resolve().parents[4]


def resource_folder() -> Path:
    """Return the folder of signatures, gene sets and genes.

    It is no input of a rule, because a moved clone would then rerun everything; its content is in the rule's digest.
    """
    return _shipped("resources", CLONE / "resources")


def template_folder() -> Path:
    """Return the folder of the report's templates, for the same reason as `resource_folder`."""
    return _shipped("report", CLONE / "workflow" / "report")


def sheet_schema() -> dict[str, Any]:
    """Return the schema of the sample sheet."""
    return _schema("samples.schema.yaml")


def config_schema() -> dict[str, Any]:
    """Return the schema of the configuration."""
    return _schema("config.schema.yaml")


def output_contract() -> dict[str, Any]:
    """Return the contract of the results."""
    return _schema("outputs.yaml")


def mistakes() -> dict[str, Any]:
    """Return the classes of mistakes in what a user gives, by family."""
    return _schema("mistakes.yaml")


def _schema(name: str) -> dict[str, Any]:
    path = _shipped("schemas", CLONE / "workflow" / "schemas") / name
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _shipped(name: str, in_clone: Path) -> Path:
    return PACKAGED / name if PACKAGED.is_dir() else in_clone
