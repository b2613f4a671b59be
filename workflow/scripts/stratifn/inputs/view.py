"""One view of a cohort: its file read, turned, and checked against the sheet and its kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from stratifn.inputs.extra_samples import in_matrix_alone
from stratifn.inputs.formats import PLAIN
from stratifn.inputs.gene_ids import GeneNames, Note, signature_problems
from stratifn.inputs.id_map import IdMap, read_id_map
from stratifn.inputs.limits import censored, stated_limits
from stratifn.inputs.not_features import without_other_rows
from stratifn.inputs.orientation import features_in_rows, id_problems, selected
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.reading import read_ids, read_matrix
from stratifn.inputs.scales import scale_findings
from stratifn.inputs.sheet import Sheet
from stratifn.inputs.values import no_gene_without_zeros, value_problems
from stratifn.shared.errors import InputError, Problem, gathered, listed, problems_of
from stratifn.shared.vocabulary import BETA, CONCENTRATION, COUNTS, OWN_FACTORS, RNA, SIZE_FACTORS

DTYPES = {BETA: np.float32}


@dataclass
class CheckedView:
    """What came of a view.

    Attributes
    ----------
    matrix
        Features in rows, the samples of the sheet in its order; None where it cannot be read or has none of them.
    notes
        What was left out or read another way.
    problems
        What is wrong.
    members_certain
        Whether it is certain which samples of the sheet it has.
    """

    matrix: RawMatrix | None = None
    notes: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    members_certain: bool = False


@dataclass(frozen=True)
class ViewChecker:
    """Reads views of one cohort.

    Attributes
    ----------
    sheet
        Of the cohort.
    columns
        The config's: our column name to the sheet's.
    ignore
        Leave out samples that are in a matrix alone.
    genes
        Known symbols and the deciding signature, for the view `rna`.
    median_of_ratios
        Whether size factors will be medians of ratios over the genes without zeros.
    """

    sheet: Sheet
    columns: Mapping[str, str]
    ignore: bool
    genes: GeneNames
    median_of_ratios: bool

    def checked(self, view: Mapping[str, Any], path: str) -> CheckedView:
        """Read and check a view."""
        try:
            raw, ids = gathered(partial(read_values, view, path), partial(read_id_map, view.get("ids")))
            raw, renamed = ids.applied(raw, view["name"])
        except InputError as error:
            return CheckedView(problems=error.problems)
        problems = kind_problems(raw, view["kind"])
        if not problems:
            matrix, problems = features_in_rows(raw, self._samples)
            if matrix is not None:
                return self._of_matrix(matrix, view, ids, [*renamed, *_turned(raw, matrix, view["name"])])
        return CheckedView(problems=problems)

    def id_problems(self, view: Mapping[str, Any], path: str) -> list[Problem]:
        """Check the ids of a view alone, as far as they can be had without reading its values."""
        try:
            raw, ids = gathered(partial(read_ids, path, view.get("format")), partial(read_id_map, view.get("ids")))
            # of a large text the rows are not known, which may be the samples
            if raw is None or not (raw.rows or {*self._samples, *ids.samples} & set(raw.columns)):
                return []
            raw, _ = ids.applied(raw, view["name"])
        except InputError as error:
            return error.problems
        matrix, problems = features_in_rows(raw, self._samples)
        if matrix is None:
            return problems
        _, in_one_alone = self._members(matrix, view["name"], ids)
        return [*id_problems(matrix), *in_one_alone]

    @property
    def _samples(self) -> list[str]:
        return self.sheet.samples["sample"].tolist()

    def _members(self, matrix: RawMatrix, name: str, ids: IdMap) -> tuple[list[Note], list[Problem]]:
        others: list[str] = [*self.sheet.left_out]
        strange = [] if self.ignore else list(ids.problems({*self._samples, *others}))
        others += ids.samples.values() if strange else []
        notes, problems = in_matrix_alone(matrix, name, self._samples, others, self.ignore)
        return notes, [*strange, *problems]

    def _of_matrix(self, matrix: RawMatrix, view: Mapping[str, Any], ids: IdMap, notes: list[Note]) -> CheckedView:
        name, kind = view["name"], view["kind"]
        matrix, no_features, refused = without_other_rows(matrix, kind, self.sheet.samples, self.columns)
        notes = [*notes, *((name, row, "left out", reason) for row, reason in no_features)]
        if kind == CONCENTRATION:
            matrix, limits = stated_limits(matrix, {*self._samples, *self.sheet.left_out})
        left_out, members = self._members(matrix, name, ids)
        found = [*refused, *id_problems(matrix), *members]
        matrix = selected(matrix, self._samples)
        if kind == CONCENTRATION:
            matrix = censored(matrix, limits)
        scale = scale_findings(matrix, view)
        notes += [*left_out, *((name, *note) for note in scale.notes)]
        if view["round"]:
            matrix.values = np.rint(matrix.values)
        found += scale.problems
        found += [problem for problem in value_problems(matrix, kind) if problem.code not in scale.explained]
        found += self._of_genes(matrix, view)
        return CheckedView(matrix, notes, found, members_certain=not members)

    def _of_genes(self, matrix: RawMatrix, view: Mapping[str, Any]) -> list[Problem]:
        found = []
        if view["name"] == RNA:
            found += signature_problems(matrix.rows, matrix.gene_names, self.genes, RNA, matrix.path)
        if self.median_of_ratios and view["kind"] == COUNTS and view.get(SIZE_FACTORS, OWN_FACTORS) == OWN_FACTORS:
            found += no_gene_without_zeros(matrix)
        return found


def _turned(raw: RawMatrix, matrix: RawMatrix, name: str) -> list[Note]:
    """Say that the samples of a plain table were in its rows; in some formats they always are."""
    if matrix is raw or raw.made_by not in ("", PLAIN.title):
        return []
    return [(name, "the file", "corrected", "orientation: the samples are its rows")]


def read_values(view: Mapping[str, Any], path: str) -> RawMatrix:
    """Read the file of a view."""
    return read_matrix(path, DTYPES.get(view["kind"], np.float64), view.get("format"))


def file_problems(views: Sequence[Mapping[str, Any]], paths: Mapping[str, str]) -> list[Problem]:
    """Read the files of views for what is wrong in them whoever the samples are."""
    found: list[Problem] = []
    for view in views:
        found += problems_of(read_id_map, view.get("ids"))
        try:
            found += kind_problems(read_values(view, paths[view["name"]]), view["kind"])
        except InputError as error:
            found += error.problems
    return found


def kind_problems(matrix: RawMatrix, kind: str) -> list[Problem]:
    """Refuse a kind that the numbers of a format cannot be."""
    if not matrix.kinds or kind in matrix.kinds:
        return []
    expected = f"kind: {' or '.join(matrix.kinds)}"
    fix = f"Set `kind: {matrix.kinds[0]}` for this view, or give a file that is of kind {kind}."
    return [Problem(matrix.path, f"kind {kind}", f"a table of {matrix.made_by}", expected, fix, code="IN-242")]


def without_size_factor(
    members: Mapping[str, Collection[str]], views: Sequence[Mapping[str, Any]], paths: Mapping[str, str]
) -> list[Problem]:
    """Refuse samples of a view that the view whose size factors it takes does not have.

    Parameters
    ----------
    members
        View to its samples.
    views, paths
        As configured.
    """
    problems = []
    for view in views:
        name, lender = view["name"], view.get(SIZE_FACTORS, OWN_FACTORS)
        alone = [] if lender == OWN_FACTORS else sorted(set(members[name]) - set(members[lender]))
        if alone:
            found = f"{len(alone)} samples that {lender} does not have: {listed(alone)}"
            expected = f"every sample in {lender} too, whose size factors {name} takes"
            fix = f"Add their counts to {lender}, or remove these samples from {name}."
            problems.append(Problem(paths[name], "samples", found, expected, fix, code="IN-075"))
    return problems
