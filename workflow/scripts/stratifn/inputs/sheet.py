"""The sample sheet: the user's names for columns and groups translated into ours, and the problems in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stratifn.inputs.answers import answered
from stratifn.inputs.near import near_matches
from stratifn.inputs.types import as_number, cells_named, typed_sheet
from stratifn.shared.errors import Problem, listed
from stratifn.shared.vocabulary import ID_PATTERN, MISSING_MARKS, NOT_STATED

REQUIRED = ("sample", "disease")
FIRST_COLUMNS = ("sample", "patient", "disease", "sex", "age", "batch")
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


@dataclass(frozen=True)
class Groups:
    """Which labels of the column `disease` belong to the analysis.

    Attributes
    ----------
    diseases
        Labels of the diseases of this cohort, in order.
    control
        Label of the controls, or None.
    known
        Other labels of the run: samples with them are left out and counted, not refused.
    free
        Every label is analysed, and a sample without one is called `NOT_STATED`: new patients, who are compared with
        a reference and not with one another.
    """

    diseases: Sequence[str]
    control: str | None
    known: Sequence[str] = ()
    free: bool = False

    @property
    def analysed(self) -> list[str]:
        """Labels whose samples are analysed."""
        return [*self.diseases, *([self.control] if self.control is not None else [])]


ANY_GROUP = Groups((), None, free=True)


def any_group(control: str | None) -> Groups:
    """Return the groups of new patients; a control that is named must occur among them."""
    return Groups((), control, free=True)


@dataclass(frozen=True)
class Sheet:
    """The sheet in our own words.

    Attributes
    ----------
    samples
        One row per analysed sample, sorted by `sample`; numbers as float64, everything else text, NaN for missing.
    left_out
        Sample ids of diseases that this cohort leaves out.
    notes
        Rows (view, item, what, reason) about what was left out or renamed.
    """

    samples: pd.DataFrame
    left_out: list[str]
    notes: list[tuple[str, str, str, str]]


def mapped_sheet(
    raw: pd.DataFrame,
    path: str,
    columns: Mapping[str, str],
    labels: Mapping[str, str],
    groups: Groups,
    schema: Mapping[str, Any],
    types: Mapping[str, str],
    design: str = "",
) -> tuple[Sheet | None, list[Problem]]:
    """Apply `columns`, `labels` and `types`, and collect every problem.

    Parameters
    ----------
    raw
        The sheet as read, all text.
    path
        Its name in messages.
    columns
        Our column name to the sheet's.
    labels
        Our disease label to the sheet's.
    groups
        The labels of the analysis.
    schema
        JSON Schema of a row of the sheet.
    types, design
        As for `stratifn.inputs.types.typed_sheet`.

    Returns
    -------
    Sheet or None, list of Problem
        None when the columns themselves are wrong, so that nothing more can be said.
    """
    renamed, problems = _renamed(raw, path, columns, ("sample",) if groups.free else REQUIRED)
    if problems:
        return None, problems
    if groups.free:
        renamed["disease"] = _stated(renamed)
    renamed["disease"], label_problems = _relabelled(renamed["disease"], path, labels)
    if groups.free:
        groups = Groups(sorted(set(renamed["disease"]) - {groups.control}), groups.control)
    problems = [*label_problems, *_id_problems(renamed, path), *_group_problems(renamed["disease"], path, groups)]
    samples, notes = _covariates(renamed)
    samples, answers = answered(samples, schema, types)
    notes += answers
    problems += cell_problems(samples, path, schema)
    left_out = sorted(samples.loc[~samples["disease"].isin(groups.analysed), "sample"])
    notes += [
        ("samples", name, "left out", f"disease {disease} is not among this cohort's diseases")
        for name, disease in zip(samples["sample"], samples["disease"], strict=True)
        if name in set(left_out)
    ]
    kept = samples[samples["disease"].isin(groups.analysed)].sort_values("sample", kind="stable")
    problems += _patient_problems(kept, path)
    notes += _not_masked(kept)
    kept, type_problems = typed_sheet(kept, path, types, design, schema)
    problems += type_problems
    return Sheet(kept.reset_index(drop=True), left_out, notes), problems


def _stated(sheet: pd.DataFrame) -> pd.Series:
    if "disease" not in sheet:
        return pd.Series(NOT_STATED, sheet.index)
    return sheet["disease"].map(lambda cell: NOT_STATED if cell in MISSING_MARKS else cell)


def _renamed(
    raw: pd.DataFrame, path: str, columns: Mapping[str, str], required: Sequence[str]
) -> tuple[pd.DataFrame, list[Problem]]:
    problems = [
        _no_column(path, f"`columns: {{{ours}: {theirs}}}`", theirs, raw.columns)
        for ours, theirs in columns.items()
        if theirs not in raw.columns
    ]
    if problems:
        return raw, problems
    hidden = [ours for ours, theirs in columns.items() if ours in raw.columns and ours != theirs]
    if hidden:
        fix = "Rename the sheet's own column or drop the mapping."
        found = f"`{hidden[0]}` both in the sheet and mapped"
        return raw, [Problem(path, "columns", found, "one column of that name", fix)]
    renamed = raw.rename(columns={theirs: ours for ours, theirs in columns.items()})
    renamed.columns = [re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("_") or "unnamed" for name in renamed.columns]
    repeated = [name for name, count in Counter(renamed.columns).items() if count > 1]
    problems = [Problem(path, "header", f"`{name}` twice", "each column once", "Rename one.") for name in repeated]
    problems += [_no_column(path, "header", name, raw.columns) for name in required if name not in renamed.columns]
    return renamed, problems


def _no_column(path: str, where: str, name: str, present: Sequence[str]) -> Problem:
    near = near_matches([name], present)
    hint = f"Did you mean `{near[name]}`? " if near else ""
    fix = f"{hint}Name it in the sheet, or map it with `columns:` in the config."
    return Problem(path, where, f"no column `{name}` (there are {listed(map(str, present))})", f"`{name}`", fix)


def _relabelled(disease: pd.Series, path: str, labels: Mapping[str, str]) -> tuple[pd.Series, list[Problem]]:
    present = set(disease)
    problems = [
        Problem(
            path,
            "column disease",
            f"no sample labelled `{theirs}` (there are {listed(sorted(present))})",
            f"`{theirs}`, to which `labels` maps {ours}",
            "Correct `labels` in the config or the sheet.",
        )
        for ours, theirs in labels.items()
        if theirs not in present
    ]
    return disease.replace({theirs: ours for ours, theirs in labels.items()}), problems


def _id_problems(samples: pd.DataFrame, path: str) -> Iterator[Problem]:
    ids = samples["sample"].tolist()
    for name, count in Counter(ids).items():
        if count > 1:
            rows = [str(row + 2) for row, other in enumerate(ids) if other == name]
            yield Problem(
                path,
                f"lines {', '.join(rows)}",
                f"the sample `{name}` {count} times",
                "each sample once",
                "Remove or rename the copies.",
            )
    by_case = Counter(name.lower() for name in set(ids))
    for name in sorted({name for name in ids if by_case[name.lower()] > 1}):
        yield Problem(
            path, f"sample {name}", "another id that differs only by case", "ids that differ by more", "Rename one."
        )
    odd = [(row, name) for row, name in enumerate(ids) if not ID_PATTERN.match(name) or ".." in name]
    for row, name in odd[:20]:
        yield Problem(
            path,
            f"line {row + 2}",
            f"the sample id {name!r}",
            "letters, digits, `_`, `.`, `-`, at most 64",
            "Rename it here and in the matrices.",
        )


def _group_problems(disease: pd.Series, path: str, groups: Groups) -> Iterator[Problem]:
    counts = Counter(disease)
    known = [*groups.analysed, *groups.known]
    unknown = sorted(set(counts) - set(known))
    near = near_matches(unknown, known)
    for label in unknown:
        hint = f"Did you mean `{near[label]}`? " if label in near else ""
        fix = f"{hint}Add it to `diseases`, map it with `labels`, or remove these samples."
        found = f"`{label}` in {counts[label]} samples"
        yield Problem(path, "column disease", found, f"one of {listed(known)}", fix)
    for label in groups.diseases:
        if not counts[label]:
            yield Problem(
                path,
                "column disease",
                f"no sample with `{label}`",
                "samples of every disease that the config lists",
                "Correct the sheet, `labels` or `diseases`.",
            )
    if groups.control is not None and not counts[groups.control]:
        yield Problem(
            path,
            "column disease",
            f"no sample with the control label `{groups.control}`",
            "controls",
            "Correct the sheet or `labels`, or set `control: null` if there are none.",
        )


def _covariates(samples: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str, str, str]]]:
    """Add `patient`, empty the cells that mean missing, and write sex as F and M."""
    samples = samples.copy()
    notes: list[tuple[str, str, str, str]] = []
    if "patient" not in samples:
        samples["patient"] = samples["sample"]
    for column in samples.columns.difference(["sample", "patient", "disease"]):
        samples[column] = samples[column].map(lambda cell: np.nan if cell in MISSING_MARKS else cell)
    if "sex" in samples:
        given = samples["sex"]
        samples["sex"] = given.map(lambda cell: SEXES.get(str(cell).lower(), cell))
        if not given.equals(samples["sex"]):
            notes.append(("samples", "sex", "renamed", f"{listed(sorted(set(given.dropna())))} read as F and M"))
    rest = [name for name in samples.columns if name not in FIRST_COLUMNS]
    return samples[[name for name in FIRST_COLUMNS if name in samples] + rest], notes


def _not_masked(samples: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """Say for how many samples it is not known whether a drug masks the class."""
    unknown = int(samples["anti_ifn"].isna().sum()) if "anti_ifn" in samples else 0
    if unknown:
        reason = f"in {unknown} of {len(samples)} samples: they are classed as if untreated"
        yield "samples", "anti_ifn", "not known", reason


def cell_problems(samples: pd.DataFrame, path: str, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Check every known column of the text sheet against the schema of the samples."""
    from jsonschema import Draft202012Validator

    for column, rule in schema["properties"].items():
        if column not in samples or column == "sample":
            continue
        validator = Draft202012Validator(rule)
        cells = samples[column]
        odd = cells[[not validator.is_valid(_value(cell, rule)) for cell in cells]]
        if len(odd):
            fix = "Correct these cells, or leave them empty if the value is unknown."
            yield Problem(path, f"column {column}", cells_named(odd, samples["sample"]), _allowed(rule), fix)


def _value(cell: Any, rule: Mapping[str, Any]) -> Any:
    """Return what the schema is to judge: a number where it wants one and the cell is one."""
    if pd.isna(cell):
        return None
    number = as_number(cell) if "number" in rule.get("type", ()) else np.nan
    return cell if np.isnan(number) else number


def _allowed(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return " or ".join(str(value) for value in rule["enum"] if value is not None)
    limits = [f"from {rule['minimum']}"] if "minimum" in rule else []
    limits += [f"to {rule['maximum']}"] if "maximum" in rule else []
    kind = rule["type"][0] if isinstance(rule["type"], list) else rule["type"]
    return " ".join([f"a {kind}", *limits]) + (f" that matches {rule['pattern']}" if "pattern" in rule else "")


def _patient_problems(samples: pd.DataFrame, path: str) -> Iterator[Problem]:
    for patient, names in samples.groupby("patient")["sample"]:
        if len(names) > 1:
            yield Problem(
                path,
                f"patient {patient}",
                f"{len(names)} samples ({listed(names)})",
                "one sample per patient",
                "Keep one: repeated visits are not supported yet.",
            )
