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
)
from stratifn.report.head_counts import KNOWN, MOST_LEVELS, NOT_KNOWN, has_quartiles
from stratifn.report.results import RANK_METHOD, Results
from stratifn.report.settings import Settings
from stratifn.report.small_cells import at_least, people, without_small_counts
from stratifn.shared.errors import listed
from stratifn.shared.vocabulary import HEALTHY, RNA, SCALE_AS_GIVEN, SCALE_IN_DOUBT, UNSCORED

LISTED_SAMPLES = 25
BY_RANKS = f"score by ranks ({RANK_METHOD})"
EXPLAINED = {
    "probability_high": "The column probability_high says how certain it is that the score lies above the cut-off. It is "
    "not a probability of disease.",
    BY_RANKS: "The score by ranks orders people within this run. It has no cut-off and cannot tell healthy from ill.",
    "confidence": "The column confidence is the probability of the stratum.",
}


def who_was_analysed(results: Results) -> Iterator[Item]:
    """Write the section on the people and on what was left out."""
    settings = results.settings
    of_whom = "" if results.disease is None else f" with {results.disease}"
    expression = f"; gene expression by {settings['platform']}" if RNA in results.views else ""
    yield Text(
        f"{_sizes(results)}{of_whom}. {_about_controls(results)} Specimen: {settings['specimen'].replace('_', ' ')}{expression}."
    )
    if settings.get("simulate"):
        yield Text("These data are simulated: the people in this report do not exist.", warning=True)
    yield FigureSlot("views")
    if results.disease is not None:
        measured = results.measured.map(lambda count: people(int(count), results.min_cell))
        yield Table("measured", "Samples measured in each view", measured.reset_index(names="group"))
    described = characteristics(results)
    if len(described):
        yield Table(
            "characteristics",
            "The people, from the sample sheet (median and quartiles of numbers; text columns with more than "
            f"{MOST_LEVELS} "
            "different values are not shown)",
            described,
        )
    yield from _left_out(results)


def _sizes(results: Results) -> str:
    """Say how many samples and people a page is about."""
    if results.disease is None:
        samples, persons = results.heads.everybody(), results.heads.everybody("patient")
    else:
        persons = people(results.listed["patient"].nunique(), results.min_cell)
        samples = results.heads.total(results.disease)
    words = f"{samples} samples of {persons} people"
    return words[0].upper() + words[1:]


def _about_controls(results: Results) -> str:
    if results.control is None:
        others = "" if results.disease is None else f": {results.disease} is compared with the other diseases"
        return f"There are no controls in this cohort{others}."
    count = results.heads.total(results.control)
    return f"The {count} controls have the label {results.control}" + (
        "; they are healthy." if results.settings["control_type"] == HEALTHY else "; they are not healthy controls."
    )


def characteristics(results: Results) -> pd.DataFrame:
    """Describe the columns of the sample sheet, one column per group: counts of levels, medians of numbers."""
    rows = []
    for column, divided in results.heads.by_characteristic.items():
        values, words = results.samples[column], divided.of(results.groups).words
        if has_quartiles(values):
            rows.append({"": column} | {group: _quartiles(column, group, results) for group in results.groups})
        levels = [name for name in words if name not in (KNOWN, NOT_KNOWN)]
        levels += [NOT_KNOWN] if 0 < values.isna().sum() < len(values) else []
        rows += [{"": f"{column}: {level.strip('()')}"} | words[level].to_dict() for level in levels]
    return pd.DataFrame(rows, columns=["", *results.groups])


def _quartiles(column: str, group: str, results: Results) -> str:
    known = results.samples.loc[results.samples["disease"] == group, column].dropna()
    if len(known) < max(results.min_cell, 1):
        return ""
    low, middle, high = (cell(float(value)) for value in known.quantile([0.25, 0.5, 0.75]))
    return f"{middle} ({low} to {high})"


def _left_out(results: Results) -> Iterator[Item]:
    notes = results.tables["notes"]
    for note in notes[notes["what"].isin([SCALE_AS_GIVEN, SCALE_IN_DOUBT])].itertuples():
        yield Text(f"View {note.view}, {note.what}: {note.reason}.", warning=True)
    if results.disease is not None:
        own = {*results.listed["sample"], results.disease, *results.pairs_of_disease}
        notes = notes[notes["item"].isin(own)]
    if notes.empty:
        of_whom = "of this disease's samples " if results.disease is not None else ""
        yield Text(f"Nothing {of_whom}was left out, renamed or missing.")
    else:
        shown = notes_table(notes, results.labels.index, results.shown)
        yield Table("left-out", "What was left out, missing, renamed or not computed", shown)
    if results.disease is not None:
        yield Text("The overview lists what concerns the whole cohort.")


def notes_table(notes: pd.DataFrame, samples: Collection[str], report: Settings) -> pd.DataFrame:
    """Put notes of one kind into one row; samples are only counted where their ids are not to be shown.

    They are counted as few or not few, because tables by group count the others.

    Parameters
    ----------
    notes
        Columns view, item, what, reason, and phase where there are several.
    samples
        The items that are samples; those that the sheet holds and nobody analysed are known by their note.
    report
        What is shown of people.
    """
    by = [name for name in ("phase", "view", "what", "reason") if name in notes]
    is_sample = notes["item"].isin(samples) | ((notes["view"] == "samples") & (notes["what"] == "left out"))
    kinds = (
        notes.assign(what=_kinds(notes), is_sample=is_sample).groupby([*by, "is_sample"], sort=True)["item"].agg(list)
    )
    grouped = kinds.reset_index()
    hidden = grouped["is_sample"] & (not report.sample_ids)
    counts = [
        at_least(len(items), report.min_cell) if hide else str(len(items))
        for items, hide in zip(grouped["item"], hidden, strict=True)
    ]
    which = [
        f"{count} samples" if hide else listed(items, LISTED_SAMPLES)
        for items, hide, count in zip(grouped["item"], hidden, counts, strict=True)
    ]
    shown = grouped[by].assign(**{"how many": counts, "which": which})
    for words in ("what", "reason"):
        shown[words] = [without_small_counts(str(each), report.min_cell, at_least) for each in shown[words]]
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
    yield FigureSlot("people_flow")
    quality = results.tables["quality"]
    odd = quality[quality["reason"].notna()]
    if odd.empty:
        yield Text(
            "No sample was flagged for its library size, detected features, missing values, sex or likeness to "
            "another sample."
        )
    else:
        flagged = people(odd["sample"].nunique(), results.min_cell)
        yield Text(
            f"Flagged samples: {flagged}. None was dropped: check them before you trust results that include them."
        )
        if results.shown.lists_people:
            yield Table(
                "flagged",
                "Flagged samples, with the interferon score and class beside: a strong response can make a sample unlike the "
                "others, and is no fault",
                _outstanding(odd, results),
            )
    yield FigureSlot("library_size")
    yield FigureSlot("principal_components")
    yield FigureSlot("covariates")
    yield from _leading_covariates(results)


def _outstanding(odd: pd.DataFrame, results: Results) -> pd.DataFrame:
    labels = results.labels
    reasons = [
        reason if pd.isna(twin) else reason.replace(f"identical to {twin}", f"identical to {labels[twin]}")
        for reason, twin in zip(odd["reason"], odd["near_duplicate"], strict=True)
    ]
    classes = results.tables["classes"].set_index("sample")
    return pd.DataFrame(
        {
            "sample": odd["sample"].map(labels).astype(str),
            "disease": odd["sample"].map(results.disease_of).astype(str),
            "view": odd["view"].astype(str),
            "reason": reasons,
            "score": [cell(value) for value in odd["sample"].map(classes["score"])],
            "ifn_class": [cell(value) for value in odd["sample"].map(classes["ifn_class"])],
        }
    )


def _leading_covariates(results: Results) -> Iterator[Item]:
    covariates = results.tables["covariate_associations"]
    leading = covariates[covariates["padj"] < SHOWN_PADJ].sort_values(["view", "r2"], ascending=[True, False])
    if len(leading):
        yield Table(
            "components",
            f"Principal components that follow a variable ({SHOWN_WORDS}, strongest first within a view); "
            "a component that follows the batch is a reason to add `batch` to the design",
            formatted(leading.groupby("view").head(5)[["view", "component", "variable", "r2", "padj"]]),
        )


def patients(results: Results) -> Iterator[Item]:
    """Write the searchable table, unless nobody may be listed."""
    yield from about_the_list(results.shown)
    if not results.shown.lists_people:
        return
    table = patient_table(results)
    for column, words in EXPLAINED.items():
        if column in table:
            yield Text(words)
    caption = "All samples" if results.disease is None else f"The patients with {results.disease}"
    yield Table("patients", caption, formatted(table), people=True)


def about_the_list(report: Settings) -> Iterator[Item]:
    """Say what the list of people tells, or why there is none."""
    if not report.lists_people:
        yield Text(
            f"People are not listed one by one, nor drawn as points, because `report.sample_ids` is false and "
            f"counts below {report.min_cell} are hidden."
        )
    elif report.min_cell > 1:
        yield Text(
            f"This page lists people one by one, so it tells those counts too that its tables hide (below "
            f"{report.min_cell}, and what they follow from). To share the report outside your group, set "
            "`report.sample_ids` to false.",
            warning=True,
        )


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
