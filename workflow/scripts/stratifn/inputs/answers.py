"""Yes, no and not known: whatever words a sheet uses become ``yes``, ``no`` and missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from stratifn.shared.errors import listed
from stratifn.shared.vocabulary import NO, NO_WORDS, NOT_KNOWN_WORDS, PLAIN_ANSWERS, QUESTIONS, YES, YES_WORDS

Note = tuple[str, str, str, str]


def answered(
    samples: pd.DataFrame, schema: Mapping[str, Any], declared: Collection[str]
) -> tuple[pd.DataFrame, list[Note]]:
    """Write the answers of every question of the sheet in our words.

    Questions are the columns that the schema calls so (there, what is no answer is kept: the name of a drug),
    columns named after an autoantibody or a treatment all of whose cells are answers, and columns that write the same
    answer in two ways (``Yes`` and ``TRUE``), which would otherwise be two groups.

    Parameters
    ----------
    samples
        Text, NaN where missing.
    schema
        JSON Schema of a row of the sheet; a column with ``question`` asks one.
    declared
        Columns whose type the config names: they are left alone.

    Returns
    -------
    pandas.DataFrame
        The samples with ``yes``, ``no`` or NaN for every answer.
    list of tuple
        Notes (view, item, what, reason) about the words that were read as another one.
    """
    samples, notes = samples.copy(), []
    for column in samples.columns:
        rule = schema["properties"].get(column)
        if rule is None and column not in declared and _asks(column, samples[column]) or rule and rule.get("question"):
            given = samples[column]
            samples[column] = given.map(_answer)
            notes += _notes(column, given, samples[column])
    return samples, notes


def _asks(column: str, given: pd.Series) -> bool:
    """Tell whether a column that the schema does not know is a question; a dose is not, even if all are 0 or 1."""
    if not any(name.fullmatch(column) for name in QUESTIONS):
        return _several_ways(given)
    if column.lower().endswith("_mg"):
        return False
    words = set(given.dropna().str.lower())
    return bool(words & (YES_WORDS | NO_WORDS)) and words <= YES_WORDS | NO_WORDS | NOT_KNOWN_WORDS


def _several_ways(given: pd.Series) -> bool:
    """Tell whether all cells are answers, some of them in words, and one answer is written in two ways."""
    written = pd.Series(given.dropna().unique(), dtype=object)
    words = written.str.lower()
    if not set(words) <= PLAIN_ANSWERS or words.isin(["0", "0.0", "1", "1.0"]).all():
        return False
    return bool(written.map(_answer).duplicated().any())


def _answer(cell: object) -> object:
    word = str(cell).lower()
    if word in YES_WORDS:
        return YES
    if word in NO_WORDS:
        return NO
    return np.nan if word in NOT_KNOWN_WORDS else cell


def _notes(column: str, given: pd.Series, read: pd.Series) -> list[Note]:
    notes = []
    renamed = given[read.isin([YES, NO]) & given.ne(read)]
    if len(renamed):
        pairs = sorted({f"{theirs} as {ours}" for theirs, ours in zip(renamed, read[renamed.index], strict=True)})
        notes.append(("samples", column, "renamed", f"read {listed(pairs)}"))
    unknown = given[given.notna() & read.isna()]
    if len(unknown):
        words = listed(sorted(set(unknown)))
        notes.append(("samples", column, "missing", f"{words} read as not known, in {len(unknown)} samples"))
    return notes
