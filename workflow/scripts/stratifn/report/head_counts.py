"""How many people of a cohort are what, as the report shows it: one answer for every table, figure, sentence and page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from stratifn.report.content import cell
from stratifn.report.small_cells import (
    HIDDEN,
    Division,
    Share,
    divide,
    part_of,
    people,
    share_of,
    solved_by,
    without_small_counts,
)
from stratifn.shared.claims import CLAIMS
from stratifn.shared.samples import covariates, is_number
from stratifn.shared.vocabulary import (
    BORDERLINE,
    CLASSES,
    HIGH,
    IN_VIEW,
    LOW,
    RESPONSE_TYPES,
    RNA,
    UNCERTAIN,
    UNSCORED,
)

MOST_LEVELS = 6
NOT_CHARACTERISTICS = frozenset({"disease", "visit"})
# parts beside the levels of a column; no level of a sheet is called so
NOT_KNOWN, KNOWN = "(not known)", "(known)"
# parts that a table does not show: people without a value, and with another one
NO_VALUE, OTHER = "(no value)", "(other)"
# what associations call the interferon score, before a colon or alone
SCORES = ("score", "ifn_score")


def has_quartiles(values: pd.Series) -> bool:
    """Whether a column of the sheet is described by quartiles, not by its levels."""
    return is_number(values) and values.nunique() > 2


@dataclass(frozen=True)
class HeadCounts:
    """Counts of people in a cohort, small ones hidden (see `small_cells`).

    Attributes
    ----------
    samples
        ``inputs/samples.tsv``.
    groups
        Labels of the diseases and of the controls.
    stratum_names
        Number of each stratum to its name; `UNCERTAIN` is one more.
    signature, method
        Of the classes.
    tables
        By name: ``classes``, ``strata``, ``prevalence``, ``reference`` and ``verdicts``.
    min_cell
        Smallest count that is shown.
    """

    samples: pd.DataFrame
    groups: tuple[str, ...]
    stratum_names: Mapping[str, str]
    signature: str
    method: str
    tables: Mapping[str, pd.DataFrame]
    min_cell: int

    # --- the cohort and its groups ------------------------------------------------------------------------------------

    @cached_property
    def totals(self) -> pd.Series:
        """Samples of each group."""
        return self.samples["disease"].value_counts().reindex(list(self.groups), fill_value=0)

    def total(self, group: str) -> str:
        """Write how many samples a group has."""
        return people(int(self.totals[group]), self.min_cell)

    def everybody(self, column: str = "sample") -> str:
        """Write how many samples (or different values of another column) the cohort has.

        A small group would follow from the others.
        """
        counts = self.samples.groupby("disease")[column].nunique().reindex(list(self.groups), fill_value=0)
        shown = counts[counts >= max(self.min_cell, 1)]
        total = int(self.samples[column].nunique())
        return str(total) if len(shown) == (counts > 0).sum() else f"more than {int(shown.sum())}"

    # --- divisions of the groups --------------------------------------------------------------------------------------

    @cached_property
    def measured(self) -> pd.DataFrame:
        """How many samples of each group (rows) each view (columns) holds."""
        views = [name for name in self.samples if str(name).startswith(IN_VIEW) and self.samples[name].dtype == bool]
        counts = self.samples.groupby("disease")[views].sum().reindex(list(self.groups), fill_value=0)
        return counts.rename(columns=lambda name: str(name).removeprefix(IN_VIEW)).astype(int)

    @cached_property
    def by_class(self) -> Division:
        """The groups by class."""
        table = self.tables["classes"].assign(part=self.tables["classes"]["ifn_class"].fillna(UNSCORED))
        counts = self._counts(table, [*CLASSES, UNSCORED])
        # the others have a score, and no class for another reason: a treatment
        closed = counts[UNSCORED] != self.totals - self.measured.get(RNA, 0)
        return self._divided(counts, UNSCORED, closed)

    @cached_property
    def closed(self) -> pd.Series:
        """Groups in which the number of people without a class is hidden: every number with a score is hidden too."""
        return ~self.by_class.exact[UNSCORED]

    @cached_property
    def by_type(self) -> Division:
        """The groups by type of the response."""
        known = self.tables["classes"]["ifn_type"]
        table = self.tables["classes"].assign(
            part=known.where(known.isin(RESPONSE_TYPES) | known.isna(), OTHER).fillna(NO_VALUE)
        )
        return self._divided(
            self._counts(table, [*RESPONSE_TYPES, OTHER, NO_VALUE]), NO_VALUE, self.closed, (OTHER, NO_VALUE)
        )

    @cached_property
    def by_stratum(self) -> Division:
        """The groups by stratum (its number, or `UNCERTAIN`)."""
        table = self.tables["strata"].assign(part=self.tables["strata"]["stratum"].map(str, na_action="ignore"))
        counts = self._counts(table, list(self.stratum_names))
        counts[NO_VALUE] = self.totals - counts.sum(axis=1)
        return divide(counts, self.min_cell, [NO_VALUE], [NO_VALUE])

    @cached_property
    def by_characteristic(self) -> dict[str, Division]:
        """The groups by the levels of every column of the sheet that has few, and by whether it is known."""
        return {
            name: self._characteristic(name) for name in covariates(self.samples) if name not in NOT_CHARACTERISTICS
        }

    def _characteristic(self, name: str) -> Division:
        values = self.samples[name]
        if not 1 < values.nunique() <= MOST_LEVELS or has_quartiles(values):
            parts = values.notna().map({True: KNOWN, False: NOT_KNOWN})
            levels, unshown = [KNOWN], [KNOWN]
        else:
            names = {level: cell(level) for level in sorted(values.dropna().unique(), key=str)}
            parts, levels, unshown = values.map(names).fillna(NOT_KNOWN), list(names.values()), []
        counts = self._counts(self.samples.assign(part=parts), [*levels, NOT_KNOWN])
        return divide(counts, self.min_cell, [NOT_KNOWN], unshown)

    def _counts(self, table: pd.DataFrame, parts: list[str]) -> pd.DataFrame:
        return pd.crosstab(table["disease"], table["part"]).reindex(
            index=list(self.groups), columns=parts, fill_value=0
        )

    def _divided(
        self, counts: pd.DataFrame, missing: str, closed: pd.Series, unshown: tuple[str, ...] = ()
    ) -> Division:
        """Divide groups; in closed ones, people without a value are a part like any other."""
        ways = {
            True: divide(counts, self.min_cell, (), unshown),
            False: divide(counts, self.min_cell, [missing], unshown),
        }
        chosen = np.broadcast_to(closed.to_numpy(bool)[:, None], counts.shape)
        words, least = (
            getattr(ways[False], which).where(~chosen, getattr(ways[True], which)) for which in ("words", "least")
        )
        return Division(counts, words, least)

    # --- how many people a number rests on ----------------------------------------------------------------------------

    def with_value(self, group: str, count: int) -> str:
        """Write how many people of a group have a value, as the n of a test or of a figure."""
        if self.totals[group] < self.min_cell or count < self.min_cell:
            return people(count, self.min_cell)
        known = {int(self.totals[group]), int(self.measured.get(RNA, self.totals)[group])}
        return HIDDEN if self.closed[group] and count not in known else str(count)

    def with_class(self, group: str, name: str, count: int) -> str:
        """Write how many people of a class of a group are in a test."""
        if not self.by_class.exact.loc[group, name]:
            return HIDDEN
        return people(count, self.min_cell)

    @property
    def uncertain(self) -> str:
        """How many samples of the cohort have no stratum of probability one half: what a group hides would follow."""
        counts = self.by_stratum.counts[UNCERTAIN]
        return str(int(counts.sum())) if self.by_stratum.exact[UNCERTAIN].all() or not counts.any() else HIDDEN

    @property
    def shown_strata(self) -> dict[str, str]:
        """Names of the strata by number, and `UNCERTAIN` unless it is nobody."""
        return {key: name for key, name in self.stratum_names.items() if key != UNCERTAIN or self.uncertain != "0"}

    @property
    def uninformed(self) -> str:
        """How many samples of the cohort lack the measurements that tell the strata apart.

        What is hidden of the groups, or of who is measured in a view, would follow.
        """
        placed, count = len(self.tables["strata"]), self._uninformed
        few = self.totals.between(1, self.min_cell - 1).any() or self._few_measured
        return HIDDEN if few and count else part_of(count, placed, self.min_cell)

    @property
    def _uninformed(self) -> int:
        return int((~self.tables["strata"]["informed"].astype(bool)).sum())

    def of_strata(self, count: int, variable: str) -> str:
        """Write how many people have a variable among those who show the strata: how many others there are would follow."""
        told = self.uncertain != HIDDEN and self.uninformed == str(self._uninformed)
        return self.of_everybody(count, variable) if told else HIDDEN

    def of_everybody(self, count: int, variable: str) -> str:
        """Write how many people of the whole cohort have a variable.

        Parameters
        ----------
        count
            The people.
        variable
            A column of the sheet or ``column[level]``, ``view:feature``, or one of `SCORES`.
        """
        if self.totals.between(1, self.min_cell - 1).any():
            return HIDDEN
        known = {int(self.totals.sum())}
        own = self.by_characteristic.get(variable.partition("[")[0])
        if own is not None and not own.exact[NOT_KNOWN].all():
            return HIDDEN
        if own is not None:
            known.add(int((self.totals - own.counts[NOT_KNOWN]).sum()))
        name = variable.partition(":")[0]
        measured = self.measured.get(RNA if name in SCORES else name)
        if measured is not None and not measured.between(1, self.min_cell - 1).any():
            known.add(int(measured.sum()))
        return people(count, self.min_cell) if count in known or self._tells_of_missing else HIDDEN

    @cached_property
    def _tells_of_missing(self) -> bool:
        """Whether every count of people without a value is shown."""
        sheet = all(division.exact[NOT_KNOWN].all() for division in self.by_characteristic.values())
        return bool(sheet and not self.closed.any() and not self._few_measured)

    @property
    def _few_measured(self) -> bool:
        """Whether a view holds few samples of a group."""
        return bool((self.measured.gt(0) & self.measured.lt(self.min_cell)).any(axis=None))

    @property
    def every_level_shown(self) -> bool:
        """Whether no count of a characteristic is hidden, so that their sums over groups tell nothing."""
        return all(bool(division.exact.all(axis=None)) for division in self.by_characteristic.values())

    def of_contrast(self, contrast: str, level: int, baseline: int) -> tuple[str, str]:
        """Write how many samples of level and baseline a contrast compares."""
        first, _, second = contrast.partition("_vs_")
        if first in self.groups and second in self.groups:
            return self.with_value(first, level), self.with_value(second, baseline)
        if not self.every_level_shown or self.totals.between(1, self.min_cell - 1).any():
            return HIDDEN, HIDDEN
        return people(level, self.min_cell), people(baseline, self.min_cell)

    def of_status(self, contrast: str, diseases: list[str], high: int, low: int) -> tuple[str, str]:
        """Write how many high and low patients the comparison of IFN status has, in one disease or in all."""
        named = [disease for disease in diseases if contrast.startswith(f"{disease}_IFN_")] or diseases
        return tuple(
            self.with_class(named[0], name, count) if self.by_class.exact.loc[named, name].all() else HIDDEN
            for name, count in ((HIGH, high), (LOW, low))
        )  # type: ignore[return-value]

    # --- shares -------------------------------------------------------------------------------------------------------

    def share(self, row: Mapping[str, Any]) -> Share:
        """Write the share of a row of ``prevalence.tsv``."""
        group, total = str(row["disease"]), int(row["n"])
        hidden = self.with_value(group, total) == HIDDEN
        at_most = int(self.totals[group]) if hidden else total
        if (
            total >= self.min_cell
            and not hidden
            and self._share_solves_classes(group, total, round(row["prevalence"] * total))
        ):
            return Share(f"not shown (it would tell of fewer than {self.min_cell} people)")
        return share_of(row["prevalence"], row["ci_low"], row["ci_high"], total, at_most, self.min_cell)

    def _share_solves_classes(self, group: str, total: int, above: int) -> bool:
        """Whether a class follows from the number above the cut-off: all high and no low people are among them."""
        parts = list(CLASSES)
        words, counts = self.by_class.words.loc[group, parts], self.by_class.counts.loc[group, parts]
        most = [above if name == HIGH else total - above if name == LOW else total for name in parts]
        return solved_by(words.tolist(), counts.tolist(), most, self.min_cell)

    @cached_property
    def every_share_shown(self) -> bool:
        """Whether the share above the cut-off is shown of every group, so that the one of all patients tells nothing."""
        table = self.tables["prevalence"]
        own = table[(table["signature"] == self.signature) & table["prevalence"].notna()]
        shares = [self.share(row) for row in own.to_dict("records")]
        exact = [share.value == value for share, value in zip(shares, own["prevalence"], strict=True)]
        return all(exact) and not self.closed.any()

    # --- verdicts -----------------------------------------------------------------------------------------------------

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """The verdicts, without the values and words that would tell a hidden count."""
        table = self.tables["verdicts"]
        told = np.array([self._tells(row) for row in table.to_dict("records")], dtype=bool)
        words = table["reason"].map(lambda reason: without_small_counts(reason, self.min_cell), na_action="ignore")
        return table.assign(value=table["value"].astype(float).mask(told), reason=words)

    def _tells(self, row: Mapping[str, object]) -> bool:
        """Whether the value of a verdict would tell a hidden count."""
        claim, key, subject = str(row["claim"]), str(row["criterion"]), str(row["subject"])
        if self.min_cell < 2:
            return False
        if (claim, key) == ("prevalence", "one_control"):
            return self.few_flipped
        if not CLAIMS[claim].criterion(key).people:
            return False
        if claim == "cutoff":
            return self.few_excluded or (key == "outlying_controls" and 0 < float(str(row["value"])) < self.min_cell)
        if claim == "prevalence":
            return subject not in self.groups or not self.by_class.exact.loc[subject, [HIGH, BORDERLINE]].all()
        if claim != "stratum_label":
            # the size of the smallest stratum: no sentence says it
            return False
        return not bool(self.by_stratum.exact.all(axis=None)) or self._few_of_stratum(row)

    def _few_of_stratum(self, row: Mapping[str, object]) -> bool:
        value, subject = float(str(row["value"])), str(row["subject"])
        if row["criterion"] != "mostly_high" or not np.isfinite(value) or subject not in self.by_stratum.counts:
            return False
        if not self.by_class.exact.all(axis=None):
            # the high people of a stratum are shown beside, and the share would complete them
            return True
        # the evidence for a label is that of informed people alone
        strata = self.tables["strata"]
        total = int((strata["stratum"].astype(str).eq(subject) & strata["informed"].astype(bool)).sum())
        count = round(value * total)
        return part_of(count, total, self.min_cell) != str(count)

    @cached_property
    def _reference(self) -> pd.DataFrame:
        table = self.tables["reference"]
        return table[(table["signature"] == self.signature) & (table["method"] == self.method)]

    @property
    def few_flipped(self) -> bool:
        """Whether leaving out one control changes the side of few patients."""
        return bool(self._reference["flipped"].between(1, self.min_cell - 1).any())

    @property
    def few_excluded(self) -> bool:
        """Whether few controls were left out of the reference."""
        return bool(self._reference["excluded"].between(1, self.min_cell - 1).any())
