"""A reference from elsewhere is refused in words or places patients, whatever its parts hold, with checksums that fit."""

from __future__ import annotations

import copy
import hashlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratifn.shared.arrays import arrays_in
from stratifn.shared.errors import InputError
from stratifn.transfer import load_reference, require_usable

from .test_fuzz import FEW, MANY, ODD, fuzz, places
from .test_transfer import CONTRACT, PHASES, run

__all__ = ["run"]

ARRAY_CHANGES = {
    "drop": lambda array: None,
    "first": lambda array: array[:1],
    "empty": lambda array: array[:0],
    "twice": lambda array: np.concatenate([array, array]) if array.ndim else array,
    "deeper": lambda array: array[..., None],
    "flat": lambda array: array.ravel(),
    "turned": lambda array: array.T,
    "text": lambda array: array.astype(str),
    "whole": lambda array: np.zeros(array.shape, dtype=int),
    "missing": lambda array: np.full(array.shape, np.nan),
    "huge": lambda array: np.full(array.shape, 1e308),
    "negative": lambda array: np.full(array.shape, -1),
}
CHANGES = {
    "where": st.floats(0, 1),
    "how": st.sampled_from(["set", "delete", "array", "array"]),
    "value": ODD,
    "array": st.sampled_from(sorted(ARRAY_CHANGES)),
}


@pytest.fixture(scope="module")
def frozen(run):
    """Values and arrays of a reference, and a person of its cohort."""
    values = json.loads((run.folder / "reference.json").read_text())
    with (run.folder / "arrays.npz").open("rb") as file:
        arrays = arrays_in(file)
    views, samples = run.only(run.samples["sample"].iloc[:1])
    return values, arrays, views, samples


def sealed(folder, values: dict, arrays: dict[str, np.ndarray]) -> None:
    """Write a reference with the checksums of what it holds."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    data = buffer.getvalue()
    (folder / "arrays.npz").write_bytes(data)
    values = {key: value for key, value in values.items() if key != "sha256"}
    if isinstance(values.get("arrays"), dict):
        values["arrays"] = values["arrays"] | {"names": sorted(arrays), "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    seal = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    (folder / "reference.json").write_text(json.dumps(values | {"sha256": seal}), encoding="utf-8")


def check_reference(folder, frozen, where: float, how: str, value, array: str) -> None:
    values, arrays, views, samples = frozen
    if how == "array":
        name = sorted(arrays)[int(where * (len(arrays) - 1))]
        changed = ARRAY_CHANGES[array](arrays[name])
        arrays = {key: each for key, each in arrays.items() if key != name}
        arrays |= {} if changed is None else {name: changed}
    else:
        values = copy.deepcopy(values)
        at = list(places(values))
        place = at[int(where * (len(at) - 1))]
        inside = values
        for key in place[:-1]:
            inside = inside[key]
        if how == "set":
            inside[place[-1]] = value
        else:
            del inside[place[-1]]
    try:
        sealed(folder, values, arrays)
    except (UnicodeEncodeError, TypeError):
        # nothing that JSON can hold
        return
    try:
        require_usable(folder, CONTRACT, views, samples, PHASES)
    except InputError as error:
        assert error.problems
        assert all(problem.code and problem.found and problem.fix for problem in error.problems)


def test_a_reference_that_is_sealed_again_is_usable(tmp_path, frozen):
    values, arrays, views, samples = frozen
    sealed(tmp_path, values, arrays)
    require_usable(tmp_path, CONTRACT, views, samples, PHASES)
    assert set(load_reference(tmp_path, CONTRACT).parts) == set(values["parts"])


@fuzz(FEW)
@given(**CHANGES)
def test_odd_references_end_in_words(tmp_path, frozen, where, how, value, array):
    check_reference(tmp_path, frozen, where, how, value, array)


@pytest.mark.full
@fuzz(MANY)
@given(**CHANGES)
def test_many_odd_references_end_in_words(tmp_path, frozen, where, how, value, array):
    check_reference(tmp_path, frozen, where, how, value, array)
