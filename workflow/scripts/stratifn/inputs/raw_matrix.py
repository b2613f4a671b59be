"""A matrix as it stands in a user's file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

# what was put right while a file was read: the item, and what was done to it
Correction = tuple[str, str]
ROWS_PER_BLOCK = 20_000


@dataclass
class RawMatrix:
    """A matrix as in its file, before rows and columns are identified.

    Attributes
    ----------
    path
        The path as the user wrote it.
    values
        rows x columns; NaN where the cell is missing or no number.
    rows, columns
        Their ids, in the order of the file.
    gene_names
        The annotation column `gene_name`, if there is one beside the row ids.
    texts
        Cells that are no numbers: (row, column) to what is written there.
    corrections
        What was put right while the file was read.
    lines
        The line of each row in the file; None where the file has no lines, or the rows were its columns.
    made_by
        The program and the table, where the format is one of the field; empty for a plain matrix.
    kinds
        The kinds of view that its numbers can be; empty for any.
    lod, below
        Of concentrations, once their cells beyond a limit are read: the limit of detection per row (NaN where none is
        known), and true where a value lies below it.
    """

    path: str
    values: np.ndarray
    rows: list[str]
    columns: list[str]
    gene_names: list[str] | None = None
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    lines: np.ndarray | None = None
    made_by: str = ""
    kinds: tuple[str, ...] = ()
    lod: np.ndarray | None = None
    below: np.ndarray | None = None

    def transposed(self) -> RawMatrix:
        """Swap rows and columns (the annotation of the rows is dropped: it describes features in rows)."""
        texts = {(column, row): text for (row, column), text in self.texts.items()}
        return replace(
            self,
            values=self.values.T,
            rows=self.columns,
            columns=self.rows,
            gene_names=None,
            texts=texts,
            lines=None,
        )

    def with_columns(self, kept: np.ndarray) -> RawMatrix:
        """Keep some columns, in the order given; the values are moved, so that the matrix before is of no more use.

        Parameters
        ----------
        kept
            Their positions, each once.
        """
        place = {old: new for new, old in enumerate(kept.tolist())}
        texts = {(row, place[column]): text for (row, column), text in self.texts.items() if column in place}
        values = self.values
        if not np.array_equal(kept, np.arange(len(self.columns))):
            # within its own memory: methylation of a whole cohort a second time would not fit
            for start in range(0, len(values), ROWS_PER_BLOCK):
                block = values[start : start + ROWS_PER_BLOCK]
                block[:, : len(kept)] = block[:, kept]
            values = values[:, : len(kept)]
        below = None if self.below is None else self.below[:, kept]
        return replace(self, values=values, columns=[self.columns[number] for number in kept], texts=texts, below=below)

    def with_rows(self, kept: np.ndarray) -> RawMatrix:
        """Keep some rows, in their order; the values are moved, so that the matrix before is of no more use.

        Parameters
        ----------
        kept
            Their positions, ascending.
        """
        place = {old: new for new, old in enumerate(kept.tolist())}
        texts = {(place[row], column): text for (row, column), text in self.texts.items() if row in place}
        # within its own memory, as for columns
        for start in range(0, len(kept), ROWS_PER_BLOCK):
            block = kept[start : start + ROWS_PER_BLOCK]
            if block[-1] != start + len(block) - 1:
                self.values[start : start + len(block)] = self.values[block]
        return replace(
            self,
            values=self.values[: len(kept)],
            rows=[self.rows[number] for number in kept],
            gene_names=None if self.gene_names is None else [self.gene_names[number] for number in kept],
            texts=texts,
            lines=None if self.lines is None else self.lines[kept],
            lod=None if self.lod is None else self.lod[kept],
            below=None if self.below is None else self.below[kept],
        )

    def row_named(self, row: int) -> str:
        """Say where a row is, by its line where the file has lines."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"


def column_sums(values: np.ndarray) -> np.ndarray:
    """Sum the columns of a large matrix block by block; missing and infinite values count as 0."""
    sums = np.zeros(values.shape[1])
    for start in range(0, len(values), ROWS_PER_BLOCK):
        block = values[start : start + ROWS_PER_BLOCK]
        sums += np.sum(block, axis=0, dtype=np.float64, where=np.isfinite(block))
    return sums
