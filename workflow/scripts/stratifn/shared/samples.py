"""The samples of a cohort as every phase after `inputs` sees them: a table, and beside it the types of its columns.

Validation decides the types; they are read from ``samples.types.json`` ever after, and nothing looks at cells to guess
one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from stratifn.shared.columns import Column, Table
from stratifn.shared.files import reading, write_json
from stratifn.shared.machine import damaged
from stratifn.shared.tables import read_table, write_table
from stratifn.shared.vocabulary import IN_VIEW

TEXT, FACTOR, NUMBER, BOOLEAN = "text", "factor", "number", "boolean"
# ids and labels of the sheet, of which none is missing: `NA` is a name there
NAMES = ("sample", "patient", "disease")
# what names a person or a sample is no variable
IDS = ("sample", "patient")


def types_path(path: str | os.PathLike) -> Path:
    """Return the path of the types of a table of samples: beside it."""
    return Path(path).with_suffix(".types.json")


def write_samples(samples: pd.DataFrame, path: str | os.PathLike) -> None:
    """Write the samples, and the types of their columns beside them.

    Parameters
    ----------
    samples
        One row per sample; columns of numbers, of truth values and of text. Numbers are printed so that the same
        ones are read back.
    path
        ``samples.tsv``; the types go to ``samples.types.json``.
    """
    types = column_types(samples)
    write_json(types, types_path(path))
    write_table(samples, path, _table(types))


def column_types(samples: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return per column its `type`, and the `levels` of a factor.

    A column of text is a factor, unless it holds ids, or no value twice (a date, a comment).
    """
    return {str(name): _column_type(samples[name]) for name in samples.columns}


def _column_type(values: pd.Series) -> dict[str, object]:
    if pd.api.types.is_bool_dtype(values):
        return {"type": BOOLEAN}
    if is_number(values):
        return {"type": NUMBER}
    known = values.dropna().astype(str)
    if values.name in IDS or known.is_unique:
        return {"type": TEXT}
    return {"type": FACTOR, "levels": sorted(known.unique())}


def read_samples(path: str | os.PathLike) -> pd.DataFrame:
    """Read the samples with the types from the file beside them.

    Returns
    -------
    pandas.DataFrame
        One row per sample: numbers as float64, `in_<view>` as bool, factors and other text as text; NaN where missing.

    Raises
    ------
    MachineError
        One of the two files is damaged, the file of types is missing, or it has other columns than the table.
    """
    beside = types_path(path)
    with reading(beside):
        types = json.loads(beside.read_text(encoding="utf-8"))
        table = _table(types)
    samples = read_table(path, table)
    if set(samples.columns) != set(types):
        raise damaged(path, f"it has other columns than {beside.name} names")
    return samples


def _table(types: dict[str, dict[str, object]]) -> Table:
    kinds = {TEXT: "text", FACTOR: "text", NUMBER: "number", BOOLEAN: "boolean"}
    # a membership is always known
    return Table(
        "inputs/samples.tsv",
        {
            name: Column(kinds[str(one["type"])], missing=name not in NAMES and one["type"] != BOOLEAN)
            for name, one in types.items()
        },
    )


def is_number(values: pd.Series) -> bool:
    """Tell whether a column is a number; everything else is a factor."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def covariates(samples: pd.DataFrame) -> list[str]:
    """Return the columns that are variables: neither ids nor the truth values `in_<view>`."""
    return [
        name
        for name, values in samples.items()
        if name not in IDS and not (str(name).startswith(IN_VIEW) and pd.api.types.is_bool_dtype(values))
    ]


def measured_views(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the columns `in_<view>` that differ between the samples, as words."""
    names = [name for name in samples if str(name).startswith(IN_VIEW) and pd.api.types.is_bool_dtype(samples[name])]
    return samples[[name for name in names if samples[name].nunique() > 1]].replace({True: "yes", False: "no"})
