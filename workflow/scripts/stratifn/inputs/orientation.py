"""Which side of a matrix holds the samples, and which samples are in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from stratifn.inputs.near import near_matches, parts_of_ids
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import Problem, listed

MOST_CANDIDATES = 2000


def features_in_rows(raw: RawMatrix, samples: Sequence[str]) -> tuple[RawMatrix | None, list[Problem]]:
    """Turn the matrix so that features are in rows, whichever way it came.

    Returns
    -------
    RawMatrix or None, list of Problem
        None if no sample of the sheet is found on either side.
    """
    wanted = set(samples)
    in_columns, in_rows = len(wanted & set(raw.columns)), len(wanted & set(raw.rows))
    if not in_columns and not in_rows:
        return None, [_no_samples(raw, samples)]
    return (raw if in_columns >= in_rows else raw.transposed()), []


def _no_samples(raw: RawMatrix, samples: Sequence[str]) -> Problem:
    candidates = [*raw.columns[:MOST_CANDIDATES], *raw.rows[:MOST_CANDIDATES]]
    near = near_matches(samples, candidates) or parts_of_ids(samples, candidates)
    pairs = listed((f"`{theirs}` for `{ours}`" for ours, theirs in near.items()), 5)
    hint = f"These ids are similar: {pairs}. " if near else ""
    # read.csv puts an X before digits and a dot in the place of other characters
    by_r = any(theirs.startswith("X") and ours[:1].isdigit() for ours, theirs in near.items())
    hint += "R's read.csv changes ids so; `check.names = FALSE` keeps them. " if by_r else ""
    fix = f"{hint}Use the ids of the sheet in the matrix, or give the view a file `ids` with the columns `id` and `sample`."
    found = f"columns {listed(raw.columns, 3)}; rows {listed(raw.rows, 3)}"
    return Problem(
        raw.path, "sample ids", found, f"samples of the sheet such as {listed(samples, 3)}", fix, code="IN-070"
    )


def id_problems(matrix: RawMatrix) -> list[Problem]:
    """List duplicated and missing ids."""
    problems = _repeated(matrix.path, "sample", matrix.columns) + _repeated(matrix.path, "feature", matrix.rows)
    blank = [number for number, name in enumerate(matrix.rows) if not name]
    if blank:
        problems.append(
            Problem(
                matrix.path,
                matrix.row_named(blank[0]),
                f"{len(blank)} rows without an id",
                "an id per row",
                "Add it.",
                code="IN-071",
            )
        )
    return problems


def _repeated(path: str, what: str, names: Sequence[str]) -> list[Problem]:
    repeated = {name: count for name, count in Counter(names).items() if count > 1}
    if not repeated:
        return []
    shown = listed(f"`{name}` {count} times" for name, count in sorted(repeated.items()))
    return [
        Problem(
            path,
            f"{what} ids",
            shown,
            f"each {what} once",
            "Keep the right copy, or rename or sum the copies.",
            code="IN-073",
        )
    ]


def selected(matrix: RawMatrix, samples: Sequence[str]) -> RawMatrix:
    """Keep the samples of the sheet, in its order (those that the matrix has)."""
    position = {name: number for number, name in enumerate(matrix.columns)}
    return matrix.with_columns(np.array([position[name] for name in samples if name in position], dtype=int))
