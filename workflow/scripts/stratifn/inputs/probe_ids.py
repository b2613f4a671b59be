"""Probes of methylation arrays by the ids that all versions of the arrays share."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.shared.errors import listed

# EPIC v2 writes the strand, the colour and the number of the replicate behind the id
_EPIC_V2 = re.compile(r"((?:cg|ch|nv|rs)[A-Za-z0-9.-]+)_[TB][CO]\d+")


def with_replicates_averaged(matrix: RawMatrix) -> RawMatrix:
    """Call probes as the arrays before EPIC v2 do, and average those that it measures several times.

    Illumina, Infinium MethylationEPIC v2.0: ``cg00000029_TC21`` is the first replicate of ``cg00000029`` on the top
    strand. A replicate without a value does not count.

    Parameters
    ----------
    matrix
        Features x samples; `values` is changed. One without such ids is returned as it is.
    """
    # of 900,000 ids the first ones tell
    if not any(_EPIC_V2.fullmatch(name) for name in matrix.rows[:2000]):
        return matrix
    names = [match[1] if (match := _EPIC_V2.fullmatch(name)) else name for name in matrix.rows]
    changed = sum(new != old for new, old in zip(names, matrix.rows, strict=True))
    places: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        places.setdefault(name, []).append(number)
    repeated = {name: rows for name, rows in places.items() if len(rows) > 1}
    for rows in repeated.values():
        matrix.values[rows[0]] = _mean(matrix.values[rows])
    notes = [("feature ids", f"EPIC v2: {changed} probes called without their suffix (`{matrix.rows[0]}`)")]
    if repeated:
        count = sum(map(len, repeated.values()))
        reason = f"EPIC v2: {count} replicates averaged to {len(repeated)} probes: {listed(repeated)}"
        notes.append(("feature ids", reason))
    matrix = replace(matrix, rows=names, corrections=[*matrix.corrections, *notes])
    return matrix.with_rows(np.array([rows[0] for rows in places.values()], dtype=int))


def _mean(replicates: np.ndarray) -> np.ndarray:
    """Mean of what was measured; NaN where nothing was."""
    measured = ~np.isnan(replicates)
    count = measured.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.where(measured, replicates, 0).sum(axis=0, dtype=float) / np.where(count, count, np.nan)
