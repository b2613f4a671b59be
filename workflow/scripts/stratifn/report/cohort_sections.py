"""The report on the people: who was analysed, what was left out, quality, and the searchable table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import pandas as pd

from stratifn.report.content import (
    SHOWN_PADJ,
    SHOWN_WORDS,
    FigureSlot,
    Item,
    Table,
    Text,
    cell,
    formatted,
    people,
    small_cells,
)
from stratifn.report.results import RANK_METHOD, Results
from stratifn.shared.errors import listed
from stratifn.shared.samples import covariates, is_number
from stratifn.shared.vocabulary import HEALTHY, RNA, UNSCORED

LISTED_SAMPLES = 25
MOST_LEVELS = 6
BY_RANKS = f"score by ranks ({RANK_METHOD})"
EXPLAINED = {
    "probability_high": "The column probability_high says how certain it is that the score lies above the cut-off. It is "
    "not a probability of disease.",
    BY_RANKS: "The score by ranks orders people within this run. It has no cut-off and cannot tell healthy from ill.",
    "confidence": "The column confidence is the probability of the stratum.",
}
NOT_CHARACTERISTICS = frozenset({"disease", "visit"})


def who_was_analysed(results: Results) -> Iterator[Item]:
    """Write the section on the people and on what was left out."""
    settings, listed = results.settings, results.listed
    of_whom = "" if results.disease is None else f" with {results.disease}"
    expression = f"; gene expression by {settings['platform']}" if RNA in results.views else ""
    yield Text(
        f"{people(len(listed), results.min_cell)} samples of {people(listed['patient'].nunique(), results.min_cell)} "
        f"people{of_whom}. {_about_controls(results)} "
        f"Specimen: {settings['specimen'].replace('_', ' ')}{expression}."
    )
    if settings.get("simulate"):
        yield Text("These data are simulated: the people in this report do not exist.", warning=True)
    yield FigureSlot("views")
    if results.disease is not None:
        measured = small_cells(results.measured, results.min_cell)
        yield Table("Samples measured in each view", measured.reset_index(names="group"))
    described = characteristics(results)
    if len(described):
        yield Table(
            "The people, from the sample sheet (median and quartiles of numbers; text columns with more than "
            f"{MOST_LEVELS} "
            "different values are not shown)",
            described,
        )
    yield from _left_out(results)


def _about_controls(results: Results) -> str:
    if results.control is None:
        others = "" if results.disease is None else f": {results.disease} is compared with the other diseases"
        return f"There are no controls in this cohort{others}."
    count = people(int((results.samples["disease"] == results.control).sum()), results.min_cell)
    return f"The {count} controls have the label {results.control}" + (
        "; they are healthy." if results.settings["control_type"] == HEALTHY else "; they are not healthy controls."
    )


def characteristics(results: Results) -> pd.DataFrame:
    """Describe the columns of the sample sheet, one column per group: counts of levels, medians of numbers."""
    columns = [name for name in covariates(results.samples) if name not in NOT_CHARACTERISTICS]
    rows = []
    for column in columns:
        values = results.samples[column]
        if is_number(values) and values.nunique() > 2:
            rows.append({"": column} | {group: _quartiles(values, group, results) for group in results.groups})
        elif 1 < values.nunique() <= MOST_LEVELS:
            levels = sorted(values.dropna().unique(), key=str)
            rows += [_level_row(column, level, values.eq(level), results) for level in levels]
        if 0 < values.isna().sum() < len(values):
            rows.append(_level_row(column, "not known", values.isna(), results))
    return pd.DataFrame(rows, columns=["", *results.groups])


def _quartiles(values: pd.Series, group: str, results: Results) -> str:
    known = values[results.samples["disease"] == group].dropna()
    if len(known) < max(results.min_cell, 1):
        return ""
    low, middle, high = (cell(float(value)) for value in known.quantile([0.25, 0.5, 0.75]))
    return f"{middle} ({low} to {high})"


def _level_row(column: str, level: object, chosen: pd.Series, results: Results) -> dict[str, str]:
    counts = results.samples.loc[chosen, "disease"].value_counts()
    return {"": f"{column}: {cell(level)}"} | {
        group: people(int(counts.get(group, 0)), results.min_cell) for group in results.groups
    }


def _left_out(results: Results) -> Iterator[Item]:
    notes = results.tables["notes"]
    if results.disease is not None:
        own = {*results.listed["sample"], results.disease, *results.pairs_of_disease}
        notes = notes[notes["item"].isin(own)]
    if notes.empty:
        of_whom = "of this disease's samples " if results.disease is not None else ""
        yield Text(f"Nothing {of_whom}was left out, renamed or missing.")
    else:
        shown = notes_table(notes, results.labels.index, results.shown.sample_ids, results.min_cell)
        yield Table("What was left out, missing, renamed or not computed", shown)
    if results.disease is not None:
        yield Text("The overview lists what concerns the whole cohort.")


def notes_table(notes: pd.DataFrame, samples: Collection[str], show_ids: bool, min_cell: int) -> pd.DataFrame:
    """Put notes of one kind into one row; samples are only counted where their ids are not to be shown.

    Parameters
    ----------
    notes
        Columns view, item, what, reason, and phase where there are several.
    samples
        The items that are samples; those that the sheet holds and nobody analysed are known by their note.
    show_ids, min_cell
        As in the configuration.
    """
    by = [name for name in ("phase", "view", "what", "reason") if name in notes]
    is_sample = notes["item"].isin(samples) | ((notes["view"] == "samples") & (notes["what"] == "left out"))
    kinds = (
        notes.assign(what=_kinds(notes), is_sample=is_sample).groupby([*by, "is_sample"], sort=True)["item"].agg(list)
    )
    grouped = kinds.reset_index()
    hidden = grouped["is_sample"] & (not show_ids)
    counts = [
        people(len(items), min_cell) if hide else str(len(items))
        for items, hide in zip(grouped["item"], hidden, strict=True)
    ]
    which = [
        f"{count} samples" if hide else listed(items, LISTED_SAMPLES)
        for items, hide, count in zip(grouped["item"], hidden, counts, strict=True)
    ]
    shown = grouped[by].assign(**{"how many": counts, "which": which})
    if "phase" in shown:
        shown["phase"] = shown["phase"].str.replace("_", " ")
    return shown[[*by[:-1], "how many", "which", "reason"]]


def _kinds(notes: pd.DataFrame) -> pd.Series:
    """Call notes alike that differ by the name of their item alone: ``named CCL2_rna in the model file``."""
    plain = pd.Series(
        [
            re.sub(rf"(?<![A-Za-z0-9]){re.escape(item)}(?![A-Za-z0-9])", "...", what)
            for item, what in zip(notes["item"], notes["what"], strict=True)
        ],
        index=notes.index,
        dtype=object,
    )
    several = notes["item"].groupby([notes["view"], notes["reason"], plain]).transform("nunique") > 1
    return notes["what"].where(~several, plain)


def quality(results: Results) -> Iterator[Item]:
    """Write the section on quality."""
    quality = results.tables["quality"]
    odd = quality[quality["reason"].notna() & quality["sample"].isin(results.listed["sample"])]
    if odd.empty:
        yield Text(
            "No sample was flagged for its library size, detected features, missing values, sex or likeness to "
            "another sample."
        )
    else:
        yield Text(
            f"Flagged samples: {odd['sample'].nunique()}. None was dropped: check them before you trust results that "
            "include them."
        )
        yield Table("Flagged samples", _outstanding(odd, results))
    yield FigureSlot("library_size")
    yield FigureSlot("principal_components")
    yield FigureSlot("covariates")
    if results.disease is None:
        yield from _leading_covariates(results)


def _outstanding(odd: pd.DataFrame, results: Results) -> pd.DataFrame:
    labels = results.labels
    reasons = [
        reason if pd.isna(twin) else reason.replace(f"identical to {twin}", f"identical to {labels[twin]}")
        for reason, twin in zip(odd["reason"], odd["near_duplicate"], strict=True)
    ]
    return pd.DataFrame({"sample": odd["sample"].map(labels), "view": odd["view"], "reason": reasons}).astype(str)


def _leading_covariates(results: Results) -> Iterator[Item]:
    covariates = results.tables["covariate_associations"]
    leading = covariates[covariates["padj"] < SHOWN_PADJ].sort_values(["view", "r2"], ascending=[True, False])
    if len(leading):
        yield Table(
            f"Principal components that follow a variable ({SHOWN_WORDS}, strongest first within a view); "
            "a component that follows the batch is a reason to add `batch` to the design",
            formatted(leading.groupby("view").head(5)[["view", "component", "variable", "r2", "padj"]], 0),
        )


def patients(results: Results) -> Iterator[Item]:
    """Write the searchable table."""
    table = patient_table(results)
    for column, words in EXPLAINED.items():
        if column in table:
            yield Text(words)
    caption = "All samples" if results.disease is None else f"The patients with {results.disease}"
    yield Table(caption, formatted(table, 0), search=True)


def patient_table(results: Results) -> pd.DataFrame:
    """Join what is known of each listed sample: group, score, class, stratum, confidence, and why it is unscored."""
    classes = results.tables["classes"].drop(columns="disease")
    # where nobody is classed, the reason is given above, and the scores by ranks remain
    unscored = (classes["ifn_class"] == UNSCORED) & results.has_classes
    classes["not classed because"] = classes["reason"].where(unscored)
    classes[BY_RANKS] = None if results.has_classes else classes["sample"].map(results.scores(RANK_METHOD)["score"])
    strata = results.tables["strata"][["sample", "stratum", "confidence"]]
    strata = strata.assign(label=strata["stratum"].map(results.stratum_labels).replace("", None))
    table = results.listed[["sample", "disease"]].merge(classes, on="sample", how="left")
    table = table.merge(strata, on="sample", how="left")
    table["sample"] = table["sample"].map(results.labels)
    kept = ["sample", "disease", "score", BY_RANKS, "probability_high", "ifn_class", "ifn_type", "stratum", "label",
            "confidence", "not classed because"]  # fmt: skip
    return table[[column for column in kept if not table[column].isna().all()]]
