"""Allowed values of each kind of view. One record per check: add a record to refuse another kind of bad input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import Problem
from stratifn.shared.vocabulary import BETA, CONCENTRATION, COUNTS, PROPORTION, VIEW_KINDS

LARGEST_COUNT = 2**31 - 1
ROWS_PER_BLOCK = 20_000
EXAMPLES = 5


@dataclass(frozen=True)
class ValueCheck:
    """One way in which the cells of a view can be wrong.

    Attributes
    ----------
    kinds
        The kinds of view that it is for.
    bad
        From a block (rows x columns) to a boolean block of the wrong cells.
    expected, fix
        Words for the message.
    code
        Of the class of mistakes.
    """

    kinds: tuple[str, ...]
    bad: Callable[[np.ndarray], np.ndarray]
    expected: str
    fix: str
    code: str


VALUE_CHECKS = (
    ValueCheck(
        VIEW_KINDS,
        np.isinf,
        "finite numbers",
        "Correct these cells, or leave them empty if the value is unknown.",
        "IN-080",
    ),
    ValueCheck(
        (COUNTS,),
        np.isnan,
        "a count in every cell",
        "Counts cannot be missing: remove the gene or the sample, or write 0 if it was measured as 0.",
        "IN-081",
    ),
    ValueCheck(
        (COUNTS,),
        lambda block: np.isfinite(block) & (block < 0),
        "counts of 0 or more",
        "These are not raw counts (log values? differences?): give the counts, or use kind continuous.",
        "IN-082",
    ),
    ValueCheck(
        (COUNTS,),
        lambda block: np.isfinite(block) & (block != np.floor(block)),
        "whole numbers",
        "Give raw counts (not TPM, CPM or log values); for Salmon's gene counts set `round: true`.",
        "IN-083",
    ),
    ValueCheck(
        (COUNTS,),
        lambda block: np.isfinite(block) & (block > LARGEST_COUNT),
        f"at most {LARGEST_COUNT}",
        "Give raw counts.",
        "IN-084",
    ),
    ValueCheck(
        (BETA,),
        lambda block: np.isfinite(block) & ((block < 0) | (block > 1)),
        "methylation fractions between 0 and 1",
        "If these are M-values, use kind continuous; if percentages, divide by 100.",
        "IN-085",
    ),
    ValueCheck(
        (PROPORTION,),
        lambda block: np.isfinite(block) & ((block < 0) | (block > 1)),
        "proportions between 0 and 1",
        "If these are percentages, divide by 100.",
        "IN-086",
    ),
    ValueCheck(
        (CONCENTRATION,),
        lambda block: np.isfinite(block) & (block < 0),
        "concentrations of 0 or more",
        "Write `<x` for a value below a limit of detection x; for log values use kind continuous.",
        "IN-087",
    ),
)


def value_problems(matrix: RawMatrix, kind: str) -> list[Problem]:
    """List what is wrong in the cells of a matrix (features x samples), a problem per check with examples."""
    problems = list(_text_problems(matrix, kind))
    for check in VALUE_CHECKS:
        if kind in check.kinds:
            problems += _checked(matrix, check)
    if kind == COUNTS:
        problems += _empty_samples(matrix)
    if kind == PROPORTION:
        problems += _wrong_sums(matrix)
    return problems


def _checked(matrix: RawMatrix, check: ValueCheck) -> Iterator[Problem]:
    texts = set(matrix.texts)
    total = 0
    examples: list[tuple[int, int]] = []
    # block by block: a methylation matrix times several masks would not fit
    for start in range(0, len(matrix.rows), ROWS_PER_BLOCK):
        bad = np.argwhere(check.bad(matrix.values[start : start + ROWS_PER_BLOCK]))
        cells = [(int(row) + start, int(column)) for row, column in bad if (int(row) + start, int(column)) not in texts]
        total += len(cells)
        examples += cells[: EXAMPLES - len(examples)]
    if total:
        shown = ", ".join(
            f"{matrix.values[row, column]:.6g} at {matrix.rows[row]} / {matrix.columns[column]}"
            for row, column in examples
        )
        noun = "cell" if total == 1 else "cells"
        yield Problem(matrix.path, f"{total} {noun}", shown, check.expected, check.fix, code=check.code)


def _text_problems(matrix: RawMatrix, kind: str) -> Iterator[Problem]:
    odd = matrix.texts
    if not odd:
        return
    per_column = Counter(column for _, column in odd)
    full = sorted(column for column, count in per_column.items() if count > 0.9 * len(matrix.rows))
    if full:
        names = ", ".join(matrix.columns[column] for column in full[:EXAMPLES])
        yield Problem(
            matrix.path,
            "columns",
            f"text in {names}",
            "numbers in every column except the ids and gene_name",
            "Remove annotation columns.",
            code="IN-088",
        )
        return
    shown = ", ".join(
        f"{text!r} at {matrix.rows[row]} / {matrix.columns[column]}"
        for (row, column), text in sorted(odd.items())[:EXAMPLES]
    )
    expected = "numbers, or `<x` and `>x` beyond a limit x" if kind == CONCENTRATION else "numbers"
    yield Problem(
        matrix.path,
        f"{len(odd)} cell{'s' if len(odd) > 1 else ''}",
        shown,
        expected,
        "Correct these cells, or leave them empty if the value is unknown.",
        code="IN-089",
    )


def _empty_samples(matrix: RawMatrix) -> Iterator[Problem]:
    for column in np.flatnonzero(~np.any(matrix.values, axis=0)):
        yield Problem(
            matrix.path,
            f"sample {matrix.columns[column]}",
            "no count at all",
            "a sequenced sample",
            "Remove the sample from sheet and matrix.",
            code="IN-090",
        )


def _wrong_sums(matrix: RawMatrix) -> Iterator[Problem]:
    sums = np.nansum(matrix.values, axis=0)
    odd = np.flatnonzero(sums > 1.02)
    if len(odd):
        shown = ", ".join(f"{sums[column]:.4g} in {matrix.columns[column]}" for column in odd[:EXAMPLES])
        yield Problem(
            matrix.path,
            f"{len(odd)} samples",
            f"proportions that sum to {shown}",
            "at most 1 per sample",
            "Give each cell type once, not a parent together with its subsets.",
            code="IN-091",
        )


def no_gene_without_zeros(matrix: RawMatrix) -> list[Problem]:
    """Refuse counts of which every gene has a zero: the median of ratios has no gene to be taken over."""
    counted = matrix.values > 0
    # a sample without any count is a problem of its own
    if not counted.size or counted.all(axis=1).any() or not counted.any(axis=0).all():
        return []
    most = counted.sum(axis=1).max()
    found = f"a zero in each of the {len(matrix.rows)} genes (the most frequent is counted in {most} of {counted.shape[1]} samples)"
    return [
        Problem(
            matrix.path,
            "size factors",
            found,
            "at least one gene without zeros for the median of ratios",
            "Set `normalization: {size_factors: poscounts}` in the config, or leave out samples with few counts.",
            code="IN-211",
        )
    ]
