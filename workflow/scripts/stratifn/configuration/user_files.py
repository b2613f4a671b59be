"""The user's files, as a completed configuration names them: sheets, matrices, frozen references."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def view_names(item: Mapping[str, Any], kinds: Collection[str] | None = None) -> list[str]:
    """Name the views of a cohort or of new patients (those of some kinds where kinds are named)."""
    return [view["name"] for view in item["views"] if kinds is None or view["kind"] in kinds]


def input_paths(item: Mapping[str, Any], results: str) -> dict[str, str]:
    """Return where the sheet (``samples``) and every view are: in `results` if simulated, else as the user wrote it.

    Parameters
    ----------
    item
        A cohort, or new patients.
    results
        The folder of all results.
    """
    if item.get("simulate"):
        folder = f"{results}/{item['name']}/simulated"
        return {"samples": f"{folder}/samples.tsv"} | {v["name"]: f"{folder}/{v['path']}" for v in item["views"]}
    return {"samples": item["samples"]} | {view["name"]: view["path"] for view in item["views"]}


def user_paths(item: Mapping[str, Any], results: str) -> list[str]:
    """Return every file of a cohort or of new patients, each once: the sheet, the matrices, the files of ids."""
    ids = [view["ids"] for view in item["views"] if view.get("ids")]
    return list(dict.fromkeys([*input_paths(item, results).values(), *ids]))


def reference_folder(item: Mapping[str, Any], cohorts: Collection[str]) -> str | None:
    """Return the user's folder with the reference of new patients; None where it is that of a cohort of this run."""
    return None if item["reference"] in cohorts else item["reference"]


def reference_paths(item: Mapping[str, Any], cohorts: Collection[str], results: str) -> list[str]:
    """Return where the frozen reference of new patients is: made by this run, or in a folder of the user's."""
    return frozen_files(reference_folder(item, cohorts) or f"{results}/{item['reference']}/reference")


def frozen_files(folder: str | None) -> list[str]:
    """Return the files of a frozen reference; none without a folder."""
    return [f"{folder}/{name}" for name in ("reference.json", "arrays.npz")] if folder else []
