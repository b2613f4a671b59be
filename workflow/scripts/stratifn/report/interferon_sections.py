"""The report on interferon-stimulated genes, over all groups or of one disease."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from stratifn.report.claim_words import caveats
from stratifn.report.content import FigureSlot, Item, Table, Text, first_reason, formatted, people, small_cells
from stratifn.report.results import RANK_METHOD, Results
from stratifn.shared.vocabulary import CLASSES, HEALTHY, UNSCORED

CLASSES_AND_UNSCORED = (*CLASSES, UNSCORED)
TYPES = ("none", "I", "I+II", "II", "uncertain")
NO_TYPE = "no type: "
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
        yield Text(f"Read with care: {reason}.", warning=True)
    yield FigureSlot("interferon_scores")
    yield FigureSlot("interferon_classes")
    yield from _classes(results)
    yield FigureSlot("prevalence")
    yield from _prevalence(results)
    yield FigureSlot("types")
    yield from _types(results)
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
            f"No class could be given: {first_reason(classes)}. {NOT_SUPPORTED} Still given: {ranks}factors and "
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
    counts = pd.crosstab(classes["disease"], classes["ifn_class"].fillna(UNSCORED))
    counts = counts.reindex(index=results.groups, columns=list(CLASSES_AND_UNSCORED), fill_value=0)
    yield Table("Samples by ISG expression signature", _by_group(counts, results))
    unscored = classes[(classes["ifn_class"] == UNSCORED) & classes["disease"].isin(results.subject)]
    if len(unscored):
        reasons = "; ".join(sorted(set(unscored["reason"].dropna())))
        yield Text(f"Unscored because: {reasons or 'no reason recorded'}.")


def _by_group(counts: pd.DataFrame, results: Results) -> pd.DataFrame:
    return small_cells(counts, results.min_cell).reset_index(names="group")


def _prevalence(results: Results) -> Iterator[Item]:
    table = results.tables["prevalence"]
    own = table[table["signature"] == results.config["interferon"]["signature"]].set_index("disease")
    own = own.reindex([group for group in results.groups if group in own.index]).reset_index()
    if own.empty or own["prevalence"].isna().all():
        return
    yield from _one_control(results)
    shown = own[["disease", "n", "prevalence", "ci_low", "ci_high", "published", "published_source"]]
    shown = shown.rename(columns={"disease": "group"}).dropna(axis="columns", how="all")
    yield Table(
        "Share of people with a score above the cut-off: borderline people count by their score, unscored people are "
        "left out. "
        "The 95 % interval includes the uncertainty of the cut-off, with and without any control that was left out. The published share is shown where specimen and "
        "controls "
        "are the same. The cut-off comes from the controls, so their own share is only a check",
        formatted(shown, results.min_cell),
    )


def _one_control(results: Results) -> Iterator[Item]:
    """Say how far a single control moves the share, and how many classes the controls left out would change."""
    settings, reference = results.config["interferon"], results.tables["reference"]
    own = reference[(reference["signature"] == settings["signature"]) & (reference["method"] == settings["method"])]
    if results.disease is not None or own.empty:
        return
    row = own.iloc[0]
    if pd.notna(row["flipped"]):
        yield Text(
            f"Leaving out any one control, {100 * row['prevalence_low']:.0f} to {100 * row['prevalence_high']:.0f} % of all "
            f"patients lie above the cut-off; {people(int(row['flipped']), results.min_cell)} change sides."
        )
    if row["excluded"]:
        classes = results.tables["classes"]
        other = int((classes["ifn_class"] != classes["ifn_class_all_controls"]).sum())
        yield Text(
            f"{row['excluded']} outlying control{'s were' if row['excluded'] > 1 else ' was'} left out of the reference; with "
            f"every control kept, {people(other, results.min_cell)} would have another class."
        )


def _types(results: Results) -> Iterator[Item]:
    classes = results.tables["classes"]
    if classes["ifn_type"].isna().all():
        parts = classes["reason"].dropna().str.split("; ").explode()
        for reason in sorted(set(parts[parts.str.startswith(NO_TYPE)])):
            yield Text(f"Type I and type II cannot be told apart: {reason.removeprefix(NO_TYPE)}.")
        return
    counts = pd.crosstab(classes["disease"], classes["ifn_type"])
    counts = counts.reindex(index=results.groups, columns=list(TYPES), fill_value=0)
    yield Table(
        "Samples by type of the response (uncertain: the type depends on the slope, within the range measured on "
        "stimulated "
        "cells; II is type II-weighted)",
        _by_group(counts, results),
    )


def _protein(results: Results) -> Iterator[Item]:
    protein = results.tables["protein"]
    measured = protein[protein["n"] > 0] if len(protein) else protein
    if len(measured):
        columns = ["disease", "analyte", "n", "below_limit", "spearman", "ci_low", "ci_high", "kappa", "reason"]
        shown = measured[columns].rename(columns={"disease": "group"}).dropna(axis="columns", how="all")
        yield Table(
            "Rank agreement of the score with the measured IFN-alpha protein", formatted(shown, results.min_cell)
        )
    elif reason := _why_no_protein(results):
        yield Text(f"No agreement of the score with measured IFN-alpha protein: {reason}.")
    yield FigureSlot("protein_ranks")


def _why_no_protein(results: Results) -> str:
    """Return why the score is not compared with the protein; empty where nothing says so."""
    notes, protein = results.tables["notes"], results.tables["protein"]
    noted = notes.loc[(notes["phase"] == "interferon") & (notes["item"] == "protein"), "reason"]
    reasons = [*noted, *protein.loc[protein["disease"].isin(results.subject), "reason"].dropna()]
    return str(reasons[0]).rstrip(".") if reasons else ""


def _axes(results: Results) -> Iterator[Item]:
    yield FigureSlot("axes")
    if len(results.shown_axes) > 1:
        yield Text(
            "The three axes are the points at which drugs act. Ligand: IFN-alpha protein in the blood, what a "
            "neutralising "
            "antibody would bind. Sensing: genes of the sensors of nucleic acids (RIG-I and MDA5, endosomal TLRs), whose "
            "blockade would lower interferon production. Response: interferon-stimulated genes, what blocking the "
            "receptor "
            "would silence. The axes describe what was measured; they are no basis for choosing a treatment."
        )


def _confounding(results: Results) -> Iterator[Item]:
    confounding = results.tables["confounding"]
    confounding = confounding[confounding["disease"].isin(results.subject)]
    tested = confounding[confounding["pvalue"].notna()]
    if len(tested):
        columns = ["disease", "variable", "kind", "n", "test", "effect", "ci_low", "ci_high", "pvalue", "padj"]
        if results.disease is not None:
            columns = [*columns[1:], "note"]
        yield Table(
            "What the score is associated with, within each disease: cell composition (difference from the controls in "
            "units of the score, unadjusted and adjusted; composition can mediate the effect), treatment, activity "
            "and autoantibodies "
            "(Spearman's rho; Mann-Whitney: rank-biserial correlation)",
            formatted(
                tested[columns].sort_values([*(["disease"] if results.disease is None else []), "kind", "variable"]),
                results.min_cell,
            ),
        )
    untested = confounding[confounding["pvalue"].isna()]
    if results.disease is not None and len(untested):
        names = ", ".join(sorted(set(untested["variable"])))
        yield Text(f"Not tested, because too few people have a value or the values hardly differ: {names}.")
