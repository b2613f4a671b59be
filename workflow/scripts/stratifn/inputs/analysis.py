"""A whole cohort from its files: everything is read and checked before anything is refused or kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.inputs.extra_samples import IGNORE, in_matrix_alone, in_sheet_alone
from stratifn.inputs.gene_ids import GeneNames, Note, named_genes, signature_note, signature_problems
from stratifn.inputs.id_map import read_id_map
from stratifn.inputs.limits import censored, stated_limits
from stratifn.inputs.not_features import without_other_rows
from stratifn.inputs.orientation import features_in_rows, id_problems, selected
from stratifn.inputs.probe_ids import with_replicates_averaged
from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.inputs.reading import read_matrix, read_sheet
from stratifn.inputs.reserved import reserved_columns
from stratifn.inputs.scales import scale_findings
from stratifn.inputs.sheet import Groups, Sheet, mapped_sheet, missing_groups
from stratifn.inputs.values import no_gene_without_zeros, value_problems
from stratifn.running.progress import step
from stratifn.shared.columns import NOTE_COLUMNS
from stratifn.shared.errors import InputError, Problem, gathered, listed, problems_of
from stratifn.shared.vocabulary import (
    BETA,
    CONCENTRATION,
    CONTINUOUS,
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
    others: Sequence[Problem] = (),
    median_of_ratios: bool = False,
) -> Cohort:
    """Read and validate the sheet and every matrix of a cohort.

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
    check_samples
        Further checks of the typed samples (the design of the model), which return problems.
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
    try:
        raw_sheet, corrections = read_sheet(paths["samples"])
    except InputError as error:
        # without a sheet the matrices can still be looked at for what is wrong inside them
        raise InputError([*error.problems, *_unreadable(settings["views"], paths), *others]) from error
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
        raise InputError([*problems, *_unreadable(settings["views"], paths), *others])
    problems += reserved_columns(sheet.samples.columns, settings["columns"], paths["samples"], joined)
    sheet_problems = [*problems]
    ignore = settings.get("extra_samples") == IGNORE
    matrices, extra, view_problems = _matrices(settings, paths, sheet, ignore, genes, median_of_ratios)
    problems += view_problems
    samples = _with_membership(sheet.samples, matrices)
    if not view_problems:
        samples, left_out, absent = in_sheet_alone(samples, matrices, paths["samples"], ignore)
        extra += left_out
        if left_out and not sheet_problems:
            absent += missing_groups(samples["disease"], paths["samples"], groups, " in any matrix")
        problems += absent
        problems += _without_size_factor(samples, settings["views"], paths)
    if not sheet_problems:
        problems += check_samples(samples)
    problems += others
    if problems:
        raise InputError(problems)
    kinds = {view["name"]: view for view in settings["views"]}
    notes: list[Note] = [*_corrected("samples", corrections), *sheet.notes, *extra]
    views = {}
    for name in list(matrices):
        # popped, so that the raw matrix is freed before the next one is turned around
        views[name], view_notes = _canonical(name, kinds[name], matrices.pop(name), genes)
        missing = sorted(set(samples["sample"]) - set(views[name].obs_names))
        notes += [*view_notes, *((name, sample, "missing", "not measured in this view") for sample in missing)]
    samples = _with_membership(samples, {name: view.obs_names for name, view in views.items()})
    return Cohort(samples, views, pd.DataFrame(notes, columns=list(NOTE_COLUMNS)))


def too_few_samples(samples: pd.DataFrame, path: str) -> list[Problem]:
    """Refuse a cohort that is too small to be integrated, before anything is fitted."""
    if len(samples) >= FEWEST_SAMPLES:
        return []
    expected = f"at least {FEWEST_SAMPLES}, and more than 15 to be of use"
    return [
        Problem(
            path, "the sheet", f"{len(samples)} samples", expected, "Add samples: factors need them.", code="IN-045"
        )
    ]


def _unreadable(views: Sequence[Mapping[str, Any]], paths: Mapping[str, str]) -> list[Problem]:
    maps = [problem for view in views for problem in problems_of(read_id_map, view.get("ids"))]
    return [*maps, *(problem for view in views for problem in problems_of(_read, view, paths))]


def _read(view: Mapping[str, Any], paths: Mapping[str, str]) -> RawMatrix:
    return read_matrix(paths[view["name"]], DTYPES.get(view["kind"], np.float64), view.get("format"))


def _kind_problems(matrix: RawMatrix, kind: str) -> list[Problem]:
    """Refuse a kind that the numbers of a format cannot be."""
    if not matrix.kinds or kind in matrix.kinds:
        return []
    expected = f"kind: {' or '.join(matrix.kinds)}"
    fix = "Correct the kind of this view, or give the file that belongs to it."
    return [Problem(matrix.path, f"kind {kind}", f"a table of {matrix.made_by}", expected, fix, code="IN-242")]


def _matrices(
    settings: Mapping[str, Any],
    paths: Mapping[str, str],
    sheet: Sheet,
    ignore: bool,
    genes: GeneNames,
    median_of_ratios: bool,
) -> tuple[dict[str, RawMatrix], list[Note], list[Problem]]:
    samples = sheet.samples["sample"].tolist()
    views = settings["views"]
    matrices: dict[str, RawMatrix] = {}
    notes: list[Note] = []
    problems: list[Problem] = []
    for number, view in enumerate(views, start=1):
        name, kind = view["name"], view["kind"]
        step(f"reading {paths[name]}, matrix {number} of {len(views)}")
        try:
            raw, ids = gathered(partial(_read, view, paths), partial(read_id_map, view.get("ids")))
            raw, renamed = ids.applied(raw, name)
        except InputError as error:
            problems += error.problems
            continue
        notes += renamed
        if wrong_kind := _kind_problems(raw, view["kind"]):
            problems += wrong_kind
            continue
        matrix, found = features_in_rows(raw, samples)
        if matrix is None:
            problems += found
            continue
        matrix, no_features, refused = without_other_rows(matrix, kind, sheet.samples, settings["columns"])
        notes += [(name, row, "left out", reason) for row, reason in no_features]
        problems += refused
        if kind == CONCENTRATION:
            matrix, limits = stated_limits(matrix, {*samples, *sheet.left_out})
        others = [*sheet.left_out]
        if not ignore:
            strange = list(ids.problems({*samples, *others}))
            problems += strange
            others += ids.samples.values() if strange else []
        left_out, found = in_matrix_alone(matrix, name, samples, others, ignore)
        notes += left_out
        repeated_or_unknown = id_problems(matrix) + found
        matrix = selected(matrix, samples)
        if kind == CONCENTRATION:
            matrix = censored(matrix, limits)
        scale = scale_findings(matrix, view)
        notes += [(name, *note) for note in scale.notes]
        if view["round"]:
            matrix.values = np.rint(matrix.values)
        of_cells = [problem for problem in value_problems(matrix, kind) if problem.code not in scale.explained]
        problems += repeated_or_unknown + scale.problems + of_cells
        if name == RNA:
            problems += signature_problems(matrix.rows, matrix.gene_names, genes, RNA, matrix.path)
        if median_of_ratios and kind == COUNTS and view.get(SIZE_FACTORS, OWN_FACTORS) == OWN_FACTORS:
            problems += no_gene_without_zeros(matrix)
        matrices[name] = matrix
    return matrices, notes, problems


def _corrected(view: str, corrections: Sequence[Correction]) -> list[Note]:
    return [(view, item, "corrected", reason) for item, reason in corrections]


def _with_membership(samples: pd.DataFrame, members: Mapping[str, Any]) -> pd.DataFrame:
    samples = samples.copy()
    for name, view in members.items():
        present = view.columns if isinstance(view, RawMatrix) else view
        samples[f"{IN_VIEW}{name}"] = samples["sample"].isin(set(present))
    return samples


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
                problems.append(Problem(paths[name], "samples", found, expected, fix, code="IN-075"))
    return problems


def _canonical(
    name: str, view: Mapping[str, Any], matrix: RawMatrix, genes: GeneNames
) -> tuple[ad.AnnData, list[Note]]:
    """Make samples x features of a checked matrix; what has no value at all is left out and noted."""
    import anndata as ad

    if view["kind"] in (BETA, CONTINUOUS):
        matrix = with_replicates_averaged(matrix)
    notes = _corrected(name, matrix.corrections)
    ids = matrix.rows
    variables: dict[str, list[str] | np.ndarray] = {}
    if name == RNA:
        named = named_genes(matrix.rows, matrix.gene_names, genes, name)
        notes += [*named.notes, *signature_note(named, genes, name)]
        ids, variables["gene_name"] = named.ids, named.names
    below = matrix.below
    if matrix.lod is not None:
        variables["lod"] = matrix.lod
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
