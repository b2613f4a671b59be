"""The report on interferon-stimulated genes, over all groups or of one disease."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from stratifn.report.claim_words import caveats
from stratifn.report.content import FigureSlot, Item, Table, Text, cell, first_reason, formatted
from stratifn.report.results import AXES, RANK_METHOD, Results
from stratifn.report.small_cells import HIDDEN, Division, part_of, people
from stratifn.shared.vocabulary import CLASSES, HEALTHY, RESPONSE_TYPES, SHALLOW, UNSCORED

CLASSES_AND_UNSCORED = (*CLASSES, UNSCORED)
NO_TYPE = "no type: "
# a variable of the protein is known where score and protein are: no count tells of how many
PROTEIN = "protein"
# the kind of an association that compares a disease with the controls
CELLS = "cells"
NOT_SUPPORTED = (
    "There is also no cut-off, no share with a positive signature, no type of the response, and nothing else that "
    "is measured against controls."
)


def interferon(results: Results) -> Iterator[Item]:
    """Write the section on interferon-stimulated genes."""
    yield Text(
        "An ISG expression score is a number. A cut-off turns it into a class, the ISG expression signature. "
        "Both describe the expression of interferon-stimulated genes, not the amount or activity of any interferon."
    )
    yield from _basis(results)
    notes = results.tables["notes"]
    careful = notes[(notes["phase"] == "interferon") & (notes["what"] == "read with care")]
    for reason in careful["reason"]:
        yield Text(f"Read with care: {results.tidied(reason)}.", warning=True)
    yield FigureSlot("atlas")
    yield FigureSlot("interferon_scores")
    yield from _classes(results)
    yield FigureSlot("prevalence")
    yield from _prevalence(results)
    yield FigureSlot("one_control")
    yield FigureSlot("types")
    yield from _types(results)
    yield FigureSlot("modules")
    yield FigureSlot("agreement")
    yield from _protein(results)
    yield FigureSlot("methylation")
    yield from _axes(results)
    yield from _confounding(results)


def _basis(results: Results) -> Iterator[Item]:
    settings, classes = results.config["interferon"], results.tables["classes"]
    if not results.has_classes:
        has_ranks = results.scores(RANK_METHOD)["score"].notna().any()
        ranks = "scores by ranks, which order people within the run, " if has_ranks else ""
        yield Text(
            f"No class could be given: {results.tidied(first_reason(classes))}. {NOT_SUPPORTED} Still given: {ranks}factors and "
            "strata.",
            warning=True,
        )
        return
    own = results.scores(settings["method"])
    found = f"{int(own['genes_found'].min())} of {int(own['genes_total'].max())}" if len(own) else "none"
    cutoff = results.standing("cutoff", settings["signature"])
    yield Text(
        f"Classes come from {settings['signature']} by {settings['method']} ({found} genes found), with the cut-off "
        f"{settings['cutoff']} from {reference_words(results)}. "
        "A published cut-off belongs to its own assay and is not used."
        + (f" Evidence for the cut-off is {cutoff.verdict}: {caveats(cutoff)}." if cutoff.fails else ""),
        warning=cutoff.fails,
    )
    if results.settings["control_type"] != HEALTHY and not settings["reference"]:
        yield Text(
            f"The controls ({results.control}) are not healthy: low means similar to them, not to healthy people.",
            warning=True,
        )


def reference_words(results: Results) -> str:
    """Say whose controls the scores rest on."""
    elsewhere = results.config["interferon"]["reference"]
    return "the controls of a reference from another run" if elsewhere else "this run's own controls"


def _classes(results: Results) -> Iterator[Item]:
    classes = results.tables["classes"]
    if not results.has_classes:
        return
    yield Table("classes", "Samples by ISG expression signature", _by_group(results.heads.by_class, results))
    unscored = classes[(classes["ifn_class"] == UNSCORED) & classes["disease"].isin(results.subject)]
    shallow = unscored["reason"].str.contains(SHALLOW, na=False, regex=False)
    if shallow.any():
        yield Text(
            f"Unscored because of too shallow a library: {part_of(int(shallow.sum()), len(unscored), results.min_cell)}. At its depth sampling "
            "alone moves the score further than the cut-off lies above the controls; the notes say how far.",
            warning=True,
        )
    unscored = unscored[~shallow]
    if len(unscored):
        reasons = "; ".join(sorted(set(unscored["reason"].dropna())))
        yield Text(f"Unscored because: {results.tidied(reasons) or 'no reason recorded'}.")


def _by_group(divided: Division, results: Results) -> pd.DataFrame:
    words = divided.of(results.groups).words
    return words[[part for part in words if part in (*CLASSES_AND_UNSCORED, *RESPONSE_TYPES)]].reset_index(
        names="group"
    )


def _prevalence(results: Results) -> Iterator[Item]:
    table = results.tables["prevalence"]
    own = table[table["signature"] == results.config["interferon"]["signature"]].set_index("disease")
    own = own.reindex([group for group in results.groups if group in own.index]).reset_index()
    if own.empty or own["prevalence"].isna().all():
        return
    yield from _one_control(results)
    heads = results.heads
    shares = [heads.share(row) for row in own.to_dict("records")]
    shown = pd.DataFrame(
        {
            "disease": own["disease"],
            "n": [heads.with_value(group, n) for group, n in zip(own["disease"], own["n"], strict=True)],
            "prevalence": [share.words if pd.isna(share.value) else cell(share.value) for share in shares],
            "ci_low": [share.low for share in shares],
            "ci_high": [share.high for share in shares],
        }
    ).join(own[["published", "published_source"]])
    shown = shown.rename(columns={"disease": "group"}).dropna(axis="columns", how="all")
    yield Table(
        "prevalence",
        "Share of people with a score above the cut-off: borderline people count by their score, unscored people are "
        "left out. "
        "The 95 % interval includes the uncertainty of the cut-off, with and without any control that was left out. The published share is shown where specimen and "
        "controls "
        "are the same. The cut-off comes from the controls, so their own share is only a check",
        formatted(shown),
    )


def _one_control(results: Results) -> Iterator[Item]:
    """Say how far a single control moves the share, and how many classes the controls left out would change."""
    settings, reference = results.config["interferon"], results.tables["reference"]
    own = reference[(reference["signature"] == settings["signature"]) & (reference["method"] == settings["method"])]
    if results.disease is not None or own.empty:
        return
    row = own.iloc[0]
    if pd.notna(row["flipped"]):
        flipped = f"{people(int(row['flipped']), results.min_cell)} change sides"
        # the share of all patients tells the one share that is hidden, and its range how many change sides
        told = results.heads.every_share_shown and not results.heads.few_flipped
        shares = f"{100 * row['prevalence_low']:.0f} to {100 * row['prevalence_high']:.0f} % of all patients lie above the cut-off"
        yield Text(
            f"Leaving out any one control, {f'{shares}; {flipped}' if told else f'{flipped} among all patients'}."
        )
    if row["excluded"]:
        classes = results.tables["classes"]
        other = int((classes["ifn_class"] != classes["ifn_class_all_controls"]).sum())
        yield Text(
            f"Outlying controls left out of the reference: {people(int(row['excluded']), results.min_cell)}; with "
            f"every control kept, {people(other, results.min_cell)} would have another class."
        )


def _types(results: Results) -> Iterator[Item]:
    classes = results.tables["classes"]
    if classes["ifn_type"].isna().all():
        parts = classes["reason"].dropna().str.split("; ").explode()
        for reason in sorted(set(parts[parts.str.startswith(NO_TYPE)])):
            yield Text(f"Type I and type II cannot be told apart: {reason.removeprefix(NO_TYPE)}.")
        return
    yield Table(
        "types",
        "Samples by type of the response, from the profiles of airway cells under type I interferon and under "
        "IFN-gamma (uncertain: an interval lies on both sides of its bound; other: neither profile fits)",
        _by_group(results.heads.by_type, results),
    )


def _protein(results: Results) -> Iterator[Item]:
    protein = results.tables["protein"]
    measured = protein[protein["n"] > 0] if len(protein) else protein
    if len(measured):
        columns = ["disease", "analyte", "n", "below_limit", "spearman", "ci_low", "ci_high", "kappa", "reason"]
        shown = measured[columns].dropna(axis="columns", how="all")
        if "below_limit" in shown:
            shown["below_limit"] = _below_limit(measured, results)
        shown["n"] = _with_value(measured, results)
        yield Table(
            "protein",
            "Rank agreement of the score with the measured IFN-alpha protein",
            formatted(shown.rename(columns={"disease": "group"})),
        )
    elif reason := _why_no_protein(results):
        yield Text(f"No agreement of the score with measured IFN-alpha protein: {reason}.")
    yield FigureSlot("protein_ranks")


def _below_limit(measured: pd.DataFrame, results: Results) -> list[str]:
    """Write how many are below the limit of detection, of all patients only where the groups' counts are shown."""
    counts = zip(measured["below_limit"].astype(int), measured["n"].astype(int), strict=True)
    words = pd.Series([part_of(below, n, results.min_cell) for below, n in counts], index=measured.index)
    of_group = measured["disease"].isin(results.heads.groups)
    exact = words == measured["below_limit"].astype(int).astype(str)
    told = exact.where(of_group, True).groupby(measured["analyte"]).transform("all")
    return words.where(of_group | told, HIDDEN).tolist()


def _with_value(table: pd.DataFrame, results: Results) -> list[str]:
    """Write the n of a table by disease, of which one row may be about all patients."""
    heads = results.heads
    words = [
        heads.with_value(group, int(n)) if group in heads.groups else heads.of_everybody(int(n), PROTEIN)
        for group, n in zip(table["disease"], table["n"], strict=True)
    ]
    # a difference from the controls counts them as well
    both = (table["kind"] == CELLS) if "kind" in table and results.control is not None else np.zeros(len(table), bool)
    return [HIDDEN if counted and heads.closed[results.control] else n for n, counted in zip(words, both, strict=True)]


def _why_no_protein(results: Results) -> str:
    """Return why the score is not compared with the protein; empty where nothing says so."""
    notes, protein = results.tables["notes"], results.tables["protein"]
    noted = notes.loc[(notes["phase"] == "interferon") & (notes["item"] == "protein"), "reason"]
    reasons = [*noted, *protein.loc[protein["disease"].isin(results.subject), "reason"].dropna()]
    return results.tidied(reasons[0]).rstrip(".") if reasons else ""


def _axes(results: Results) -> Iterator[Item]:
    yield FigureSlot("axes")
    if len(results.shown_axes) > 1:
        yield Text(
            "The three axes are the points at which drugs act. Ligand: IFN-alpha protein in the blood, what a neutralising antibody "
            "would bind. Sensing: genes of the sensors of nucleic acids (RIG-I and MDA5, endosomal TLRs), whose blockade would lower "
            "interferon production. Response: interferon-stimulated genes, what blocking the receptor would silence. The axes "
            "describe what was measured; they are no basis for choosing a treatment."
        )
    missing = [axis for axis in AXES if axis not in results.shown_axes]
    if missing and results.has_classes:
        reasons = "; ".join(f"{axis}: {_why_no_axis(results, axis)}" for axis in missing)
        yield Text(f"Not computed of the three axes of the pathway (ligand, sensing, response): {reasons}.")


def _why_no_axis(results: Results, axis: str) -> str:
    """Return what most people's evidence says of an axis that nobody has a value of."""
    table = results.tables["axes"]
    evidence = table.loc[table["axis"] == axis, "evidence"].dropna()
    return results.tidied(evidence.mode().iloc[0]) if len(evidence) else "no reason recorded"


def _confounding(results: Results) -> Iterator[Item]:
    confounding = results.tables["confounding"]
    confounding = confounding[confounding["disease"].isin(results.subject)]
    tested = confounding[confounding["pvalue"].notna()]
    if len(tested):
        columns = ["disease", "variable", "kind", "n", "test", "effect", "ci_low", "ci_high", "pvalue", "padj"]
        if results.disease is not None:
            columns = [*columns[1:], "note"]
        yield Table(
            "confounding",
            "What the score is associated with, within each disease: cell composition (difference from the controls in "
            "units of the score, unadjusted and adjusted; composition can mediate the effect), treatment, activity "
            "and autoantibodies "
            "(Spearman's rho; Mann-Whitney: rank-biserial correlation)",
            formatted(
                tested.assign(n=_with_value(tested, results)).sort_values(
                    [*(["disease"] if results.disease is None else []), "kind", "variable"]
                )[columns]
            ),
        )
    untested = confounding[confounding["pvalue"].isna()]
    if results.disease is not None and len(untested):
        names = ", ".join(sorted(set(untested["variable"])))
        yield Text(f"Not tested, because too few people have a value or the values hardly differ: {names}.")
