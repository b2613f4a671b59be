"""The file `ids` of a view: which id of its matrix is which sample of the sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

import pandas as pd

from stratifn.inputs.answers import Note
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.reading import read_sheet
from stratifn.shared.errors import InputError, Problem, listed


@dataclass(frozen=True)
class IdMap:
    """Ids of a matrix and the samples that they are.

    Attributes
    ----------
    path
        The file, as the user wrote it; empty where there is none.
    samples
        Id in the matrix to sample of the sheet, both once.
    lines
        Line of the file by id.
    corrections
        What was put right while it was read.
    """

    path: str = ""
    samples: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    corrections: tuple[tuple[str, str], ...] = ()

    def problems(self, known: Collection[str]) -> Iterator[Problem]:
        """List the samples that are not in the sheet.

        Parameters
        ----------
        known
            Every sample of the sheet.
        """
        for name, sample in self.samples.items():
            if sample not in known:
                found = f"the sample `{sample}`"
                fix = "Correct it, or add the sample to the sheet."
                where = f"line {self.lines[name]}"
                yield Problem(self.path, where, found, "a sample of the sheet", fix, code="IN-064")

    def applied(self, matrix: RawMatrix, view: str) -> tuple[RawMatrix, list[Note]]:
        """Give the samples of a matrix their ids of the sheet, whichever side they are on.

        Raises
        ------
        InputError
            The matrix has none of the ids.
        """
        if not self.samples:
            return matrix, []
        in_columns, in_rows = (len(self.samples.keys() & set(side)) for side in (matrix.columns, matrix.rows))
        found = max(in_columns, in_rows)
        if not found:
            shown = f"ids such as {listed(self.samples, 3)}"
            expected = f"ids of {matrix.path}, whose columns are {listed(matrix.columns, 3)}"
            fix = "Correct the ids, or remove `ids` from the view."
            raise InputError(Problem(self.path, "ids", shown, expected, fix, code="IN-065"))
        of_columns = in_columns >= in_rows
        given = matrix.columns if of_columns else matrix.rows
        names = [self.samples.get(name, name) for name in given]
        changed = sum(new != old for new, old in zip(names, given, strict=True))
        notes = [(view, item, "corrected", f"{reason} ({self.path})") for item, reason in self.corrections]
        if changed:
            notes.append((view, "sample ids", "renamed", f"{changed} of {len(names)}, by {self.path}"))
        if found < len(self.samples):
            reason = f"not in the matrix: {len(self.samples) - found} of {len(self.samples)} ids of {self.path}"
            notes.append((view, "sample ids", "not used", reason))
        return replace(matrix, columns=names) if of_columns else replace(matrix, rows=names), notes


def read_id_map(path: str | None) -> IdMap:
    """Read a file of two columns, `sample` and the id in the matrix.

    Raises
    ------
    InputError
        It cannot be read, has other columns, or does not pair each id with one sample.
    """
    if path is None:
        return IdMap()
    table, corrections = read_sheet(path)
    columns = [str(name) for name in table.columns]
    if len(columns) != 2 or columns.count("sample") != 1:
        found = f"the header {listed(f'`{name}`' for name in columns)}"
        expected = "two columns: `id` as in the matrix, and `sample` as in the sheet"
        fix = "Add the header, or remove the other columns."
        raise InputError(Problem(path, "header", found, expected, fix, code="IN-062"))
    (theirs,) = (name for name in columns if name != "sample")
    problems = [*_unpaired(table[theirs], path, "id"), *_unpaired(table["sample"], path, "sample")]
    if problems:
        raise InputError(problems)
    lines = dict(zip(table[theirs], table.index, strict=True))
    return IdMap(path, dict(zip(table[theirs], table["sample"], strict=True)), lines, tuple(corrections))


def _unpaired(names: pd.Series, path: str, what: str) -> Iterator[Problem]:
    for name, same in names.groupby(names, sort=False):
        lines = f"line{'s' if len(same) > 1 else ''} {', '.join(map(str, same.index))}"
        if not name:
            yield Problem(path, lines, f"no {what}", "an id and its sample in every row", "Add it.", code="IN-063")
        elif len(same) > 1:
            found = f"the {what} `{name}` {len(same)} times"
            yield Problem(path, lines, found, f"each {what} once", "Keep the right row.", code="IN-063")
