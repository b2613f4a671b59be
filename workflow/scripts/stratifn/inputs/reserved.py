"""Columns that a sample sheet cannot have, because later tables add columns of these names to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from stratifn.shared.design import INTERCEPT
from stratifn.shared.errors import Problem
from stratifn.shared.vocabulary import IN_VIEW

# of the model matrix, of the associations of strata, and kept free for what the samples' tables will hold
OTHERS = frozenset({INTERCEPT, "ifn_score", "index", "informed", "stability"})


def reserved_columns(
    columns: Iterable[str], mapped: Mapping[str, str], path: str, joined: Collection[str]
) -> list[Problem]:
    """List the columns of a sheet that would be overwritten, or could be mistaken for a result.

    Parameters
    ----------
    columns
        Names after the mapping.
    mapped
        Our name to the sheet's, as in the config.
    path
        The sheet as the user wrote it.
    joined
        Columns of the result tables with one row per sample; ``*`` stands for a number.
    """
    taken = [re.compile(re.escape(name).replace(r"\*", r"\d+")) for name in sorted(OTHERS | set(joined))]
    problems = []
    for name in columns:
        if name.startswith(IN_VIEW):
            expected = (
                f"no name that starts with `{IN_VIEW}`: the results use such columns for which samples have a view"
            )
        elif any(pattern.fullmatch(name) for pattern in taken):
            expected = "another name: the results have a column of this name"
        else:
            continue
        if name in mapped:
            fix = f"Choose another name for `{mapped[name]}` in `columns`."
        else:
            fix = f"Rename it in the sheet, or in the config: `columns: {{sheet_{name}: {name}}}`."
        problems.append(Problem(path, "header", f"the column `{name}`", expected, fix, code="IN-042"))
    return problems
