"""The tables of the other phases, as the report uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from stratifn.samples import read_samples
from stratifn.tables import read_anndata, read_table

SAMPLES, NOTES = "samples", "_notes"


@dataclass(frozen=True)
class Results:
    """Everything that the report shows.

    Attributes
    ----------
    cohort
        Name of the cohort.
    config
        The effective configuration; the cohort's own settings under ``cohort``.
    samples
        ``inputs/samples.tsv`` with types.
    tables
        The other tables by the name of their rule input, for example ``classes`` or ``strata``.
    contrasts
        Contrast to its table of differential expression.
    principal_components
        View to its samples x components.
    """

    cohort: str
    config: Mapping[str, Any]
    samples: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    contrasts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    principal_components: Mapping[str, PrincipalComponents] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The cohort's own settings."""
        return self.config["cohort"]

    @property
    def diseases(self) -> list[str]:
        """Labels of the diseases, in the order of the configuration."""
        return list(self.settings["diseases"])

    @property
    def control(self) -> str | None:
        """Label of the controls."""
        return self.settings["control"]

    @property
    def groups(self) -> list[str]:
        """Diseases, then the controls."""
        return [*self.diseases, *([self.control] if self.control is not None else [])]

    @property
    def main_contrasts(self) -> list[str]:
        """The contrasts that get a figure: against the control where there is one, else every one."""
        pairs = {f"{first}_vs_{second}" for first in self.diseases for second in self.diseases}
        against_control = [name for name in self.contrasts if name not in pairs]
        return against_control or list(self.contrasts)

    @property
    def views(self) -> list[str]:
        """Names of the views."""
        return [view["name"] for view in self.settings["views"]]


@dataclass(frozen=True)
class PrincipalComponents:
    """Coordinates of the samples of one view (samples x components) and the share of variance of each component."""

    coordinates: pd.DataFrame
    variance_ratio: list[float]


def read_results(
    cohort: str,
    config: Mapping[str, Any],
    tables: Mapping[str, str],
    contrasts: Sequence[str],
    views: Sequence[str],
) -> Results:
    """Read what the report shows.

    Parameters
    ----------
    cohort
        Name of the cohort.
    config
        The effective configuration.
    tables
        Name to path of every table; ``samples`` must be among them. Those whose name ends with ``_notes`` are joined.
    contrasts
        Paths of the tables of differential expression.
    views
        Paths of the normalised views.
    """
    read = {name: read_table(path) for name, path in tables.items() if name != SAMPLES and not name.endswith(NOTES)}
    read["notes"] = _notes({name: path for name, path in tables.items() if name.endswith(NOTES)})
    named = {Path(path).name.removesuffix(".tsv.gz"): read_table(path) for path in contrasts}
    components = {Path(path).stem: _components(path) for path in views}
    return Results(cohort, config, read_samples(tables[SAMPLES]), read, named, components)


def _notes(paths: Mapping[str, str]) -> pd.DataFrame:
    """Join the notes of every phase, with a column that names it."""
    notes = [read_table(path).assign(phase=name.removesuffix(NOTES)) for name, path in paths.items()]
    return pd.concat([frame for frame in notes if len(frame)] or notes[:1], ignore_index=True)


def _components(path: str) -> PrincipalComponents:
    data = read_anndata(path)
    if "X_pca" not in data.obsm:
        return PrincipalComponents(pd.DataFrame(index=data.obs_names), [])
    coordinates = pd.DataFrame(data.obsm["X_pca"], index=data.obs_names)
    return PrincipalComponents(coordinates, [float(ratio) for ratio in data.uns["pca_variance_ratio"]])
