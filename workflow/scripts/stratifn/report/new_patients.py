"""New patients and the reference that placed them, as the report uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from stratifn.report.content import sample_labels, stratum_labels, stratum_names
from stratifn.report.figures.style import Look, group_looks, stratum_looks
from stratifn.report.settings import Settings
from stratifn.report.small_cells import HIDDEN, Division, at_least, divide, part_of, people
from stratifn.shared.claims import EVERYBODY, UNSUPPORTED, Standing, standing
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table
from stratifn.shared.vocabulary import BY_OWN_CONTROLS, CLASSES, UNCERTAIN, UNSCORED

CLASSES_AND_UNSCORED = (*CLASSES, UNSCORED)
# in place of a class or stratum that says nothing, because the patient or the batch is out of the reference
NOT_SUPPORTED = "not supported"
# the row of a division of all patients, and its part of those whom nothing could be said of
ALL, NONE = "all", "none"


@dataclass(frozen=True)
class NewPatients:
    """Everything that the page of new patients shows.

    Attributes
    ----------
    name
        Name of the transfer.
    shown
        What is shown of people.
    samples, patients, factors, notes, verdicts
        The tables of the transfer.
    reference
        ``provenance/reference.tsv``: the reference in one row.
    strata
        stratum, label, jaccard: the reference's strata.
    scoring
        The reference's interferon part: ``settings``, ``n_controls`` and ``cutoffs``; None where it scores nobody.
    level
        p value up to which a patient is out of the reference.
    control
        Label of the controls among the new patients: their own, else that of the reference's; None where it has none.
    """

    name: str
    shown: Settings
    samples: pd.DataFrame
    patients: pd.DataFrame
    factors: pd.DataFrame
    notes: pd.DataFrame
    verdicts: pd.DataFrame
    reference: pd.DataFrame
    strata: pd.DataFrame
    scoring: Mapping[str, Any] | None
    level: float
    control: str | None

    @property
    def min_cell(self) -> int:
        """Counts of people below this are not shown."""
        return self.shown.min_cell

    @property
    def labels(self) -> pd.Series:
        """Label of each sample in the report."""
        return sample_labels(self.patients["sample"], self.shown.sample_ids)

    @property
    def source(self) -> pd.Series:
        """The reference's name, contract, software, specimen, platform and checksum."""
        return self.reference.iloc[0]

    @property
    def disease_of(self) -> pd.Series:
        """Disease of each sample, from the sheet."""
        return self.samples.set_index("sample")["disease"]

    @property
    def looks(self) -> dict[str, Look]:
        """Colour and marker of each disease of the sheet; controls are grey, and last."""
        groups = set(self.disease_of)
        return group_looks(sorted(groups - {self.control}), self.control if self.control in groups else None)

    @property
    def cutoff(self) -> Mapping[str, float] | None:
        """Mean, SD and cut-off of the reference's controls for the signature and method of its classes."""
        if self.scoring is None:
            return None
        settings = self.scoring["settings"]
        rows = [
            row
            for row in self.scoring["cutoffs"]
            if (row["signature"], row["method"]) == (settings["signature"], settings["method"])
        ]
        return rows[0] if rows and rows[0]["cutoff"] is not None else None

    def standing(self, claim: str, subject: str) -> Standing:
        """Tell how good a claim about these patients or about the reference's own cohort is."""
        told = (self.verdicts["claim"] == "placement") & (self.outside != str(self._outside))
        return standing(self.verdicts.assign(value=self.verdicts["value"].mask(told)), claim, subject)

    # --- counts of people, small ones hidden --------------------------------------------------------------------------

    @cached_property
    def sizes(self) -> Division:
        """The patients by disease of the sheet."""
        return self._divided(self.patients["sample"].map(self.disease_of))

    @cached_property
    def by_class(self) -> Division:
        """The diseases of the sheet by supported class; all together where a disease is small."""
        return self._of_classes(self.supported_classes)

    @cached_property
    def by_own_class(self) -> Division:
        """The same by class against the patients' own controls."""
        return self._of_classes(self.patients.set_index("sample")["ifn_class_local"].fillna(UNSCORED))

    def _of_classes(self, classes: pd.Series) -> Division:
        small = not self.sizes.exact.all(axis=None)
        groups = classes.index.to_series().map(lambda sample: ALL if small else self.disease_of[sample])
        counts = pd.crosstab(groups.rename("disease"), classes)
        columns = [*CLASSES_AND_UNSCORED, *([NOT_SUPPORTED] if NOT_SUPPORTED in counts else [])]
        return divide(counts.reindex(columns=columns, fill_value=0), self.min_cell)

    @cached_property
    def by_stratum(self) -> Division:
        """The patients, without own controls, by stratum of the reference (its number, or `UNCERTAIN`)."""
        strata = self.patients["stratum"].map(str, na_action="ignore")
        strata = strata.where(strata.isna() | self.supported.to_numpy(), NOT_SUPPORTED)[~self.is_own_control]
        parts = [*self.stratum_names.index, *([NOT_SUPPORTED] if strata.eq(NOT_SUPPORTED).any() else [])]
        return self._divided(strata, parts)

    @cached_property
    def by_views(self) -> Division:
        """The patients by the views that placed them."""
        return self._divided(self.patients["views_used"])

    def _divided(self, values: pd.Series, parts: list[str] | None = None) -> Division:
        counts = values.fillna(NONE).value_counts().sort_index()
        if parts is not None:
            counts = counts.reindex([*parts, NONE], fill_value=0)
        return divide(counts.to_frame(ALL).T, self.min_cell)

    @property
    def in_stratum(self) -> str:
        """How many patients are in a stratum of the reference and not out of it."""
        others = [NONE, *(name for name in self.by_stratum.counts if name in (NOT_SUPPORTED, UNCERTAIN))]
        counts = self.by_stratum.counts.loc[ALL]
        known = bool(self.by_stratum.exact.loc[ALL, others].all())
        return str(int(counts.drop(others).sum())) if known else HIDDEN

    @property
    def _outside(self) -> int:
        return int(self.patients["out_of_reference"].eq(True).sum())

    @property
    def outside(self) -> str:
        """How many patients are unlike anything in the reference."""
        return part_of(self._outside, len(self.patients), self.min_cell)

    def counted(self, count: int) -> str:
        """Write how many patients a remark is made on: the remarks on all of them may add up."""
        return at_least(count, self.min_cell)

    def with_score(self, disease: str, count: int) -> str:
        """Write how many patients of a disease have a score."""
        size = int(self.sizes.counts.loc[ALL, disease])
        if count == size or count < self.min_cell:
            return people(count, self.min_cell) if count < size else str(self.sizes.words.loc[ALL, disease])
        known = disease in self.by_class.exact.index and self.by_class.exact.loc[disease, UNSCORED]
        return str(count) if known else HIDDEN

    def with_stratum(self, name: str, count: int) -> str:
        """Write how many patients of a stratum have a probability of it."""
        words = self.by_stratum.called(self.stratum_names.to_dict()).words
        return str(words.loc[ALL, name])

    @property
    def supported(self) -> pd.Series:
        """Whether class and stratum of each sample are supported: the batch is not out of the reference, nor the sample."""
        fits = self.standing("placement", EVERYBODY).verdict != UNSUPPORTED
        return self.patients.set_index("sample")["out_of_reference"].ne(True).fillna(True).astype(bool) & fits

    @property
    def supported_classes(self) -> pd.Series:
        """Return the class of each patient (index sample), `NOT_SUPPORTED` where it says nothing."""
        classes = self.patients.set_index("sample")["ifn_class"]
        return classes.where(self.supported | classes.eq(UNSCORED), NOT_SUPPORTED)

    @property
    def by_own_controls(self) -> Standing:
        """How good the cut-off by the patients' own controls is."""
        return self.standing("cutoff", BY_OWN_CONTROLS.format(signature=self.scored_signature))

    @property
    def has_own_controls(self) -> bool:
        """Whether own controls were named."""
        return bool(self.patients["ifn_class_local"].notna().any())

    @property
    def is_own_control(self) -> np.ndarray:
        """Who is an own control (rows of `patients`); nobody where none were named."""
        return self.patients["sample"].map(self.disease_of).eq(self.control).to_numpy() & self.has_own_controls

    @property
    def scored_signature(self) -> str:
        """Signature of the classes; empty where the reference scores nobody."""
        return "" if self.scoring is None else self.scoring["settings"]["signature"]

    @property
    def signature(self) -> str:
        """Signature and method of the score."""
        if self.scoring is None:
            return "none"
        return f"{self.scoring['settings']['signature']}, {self.scoring['settings']['method']}"

    @property
    def stratum_names(self) -> pd.Series:
        """Number of each stratum of the reference and its label, by number; last `UNCERTAIN` where there are several.

        Whether anybody is uncertain must not show: of a few patients it could be told who.
        """
        names = stratum_names(self.strata)
        if len(names) > 1:
            names[UNCERTAIN] = UNCERTAIN
        return names

    @property
    def stratum_looks(self) -> dict[str, Look]:
        """Colour and marker of each stratum, as in the reference's own report."""
        names = self.stratum_names
        labels = stratum_labels(self.strata).reindex(names.index).fillna(UNCERTAIN)
        return stratum_looks(dict(zip(names, labels, strict=True)))


def read_new_patients(
    name: str,
    shown: Settings,
    tables: Mapping[str, str],
    frozen: Mapping[str, Mapping[str, Any]],
    control: str | None,
) -> NewPatients:
    """Read what the page shows.

    Parameters
    ----------
    name, shown, control
        As in `NewPatients`.
    tables
        Paths of ``samples``, ``patients``, ``factors``, ``notes``, ``verdicts`` and ``provenance``.
    frozen
        The values of each part of the reference.
    """
    read = {key: read_table(tables[key]) for key in ("patients", "factors", "notes", "verdicts")}
    return NewPatients(
        name=name,
        shown=shown,
        samples=read_samples(tables["samples"]),
        reference=read_table(tables["provenance"]),
        # a stratum is a name: tables hold it as text
        strata=pd.DataFrame(frozen["strata"]["strata"]).astype({"stratum": str}),
        scoring=frozen["interferon"]["reference"],
        level=frozen["limits"]["level"],
        control=control,
        **read,
    )
