"""Technical replicates whose scores disagree: one of them is wrong, and nobody knows which."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

# a column of the sheet that says which samples are repeated measurements
REPLICATE = re.compile(r"(.+_)?replicate", re.IGNORECASE)
ONE_OCCASION = ("disease", "patient", "visit", "day", "tissue")
# SDs of the controls: what separates a healthy person from the cut-off
DISAGREEMENT_SD = 2.0


def disagreeing_replicates(samples: pd.DataFrame, scores: pd.Series, sd: float) -> list[str]:
    """Return the samples whose technical replicate scores more than two SDs of the controls away.

    Parameters
    ----------
    samples
        The sheet. Replicates are samples of one patient and occasion, if a column ``replicate`` (or one whose name
        ends with ``_replicate``) says that there are any.
    scores
        By sample.
    sd
        Of the controls' scores.
    """
    if "patient" not in samples or not any(map(REPLICATE.fullmatch, samples.columns)) or not sd > 0:
        return []
    scored = samples.assign(score=samples["sample"].map(scores)).dropna(subset=["score"])
    return sorted(name for group in _occasions(scored) for name in _apart(group, sd))


def _occasions(scored: pd.DataFrame) -> Iterator[pd.DataFrame]:
    by = [column for column in ONE_OCCASION if column in scored]
    return (group for _, group in scored.groupby(by, dropna=False, sort=True) if len(group) > 1)


def _apart(group: pd.DataFrame, sd: float) -> list[str]:
    values = group["score"].to_numpy(dtype=float)
    furthest = np.abs(values[:, None] - values).max(axis=1)
    return list(group.loc[furthest > DISAGREEMENT_SD * sd, "sample"])
