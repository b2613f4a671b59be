"""Concentrations beyond what an assay can measure: `<x`, `>x`, `OOR <`, `ND` and their like, and rows of limits."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.shared.errors import listed

_NUMBER = r"(?P<number>\d*\.?\d+(?:[eE][+-]?\d+)?|\d+\.)"
_BELOW = re.compile(rf"<\s*{_NUMBER}")
_ABOVE = re.compile(rf">\s*{_NUMBER}")
# Bio-Plex marks values beyond the standard curve so
_EXTRAPOLATED = re.compile(rf"\*\s*{_NUMBER}")
_LOWER, _UPPER = r"l?lod|l?loq|lob|mdd|min(imum)?", r"u?loq|u?lod|hod|max(imum)?"
_BELOW_WORD = re.compile(
    rf"oor\s*<|<\s*oor|<\s*({_LOWER})?|below\s*({_LOWER}|range)|b(lo?q|ld|dl)|n\.?d\.?|not detect(ed|able)|undetect(ed|able)",
    re.I,
)
_ABOVE_WORD = re.compile(rf"oor\s*>|>\s*oor|>\s*({_UPPER})?|above\s*({_UPPER}|range)|a(lo?q|lod)", re.I)
_DETECTION = re.compile(r"l?lod|mdd|(lower )?limit of detection", re.I)
_QUANTIFICATION = re.compile(r"l?loq|(lower )?limit of quanti(fi|t)cation", re.I)
_LARGEST = re.compile(r"uloq|ulod|hod|upper limit of (quanti(fi|t)cation|detection)", re.I)
_OF_QUANTIFICATION = re.compile(r"loq|bloq|blq", re.I)


@dataclass(frozen=True)
class StatedLimits:
    """Limits that a file states in columns (or rows) of their own, per feature; NaN where it states none."""

    detection: np.ndarray
    quantification: np.ndarray
    largest: np.ndarray

    def lower(self, text: str) -> np.ndarray:
        """Return the limits that a cell such as ``<LLOQ`` or ``OOR <`` means."""
        first, second = self.detection, self.quantification
        if _OF_QUANTIFICATION.search(text):
            first, second = second, first
        return np.where(np.isnan(first), second, first)


def stated_limits(matrix: RawMatrix, samples: Collection[str]) -> tuple[RawMatrix, StatedLimits]:
    """Take the columns ``LOD``, ``LLOQ``, ``ULOQ`` and their like, which are no samples, out of a matrix.

    Parameters
    ----------
    matrix
        Features x samples.
    samples
        Ids of the sheet; a column of such a name is a sample.
    """
    found: dict[str, np.ndarray] = {}
    rest = []
    for number, name in enumerate(matrix.columns):
        kind = next(
            (
                kind
                for kind, form in (
                    ("detection", _DETECTION),
                    ("quantification", _QUANTIFICATION),
                    ("largest", _LARGEST),
                )
                if form.fullmatch(name) and name not in samples
            ),
            None,
        )
        if kind is None:
            rest.append(number)
        else:
            column = matrix.values[:, number].astype(float)
            found[kind] = np.fmax(found[kind], column) if kind in found else column
    none = np.full(len(matrix.rows), np.nan)
    limits = StatedLimits(*(found.get(kind, none) for kind in ("detection", "quantification", "largest")))
    if not found:
        return matrix, limits
    names = [name for number, name in enumerate(matrix.columns) if number not in set(rest)]
    matrix = matrix.with_columns(np.array(rest, dtype=int))
    note = ("sample ids", f"limits of the assay, which are no samples: {listed(names)}")
    return replace(matrix, corrections=[*matrix.corrections, note]), limits


@dataclass
class _Beyond:
    """What was found while the cells beyond the limits are read."""

    lod: np.ndarray
    below: np.ndarray
    left: dict[tuple[int, int], str] = field(default_factory=dict)
    unstated: dict[int, set[str]] = field(default_factory=dict)
    above: list[tuple[int, int, str]] = field(default_factory=list)
    extrapolated: int = 0


def censored(matrix: RawMatrix, stated: StatedLimits) -> RawMatrix:
    """Read the cells that lie beyond a limit.

    A cell below a limit keeps no value; its feature gets the largest limit that its cells, or the file, state, and
    the smallest value measured of it where nothing is stated. A cell above a limit gets the limit, and the largest
    value measured of its feature where nothing is stated. No other number is made up: without any the cell is missing.

    Parameters
    ----------
    matrix
        Features x samples; `values` is changed.
    stated
        What `stated_limits` has taken out of it.

    Returns
    -------
    RawMatrix
        With `lod` and `below`, a note on what was not as plain as ``<x``, and in `texts` only what is still no number.
    """
    found = _Beyond(stated.lower(""), np.zeros(matrix.values.shape, dtype=bool))
    cells_below: dict[int, float] = {}
    words: dict[tuple[int, int], str] = {}
    for (row, column), text in matrix.texts.items():
        if match := _BELOW.fullmatch(text):
            cells_below[row] = max(cells_below.get(row, 0.0), float(match["number"]))
            found.below[row, column] = True
        elif match := _EXTRAPOLATED.fullmatch(text):
            matrix.values[row, column] = float(match["number"])
            found.extrapolated += 1
        elif match := _ABOVE.fullmatch(text):
            found.above.append((row, column, text))
            matrix.values[row, column] = float(match["number"])
        elif _BELOW_WORD.fullmatch(text) or _ABOVE_WORD.fullmatch(text):
            words[row, column] = text
        else:
            found.left[row, column] = text
    for row, limit in cells_below.items():
        found.lod[row] = limit
    notes = _read_words(matrix, stated, found, words, set(cells_below))
    return replace(
        matrix, texts=found.left, lod=found.lod, below=found.below, corrections=[*matrix.corrections, *notes]
    )


def _read_words(
    matrix: RawMatrix, stated: StatedLimits, found: _Beyond, words: dict[tuple[int, int], str], known: set[int]
) -> list[Correction]:
    """Read the cells that name a limit and no number; return the notes."""
    notes: list[Correction] = []
    rows: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in words.items():
        rows.setdefault(row, []).append((column, text))
    lost: dict[str, int] = {}
    for row, cells in sorted(rows.items()):
        measured = matrix.values[row][np.isfinite(matrix.values[row])]
        positive = measured[measured > 0]
        low = [(column, text) for column, text in cells if _BELOW_WORD.fullmatch(text)]
        high = [(column, text) for column, text in cells if not _BELOW_WORD.fullmatch(text)]
        if low and row not in known:
            limit = np.fmax.reduce([stated.lower(text)[row] for _, text in low])
            if np.isnan(limit) and len(positive):
                limit = positive.min()
                marks = listed(sorted({f"`{text}`" for _, text in low}))
                reason = (
                    f"{marks} in {len(low)} samples, without a limit: below the smallest measured value ({limit:g})"
                )
                notes.append((matrix.rows[row], reason))
            found.lod[row] = limit
        if low and np.isfinite(found.lod[row]):
            found.below[row, [column for column, _ in low]] = True
        elif low:
            lost[matrix.rows[row]] = len(low)
        if high:
            limit = stated.largest[row]
            if np.isnan(limit) and len(measured):
                limit = measured.max()
            matrix.values[row, [column for column, _ in high]] = limit
            found.above += [(row, column, text) for column, text in high]
    low_words = sorted(text for text in words.values() if _BELOW_WORD.fullmatch(text))
    if low_words:
        marks = listed(f"`{text}`" for text in dict.fromkeys(low_words))
        notes.append(("values", f"below the limit: {len(low_words)} cells without a number ({marks})"))
    if lost:
        shown = listed(f"{name} ({count})" for name, count in lost.items())
        notes.append(("values", f"below a limit that is not stated, in features without any measured value: {shown}"))
    return [*notes, *_said(matrix, found)]


def _said(matrix: RawMatrix, found: _Beyond) -> list[Correction]:
    """Count what lies above a limit, and what was extrapolated."""
    notes: list[Correction] = []
    if found.above:
        row, column, text = found.above[0]
        example = f"`{text}` of {matrix.rows[row]} in {matrix.columns[column]} as {matrix.values[row, column]:g}"
        notes.append(("values", f"above the limit: {len(found.above)} cells read as the limit ({example})"))
    if found.extrapolated:
        notes.append(("values", f"extrapolated: {found.extrapolated} cells such as `*x` read as x"))
    return notes
