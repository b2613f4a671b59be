"""The sheet's names of columns and groups, translated into ours: a translation that the config does not name is a note."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from stratifn.inputs.answers import Note
from stratifn.inputs.near import near_matches
from stratifn.shared.errors import Problem, listed


def renamed_columns(
    raw: pd.DataFrame, path: str, columns: Mapping[str, str], required: Sequence[str]
) -> tuple[pd.DataFrame, list[Note], list[Problem]]:
    """Give every column of a sheet its name in the results.

    A column has the name that `columns` gives it, else its own with `_` for what is no letter, digit, `_` or `.`.
    Row names, which R writes as a first column without a name, are the samples where no other column is, and left out
    where one is; so is a column without a name and without a value.

    Parameters
    ----------
    raw
        The sheet as read, all text.
    path
        Its name in messages.
    columns
        Our column name to the sheet's.
    required
        The columns that must be there.
    """
    problems = list(_mapping_problems(raw, path, columns))
    if problems:
        return raw, [], problems
    ours = {theirs: name for name, theirs in columns.items()}
    no_samples = "sample" not in raw.columns and "sample" not in columns
    kept: list[int] = []
    names: list[str] = []
    notes: list[Note] = []
    for position, theirs in enumerate(raw.columns):
        item = theirs or f"column {position + 1}"
        if theirs in ours:
            name = _plain(ours[theirs])
            why = f"read as `{name}`, by `columns`"
        elif position == 0 and not theirs and no_samples:
            name, why = "sample", "row names: the first column, which has no name, holds the samples"
        elif not theirs and (position == 0 or raw.iloc[:, position].eq("").all()):
            what = "row names" if position == 0 else "no name and no value"
            notes.append(("samples", item, "column left out", what))
            continue
        else:
            name = _plain(theirs) or "unnamed"
            why = f"read as `{name}`: names of columns have letters, digits, `_` and `.`"
        kept.append(position)
        names.append(name)
        # the name that the config gives is no news
        if name not in (theirs, ours.get(theirs)):
            notes.append(("samples", item, "renamed", why))
    renamed = raw.iloc[:, kept].set_axis(names, axis=1)
    problems += _repeated(path, [str(raw.columns[position]) for position in kept], names)
    problems += [_no_column(path, "header", name, raw.columns) for name in required if name not in names]
    return renamed, notes, problems


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("_")


def _mapping_problems(raw: pd.DataFrame, path: str, columns: Mapping[str, str]) -> Iterator[Problem]:
    for ours, theirs in columns.items():
        if theirs not in raw.columns:
            yield _no_column(path, f"`columns: {{{ours}: {theirs}}}`", theirs, raw.columns)
        elif ours in raw.columns and ours != theirs and ours not in columns.values():
            fix = "Rename the sheet's own column or drop the mapping."
            found = f"`{ours}` both in the sheet and mapped"
            yield Problem(path, "columns", found, "one column of that name", fix, code="IN-030")
    for theirs, count in Counter(columns.values()).items():
        if count > 1:
            both = listed(f"`{ours}`" for ours, its in columns.items() if its == theirs)
            found = f"the sheet's `{theirs}` for {both}"
            fix = "Keep one of them: a column has one name."
            yield Problem("config", "columns", found, "each column of the sheet once", fix, code="IN-066")


def _repeated(path: str, theirs: Sequence[str], names: Sequence[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            of_sheet = sorted({own for own, read in zip(theirs, names, strict=True) if read == name and own})
            several = f" ({' and '.join(f'`{own}`' for own in of_sheet)} are both read as it)"
            found = f"`{name}` twice{several if len(of_sheet) > 1 else ''}"
            yield Problem(path, "header", found, "each column once", "Rename one.", code="IN-016")


def _no_column(path: str, where: str, name: str, present: Sequence[str]) -> Problem:
    near = near_matches([name], present)
    hint = f"Did you mean `{near[name]}`? " if near else ""
    fix = f"{hint}Name it in the sheet, or map it with `columns:` in the config."
    return Problem(
        path, where, f"no column `{name}` (there are {listed(map(str, present))})", f"`{name}`", fix, code="IN-031"
    )


def relabelled(
    disease: pd.Series, path: str, labels: Mapping[str, str | Sequence[str]]
) -> tuple[pd.Series, list[Note], list[Problem]]:
    """Give every sample our label of its group.

    Parameters
    ----------
    disease
        The sheet's labels.
    path
        The sheet's name in messages.
    labels
        Our label to the sheet's one, or to a list of them.
    """
    theirs = {ours: [given] if isinstance(given, str) else list(given) for ours, given in labels.items()}
    problems = list(_label_problems(disease, path, theirs))
    ours = {label: name for name, of_name in theirs.items() for label in of_name}
    counts = Counter(disease)
    notes = []
    for name, of_name in theirs.items():
        renamed = [f"`{label}` in {counts[label]} samples" for label in of_name if label != name and counts[label]]
        if renamed:
            notes.append(("samples", name, "renamed", f"{listed(renamed)}, by `labels`"))
    return disease.map(lambda label: ours.get(label, label)), notes, problems


def _label_problems(disease: pd.Series, path: str, theirs: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    present = set(disease)
    mapped = [label for of_name in theirs.values() for label in of_name]
    for ours, of_name in theirs.items():
        for label in of_name:
            if label not in present:
                yield Problem(
                    path,
                    "column disease",
                    f"no sample labelled `{label}` (there are {listed(sorted(present))})",
                    f"`{label}`, to which `labels` maps {ours}",
                    "Correct `labels` in the config or the sheet.",
                    code="IN-032",
                )
        if ours in present and ours not in mapped:
            both = listed([ours, *of_name])
            found = f"`{ours}` in the sheet itself, and {listed(f'`{label}`' for label in of_name)} mapped to it"
            fix = f"If they are one group, write `labels: {{{ours}: [{both}]}}`; else choose another name for one."
            yield Problem(path, "column disease", found, "one meaning of each label", fix, code="IN-061")
    for label, count in Counter(mapped).items():
        if count > 1:
            both = listed(f"`{ours}`" for ours, of_name in theirs.items() if label in of_name)
            expected = "each label of the sheet once"
            yield Problem(
                "config", "labels", f"`{label}` for {both}", expected, "Keep it in one of them.", code="IN-060"
            )
