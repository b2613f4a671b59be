"""A whole cohort from its files: everything is read and checked before anything is refused or kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.inputs.gene_ids import GeneNames, Note, named_genes
from stratifn.inputs.orientation import features_in_rows, id_problems, selected
from stratifn.inputs.reading import RawMatrix, read_matrix, read_sheet
from stratifn.inputs.reserved import reserved_columns
from stratifn.inputs.sheet import Groups, Sheet, mapped_sheet
from stratifn.inputs.values import limits_of_detection, value_problems
from stratifn.running.progress import step
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.errors import InputError, Problem, listed, problems_of
from stratifn.shared.vocabulary import (
    BETA,
    CONCENTRATION,
    COUNTS,
    IN_VIEW,
    OWN_FACTORS,
    RNA,
    SIZE_FACTORS,
)

if TYPE_CHECKING:
    import anndata as ad

# MOFA's authors advise more than 15; with fewer than this no factor means anything
FEWEST_SAMPLES = 10
DTYPES = {COUNTS: np.float64, BETA: np.float32}


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
    check_samples: Callable[[pd.DataFrame], Sequence[Problem]],
    joined: Collection[str] = (),
) -> Cohort:
    """Read and validate the sheet and every matrix of a cohort.

    Parameters
    ----------
    settings
        The cohort's part of the configuration: `columns`, `labels`, `types`, `views`, and `design` where a model is
        to be fitted.
    paths
        ``samples`` and every view's name to the path as the user wrote it.
    groups
        The labels of diseases and controls.
    genes
        Known symbols, for the view `rna`.
    sheet_schema
        JSON Schema of a row of the sheet.
    check_samples
        Further checks of the typed samples (the design of the model), which return problems.
    joined
        Columns of the result tables that later meet those of the sheet.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    try:
        raw_sheet = read_sheet(paths["samples"])
    except InputError as error:
        # without a sheet the matrices can still be looked at for what is wrong inside them
        raise InputError([*error.problems, *_unreadable(settings["views"], paths)]) from error
    sheet, problems = mapped_sheet(
        raw_sheet,
        paths["samples"],
        settings["columns"],
        settings["labels"],
        groups,
        sheet_schema,
        settings["types"],
        settings.get("design", ""),
    )
    if sheet is None:
        raise InputError([*problems, *_unreadable(settings["views"], paths)])
    problems += reserved_columns(sheet.samples.columns, settings["columns"], paths["samples"], joined)
    matrices, view_problems = _matrices(settings["views"], paths, sheet)
    problems += view_problems
    samples = _with_membership(sheet.samples, matrices)
    if not view_problems:
        problems += _in_no_view(samples, matrices, paths["samples"])
        problems += _without_size_factor(samples, settings["views"], paths)
    if not problems:
        problems += check_samples(samples)
    if problems:
        raise InputError(problems)
    kinds = {view["name"]: view for view in settings["views"]}
    notes: list[Note] = [*sheet.notes]
    views = {}
    for name in list(matrices):
        # popped, so that the raw matrix is freed before the next one is turned around
        views[name], view_notes = _canonical(name, kinds[name], matrices.pop(name), genes)
        missing = sorted(set(samples["sample"]) - set(views[name].obs_names))
        notes += [*view_notes, *((name, sample, "missing", "not measured in this view") for sample in missing)]
    samples = _with_membership(sheet.samples, {name: view.obs_names for name, view in views.items()})
    return Cohort(samples, views, pd.DataFrame(notes, columns=list(NOTE_COLUMNS)))


def too_few_samples(samples: pd.DataFrame, path: str) -> list[Problem]:
    """Refuse a cohort that is too small to be integrated, before anything is fitted."""
    if len(samples) >= FEWEST_SAMPLES:
        return []
    expected = f"at least {FEWEST_SAMPLES}, and more than 15 to be of use"
    return [Problem(path, "the sheet", f"{len(samples)} samples", expected, "Add samples: factors need them.")]


def _unreadable(views: Sequence[Mapping[str, Any]], paths: Mapping[str, str]) -> list[Problem]:
    return [problem for view in views for problem in problems_of(read_matrix, paths[view["name"]])]


def _matrices(
    views: Sequence[Mapping[str, Any]], paths: Mapping[str, str], sheet: Sheet
) -> tuple[dict[str, RawMatrix], list[Problem]]:
    samples = sheet.samples["sample"].tolist()
    matrices: dict[str, RawMatrix] = {}
    problems: list[Problem] = []
    for number, view in enumerate(views, start=1):
        step(f"reading {paths[view['name']]}, matrix {number} of {len(views)}")
        try:
            raw = read_matrix(paths[view["name"]], DTYPES.get(view["kind"], np.float64))
        except InputError as error:
            problems += error.problems
            continue
        matrix, found = features_in_rows(raw, samples)
        if matrix is None:
            problems += found
            continue
        repeated_or_unknown = id_problems(matrix, samples, sheet.left_out)
        matrix = selected(matrix, samples)
        if view["round"]:
            matrix.values = np.rint(matrix.values)
        problems += repeated_or_unknown + value_problems(matrix, view["kind"])
        matrices[view["name"]] = matrix
    return matrices, problems


def _with_membership(samples: pd.DataFrame, members: Mapping[str, Any]) -> pd.DataFrame:
    samples = samples.copy()
    for name, view in members.items():
        present = view.columns if isinstance(view, RawMatrix) else view
        samples[f"{IN_VIEW}{name}"] = samples["sample"].isin(set(present))
    return samples


def _in_no_view(samples: pd.DataFrame, matrices: Mapping[str, RawMatrix], path: str) -> list[Problem]:
    absent = samples[~samples[[f"{IN_VIEW}{name}" for name in matrices]].any(axis=1)]
    if absent.empty:
        return []
    noun = "sample" if len(absent) == 1 else "samples"
    found = f"{len(absent)} {noun} in no matrix: {listed(absent['sample'])}"
    fix = "Correct their ids, add their data, or remove them from the sheet."
    return [Problem(path, "column sample", found, "every sample in at least one matrix", fix)]


def _without_size_factor(
    samples: pd.DataFrame, views: Sequence[Mapping[str, Any]], paths: Mapping[str, str]
) -> list[Problem]:
    problems = []
    for view in views:
        name, lender = view["name"], view.get(SIZE_FACTORS, OWN_FACTORS)
        if lender != OWN_FACTORS:
            alone = samples.loc[samples[f"{IN_VIEW}{name}"] & ~samples[f"{IN_VIEW}{lender}"], "sample"]
            if len(alone):
                found = f"{len(alone)} samples that {lender} does not have: {listed(alone)}"
                expected = f"every sample in {lender} too, whose size factors {name} takes"
                fix = f"Add their counts to {lender}, or remove these samples from {name}."
                problems.append(Problem(paths[name], "samples", found, expected, fix))
    return problems


def _canonical(
    name: str, view: Mapping[str, Any], matrix: RawMatrix, genes: GeneNames
) -> tuple[ad.AnnData, list[Note]]:
    """Make samples x features of a checked matrix; what has no value at all is left out and noted."""
    import anndata as ad

    notes: list[Note] = []
    ids = matrix.rows
    variables: dict[str, list[str] | np.ndarray] = {}
    if name == RNA:
        ids, gene_names, notes = named_genes(matrix.rows, matrix.gene_names, genes, name)
        variables["gene_name"] = gene_names
    limits, below = None, None
    if view["kind"] == CONCENTRATION:
        limits, below = limits_of_detection(matrix)
        variables["lod"] = limits
    values = matrix.values.T.astype(np.int32) if view["kind"] == COUNTS else np.ascontiguousarray(matrix.values.T)
    data = ad.AnnData(values, obs=pd.DataFrame(index=matrix.columns), var=pd.DataFrame(variables, index=ids))
    data.uns["kind"] = view["kind"]
    if view.get(SIZE_FACTORS, OWN_FACTORS) != OWN_FACTORS:
        data.uns[SIZE_FACTORS] = view[SIZE_FACTORS]
    if below is not None:
        data.layers["below_lod"] = below.T.copy()
        notes += [
            (name, ids[row], "below the limit of detection", f"{below[row].sum()} of {below.shape[1]} samples")
            for row in np.flatnonzero(below.any(axis=1))
        ]
    if view["round"]:
        notes.append(
            (name, "counts", "rounded", "fractional counts rounded to whole numbers, because of `round: true`")
        )
    return _without_empty(data, name, notes)


def _without_empty(data: ad.AnnData, name: str, notes: list[Note]) -> tuple[ad.AnnData, list[Note]]:
    if data.X.dtype.kind != "f":
        return data, notes
    measured = ~np.isnan(data.X)
    if "below_lod" in data.layers:
        measured |= data.layers["below_lod"]
    samples, features = measured.any(axis=1), measured.any(axis=0)
    notes += [(name, sample, "left out", "no value at all") for sample in data.obs_names[~samples]]
    notes += [(name, feature, "left out", "no value at all") for feature in data.var_names[~features]]
    holes = int(np.count_nonzero(~measured[samples][:, features]))
    if holes:
        notes.append((name, "values", "missing", f"{holes} of {samples.sum() * features.sum()} cells are empty"))
    if samples.all() and features.all():
        return data, notes
    return data[samples][:, features].copy(), notes
