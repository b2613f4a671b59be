"""What the samples alone say about a model of factors, before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from stratifn.integration.batch import require_separable_batches
from stratifn.integration.settings import Settings
from stratifn.shared.errors import Problem, listed, problems_of
from stratifn.shared.samples import covariates
from stratifn.shared.vocabulary import IN_VIEW


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
    return [*_of_batch(samples, views, regress_out), *_too_few(samples, views, min_views)]


def _of_batch(samples: pd.DataFrame, views: Sequence[str], name: str) -> list[Problem]:
    if not name:
        return []
    if name not in samples:
        expected = f"a column of the sample sheet ({listed(covariates(samples))})"
        fix = "Correct the name, or leave it empty."
        return [Problem("config", "integration.regress_out", f"`{name}`", expected, fix, code="IN-207")]
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
