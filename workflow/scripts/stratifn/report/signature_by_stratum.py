"""How many people of each class of the signature are in each stratum, as far as no small count follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import pandas as pd

from stratifn.report.head_counts import NO_VALUE, HeadCounts
from stratifn.report.small_cells import HIDDEN, Division, cell_range, divide
from stratifn.shared.vocabulary import BORDERLINE, CLASSES, HIGH, INTERFERON, UNSCORED

# of a number of people that is found by linear programming
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class SignatureByStratum:
    """The classes of the signature by stratum.

    Attributes
    ----------
    divided
        Classes x strata (by number, and the one of people without a stratum); the parts of people without a stratum
        row are left out.
    totals
        What is shown of the people of each class.
    high_outside
        High people outside the strata called interferon, and all high people; None where no stratum is called so, or
        where a small count would follow.
    """

    divided: Division
    totals: pd.Series
    high_outside: tuple[int, int] | None


def signature_by_stratum(heads: HeadCounts, labels: pd.Series) -> SignatureByStratum | None:
    """Count the classes of the signature in the strata.

    The most detailed of several tables is taken from which no small count of it, of the groups by stratum, or of the
    groups by class follows: all of them add up to the same people.

    Parameters
    ----------
    heads
        Of the cohort.
    labels
        Label of each stratum by its number.

    Returns
    -------
    SignatureByStratum or None
        None where everything would have to be hidden.
    """
    counts = _counts(heads)
    inside = [str(number) for number in labels.index[labels == INTERFERON] if str(number) in counts]
    for divided, totals_shown in _tables(counts, inside, heads.min_cell):
        if _is_safe(heads, divided, totals_shown):
            totals = counts.sum(axis=1)
            told = bool(inside) and totals_shown[HIGH] and divided.exact.loc[HIGH, inside].all()
            outside = int(totals[HIGH] - counts.loc[HIGH, inside].sum())
            shown = Division(*(each.drop(columns=NO_VALUE) for each in (counts, divided.words, divided.least)))
            words = totals.astype(str).where(totals_shown, HIDDEN)
            return SignatureByStratum(shown, words, (outside, int(totals[HIGH])) if told else None)
    return None


def _counts(heads: HeadCounts) -> pd.DataFrame:
    """Count classes x strata; a class that nobody has is left out, but for those of scored people."""
    classes = heads.tables["classes"].set_index("sample")["ifn_class"].fillna(UNSCORED)
    stratum = heads.tables["strata"].set_index("sample")["stratum"].map(str, na_action="ignore")
    found = stratum.reindex(classes.index).fillna(NO_VALUE)
    strata = [*heads.shown_strata, NO_VALUE]
    counts = pd.crosstab(classes, found).reindex(index=[*CLASSES, UNSCORED], columns=strata, fill_value=0)
    return counts.drop(index=[UNSCORED] if not counts.loc[UNSCORED].any() else [])


def _tables(counts: pd.DataFrame, inside: list[str], min_cell: int) -> Iterator[tuple[Division, pd.Series]]:
    """Yield what could be shown, the most detailed first: every class, the high ones, the high ones inside and outside."""
    totals = counts.sum(axis=1)
    shown = (totals == 0) | (totals >= min_cell)
    every = _divided(counts, inside, min_cell)
    yield every, shown
    others = counts.index != HIGH
    high = _with_hidden(every, others)
    yield high, shown & ~others
    if inside:
        coarse = high.words.copy()
        coarse.loc[HIGH, ~counts.columns.isin(inside)] = HIDDEN
        yield Division(counts, coarse, high.least.where(coarse != HIDDEN, 0)), shown & ~others
    yield high, shown & False


def _divided(counts: pd.DataFrame, inside: list[str], min_cell: int) -> Division:
    """Divide every class over the strata; of the high people first over the strata called interferon and the others."""
    whole = divide(counts, min_cell, [NO_VALUE], [NO_VALUE])
    part = counts.columns.isin(inside)
    sides = [int(counts.loc[HIGH, side].sum()) for side in (part, ~part)]
    if not inside or any(0 < size < min_cell for size in sides):
        return whole
    words, least = whole.words.copy(), whole.least.copy()
    for side in (part, ~part):
        of_side = divide(counts.loc[[HIGH], side], min_cell, [], [])
        words.loc[HIGH, side], least.loc[HIGH, side] = of_side.words.loc[HIGH], of_side.least.loc[HIGH]
    return Division(counts, words, least)


def _with_hidden(divided: Division, rows: np.ndarray) -> Division:
    words, least = divided.words.copy(), divided.least.copy()
    words.loc[rows], least.loc[rows] = HIDDEN, 0
    return Division(divided.counts, words, least)


def _is_safe(heads: HeadCounts, divided: Division, totals_shown: pd.Series) -> bool:
    """Whether every small count that is not shown can be one of several numbers, given all that is shown."""
    if heads.min_cell < 2:
        return True
    if heads.totals.between(1, heads.min_cell - 1).any():
        # sums over the groups would tell the size of the small one
        return False
    return not _Sums(heads, divided, totals_shown).solved()


class _Sums:
    """The tables groups x strata, classes x strata and groups x classes as unknowns with their sums.

    Each unknown has the range of its words. The three tables count the same people, so their margins agree.
    """

    def __init__(self, heads: HeadCounts, divided: Division, totals_shown: pd.Series) -> None:
        strata, classes = list(divided.counts.columns), list(divided.counts.index)
        tables = {
            "groups by stratum": heads.by_stratum.counts[strata], "classes by stratum": divided.counts,
            "groups by class": heads.by_class.counts[classes],
        }  # fmt: skip
        words = {
            "groups by stratum": heads.by_stratum.words[strata], "classes by stratum": divided.words,
            "groups by class": heads.by_class.words[classes],
        }  # fmt: skip
        self.position: dict[tuple[str, str, str], int] = {}
        self.bounds: list[tuple[float, float]] = []
        self.few: list[int] = []
        most = int(heads.totals.sum())
        for name, table in tables.items():
            for (row, column), count in table.stack().items():
                word = HIDDEN if column == NO_VALUE else str(words[name].loc[row, column])
                place = self.position[name, row, column] = len(self.bounds)
                # a part that is left out, or hidden in a row that is hidden as a whole, may be nobody
                low, high = (0, most) if word == HIDDEN else cell_range(word, most)
                self.bounds.append((low, high))
                if word != str(count) and 0 < count < heads.min_cell and column not in (NO_VALUE, UNSCORED):
                    self.few.append(place)
        self.equal: list[tuple[dict[int, float], float]] = []
        for group, total in heads.totals.items():
            for name, columns in (("groups by stratum", strata), ("groups by class", classes)):
                cells = {self.position[name, group, column]: 1.0 for column in columns}
                if total == 0 or total >= heads.min_cell:
                    self.equal.append((cells, float(total)))
        for stratum in strata:
            self._same("groups by stratum", heads.groups, "classes by stratum", classes, stratum)
        for each in classes:
            classed = {self.position["groups by class", group, each]: 1.0 for group in heads.groups}
            placed = {self.position["classes by stratum", each, stratum]: -1.0 for stratum in strata}
            self.equal.append((classed | placed, 0.0))
            if totals_shown[each]:
                self.equal.append((classed, float(divided.counts.loc[each].sum())))

        self.at_most: list[tuple[dict[int, float], float]] = []
        for group, above in _above_the_cutoff(heads).items():
            # every high person is above the cut-off, no low one is
            high, borderline = (self.position["groups by class", group, each] for each in (HIGH, BORDERLINE))
            self.at_most.append(({high: 1.0}, above))
            self.at_most.append(({high: -1.0, borderline: -1.0}, -above))

    def _same(self, first: str, rows: tuple[str, ...], second: str, others: list[str], column: str) -> None:
        here = {self.position[first, row, column]: 1.0 for row in rows}
        there = {self.position[second, row, column]: -1.0 for row in others}
        self.equal.append((here | there, 0.0))

    def solved(self) -> bool:
        """Whether a small count has one value alone."""
        from scipy.optimize import linprog

        equal, at_most = self._matrix(self.equal), self._matrix(self.at_most)
        for place in self.few:
            ends = []
            for sign in (1, -1):
                cost = np.zeros(len(self.bounds))
                cost[place] = sign
                found = linprog(cost, *at_most, *equal, bounds=self.bounds, method="highs")
                # what cannot be solved is not shown
                if not found.success:
                    return True
                ends.append(sign * found.fun)
            if ceil(ends[0] - _TOLERANCE) >= floor(ends[1] + _TOLERANCE):
                return True
        return False

    def _matrix(self, sums: list[tuple[dict[int, float], float]]) -> tuple[np.ndarray, np.ndarray]:
        left = np.zeros((len(sums), len(self.bounds)))
        for row, (cells, _) in enumerate(sums):
            left[row, list(cells)] = list(cells.values())
        return left, np.array([total for _, total in sums])


def _above_the_cutoff(heads: HeadCounts) -> dict[str, float]:
    """Return how many people of each group are above the cut-off, where their share is shown."""
    table = heads.tables["prevalence"]
    own = table[(table["signature"] == heads.signature) & table["prevalence"].notna()]
    return {
        str(row["disease"]): float(round(row["prevalence"] * row["n"]))
        for row in own.to_dict("records")
        if row["disease"] in heads.groups and np.isfinite(heads.share(row).value)
    }
