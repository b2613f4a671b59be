"""How a matrix lies in a delimited file, and how a format of the field is recognised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

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
    rows
        How many rows the file says it has, or None.
    corrections
        What was read another way than it is written.
    """

    header: list[str]
    first_line: int
    ids: int = 0
    gene_names: int | None = None
    left_out: frozenset[int] = frozenset()
    last_line: str | None = None
    rows: int | None = None
    corrections: list[Correction] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Positions of the columns of numbers."""
        others = {self.ids, self.gene_names, *self.left_out}
        return [number for number in range(len(self.header)) if number not in others]


@dataclass(frozen=True)
class LongColumns:
    """The columns of a table with a row per sample and feature.

    Attributes
    ----------
    path
        As the user wrote it.
    texts
        What a column is to its codes (one per row) and what each code means.
    numbers
        What a column is to its values, NaN where there is none.
    odd
        Of the columns of numbers: what is written in cells that are neither number nor missing, by row.
    lines
        The line of each row; its number from 1 where the file has no lines.
    """

    path: str
    texts: Mapping[str, tuple[np.ndarray, list[str]]]
    numbers: Mapping[str, np.ndarray]
    odd: Mapping[str, Mapping[int, str]]
    lines: np.ndarray


@dataclass(frozen=True)
class LongTable:
    """Where the columns of a table with a row per sample and feature are.

    Attributes
    ----------
    header, first_line
        As of a `Layout`.
    texts, numbers
        What a column is to its position.
    assemble
        From the columns to the matrix.
    """

    header: list[str]
    first_line: int
    texts: Mapping[str, int]
    numbers: Mapping[str, int]
    assemble: Callable[[LongColumns], RawMatrix]
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Format:
    """A kind of delimited file, as a program of the field writes it.

    Attributes
    ----------
    name
        What `views[].format` calls it.
    title
        The program and the table, for messages and docs.
    signs
        How it is recognised, in words.
    reads
        What becomes of its parts, in words.
    recognises
        Whether a file is one of these, by its first rows.
    layout
        Where the parts of the matrix are.
    kinds
        The kinds of view that its numbers can be; empty for any.
    fits
        Whether a file can be one where the config says so; by default the same as `recognises`.
    """

    name: str
    title: str
    signs: str
    reads: str
    recognises: Callable[[Preview], bool]
    layout: Callable[[Preview], Layout | LongTable]
    kinds: tuple[str, ...] = ()
    fits: Callable[[Preview], bool] | None = None

    def can_read(self, preview: Preview) -> bool:
        """Tell whether a file that the config calls by this name can be one."""
        return (self.fits or self.recognises)(preview)
