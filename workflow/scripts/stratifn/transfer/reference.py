"""The frozen reference on disk: plain values in JSON, arrays in ``.npz``, nothing that could run as code.

A reference consists of named parts. Each phase turns its own part into values and arrays and back; here they are only
kept together, sealed with checksums, and refused when anything in them differs from what was written.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from stratifn.shared.arrays import arrays_bytes, arrays_in
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import atomic_path, reading_users, write_json

FORMAT = "stratifn reference"
VALUES_FILE, ARRAYS_FILE = "reference.json", "arrays.npz"
VIEWS, MODEL, LIMITS, STRATA, INTERFERON_PART = "views", "model", "limits", "strata", "interferon"
VERDICTS = "verdicts"
REFUSED_FIX = "Copy the whole folder again from its source; if this run makes it, delete it and start the run again."
PARTS = (VIEWS, MODEL, LIMITS, STRATA, INTERFERON_PART, VERDICTS)
FREEZE_AGAIN = "Freeze it again: run its cohort with this version of stratifn."
# the oldest contract whose references hold everything that is read here
OLDEST = (2, 3)
VERSION = re.compile(r"^(\d{1,4})\.(\d{1,4})$")


@dataclass(frozen=True)
class Part:
    """What one phase froze: plain values (numbers, words, lists, mappings) and named arrays."""

    values: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    def group(self, name: str) -> dict[str, np.ndarray]:
        """Return the arrays called ``name/...``, by the rest of their name."""
        return {key.removeprefix(f"{name}/"): array for key, array in self.arrays.items() if key.startswith(f"{name}/")}


@dataclass(frozen=True)
class Source:
    """What a reference was made of, and with what.

    Attributes
    ----------
    name
        The cohort.
    contract
        Version of the contract of the results, which is that of the reference's format.
    software
        Name to version.
    specimen, platform
        Those of the cohort.
    control
        Label of its controls; None where it has none.
    """

    name: str
    contract: str
    software: Mapping[str, str]
    specimen: str
    platform: str
    control: str | None = None


@dataclass(frozen=True)
class Reference:
    """Everything that placing a new patient needs, and nothing about any single patient.

    Attributes
    ----------
    source
        What it was made of.
    parts
        By name, all of `PARTS`.
    digest
        SHA-256 over values and arrays; empty before it is written.
    """

    source: Source
    parts: Mapping[str, Part]
    digest: str = ""


def write_reference(reference: Reference, values_path: str | Path, arrays_path: str | Path) -> None:
    """Write a reference, the same one always with the same bytes.

    Parameters
    ----------
    reference
        What to write.
    values_path, arrays_path
        ``reference.json`` and ``arrays.npz`` of one folder.
    """
    arrays = {f"{part}/{name}": a for part, content in reference.parts.items() for name, a in content.arrays.items()}
    data = arrays_bytes(arrays)
    with atomic_path(arrays_path) as temporary:
        temporary.write_bytes(data)
    values = {
        "format": FORMAT,
        **vars(reference.source),
        "parts": {name: dict(part.values) for name, part in reference.parts.items()},
        "arrays": {"names": sorted(arrays), "sha256": hashlib.sha256(data).hexdigest()},
    }
    write_json(values | {"sha256": _digest(values)}, values_path)


def load_reference(folder: str | Path, contract: str) -> Reference:
    """Read a reference, from this run or from elsewhere.

    Files are looked for under their own two names in the folder; no path that they contain is followed, and nothing
    in them is run.

    Parameters
    ----------
    folder
        Holds ``reference.json`` and ``arrays.npz``.
    contract
        The version that this code reads.

    Raises
    ------
    InputError
        Files that are missing, foreign, damaged or incomplete, or of a version that this code does not read.
    """
    folder = Path(folder)
    with reading_users(folder / VALUES_FILE, "a reference that stratifn froze", REFUSED_FIX):
        return _load_reference(folder, contract)


def _load_reference(folder: Path, contract: str) -> Reference:
    values = _read_values(folder / VALUES_FILE)
    _require_version(folder / VALUES_FILE, values, contract)
    _require_whole(folder / VALUES_FILE, values)
    arrays = _read_arrays(folder / ARRAYS_FILE, values["arrays"])
    parts = {}
    for name, of_part in values["parts"].items():
        own = {key.removeprefix(f"{name}/"): array for key, array in arrays.items() if key.startswith(f"{name}/")}
        parts[name] = Part(of_part, own)
    return Reference(Source(**{field.name: values[field.name] for field in fields(Source)}), parts, values["sha256"])


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _refusal(code: str, path: Path, found: str, expected: str, fix: str = REFUSED_FIX) -> InputError:
    return InputError(Problem(str(path), "the reference", found, expected, fix, code=code))


def _read_values(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        fix = "Name a folder `results/<cohort>/reference`, or a cohort of this run."
        raise _refusal("IN-221", path, "nothing there", f"the file {VALUES_FILE}", fix) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _refusal("IN-222", path, f"no readable JSON ({error})", "the unchanged file") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        fix = "Name the folder `reference` of a stratifn run."
        raise _refusal("IN-223", path, "a file of something else", "a reference that stratifn froze", fix)
    return values


def _require_whole(path: Path, values: Mapping[str, Any]) -> None:
    sealed = {key: value for key, value in values.items() if key != "sha256"}
    if values.get("sha256") != _digest(sealed):
        raise _refusal(
            "IN-224", path, "values that differ from their checksum: damaged or edited", "the unchanged file"
        )
    missing = [key for key in (*(field.name for field in fields(Source)), "parts", "arrays") if key not in values]
    missing += [f"part {name}" for name in PARTS if name not in values.get("parts", {})]
    if not missing:
        missing = [f"values of part {name}" for name in PARTS if not isinstance(values["parts"][name], dict)]
    if missing:
        raise _refusal("IN-225", path, f"no {', '.join(missing)}", "a complete reference", FREEZE_AGAIN)


def _require_version(path: Path, values: Mapping[str, Any], contract: str) -> None:
    found = VERSION.match(str(values.get("contract")))
    if found is None:
        raise _refusal("IN-226", path, "no version", f"a version such as {contract}")
    own, theirs = (tuple(map(int, version.split("."))) for version in (contract, found.group()))
    if theirs > own:
        fix = "Use the version of stratifn that made it, or a newer one."
        raise _refusal(
            "IN-227", path, f"version {values['contract']}, newer than this code", f"at most {contract}", fix
        )
    if theirs < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise _refusal(
            "IN-228", path, f"version {values['contract']}, too old for this code", f"at least {oldest}", FREEZE_AGAIN
        )


def _read_arrays(path: Path, listed: Mapping[str, Any]) -> dict[str, np.ndarray]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refusal(
            "IN-221", path, f"a file that cannot be read ({error.strerror})", f"the file {ARRAYS_FILE}"
        ) from error
    if hashlib.sha256(data).hexdigest() != listed.get("sha256"):
        raise _refusal(
            "IN-224", path, "content that differs from its checksum: damaged, or of another reference", "its own"
        )
    try:
        arrays = arrays_in(io.BytesIO(data))
    except Exception as error:  # somebody else's file: whatever goes wrong in it is told with its name
        raise _refusal("IN-229", path, f"arrays that cannot be read ({error})", "plain arrays") from error
    missing = sorted(set(listed.get("names", ())) - set(arrays))
    if missing:
        raise _refusal("IN-225", path, f"no array {', '.join(missing[:5])}", "a complete reference")
    return arrays


def load_interferon(
    folder: str | Path | None, contract: str
) -> tuple[Mapping[str, Any], Mapping[str, np.ndarray]] | None:
    """Read the interferon part of a reference alone: its values and arrays; None where no folder is named.

    Raises
    ------
    InputError
        As `load_reference`, and if the reference was made without a view to score.
    """
    if folder is None:
        return None
    part = load_reference(folder, contract).parts[INTERFERON_PART]
    if part.values["reference"] is None:
        expected = "a reference of a cohort with a view rna"
        problem = Problem(
            str(folder), "reference.json", "no interferon reference", expected, "Name another reference.", code="IN-232"
        )
        raise InputError(problem)
    return part.values["reference"], part.arrays
