"""The tables of the other phases, as the report uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.report.content import sample_labels, stratum_labels, stratum_names
from stratifn.report.figures.style import Look, colours_of, group_looks, stratum_looks
from stratifn.report.gene_values import GeneValues, gene_values
from stratifn.report.head_counts import HeadCounts
from stratifn.report.settings import Settings
from stratifn.report.signature_by_stratum import SignatureByStratum, signature_by_stratum
from stratifn.report.small_cells import without_small_counts
from stratifn.shared.claims import Standing, standing, verdicts_table
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_anndata, read_table
from stratifn.shared.vocabulary import CLASSES, LEFT_OUT_OF_REFERENCE, RNA, UNCERTAIN

if TYPE_CHECKING:
    import anndata as ad

SAMPLES, NOTES, VERDICTS = "samples", "_notes", "_verdicts"
AXES = ("ligand", "sensing", "response")
# how many people a published share is of, in the words of its source
SIZE_OF_SOURCE = re.compile(r", (n = \d+)")
# a method that needs no controls
RANK_METHOD = "singscore"


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
        ``inputs/samples.tsv`` with types: everybody, whatever a page is about.
    tables
        The other tables by the name of their rule input, for example ``classes`` or ``strata``.
    contrasts
        Contrast to its table of differential expression.
    principal_components
        View to its samples x components.
    genes
        Values of interferon-stimulated genes; empty without a view of expression.
    marker_levels
        View to its marker features x strata: mean of the samples whose data show the stratum, in standard deviations
        from the mean of all of these.
    gene_names
        Feature to the name of its gene, where it has another name.
    disease
        The disease that a page is about; None for the overview.
    whole
        The results of the cohort, where these are restricted to a disease.
    """

    cohort: str
    config: Mapping[str, Any]
    samples: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    contrasts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    principal_components: Mapping[str, PrincipalComponents] = field(default_factory=dict)
    genes: GeneValues = field(default_factory=GeneValues)
    marker_levels: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    gene_names: Mapping[str, str] = field(default_factory=dict)
    disease: str | None = None
    whole: Results | None = None

    def of_disease(self, disease: str) -> Results:
        """Restrict the tables to one disease and to whom it is compared with (see `groups`)."""
        focused = replace(self, disease=disease, whole=self.whole or self)
        shown = set(self.samples.loc[self.samples["disease"].isin(focused.groups), "sample"])
        tables = {name: _restricted(table, shown, focused.groups) for name, table in self.tables.items()}
        return replace(focused, tables=tables)

    def standing(self, claim: str, subject: str) -> Standing:
        """Return how good a claim about a subject is."""
        return standing(self.heads.verdicts, claim, subject)

    @property
    def heads(self) -> HeadCounts:
        """Counts of people: the same ones are hidden on every page."""
        return (self.whole or self)._heads

    @cached_property
    def _heads(self) -> HeadCounts:
        interferon = self.config["interferon"]
        return HeadCounts(
            samples=self.samples,
            groups=tuple(self.groups),
            stratum_names=self.stratum_names.rename(str).to_dict() | {UNCERTAIN: UNCERTAIN},
            signature=interferon["signature"],
            method=interferon["method"],
            tables=self.tables,
            min_cell=self.min_cell,
        )

    @property
    def signature_by_stratum(self) -> SignatureByStratum | None:
        """The classes of the signature by stratum, over the whole cohort; None where nothing of it may be shown."""
        return (self.whole or self)._signature_by_stratum

    @cached_property
    def _signature_by_stratum(self) -> SignatureByStratum | None:
        return signature_by_stratum(self.heads, self.stratum_labels)

    def tidied(self, words: object) -> str:
        """Hide the small counts of people in a sentence of a phase."""
        return without_small_counts(str(words), self.min_cell)

    def bound(self, claim: str, criterion: str) -> float | None:
        """Return the bound that a phase used for a criterion; None where it judged nothing by it."""
        verdicts = self.tables["verdicts"]
        used = verdicts[(verdicts["claim"] == claim) & (verdicts["criterion"] == criterion)]
        return float(used["bound"].iloc[0]) if len(used) else None

    @property
    def settings(self) -> Mapping[str, Any]:
        """The cohort's own settings."""
        return self.config["cohort"]

    @property
    def shown(self) -> Settings:
        """What is shown of people."""
        return Settings.from_config(self.config["report"])

    @property
    def diseases(self) -> list[str]:
        """Labels of the cohort's diseases, in the order of the configuration."""
        return list(self.settings["diseases"])

    @property
    def with_own_page(self) -> list[str]:
        """The diseases that have a page: that of an only disease would repeat the overview."""
        return self.diseases if len(self.diseases) > 1 else []

    @property
    def control(self) -> str | None:
        """Label of the controls."""
        return self.settings["control"]

    @property
    def groups(self) -> list[str]:
        """Groups that figures and tables show: diseases, then controls.

        A disease is compared with the controls, or with the other diseases where there are none.
        """
        controls = [] if self.control is None else [self.control]
        if self.disease is None:
            return [*self.diseases, *controls]
        return [self.disease, *(controls or (name for name in self.diseases if name != self.disease))]

    @property
    def subject(self) -> list[str]:
        """Groups whose people a page lists one by one."""
        return self.groups if self.disease is None else [self.disease]

    @property
    def listed(self) -> pd.DataFrame:
        """The samples of `subject`."""
        return self.samples[self.samples["disease"].isin(self.subject)]

    @property
    def disease_of(self) -> pd.Series:
        """Label of the disease (or of the controls) by sample."""
        return self.samples.set_index("sample")["disease"]

    @property
    def measured(self) -> pd.DataFrame:
        """How many samples of each group (rows) each view (columns) holds."""
        return self.heads.measured.loc[self.groups, self.views]

    @property
    def labels(self) -> pd.Series:
        """How each sample is called: the same on every page."""
        return sample_labels(self.samples["sample"], self.shown.sample_ids)

    @property
    def min_cell(self) -> int:
        """Counts of people below this are not shown."""
        return self.shown.min_cell

    @property
    def looks(self) -> dict[str, Look]:
        """Colour and marker of each group, the same on every page."""
        looks = group_looks(self.diseases, self.control)
        return {group: looks[group] for group in self.groups}

    @property
    def colours(self) -> dict[str, str]:
        """Colour of each group."""
        return colours_of(self.looks)

    @property
    def has_classes(self) -> bool:
        """Whether anybody whom the page shows has a class."""
        return bool(self.tables["classes"]["ifn_class"].isin(CLASSES).any())

    @property
    def shown_axes(self) -> list[str]:
        """The axes of the interferon pathway that anybody whom the page shows has a value of."""
        table = self.tables["axes"]
        known = set(table.loc[table["score"].notna(), "axis"])
        return [axis for axis in AXES if axis in known]

    def scores(self, method: str) -> pd.DataFrame:
        """Rows of the configured signature by one method, one per sample."""
        scores = self.tables["scores"]
        signature = self.config["interferon"]["signature"]
        return scores[(scores["signature"] == signature) & (scores["method"] == method)].set_index("sample")

    @property
    def reference_controls(self) -> list[str]:
        """The controls of this run that the scores rest on: without the outlying ones that were left out."""
        notes = self.tables["notes"]
        left_out = set(notes.loc[notes["what"] == LEFT_OUT_OF_REFERENCE, "item"])
        controls = self.samples.loc[self.samples["disease"] == self.control, "sample"]
        return [sample for sample in controls if sample not in left_out]

    @property
    def robust_factors(self) -> list[str]:
        """Names of the factors that were found with other seeds too; none if there is one seed."""
        table = self.tables["robustness"]
        return list(table.loc[table["robust"].eq(True), "factor"])

    @property
    def stratum_names(self) -> pd.Series:
        """Number of each stratum, and its label where it has one, by number."""
        return stratum_names(self.tables["stability"])

    @property
    def stratum_labels(self) -> pd.Series:
        """Label of each stratum by its number; empty where no label fits."""
        return stratum_labels(self.tables["stability"])

    @property
    def one_stratum(self) -> bool:
        """Whether the data do not support a division."""
        return len(self.tables["stability"]) < 2

    @property
    def stratum_looks(self) -> dict[str, Look]:
        """Colour and marker of each named stratum, and of `UNCERTAIN`: those of its label, the same in every run."""
        return stratum_looks(dict(zip(self.stratum_names, self.stratum_labels, strict=True)) | {UNCERTAIN: UNCERTAIN})

    @property
    def stratum_colours(self) -> dict[str, str]:
        """Colour of each named stratum."""
        return colours_of(self.stratum_looks)

    @property
    def main_contrasts(self) -> list[str]:
        """The contrasts that get a figure: against the control where there is one, else every one.

        For a disease these are its own; contrasts of the configuration are shown only in the overview.
        """
        pairs = {f"{first}_vs_{second}" for first in self.diseases for second in self.diseases}
        against_control = [name for name in self.tested_contrasts if name not in pairs]
        if self.disease is None:
            return against_control or self.tested_contrasts
        own = f"{self.disease}_vs_{self.control}"
        if own in self.tested_contrasts:
            return [own]
        return [name for name in self.pairs_of_disease if name in self.tested_contrasts]

    @property
    def tested_contrasts(self) -> list[str]:
        """The contrasts that could be made: of the others every number is missing, and zero calls would mean nothing."""
        return [name for name, table in self.contrasts.items() if table["log2FoldChange"].notna().any()]

    @property
    def pairs_of_disease(self) -> list[str]:
        """The contrasts of the page's disease with the controls or with another disease."""
        others = [name for name in (*self.diseases, self.control) if name not in (self.disease, None)]
        pairs = {f"{self.disease}_vs_{other}" for other in others} | {f"{other}_vs_{self.disease}" for other in others}
        return [name for name in self.contrasts if name in pairs]

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
        Name to path of every table; ``samples`` must be among them. Those whose names end with ``_notes`` or
        ``_verdicts`` are joined.
    contrasts
        Paths of the tables of differential expression.
    views
        Paths of the normalised views.
    """
    joined = (NOTES, VERDICTS)
    shown = {name: path for name, path in tables.items() if name != SAMPLES and not name.endswith(joined)}
    read = {name: read_table(path) for name, path in shown.items()}
    read["notes"] = _notes({name: path for name, path in tables.items() if name.endswith(NOTES)})
    read["verdicts"] = verdicts_table(read_table(path) for name, path in tables.items() if name.endswith(VERDICTS))
    named = {Path(path).name.removesuffix(".tsv.gz"): read_table(path) for path in contrasts}
    components, levels, genes = {}, {}, GeneValues()
    names: dict[str, str] = {}
    for path in views:
        # one at a time: a view can be large
        view, name = read_anndata(path), Path(path).stem
        components[name] = _components(view)
        levels[name] = _marker_levels(view, read["markers"], name, read["strata"])
        names |= _gene_names(view.var)
        if name == RNA:
            genes = gene_values(view, config["interferon"])
    return Results(
        cohort,
        config,
        read_samples(tables[SAMPLES]),
        read,
        contrasts=named,
        principal_components=components,
        genes=genes,
        marker_levels=levels,
        gene_names=names,
    )


def _restricted(table: pd.DataFrame, samples: set[str], groups: Sequence[str]) -> pd.DataFrame:
    """Keep the rows of some samples or groups; a table that is about the cohort as a whole stays as it is."""
    if "sample" in table:
        return table[table["sample"].isin(samples)].reset_index(drop=True)
    if "disease" in table:
        return table[table["disease"].isin(groups)].reset_index(drop=True)
    return table


def _notes(paths: Mapping[str, str]) -> pd.DataFrame:
    """Join the notes of every phase, with a column that names it."""
    notes = [read_table(path).assign(phase=name.removesuffix(NOTES)) for name, path in paths.items()]
    return pd.concat([frame for frame in notes if len(frame)] or notes[:1], ignore_index=True)


def _components(data: ad.AnnData) -> PrincipalComponents:
    if "X_pca" not in data.obsm:
        return PrincipalComponents(pd.DataFrame(index=data.obs_names), [])
    coordinates = pd.DataFrame(data.obsm["X_pca"], index=data.obs_names)
    return PrincipalComponents(coordinates, [float(ratio) for ratio in data.uns["pca_variance_ratio"]])


def _marker_levels(data: ad.AnnData, markers: pd.DataFrame, view: str, strata: pd.DataFrame) -> pd.DataFrame:
    """Return features x strata; features that do not vary are left out."""
    features = markers.loc[markers["view"] == view, "feature"].drop_duplicates()
    placed = strata[strata["informed"].astype(bool) & (strata["stratum"].astype(str) != UNCERTAIN)]
    stratum = placed.set_index("sample")["stratum"].astype(str)
    shown = data.obs_names.isin(stratum.index)
    values = pd.DataFrame(
        np.asarray(data[shown, features].X, dtype=float), data.obs_names[shown], features.rename("feature")
    )
    scaled = (values - values.mean()) / values.std().replace(0, np.nan)
    return scaled.groupby(stratum).mean().T.dropna()


def _gene_names(features: pd.DataFrame) -> dict[str, str]:
    """Return the name of the gene by feature, where it is not the feature's own."""
    names = features.get("gene_name", pd.Series(dtype=object)).dropna().astype(str)
    return {str(feature): name for feature, name in names.items() if name and name != feature}
