"""The samples of a cohort as every phase after `inputs` sees them."""

from __future__ import annotations

import os

import pandas as pd

from stratifn.shared.tables import MISSING

TEXT_COLUMNS = ("sample", "patient", "disease", "sex", "batch", "visit")
IN_VIEW = "in_"


def read_samples(path: str | os.PathLike) -> pd.DataFrame:
    """Read ``inputs/samples.tsv``, one row per sample.

    Columns are numbers where every cell is one, booleans for `in_<view>`, and text elsewhere; `sample`, `patient`,
    `disease`, `sex`, `batch` and `visit` stay text whatever they look like.
    """
    text = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return typed_samples(text)


def typed_samples(text: pd.DataFrame) -> pd.DataFrame:
    """Give a table of text the types that `read_samples` describes."""
    typed = text.copy()
    for column in typed.columns:
        if column in ("sample", "patient", "disease"):
            continue
        cells = typed[column].astype(object).where(~typed[column].isin([MISSING, ""]))
        if column.startswith(IN_VIEW) and cells.isin(["true", "false"]).all():
            typed[column] = cells.eq("true")
            continue
        numbers = pd.to_numeric(cells, errors="coerce")
        is_number = column not in TEXT_COLUMNS and not (numbers.isna() & cells.notna()).any() and cells.notna().any()
        typed[column] = numbers if is_number else cells
    return typed
