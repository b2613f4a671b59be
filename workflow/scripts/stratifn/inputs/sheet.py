"""The sample sheet: the user's names for columns and groups translated into ours, and the problems in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stratifn.inputs.answers import Note, answered
from stratifn.inputs.levels import level_problems
from stratifn.inputs.near import near_matches
from stratifn.inputs.sheet_names import relabelled, renamed_columns
from stratifn.inputs.sheet_numbers import plain_numbers
from stratifn.inputs.types import as_number, cells_named, columns_of, typed_sheet
from stratifn.shared.errors import Problem, listed
from stratifn.shared.vocabulary import ID_PATTERN, MISSING, MISSING_MARKS, NOT_STATED

REQUIRED = ("sample", "disease")
FIRST_COLUMNS = ("sample", "patient", "disease", "sex", "age", "batch")
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}
# in PLINK 1 is male, elsewhere female
CODES_OF_SEX = frozenset({"0", "1", "2", "0.0", "1.0", "2.0"})


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
    notes: list[Note]


def mapped_sheet(
    raw: pd.DataFrame,
    path: str,
    columns: Mapping[str, str],
    labels: Mapping[str, str | Sequence[str]],
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
        Our disease label to the sheet's one, or to a list of them.
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
    renamed, notes, problems = renamed_columns(raw, path, columns, ("sample",) if groups.free else REQUIRED)
    if problems:
        return None, problems
    if groups.free:
        renamed["disease"] = _stated(renamed)
    named_patients = "patient" in renamed
    renamed["disease"], label_notes, label_problems = relabelled(renamed["disease"], path, labels)
    free = groups.free
    if free:
        groups = Groups(sorted(set(renamed["disease"]) - {groups.control}), groups.control)
    problems = [*label_problems, *_id_problems(renamed, path), *_group_problems(renamed["disease"], path, groups)]
    samples, covariate_notes, sex_problems = _covariates(renamed, path)
    samples, answer_notes = answered(samples, schema, types)
    samples, number_notes, number_problems = plain_numbers(samples, path, types, columns_of(design), schema)
    notes += [*label_notes, *covariate_notes, *answer_notes, *number_notes]
    problems += [*sex_problems, *number_problems]
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
    # ids are judged above; so are the labels of diseases where only those of the config are allowed
    names = {"sample"} | ({"disease"} if not free else set()) | ({"patient"} if not named_patients else set())
    used = {*schema["properties"], *types, *columns_of(design)}
    problems += level_problems(kept.drop(columns=list(names)), path, used)
    return Sheet(kept.reset_index(drop=True), left_out, notes), problems


def _stated(sheet: pd.DataFrame) -> pd.Series:
    if "disease" not in sheet:
        return pd.Series(NOT_STATED, sheet.index)
    return sheet["disease"].map(lambda cell: NOT_STATED if cell in MISSING_MARKS else cell)


def _id_problems(samples: pd.DataFrame, path: str) -> Iterator[Problem]:
    ids = samples["sample"]
    for name, same in ids.groupby(ids, sort=False):
        if len(same) > 1:
            yield Problem(
                path,
                f"lines {', '.join(map(str, same.index))}",
                f"the sample `{name}` {len(same)} times",
                "each sample once",
                "Remove or rename the copies.",
                code="IN-034",
            )
    by_case = Counter(name.lower() for name in set(ids))
    for name in sorted({name for name in ids if by_case[name.lower()] > 1}):
        found = "another id that differs only by case"
        yield Problem(path, f"sample {name}", found, "ids that differ by more", "Rename one.", code="IN-035")
    for line, name in ids.items():
        if not ID_PATTERN.match(name) or ".." in name:
            expected = "letters, digits, `_`, `.`, `-`, at most 64"
            fix = "Rename it here, and in the matrices (or give a view a file of `ids`)."
            yield Problem(path, f"line {line}", f"the sample id {name!r}", expected, fix, code="IN-036")


def _group_problems(disease: pd.Series, path: str, groups: Groups) -> Iterator[Problem]:
    counts = Counter(disease)
    known = list(dict.fromkeys([*groups.analysed, *groups.known]))
    unknown = sorted(set(counts) - set(known))
    near = near_matches(unknown, known)
    for label in unknown:
        hint = f"Did you mean `{near[label]}`? " if label in near else ""
        fix = f"{hint}Add it to `diseases`, map it with `labels`, or remove these samples."
        found = f"`{label}` in {counts[label]} sample{'s' if counts[label] > 1 else ''}"
        yield Problem(path, "column disease", found, f"one of {listed(known)}", fix, code="IN-037")
    yield from missing_groups(disease, path, groups)


def missing_groups(disease: pd.Series, path: str, groups: Groups, where: str = "") -> Iterator[Problem]:
    """List the diseases and the control that no sample has.

    Parameters
    ----------
    disease
        Our labels.
    path
        The sheet's name in messages.
    groups
        The labels of the analysis.
    where
        Among which samples, in words.
    """
    counts = Counter(disease)
    for label in groups.diseases:
        if not counts[label]:
            yield Problem(
                path,
                "column disease",
                f"no sample with `{label}`{where}",
                "samples of every disease that the config lists",
                "Correct the sheet, `labels` or `diseases`.",
                code="IN-038",
            )
    if groups.control is not None and not counts[groups.control]:
        yield Problem(
            path,
            "column disease",
            f"no sample with the control label `{groups.control}`{where}",
            "controls",
            "Correct the sheet or `labels`, or set `control: null` if there are none.",
            code="IN-039",
        )


def _covariates(samples: pd.DataFrame, path: str) -> tuple[pd.DataFrame, list[Note], list[Problem]]:
    """Add `patient`, empty the cells that mean missing, and write sex as F and M."""
    samples = samples.copy()
    notes: list[Note] = []
    problems: list[Problem] = []
    if "patient" not in samples:
        samples["patient"] = samples["sample"]
    for column in samples.columns.difference(["sample", "patient", "disease"]):
        given = samples[column]
        samples[column] = given.map(lambda cell: np.nan if cell in MISSING_MARKS else cell)
        marks = Counter(given[samples[column].isna() & ~given.isin(["", MISSING])])
        if marks:
            shown = listed(f"`{mark}` in {count} samples" for mark, count in sorted(marks.items()))
            notes.append(("samples", column, "missing", f"read as missing: {shown}"))
    if "sex" in samples:
        given = samples["sex"]
        codes = given[given.isin(CODES_OF_SEX)]
        problems += _codes_of_sex(codes, path) if len(codes) else []
        samples["sex"] = (
            given.drop(codes.index).map(lambda cell: SEXES.get(str(cell).lower(), cell)).reindex(given.index)
        )
        words = given[given.ne(samples["sex"]) & samples["sex"].notna()]
        if len(words):
            notes.append(("samples", "sex", "renamed", f"{listed(sorted(set(words)))} read as F and M"))
    rest = [name for name in samples.columns if name not in FIRST_COLUMNS]
    return samples[[name for name in FIRST_COLUMNS if name in samples] + rest], notes, problems


def _codes_of_sex(codes: pd.Series, path: str) -> list[Problem]:
    found = " and ".join(f"`{code}` in {count} samples" for code, count in sorted(Counter(codes).items()))
    fix = "Write F and M: which code is which differs between programs and centres."
    return [Problem(path, "column sex", found, "F or M", fix, code="IN-059")]


def _not_masked(samples: pd.DataFrame) -> Iterator[Note]:
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
            yield Problem(
                path, f"column {column}", cells_named(odd, samples["sample"]), _allowed(rule), fix, code="IN-040"
            )


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
                code="IN-041",
            )
