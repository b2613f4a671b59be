"""Rows of a matrix that are no features: counters, sums, fit statistics, columns of the sheet. One record per kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stratifn.inputs.raw_matrix import RawMatrix, column_sums
from stratifn.inputs.types import as_number
from stratifn.shared.errors import Problem, listed
from stratifn.shared.vocabulary import CONCENTRATION, COUNTS, PROPORTION, VIEW_KINDS

# the row and why it is no feature
LeftOut = tuple[str, str]


@dataclass(frozen=True)
class NotFeature:
    """One kind of row that is known by its name alone.

    Attributes
    ----------
    kinds
        The kinds of view in which the name cannot be that of a feature.
    names
        Matches the whole name, in any case.
    what
        What the row is, for the note.
    """

    kinds: tuple[str, ...]
    names: re.Pattern[str]
    what: str


def _names(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# none of the names is a symbol of a human gene (NCBI's gene_info): SD, MAX, RIN and ID are, and are not here
NOT_FEATURES = (
    NotFeature(
        VIEW_KINDS,
        _names(r"__(no_feature|ambiguous|too_low_a?qual|not_aligned|alignment_not_unique)"),
        "HTSeq's counter of reads without a gene",
    ),
    NotFeature(
        (COUNTS,),
        _names(r"no_feature|ambiguous|too_low_a?qual|not_aligned|alignment_not_unique"),
        "HTSeq's counter of reads without a gene",
    ),
    NotFeature(
        VIEW_KINDS, _names(r"N_(unmapped|multimapping|noFeature|ambiguous)"), "STAR's counter of reads without a gene"
    ),
    NotFeature((COUNTS,), _names(r"Assigned|Unassigned_\w+"), "featureCounts' counter of reads"),
    NotFeature(VIEW_KINDS, _names(r"ERCC-\d{5}"), "a spike-in control"),
    NotFeature(VIEW_KINDS, _names(r"AFFX-.+|(POS|NEG)_[A-H]\(\d+(\.\d+)?\)"), "a control probe"),
    NotFeature(
        VIEW_KINDS,
        _names(r"p[-_. ]?val(ue)?|correlation|rmse|absolute[ .]score([ .]\(?sig\.score\)?)?"),
        "a statistic of the deconvolution, not a cell type",
    ),
    NotFeature(
        VIEW_KINDS,
        _names(r"(grand[ _])?totals?|sub[-_ ]?totals?|sums?|total[ _]counts?|lib(rary)?[-_. ]?size"),
        "a sum over features",
    ),
    NotFeature(VIEW_KINDS, _names(r"means?|averages?|medians?|std[-_. ]?dev|stdev"), "a summary of features"),
    NotFeature(
        VIEW_KINDS,
        _names(
            r"((sample|patient|subject|plate)([-_. ]?(id|no|name|number))?)|age|sex|gender|disease|diagnosis|batch|visit"
            r"|centre|center|site|condition|bmi|ethnicity|treatment|timepoint|run|lane|well|barcode|sentrix_(id|position)"
        ),
        "a column of a sample sheet",
    ),
)
# a table that pandas or R wrote with its row numbers
_ROW_NUMBERS = _names(r"unnamed: \d+|index|level_\d+|x(\.\d+)?|v1|row|rownames?|nr\.?|no\.?")
# fewer samples may agree by chance
FEWEST_TO_COMPARE = 3
FEWEST_ROW_NUMBERS = 5
# printed digits end here: exact for counts, three digits of a share
SUM_TOLERANCE = {COUNTS: 1e-6, PROPORTION: 2e-3, CONCENTRATION: 1e-4}
# of rows that are samples: from here on the matrix holds pairs of samples
MOSTLY_SAMPLES = 0.8
FIRST_COLUMNS = 8


def without_other_rows(
    matrix: RawMatrix, kind: str, samples: pd.DataFrame, columns: Mapping[str, str]
) -> tuple[RawMatrix, list[LeftOut], list[Problem]]:
    """Leave out the rows that are certainly no features, and refuse what may be none.

    Parameters
    ----------
    matrix
        Features x samples; it is of no more use afterwards.
    kind
        Of the view.
    samples
        The sheet in our words.
    columns
        The config's `columns`: our name of a column to the sheet's.

    Returns
    -------
    matrix, left_out, problems
        The matrix without them; which rows and why; what cannot be decided.
    """
    if problem := _of_pairs(matrix, samples["sample"].tolist()):
        return matrix, [], [problem]
    named = _by_name(matrix.rows, kind)
    named |= dict.fromkeys(_row_numbers(matrix), "row numbers")
    total = _sum_row(matrix, kind, sorted(named))
    if total is not None:
        named[total] = "the sum of the other rows, in every sample"
    if named and len(named) == len(matrix.rows):
        found = f"only rows that are no features: {listed(matrix.rows)}"
        fix = "Give the matrix of features, not its summary."
        return matrix, [], [Problem(matrix.path, "rows", found, "features", fix, code="IN-102")]
    left_out = [(matrix.rows[row], f"not a feature: {named[row]}") for row in sorted(named)]
    if named:
        matrix = matrix.with_rows(np.delete(np.arange(len(matrix.rows)), sorted(named)))
    return matrix, left_out, _of_the_sheet(matrix, samples, columns)


def _by_name(rows: list[str], kind: str) -> dict[int, str]:
    records = [record for record in NOT_FEATURES if kind in record.kinds]
    # one pass over the names of a whole methylome
    any_of_them = re.compile("|".join(f"(?:{record.names.pattern})" for record in records), re.IGNORECASE)
    found = [row for row, name in enumerate(rows) if any_of_them.fullmatch(name)]
    return {row: next(record.what for record in records if record.names.fullmatch(rows[row])) for row in found}


def _row_numbers(matrix: RawMatrix) -> list[int]:
    size = len(matrix.columns)
    if size < FEWEST_ROW_NUMBERS:
        return []
    return [
        row
        for row, name in enumerate(matrix.rows)
        if _ROW_NUMBERS.fullmatch(name)
        and matrix.values[row, 0] in (0, 1)
        and np.array_equal(matrix.values[row], matrix.values[row, 0] + np.arange(size))
    ]


def _sum_row(matrix: RawMatrix, kind: str, without: list[int]) -> int | None:
    """Find a row that is the sum of all others in every sample: twice it is the sum of all rows."""
    if kind not in SUM_TOLERANCE or len(matrix.columns) < FEWEST_TO_COMPARE or len(matrix.rows) - len(without) < 3:
        return None
    tolerance = SUM_TOLERANCE[kind]

    def candidates(columns: slice, rows: np.ndarray) -> np.ndarray:
        values = matrix.values[:, columns]
        total = column_sums(values) - column_sums(values[without])
        return rows[np.all((total > 0) & np.isclose(2 * values[rows], total, rtol=tolerance, atol=0), axis=1)]

    others = np.delete(np.arange(len(matrix.rows)), without)
    # a few samples tell which row it may be, and only then all of them are looked at
    rows = candidates(slice(FIRST_COLUMNS), others)
    rows = candidates(slice(None), rows) if len(rows) else rows
    # of two such rows all others are 0: nothing tells which one is the sum
    return int(rows[0]) if len(rows) == 1 else None


def _of_pairs(matrix: RawMatrix, samples: list[str]) -> Problem | None:
    """Refuse a matrix of pairs of samples (correlations, distances), in which features cannot be told from samples."""
    rows, columns = set(matrix.rows), set(matrix.columns)
    both = rows & columns if columns & set(samples) else set()
    if len(both) < max(2, MOSTLY_SAMPLES * len(rows)):
        return None
    found = f"{len(both)} of {len(matrix.rows)} rows called like samples: {listed(sorted(both), 5)}"
    expected = "features on one side and samples on the other"
    fix = "Give the measurements, not correlations or distances of samples; if features have numbers, prefix them."
    return Problem(matrix.path, "row ids", found, expected, fix, code="IN-100")


def _of_the_sheet(matrix: RawMatrix, samples: pd.DataFrame, columns: Mapping[str, str]) -> list[Problem]:
    """List rows that have the name and the values of a column of the sheet: it may be a feature or a covariate."""
    named = {name.casefold(): name for name in samples.columns if name != "sample"}
    named |= {theirs.casefold(): ours for ours, theirs in columns.items() if ours in samples.columns}
    rows = {row: named[name.casefold()] for row, name in enumerate(matrix.rows) if name.casefold() in named}
    if not rows:
        return []
    copies = Counter(matrix.columns)
    places = {name: place for place, name in enumerate(matrix.columns) if copies[name] == 1}
    shared = samples[samples["sample"].isin(places)]
    at = [places[name] for name in shared["sample"]]
    problems = []
    for row, column in rows.items():
        if len(at) >= FEWEST_TO_COMPARE and _same(_written(matrix, row, at), shared[column]):
            found = f"the values of the sheet's column `{column}`"
            fix = "Remove it from the matrix; if it is a feature, remove or rename the column of the sheet."
            where = f"row {matrix.rows[row]}"
            problems.append(Problem(matrix.path, where, found, "a feature", fix, code="IN-101"))
    return problems


def _written(matrix: RawMatrix, row: int, at: list[int]) -> pd.Series:
    """Return the cells of a row, text where they are text."""
    return pd.Series([matrix.texts.get((row, place), matrix.values[row, place]) for place in at], dtype=object)


def _same(cells: pd.Series, column: pd.Series) -> bool:
    """Tell whether two columns say the same: equal, or codes of the same groups."""
    column = column.reset_index(drop=True)
    if column.nunique() < 2 or cells.nunique() < 2:
        return False
    theirs, ours = (each.map(lambda cell: as_number(str(cell))).astype(float) for each in (cells, column))
    if not theirs.isna().all() and not ours.isna().all():
        # a matrix of float32 has seven digits
        return bool(np.allclose(theirs, ours, rtol=1e-6, atol=0, equal_nan=True))
    pairs = pd.DataFrame({"cell": cells, "sheet": column}).dropna().drop_duplicates()
    return len(pairs) > 1 and pairs["cell"].is_unique and pairs["sheet"].is_unique and len(pairs) < len(cells)
