"""The settings of a phase as the schema has them: the one place where tests take defaults from."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from anndata import AnnData

from stratifn.configuration.schema import default_section
from stratifn.interferon import Origin
from stratifn.shared.package_data import config_schema

SCHEMA = config_schema()
SECTIONS = {"simulation": ("cohorts", "simulate")}


def settings_of(phase: str, **changes: Any) -> Any:
    """Make a phase's `Settings` from the schema's defaults, with some changes."""
    settings = import_module(f"stratifn.{phase}.settings").Settings
    return replace(settings.from_config(default_section(SCHEMA, *SECTIONS.get(phase, (phase,)))), **changes)


def default_origin() -> Origin:
    """Say where a cohort's expression comes from if its configuration does not."""
    cohort = default_section(SCHEMA, "cohorts")
    return Origin(cohort["specimen"], cohort["platform"], cohort["control_type"])


def of_kind(data: AnnData, kind: str) -> AnnData:
    """Say on a matrix what kind it is, as validation does."""
    data.uns["kind"] = kind
    return data
