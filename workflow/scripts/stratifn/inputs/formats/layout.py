"""How a matrix lies in a delimited file, and how a format of the field is recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stratifn.inputs.delimited import Preview
from stratifn.inputs.raw_matrix import Correction, RawMatrix


@dataclass(frozen=True)
class Layout:
    """Where the parts of a matrix are.

    Attributes
    ----------
    header
        Names of all columns of the file, in its order.
    first_line
        Line of the first row below the header.
    ids
        Position of the column of row ids.
    gene_names
        Position of the column of gene symbols beside them, or None.
    left_out
        Positions of columns that are no samples or features (annotation, totals).
    last_line
        First cell of the row at which the matrix ends, or None where it ends with the file.
    corrections
        What was read another way than it is written.
    """

    header: list[str]
    first_line: int
    ids: int = 0
    gene_names: int | None = None
    left_out: frozenset[int] = frozenset()
    last_line: str | None = None
    corrections: list[Correction] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Positions of the columns of numbers."""
        others = {self.ids, self.gene_names, *self.left_out}
        return [number for number in range(len(self.header)) if number not in others]


def unchanged(matrix: RawMatrix) -> RawMatrix:
    """Return a matrix as it was read."""
    return matrix


@dataclass(frozen=True)
class Format:
    """A kind of delimited file, as a program of the field writes it.

    Attributes
    ----------
    name
        What `views[].format` calls it.
    title
        The program and the table, for messages and docs.
    recognises
        Whether a file is one of these, by its first rows.
    layout
        Where the parts of the matrix are.
    finish
        From the matrix as read to rows, columns and values in our terms.
    """

    name: str
    title: str
    recognises: Callable[[Preview], bool]
    layout: Callable[[Preview], Layout]
    finish: Callable[[RawMatrix], RawMatrix] = unchanged
