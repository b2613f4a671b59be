"""The report on strata, over all groups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from stratifn.report.claim_words import caveats, qualified
from stratifn.report.content import FigureSlot, Item, Table, Text, cell, formatted
from stratifn.report.results import Results
from stratifn.shared.claims import CLAIMS, EVERYBODY, NOT_COMPUTED, SUPPORTED
from stratifn.shared.vocabulary import INTERFERON, UNCERTAIN

# what was done with the controls, by the item of the summary
CONTROLS = {
    "none": "There are no controls in this cohort.",
    "clustered": "Controls were clustered with the patients.",
    "placed": "Controls were not clustered: each was placed in the most probable stratum.",
}


def stratification(results: Results) -> Iterator[Item]:
    """Write the section on strata."""
    said = results.tables["stratification_summary"].set_index("item")["value"]
    number = len(results.stratum_names)
    yield Text(
        one_stratum(results)
        if results.one_stratum
        else strata_sentence(results, f"{number} strata{_against_chance(results)}"),
        warning=results.one_stratum or results.standing("strata", EVERYBODY).verdict != SUPPORTED,
    )
    yield Text(f"{CONTROLS[said['controls']]} {_uninformed(results)} {_left_out(said)}")
    if not results.one_stratum:
        yield from _signature(results)
        yield Table("strata", "Strata by diagnosis", strata_table(results))
        yield from _labels(results)
    yield from _basis_of_strata(results)


def _signature(results: Results) -> Iterator[Item]:
    """Say how the signature and the strata agree: they are made of different data, and need not."""
    yield FigureSlot("strata_flow")
    if not results.has_classes:
        return
    crossed = results.signature_by_stratum
    if crossed is None:
        yield Text("How the classes of the signature divide into strata is not shown: it would tell of few people.")
        return
    yield Text(signature_sentence(results))
    shown = crossed.divided.words.rename(columns=results.heads.stratum_names)
    shown["all samples"] = crossed.totals
    yield Table(
        "signature-by-stratum",
        "ISG expression signature by stratum (samples, controls among them). The class comes from the signature's genes and the "
        "controls alone, the stratum from all views",
        shown.reset_index(names="ISG signature"),
    )


def signature_sentence(results: Results) -> str:
    """Say how many people with a high signature are outside the strata called interferon."""
    crossed = results.signature_by_stratum
    if crossed is None or crossed.high_outside is None:
        return (
            "How many people with a high signature are outside the strata called interferon is not shown: it would tell of few people."
            if (results.stratum_labels == INTERFERON).any()
            else "No stratum is called interferon."
        )
    outside, everybody = crossed.high_outside
    if not outside:
        return f"All {everybody} people with a high signature are in a stratum called interferon."
    share = 100 * outside / max(everybody, 1)
    return (
        f"Of {everybody} people with a high signature {outside} ({share:.0f} %) are outside the strata called interferon: what "
        "else was measured places them elsewhere."
    )


def _labels(results: Results) -> Iterator[Item]:
    """Show what each label rests on, and which labels are weak."""
    yield Table(
        "stratum-labels",
        "What the label of each stratum rests on: every criterion with the bound that it must meet. A value that is empty is "
        "hidden, because few people would follow from it",
        labels_table(results),
    )
    for number in results.stratum_names.index:
        found = results.standing("stratum_label", str(number))
        if found.fails:
            yield Text(f"The label of stratum {results.stratum_names[number]} is weak: {caveats(found)}.", warning=True)


def labels_table(results: Results) -> pd.DataFrame:
    """List the criteria of every stratum's label, with values, bounds and verdicts."""
    claim, rows = CLAIMS["stratum_label"], []
    for number, label in results.stratum_labels.items():
        judged = results.standing("stratum_label", str(number)).rows.values()
        computed = [row for row in judged if row["verdict"] != NOT_COMPUTED]
        for row in computed:
            criterion = claim.criterion(str(row["criterion"]))
            needed = f"{criterion.direction} {cell(row['bound'])}"
            rows.append((str(number), label, criterion.meaning, cell(row["value"]), needed, str(row["verdict"])))
        if not computed:
            rows.append((str(number), label, "no label fits", "", "", ""))
    return pd.DataFrame(rows, columns=["stratum", "label", "criterion", "value", "needed", "verdict"])


def one_stratum(results: Results) -> str:
    """Say why the data are not divided."""
    found = results.standing("strata", EVERYBODY)
    reason = caveats(found) or str(found.rows["null_pvalue"]["reason"] or "structure was not tested")
    return f"The data do not support more than one stratum: {reason}."


def strata_sentence(results: Results, sentence: str) -> str:
    """Return a sentence about the strata with their verdict."""
    return qualified(sentence, results.standing("strata", EVERYBODY))


def _against_chance(results: Results) -> str:
    row = results.standing("strata", EVERYBODY).rows["null_pvalue"]
    return f" (p = {cell(row['value'])} that data without structure would look like this, alpha {cell(row['bound'])})"


def _uninformed(results: Results) -> str:
    """Say how many samples made no strata because views that decide were not measured in them."""
    lacking, undecided = results.heads.uninformed, results.heads.uncertain
    if lacking == undecided == "0":
        return "All samples have the measurements that tell the strata apart."
    return (
        f"Samples that lack the measurements that tell the strata apart: {lacking}; they are placed by what "
        f"else was measured, and describe no stratum. Samples without a stratum of probability one half or more "
        f"(`{UNCERTAIN}`): {undecided}."
    )


def _left_out(said: pd.Series) -> str:
    left_out = said["factors_left_out"]
    return "No factor was left out." if pd.isna(left_out) else f"Factors left out: {left_out}."


def _basis_of_strata(results: Results) -> Iterator[Item]:
    """Show how many strata there are and what differs between them."""
    least = results.bound("strata", "stability")
    rule = "" if least is None else f" A division counts as stable from a mean bootstrap Jaccard of {least:g}."
    yield Text(f"Strata are sought in the whole cohort, without using the diagnosis.{rule}")
    yield FigureSlot("selection")
    yield Table("selection", "The criteria for every number of strata that was tried", _selection(results))
    yield FigureSlot("consensus")
    yield FigureSlot("markers")
    associations = results.tables["associations"]
    tested = associations[associations["pvalue"].notna()].sort_values(["pvalue", "variable"])
    if len(tested):
        counts = zip(tested["n"].astype(int), tested["variable"], strict=True)
        yield Table(
            "stratum-associations",
            "What differs between the strata, overall and within diseases (Benjamini-Hochberg over the variables); "
            "variables of the views that made the strata are not tested and are only in associations.tsv",
            formatted(tested.assign(n=[results.heads.of_strata(n, str(variable)) for n, variable in counts])),
        )


def _selection(results: Results) -> pd.DataFrame:
    """Write the criteria; BIC with the digits in which numbers of strata differ."""
    table = results.tables["selection"]
    shown = formatted(table)
    if "bic" in table:
        shown["bic"] = ["" if pd.isna(value) else f"{value:.1f}" for value in table["bic"]]
    return shown


def strata_table(results: Results) -> pd.DataFrame:
    """Count each group in each stratum and without one, with the certainty of the stratum and of who is in it."""
    strata, divided = results.tables["strata"], results.heads.by_stratum
    stability = results.tables["stability"].set_index("stratum").sort_index()
    numbers, parts = [str(number) for number in stability.index], list(results.heads.shown_strata)
    without = [""] * (len(parts) - len(numbers))
    shown = divided.of(results.groups).words[parts].T
    confidence = strata.groupby(strata["stratum"].astype(str))["confidence"].mean().reindex(parts).map(cell).to_numpy()
    shown.insert(0, "label", [*results.stratum_labels, *without])
    if divided.exact.all(axis=None):
        # a sum over the groups would tell what is hidden in one of them
        shown.insert(1, "all samples", divided.counts[parts].sum().astype(str).to_numpy())
    counts = divided.counts[parts]
    enough = counts.sum() >= results.min_cell
    shown["mean confidence"] = np.where(enough, confidence, "")
    shown["bootstrap Jaccard"] = [*stability["jaccard"].map(cell), *without]
    return shown.reset_index(names="stratum")
