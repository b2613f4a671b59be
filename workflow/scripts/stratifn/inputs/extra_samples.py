"""Samples that are in a matrix or in the sheet alone: refused, or left out where the config says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import pandas as pd

from stratifn.inputs.answers import Note
from stratifn.inputs.near import near_matches, same_spelling
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import Problem, listed
from stratifn.shared.vocabulary import IN_VIEW

# of `extra_samples`
IGNORE = "ignore"


def in_matrix_alone(
    matrix: RawMatrix, view: str, samples: Sequence[str], others: Collection[str], ignore: bool
) -> tuple[list[Note], list[Problem]]:
    """Judge the ids of a matrix that are not in the sheet.

    A sample of the sheet that is missing in the matrix is no problem as such: views may miss samples. It is one where
    an id that would be left out is the same but for what software does to ids.

    Parameters
    ----------
    matrix
        Features in rows.
    view
        Its name.
    samples
        Those of the sheet that are analysed.
    others
        Further ids that are known.
    ignore
        Leave them out, instead of refusing them.
    """
    known, present = {*samples, *others}, set(matrix.columns)
    unknown = [name for name in dict.fromkeys(matrix.columns) if name not in known]
    if not unknown:
        return [], []
    missing = [name for name in samples if name not in present]
    problems = []
    annotation = _text_columns(matrix, unknown)
    if annotation:
        expected = "numbers in every column except the ids and gene_name"
        fix = "Remove the annotation columns."
        problems = [Problem(matrix.path, "columns", f"text in {listed(annotation)}", expected, fix, code="IN-088")]
        unknown = [name for name in unknown if name not in annotation]
    if not unknown:
        return [], problems
    if not ignore:
        return [], [*problems, _unknown(matrix.path, unknown, missing)]
    pairs = same_spelling(unknown, missing)
    reason = f"in the matrix of {view}, but not in the sheet"
    notes = [("samples", name, "left out", reason) for name in unknown if name not in pairs]
    if not pairs:
        return notes, problems
    found = listed(f"`{theirs}`, but `{ours}` in the sheet" for theirs, ours in pairs.items())
    expected = "one spelling of an id: `extra_samples: ignore` would leave out these samples"
    fix = "Use the same id in both files."
    return notes, [*problems, Problem(matrix.path, "sample ids", found, expected, fix, code="IN-067")]


def _text_columns(matrix: RawMatrix, names: Sequence[str]) -> list[str]:
    """Return the columns among some that hold text and no numbers."""
    cells = Counter(matrix.columns[column] for _, column in matrix.texts)
    return [name for name in names if cells[name] > 0.9 * len(matrix.rows)]


def _unknown(path: str, unknown: Sequence[str], missing: Sequence[str]) -> Problem:
    near = near_matches(unknown, missing)
    pairs = listed(f"`{theirs}` may be the sheet's `{ours}`" for theirs, ours in near.items())
    hint = f" Similar ids: {pairs}." if near else ""
    lacking = f" The sheet has {len(missing)} samples that this matrix lacks: {listed(missing)}." if missing else ""
    fix = (
        f"Add them to the sheet or remove them from the matrix; `extra_samples: ignore` leaves them out.{lacking}{hint}"
    )
    found = f"{len(unknown)} ids that are not in the sheet: {listed(unknown)}"
    return Problem(path, "sample ids", found, "only samples of the sheet", fix, code="IN-072")


def in_sheet_alone(
    samples: pd.DataFrame, views: Collection[str], path: str, ignore: bool
) -> tuple[pd.DataFrame, list[Note], list[Problem]]:
    """Judge the samples of the sheet that are in no matrix.

    Parameters
    ----------
    samples
        With a column `in_<view>` per view.
    views
        Names of all views.
    path
        The sheet's name in messages.
    ignore
        Leave them out, instead of refusing them.
    """
    measured = samples[[f"{IN_VIEW}{name}" for name in views]].any(axis=1)
    absent = samples.loc[~measured, "sample"]
    if absent.empty:
        return samples, [], []
    if ignore:
        notes = [("samples", name, "left out", "in the sheet, but in no matrix") for name in absent]
        return samples[measured].reset_index(drop=True), notes, []
    noun = "sample" if len(absent) == 1 else "samples"
    found = f"{len(absent)} {noun} in no matrix: {listed(absent)}"
    fix = "Correct their ids, add their data, or remove them from the sheet; `extra_samples: ignore` leaves them out."
    problem = Problem(path, "column sample", found, "every sample in at least one matrix", fix, code="IN-074")
    return samples, [], [problem]
