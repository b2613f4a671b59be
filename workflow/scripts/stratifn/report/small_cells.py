"""Counts of people that are too small to be shown, and what would give them away: the rules, without the report.

A count between 1 and ``min_cell - 1`` is shown as ``<min_cell``. Where the parts of a group are shown beside the size of
the group, the small parts would follow from the others. So the largest part is shown as a lower bound that leaves every
small one at 1 to ``min_cell - 1``; where no part is large enough for that, parts are hidden altogether, the smallest
first, until each hidden one can be 1 to ``min_cell - 1`` (complementary suppression). That a value is *missing* (not
measured, not known) tells nothing of a person: these counts are shown, unless a small count would follow from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import pandas as pd

HIDDEN = "hidden"
# ``3 of 24 samples``, ``1 control``: counts of people in the phases' words
_COUNT_IN_WORDS = re.compile(r"(?<![\w.,-])(\d+)(?: of (\d+))?(?= (?:samples?|people|persons?|patients?|controls?)\b)")
# percent to which a share is rounded where the number of people is hidden, until it fits several numbers
_STEPS = (1, 5, 10)


def people(count: int, min_cell: int) -> str:
    """Write a count of people that nothing beside it completes; one between 1 and `min_cell` - 1 is not shown."""
    return f"<{min_cell}" if 0 < count < min_cell else str(count)


def part_of(count: int, total: int, min_cell: int) -> str:
    """Write how many of a number of people that is shown: neither they nor the others may be few."""
    if 0 < total - count < min_cell <= count:
        return f">{total - min_cell}"
    return people(count, min_cell)


def at_least(count: int, min_cell: int) -> str:
    """Write a count of people that others may complete: zero, few, or not few."""
    return f"{min_cell} or more" if count >= min_cell > 1 else people(count, min_cell)


def without_small_counts(words: str, min_cell: int, write: Callable[[int, int], str] = people) -> str:
    """Hide the small counts of people in a sentence of a phase; `write` is how counts are written."""

    def hide(match: re.Match[str]) -> str:
        total = "" if match.group(2) is None else f" of {people(int(match.group(2)), min_cell)}"
        return write(int(match.group(1)), min_cell) + total

    return _COUNT_IN_WORDS.sub(hide, words)


@dataclass(frozen=True)
class Division:
    """How groups divide into parts, as it is shown.

    Attributes
    ----------
    counts
        Groups x parts: the people.
    words
        Of the same shape: the count, a bound, or `HIDDEN`.
    least
        Of the same shape: how many people `words` tell of, at least.
    """

    counts: pd.DataFrame
    words: pd.DataFrame
    least: pd.DataFrame

    @property
    def exact(self) -> pd.DataFrame:
        """Where the count itself is shown."""
        return self.words == self.counts.astype(str)

    def of(self, groups: Sequence[str]) -> Division:
        """Restrict to some groups, in their order."""
        return Division(self.counts.loc[groups], self.words.loc[groups], self.least.loc[groups])

    def called(self, names: Mapping[str, str]) -> Division:
        """Give the parts other names."""
        counts, words, least = (each.rename(columns=names) for each in (self.counts, self.words, self.least))
        return Division(counts, words, least)


def divide(
    counts: pd.DataFrame, min_cell: int, missing: Collection[str] = (), unshown: Collection[str] = ()
) -> Division:
    """Write a table of people so that no small count follows from the others and the sizes of the groups.

    Parameters
    ----------
    counts
        Groups x parts. The parts of a group make up the group, and no sum over groups is shown.
    min_cell
        Smallest count that is shown.
    missing
        Parts of people without a value.
    unshown
        Parts that the table leaves out, and that follow from the others.
    """
    is_missing, is_unshown = counts.columns.isin(list(missing)), counts.columns.isin(list(unshown))
    rows = [_divide_group(row, min_cell, is_missing, is_unshown) for row in counts.to_numpy(int)]
    words, least = (
        pd.DataFrame([row[which] for row in rows], counts.index, counts.columns, dtype=dtype)
        for which, dtype in ((0, object), (1, int))
    )
    return Division(counts, words, least)


def _divide_group(
    row: np.ndarray, min_cell: int, missing: np.ndarray, unshown: np.ndarray
) -> tuple[list[str], np.ndarray]:
    if 0 < row.sum() < min_cell:
        # zeros as well: they could leave one part, which is then the group
        return [HIDDEN] * len(row), np.zeros_like(row)
    few = (row > 0) & (row < min_cell) & ~missing
    words, least = row.astype(str).tolist(), row.copy()
    if not few.any():
        return words, least
    bounded = np.where(~few & ~missing & ~unshown, row, 0)
    largest = int(np.argmax(bounded))
    # every small part can be anything from 1 to min_cell - 1
    bound = int(bounded[largest] + row[few].sum() - few.sum() * (min_cell - 1))
    if bounded[largest] and bound >= min_cell:
        least[few], least[largest] = 0, bound
        for cell in np.flatnonzero(few):
            words[cell] = people(int(row[cell]), min_cell)
        words[largest] = f">{bound - 1}"
        return words, least
    hidden = _hidden_parts(row, few | ((row > 0) & unshown & ~missing), min_cell, missing)
    return [HIDDEN if hide else word for hide, word in zip(hidden, words, strict=True)], np.where(hidden, 0, row)


def _hidden_parts(row: np.ndarray, hidden: np.ndarray, min_cell: int, missing: np.ndarray) -> np.ndarray:
    """Hide more parts until the hidden ones cannot be solved for; people without a value last, other tables count them."""
    hidden = hidden.copy()
    for cell in sorted(np.flatnonzero((row > 0) & ~hidden), key=lambda cell: (missing[cell], row[cell], cell)):
        if _unsolvable(row[hidden], min_cell):
            break
        hidden[cell] = True
    # with the zeros hidden nobody knows how many parts there are
    return hidden if _unsolvable(row[hidden], min_cell) else np.ones_like(hidden)


def _unsolvable(hidden: np.ndarray, min_cell: int) -> bool:
    """Whether each hidden part can be 1 to `min_cell` - 1 (two numbers at least), given their sum and that none is zero."""
    return len(hidden) > 1 and hidden.sum() >= max(min_cell, max(min_cell - 1, 2) + len(hidden) - 1)


@dataclass(frozen=True)
class Share:
    """A share of people as it is shown.

    Attributes
    ----------
    words
        The share with its interval, in percent.
    value, low, high
        The same as fractions; NaN where they would give a small number of people away.
    """

    words: str
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")


def share_of(value: float, low: float, high: float, total: int, at_most: int, min_cell: int) -> Share:
    """Write a share of people and its 95 % interval; neither side of it may be few.

    Parameters
    ----------
    value, low, high
        Fractions.
    total
        Of how many people.
    at_most
        How many these can be as far as is shown: `total` where it is shown, else up to ``min_cell - 1`` more.
    min_cell
        Smallest count that is shown.
    """
    if np.isnan(value):
        return Share("")
    count = round(value * total)
    if total < min_cell:
        return Share(f"not shown (fewer than {min_cell} people)")
    of_whom = f" of {total}" if at_most == total else ""
    if 0 < count < min_cell:
        return Share(f"fewer than {min_cell}{of_whom} people")
    if 0 < total - count < min_cell:
        return Share(
            f"more than {total - min_cell} of {total} people" if of_whom else f"all but fewer than {min_cell} people"
        )
    if at_most == total:
        return Share(f"{100 * value:.0f} % ({100 * low:.0f} to {100 * high:.0f})", value, low, high)
    possible = range(max(at_most - min_cell + 1, 1), at_most)
    for step in _STEPS:
        rounded = _to(value, step)
        if all(any(_to(part / number, step) == rounded for part in range(number + 1)) for number in possible):
            ends = step * floor(100 * low / step), step * ceil(100 * high / step)
            words = f"about {rounded} % (about {ends[0]} to {ends[1]})"
            return Share(words, rounded / 100, ends[0] / 100, ends[1] / 100)
    return Share(f"not shown (it would tell of fewer than {min_cell} people)")


def solved_by(words: Sequence[str], counts: Sequence[int], at_most: Sequence[int], min_cell: int) -> bool:
    """Whether a small part of a group follows from what is shown of the parts, their sum and further upper bounds.

    Parameters
    ----------
    words, counts
        What is shown of each part, and the people.
    at_most
        How many people each part can have at most.
    min_cell
        Smallest count that is shown.
    """
    ranges = [cell_range(word, most) for word, most in zip(words, at_most, strict=True)]
    total = sum(counts)
    for part, (count, (low, high)) in enumerate(zip(counts, ranges, strict=True)):
        others = [each for other, each in enumerate(ranges) if other != part]
        least, most = (
            max(low, total - sum(high for _, high in others)),
            min(high, total - sum(low for low, _ in others)),
        )
        if 0 < count < min_cell and least == most:
            return True
    return False


def cell_range(words: str, most: int) -> tuple[int, int]:
    """Return the fewest and the most people that a cell of a `Division` can stand for; zeros are shown."""
    if words == HIDDEN:
        return 1, most
    if words.startswith("<"):
        return 1, min(int(words[1:]) - 1, most)
    if words.startswith(">"):
        return int(words[1:]) + 1, most
    return int(words), int(words)


def _to(share: float, step: int) -> int:
    return step * round(100 * share / step)
