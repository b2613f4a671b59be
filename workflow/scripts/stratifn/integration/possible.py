"""What names, samples and matrices say about a model of factors, before anything is fitted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.integration.batch import require_separable_batches, require_separable_features
from stratifn.integration.settings import Settings
from stratifn.shared.checks import Checks
from stratifn.shared.errors import Problem, listed, problems_of
from stratifn.shared.samples import IDS, covariates
from stratifn.shared.vocabulary import IN_VIEW

if TYPE_CHECKING:
    import anndata as ad

# of which a copy in double precision is small
BLOCK_FEATURES = 1_000


def integration_checks(cohort: Mapping[str, Any], regress_out: str, min_views: int) -> Checks:
    """Return what is asked of a cohort, as configured; the other parameters are those of `Settings`."""
    views = len(cohort["views"])
    return Checks(
        names=lambda columns: integration_names(columns, views, regress_out, min_views),
        samples=lambda samples: integration_problems(samples, regress_out, min_views),
        views=lambda samples, matrices: matrix_problems(samples, matrices, regress_out),
    )


def integration_problems(samples: pd.DataFrame, regress_out: str, min_views: int) -> list[Problem]:
    """List what of the configuration's section `integration` these samples do not allow.

    Parameters
    ----------
    samples
        The cohort, with a column ``in_<view>`` per view.
    regress_out, min_views
        See `Settings`.

    Returns
    -------
    list of Problem
        A batch to be regressed out that is no column, has missing values, has one level or follows the diseases; too
        few samples that have `min_views` views.
    """
    views = [name for name in samples if name.startswith(IN_VIEW)]
    named = integration_names([*IDS, *covariates(samples)], len(views), regress_out, min_views)
    return named or [*_of_batch(samples, views, regress_out), *_too_few(samples, views, min_views)]


def integration_names(columns: Collection[str] | None, views: int, regress_out: str, min_views: int) -> list[Problem]:
    """List what is wrong whatever the samples are: `integration_problems` finds it too.

    Parameters
    ----------
    columns
        Of the sample sheet; None while it cannot be read.
    views
        How many there are.
    regress_out, min_views
        See `Settings`.
    """
    problems = []
    if regress_out and columns is not None and regress_out not in columns:
        expected = f"a column of the sample sheet ({listed(name for name in columns if name not in IDS)})"
        fix = "Correct the name, or leave it empty."
        problems.append(Problem("config", "integration.regress_out", f"`{regress_out}`", expected, fix, code="IN-207"))
    if min_views > views:
        expected = f"at most {views}, the views of the cohort"
        problems.append(
            Problem("config", "integration.min_views", str(min_views), expected, "Lower it.", code="IN-208")
        )
    return problems


def matrix_problems(samples: pd.DataFrame, views: Mapping[str, ad.AnnData], regress_out: str) -> list[Problem]:
    """List what the values of the matrices do not allow.

    Parameters
    ----------
    samples
        The cohort.
    views
        View name to its validated matrix (samples x features), NaN where a value is missing.
    regress_out
        See `Settings`.

    Returns
    -------
    list of Problem
        A batch that follows the diseases among the samples in which some features are measured; no feature that
        varies.
    """
    problems = [] if any(map(_varies, views.values())) else [_nothing_varies(views)]
    if regress_out:
        sheet = samples.set_index("sample")
        for data in views.values():
            of_view = sheet.loc[data.obs_names]
            batch, protected = of_view[regress_out], of_view[list(Settings.protect)]
            problems += problems_of(require_separable_features, data, batch, protected)
    return list(dict.fromkeys(problems))


def _varies(view: ad.AnnData) -> bool:
    for start in range(0, view.n_vars, BLOCK_FEATURES):
        block = np.asarray(view.X[:, start : start + BLOCK_FEATURES], dtype=float)
        observed = np.isfinite(block)
        often = 1 - observed.mean(axis=0) <= Settings.max_missing
        low, high = (np.where(observed, block, fill) for fill in (np.inf, -np.inf))
        if np.any(often & (high.max(axis=0) > low.min(axis=0))):
            return True
    return False


def _nothing_varies(views: Mapping[str, ad.AnnData]) -> Problem:
    found = "in every row one value for all samples, or values for fewer than half of them"
    expected = "at least one feature that varies between samples"
    fix = "Check that the matrices hold the values of different people."
    return Problem("views", listed(views), found, expected, fix, code="IN-209")


def _of_batch(samples: pd.DataFrame, views: Sequence[str], name: str) -> list[Problem]:
    if not name:
        return []
    found: dict[Problem, None] = {}
    for view in views:
        measured = samples[samples[view]]
        found |= dict.fromkeys(problems_of(require_separable_batches, measured[name], measured[list(Settings.protect)]))
    return list(found)


def _too_few(samples: pd.DataFrame, views: Sequence[str], min_views: int) -> Iterator[Problem]:
    enough = int((samples[views].sum(axis=1) >= min_views).sum())
    # a small cohort is told as such
    if enough < Settings.min_samples <= len(samples):
        found = f"{min_views}, which {enough} samples have"
        expected = f"a number of views that at least {Settings.min_samples} samples have"
        fix = f"Lower it; the cohort has {len(views)} views."
        yield Problem("config", "integration.min_views", found, expected, fix, code="IN-208")
