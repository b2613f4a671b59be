"""A whole cohort from its files: everything is read and checked before anything is refused or kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stratifn.inputs.canonical import canonical, corrected
from stratifn.inputs.extra_samples import IGNORE, in_sheet_alone
from stratifn.inputs.gene_ids import GeneNames, Note
from stratifn.inputs.reading import read_sheet
from stratifn.inputs.reserved import reserved_columns
from stratifn.inputs.sheet import Groups, Sheet, mapped_sheet, missing_groups
from stratifn.inputs.view import CheckedView, ViewChecker, file_problems, without_size_factor
from stratifn.running.memory import matrix_cells
from stratifn.running.progress import step
from stratifn.shared.checks import Checks
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.samples import write_samples
from stratifn.shared.tables import write_table, write_views
from stratifn.shared.vocabulary import IN_VIEW

if TYPE_CHECKING:
    import anndata as ad

# MOFA's authors advise more than 15; with fewer than this no factor means anything
FEWEST_SAMPLES = 10
# cells that are read in some seconds; beyond, a mistake elsewhere is told before the values are read
LARGE = 40_000_000


@dataclass(frozen=True)
class Cohort:
    """A validated cohort.

    Attributes
    ----------
    samples
        One row per sample, sorted, every column of its type, with one boolean column `in_<view>` per view.
    views
        View name to AnnData (samples x features).
    notes
        What was left out, renamed or missing: view, item, what, reason.
    """

    samples: pd.DataFrame
    views: dict[str, ad.AnnData]
    notes: pd.DataFrame


def read_cohort(
    settings: Mapping[str, Any],
    paths: Mapping[str, str],
    groups: Groups,
    genes: GeneNames,
    sheet_schema: Mapping[str, Any],
    checks: Sequence[Checks],
    joined: Collection[str] = (),
    others: Sequence[Problem] = (),
    median_of_ratios: bool = False,
) -> Cohort:
    """Read and validate the sheet and every matrix of a cohort.

    What does not depend on a broken file is checked and reported with it. The values of large matrices are not read
    while anything else is wrong; the message says so.

    Parameters
    ----------
    settings
        The cohort's part of the configuration: `columns`, `labels`, `types`, `extra_samples`, `views`, and `design`
        where a model is to be fitted.
    paths
        ``samples`` and every view's name to the path as the user wrote it.
    groups
        The labels of diseases and controls.
    genes
        Known symbols and the deciding signature, for the view `rna`.
    sheet_schema
        JSON Schema of a row of the sheet.
    checks
        What phases ask of the cohort.
    joined
        Columns of the result tables that later meet those of the sheet.
    others
        Problems of other files, to be listed with those of these.
    median_of_ratios
        Whether size factors will be medians of ratios over the genes without zeros.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    views = settings["views"]
    read = _read_sheet(settings, paths["samples"], groups, sheet_schema, joined)
    of_config = [*_asked(checks, "names", read.columns), *others]
    large = sum(_cells(paths[view["name"]]) for view in views) > LARGE
    if read.sheet is None:
        # the matrices can still be looked at for what is wrong inside them
        of_files = [] if large else file_problems(views, paths)
        raise _refusal([*read.problems, *of_files, *of_config], paths, large)
    ignore = settings.get("extra_samples") == IGNORE
    checker = ViewChecker(read.sheet, settings["columns"], ignore, genes, median_of_ratios)
    if large:
        of_ids = [problem for view in views for problem in checker.id_problems(view, paths[view["name"]])]
        everybody = _with_members(read.sheet.samples, {view["name"]: None for view in views})
        of_samples = [] if read.problems else _asked(checks, "samples", everybody)
        if found := [*read.problems, *of_ids, *of_samples, *of_config]:
            raise _refusal(found, paths, large)
    checked = {}
    for number, view in enumerate(views, start=1):
        step(f"reading {paths[view['name']]}, matrix {number} of {len(views)}")
        checked[view["name"]] = checker.checked(view, paths[view["name"]])
    problems = [*read.problems, *(problem for each in checked.values() for problem in each.problems)]
    samples, notes, absent = _measured(read, checked, paths, groups, ignore, views)
    problems += absent
    features = {name: each.matrix.rows for name, each in checked.items() if each.matrix is not None}
    problems += _asked(checks, "features", features)
    problems += [] if read.problems else _asked(checks, "samples", samples)
    problems += of_config
    if problems:
        raise _refusal(problems)
    return _validated(settings, read, checked, samples, notes, genes, checks)


@dataclass(frozen=True)
class _ReadSheet:
    """The sheet, as far as it can be read, and the names of its columns (None where it cannot be)."""

    sheet: Sheet | None
    columns: list[str] | None
    problems: list[Problem]
    notes: list[Note]


def _read_sheet(
    settings: Mapping[str, Any], path: str, groups: Groups, schema: Mapping[str, Any], joined: Collection[str]
) -> _ReadSheet:
    try:
        raw, corrections = read_sheet(path)
    except InputError as error:
        return _ReadSheet(None, None, error.problems, [])
    mapping, design = settings["columns"], settings.get("design", "")
    sheet, problems = mapped_sheet(raw, path, mapping, settings["labels"], groups, schema, settings["types"], design)
    if sheet is None:
        return _ReadSheet(None, [*raw.columns, *mapping], problems, [])
    columns = [str(name) for name in sheet.samples.columns]
    problems += reserved_columns(columns, mapping, path, joined)
    return _ReadSheet(sheet, columns, problems, [*corrected("samples", corrections), *sheet.notes])


def _asked(checks: Sequence[Checks], question: str, *given: Any) -> list[Problem]:
    """Ask every phase one of its questions."""
    return [problem for each in checks for problem in getattr(each, question)(*given)]


def _cells(path: str) -> int:
    return matrix_cells(path) if Path(path).is_file() else 0


def _refusal(problems: Iterable[Problem], paths: Mapping[str, str] | None = None, large: bool = False) -> InputError:
    """Return the error for problems, each once; of large matrices it says that their values were not read."""
    matrices = [path for name, path in (paths or {}).items() if name != "samples"]
    remark = f"Not read yet, because they are large: the values of {listed(matrices)}."
    return InputError(dict.fromkeys(problems), remark if large else "")


def _with_members(samples: pd.DataFrame, members: Mapping[str, Collection[str] | None]) -> pd.DataFrame:
    """Add a column per view. While the samples of a view are not known (None) it counts as measured in everybody.

    What is wrong even then is certainly wrong: fewer samples make no design possible.
    """
    samples = samples.copy()
    for name, present in members.items():
        samples[f"{IN_VIEW}{name}"] = True if present is None else samples["sample"].isin(set(present))
    return samples


def _measured(
    read: _ReadSheet,
    checked: Mapping[str, CheckedView],
    paths: Mapping[str, str],
    groups: Groups,
    ignore: bool,
    views: Sequence[Mapping[str, Any]],
) -> tuple[pd.DataFrame, list[Note], list[Problem]]:
    """Return the samples that are in a matrix, with one column per view, and judge the others."""
    assert read.sheet is not None
    members = {name: None if each.matrix is None else each.matrix.columns for name, each in checked.items()}
    samples = _with_members(read.sheet.samples, members)
    if not all(each.members_certain for each in checked.values()):
        return samples, [], []
    samples, notes, problems = in_sheet_alone(samples, checked, paths["samples"], ignore)
    if notes and not read.problems:
        problems += missing_groups(samples["disease"], paths["samples"], groups, " in any matrix")
    known = {name: columns for name, columns in members.items() if columns is not None}
    return samples, notes, [*problems, *without_size_factor(known, views, paths)]


def _validated(
    settings: Mapping[str, Any],
    read: _ReadSheet,
    checked: Mapping[str, CheckedView],
    samples: pd.DataFrame,
    notes: list[Note],
    genes: GeneNames,
    checks: Sequence[Checks],
) -> Cohort:
    """Turn the checked matrices into those that the phases read."""
    notes = [*read.notes, *(note for each in checked.values() for note in each.notes), *notes]
    views = {}
    for view in settings["views"]:
        name, each = view["name"], checked[view["name"]]
        # let go, so that the raw matrix is freed before the next one is turned around
        matrix, each.matrix = each.matrix, None
        assert matrix is not None
        views[name], view_notes = canonical(name, view, matrix, genes)
        del matrix
        missing = sorted(set(samples["sample"]) - set(views[name].obs_names))
        notes += [*view_notes, *((name, sample, "missing", "not measured in this view") for sample in missing)]
    final = _with_members(samples, {name: view.obs_names for name, view in views.items()})
    # samples and features without a value are known now
    problems = [] if final.equals(samples) else _asked(checks, "samples", final)
    problems = problems or _asked(checks, "views", final, views)
    if problems:
        raise _refusal(problems)
    return Cohort(final, views, pd.DataFrame(notes, columns=list(NOTE_COLUMNS)))


def write_cohort(cohort: Cohort, output: Any) -> None:
    """Write a cohort; `output` names the files `views`, `notes` and `samples`."""
    write_views(cohort.views, output.views)
    write_table(cohort.notes, output.notes)
    write_samples(cohort.samples, output.samples)


def size_checks(path: str) -> Checks:
    """Refuse a cohort that is too small to be integrated, before anything is fitted; the path is the sheet's."""
    return Checks(samples=lambda samples: _too_few(samples, path))


def _too_few(samples: pd.DataFrame, path: str) -> list[Problem]:
    if len(samples) >= FEWEST_SAMPLES:
        return []
    expected = f"at least {FEWEST_SAMPLES}, and more than 15 to be of use"
    return [
        Problem(
            path, "the sheet", f"{len(samples)} samples", expected, "Add samples: factors need them.", code="IN-045"
        )
    ]
