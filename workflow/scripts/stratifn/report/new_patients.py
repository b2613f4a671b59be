"""New patients and the reference that placed them, as the report uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from stratifn.report.content import sample_labels, stratum_names
from stratifn.report.settings import Settings
from stratifn.report.style import group_colours, stratum_colours
from stratifn.shared.claims import Standing, standing
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table
from stratifn.shared.vocabulary import UNCERTAIN


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
    centile
        Of the reference's own values, beyond which a patient is out of the reference.
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
    centile: float

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
    def colours(self) -> dict[str, str]:
        """Colour of each disease of the sheet."""
        return group_colours(sorted(set(self.disease_of)), None)

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
        return standing(self.verdicts, claim, subject)

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
        """Number of each stratum of the reference and its label, by number; last `UNCERTAIN` where a patient is."""
        names = stratum_names(self.strata)
        if self.patients["stratum"].eq(UNCERTAIN).any():
            names[UNCERTAIN] = UNCERTAIN
        return names

    @property
    def stratum_colours(self) -> dict[str, str]:
        """Colour of each stratum, as in the reference's own report."""
        return stratum_colours(self.stratum_names)


def read_new_patients(
    name: str,
    shown: Settings,
    tables: Mapping[str, str],
    frozen: Mapping[str, Mapping[str, Any]],
) -> NewPatients:
    """Read what the page shows.

    Parameters
    ----------
    name, shown
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
        centile=frozen["limits"]["centile"],
        **read,
    )
