"""Levels of a factor that are probably one level, written in two ways."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from stratifn.inputs.types import as_number
from stratifn.shared.errors import Problem
from stratifn.shared.samples import is_number


def level_problems(samples: pd.DataFrame, path: str, used: Collection[str]) -> Iterator[Problem]:
    """Find levels that differ only by case, white space, or zeros that do not change a number.

    Parameters
    ----------
    samples
        The typed samples.
    path
        The sheet's name in messages.
    used
        Columns that are looked at in any case. Another one is where its levels are groups: where they occur twice on
        average. The rest is free text.
    """
    for name in samples.columns:
        cells = samples[name].dropna()
        if is_number(cells) or (name not in used and cells.nunique() > len(cells) / 2):
            continue
        counts = Counter(cells)
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for level in sorted(counts):
            alike[_form(level)].append(level)
        for same in alike.values():
            if len(same) > 1:
                found = " and ".join(f"`{level}` in {counts[level]} samples" for level in same)
                fix = "Write them in one way; if they are different groups, give them names that differ by more."
                expected = "levels that differ by more than case, spaces or zeros"
                yield Problem(path, f"column {name}", found, expected, fix, code="IN-058")


def _form(level: str) -> str:
    number = as_number(level)
    return "".join(level.casefold().split()) if np.isnan(number) else repr(number)
