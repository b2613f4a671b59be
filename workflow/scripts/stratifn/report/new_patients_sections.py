"""The page of new patients: sentences, tables and figures."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from stratifn import __version__
from stratifn.report.claim_words import caveats
from stratifn.report.cohort_sections import notes_table
from stratifn.report.content import FigureSlot, Item, Section, Table, Text, cell, formatted, people, stratum_labels
from stratifn.report.interferon_sections import CLASSES_AND_UNSCORED
from stratifn.report.new_patients import NewPatients
from stratifn.shared.claims import EVERYBODY, NOT_COMPUTED, UNSUPPORTED, Standing

# marks, in a patient's reason, a value beyond a limit of the reference
BEYOND = ", limit "
# between the parts of a reason
PART = "; "


def sections_of_new_patients(new: NewPatients) -> list[Section]:
    """Write every section of the page, in reading order."""
    return [Section(name, title, tuple(write(new))) for name, title, write in SECTIONS]


def headline_of_new_patients(new: NewPatients) -> list[str]:
    """Say how many were placed, who is unlike the reference, how the classes fall, and what the reference itself lacks."""
    patients = new.patients
    classes = patients["ifn_class"].value_counts()
    by_class = ", ".join(f"{name} {people(int(classes.get(name, 0)), new.min_cell)}" for name in CLASSES_AND_UNSCORED)
    placement = new.standing("placement", EVERYBODY)
    verdict = (
        [
            f"The reference does not fit these patients: {caveats(placement)}. Their classes and strata are not "
            "supported."
        ]
        if placement.verdict == UNSUPPORTED
        else [
            f"Whether the reference fits these patients is not known: {placement.rows['out_of_reference']['reason']}."
        ]
        if placement.verdict == NOT_COMPUTED and "out_of_reference" in placement.rows
        else []
    )
    return [
        *verdict,
        f"Patients: {people(len(patients), new.min_cell)}. In a stratum of the reference: "
        f"{people(int(patients['stratum'].notna().sum()), new.min_cell)}. Unlike anything in the reference: "
        f"{people(int(patients['out_of_reference'].eq(True).sum()), new.min_cell)}.",
        f"ISG expression signature ({new.signature}): {by_class}.",
        *lacking(new),
    ]


def lacking(new: NewPatients) -> list[str]:
    """Say how the reference's own cut-off and strata fall short: whatever is placed by them falls short as well."""
    claims = [("cutoff", new.scored_signature, "cut-off")] if new.scored_signature else []
    if len(new.strata) > 1:
        claims.append(("strata", EVERYBODY, "strata"))
    found = [(words, new.standing(claim, subject)) for claim, subject, words in claims]
    return [
        f"Evidence for the {words} of the reference is {each.verdict}: {caveats(each)}."
        for words, each in found
        if each.fails
    ]


def _reference(new: NewPatients) -> Iterator[Item]:
    source = new.source
    measured = f"Specimen: {_stated(source['specimen'])}; gene expression by {_stated(source['platform'])}."
    yield Text(f"Cohort {source['name']}, frozen by stratifn {_stated(source['stratifn'])}. {measured}")
    differing = new.notes[new.notes["what"].isin(["differs", "not stated"])]
    for note in differing.itertuples():
        yield Text(f"{str(note.item).capitalize()} {note.what}: {note.reason}.", warning=note.what == "differs")
    if new.cutoff is None or new.scoring is None:
        yield Text("The reference has no cut-off, so no patient gets a class.", warning=True)
    else:
        yield Text(
            f"Its {new.scoring['n_controls']} controls give the cut-off {new.cutoff['cutoff']:.2f} "
            f"({new.scoring['settings']['cutoff']}) of {new.signature}."
        )
    for sentence in lacking(new):
        yield Text(sentence, warning=True)
    strata = new.strata.assign(
        label=stratum_labels(new.strata).to_numpy(),
        evidence=[_evidence(new.standing("stratum_label", str(number))) for number in new.strata["stratum"]],
    )
    words = {"evidence": "evidence for the label", "jaccard": "bootstrap Jaccard in the reference"}
    yield Table("Strata of the reference", formatted(strata[["stratum", "label", *words]].rename(columns=words), 0))


def _evidence(found: Standing) -> str:
    """Give the verdict on a claim of the reference, and what lowers it."""
    if found.verdict == NOT_COMPUTED:
        return ""
    return f"{found.verdict}: {caveats(found)}" if found.fails else found.verdict


def _stated(value: object) -> str:
    return "not stated" if pd.isna(value) else str(value).replace("_", " ")


def _placed(new: NewPatients) -> Iterator[Item]:
    yield Text(
        "Every patient was placed separately, from the reference alone, and gets the same numbers in any batch. "
        "A patient out of the reference is unlike the samples that the reference was made from: read score and "
        "stratum with care."
    )
    views = new.patients["views_used"].fillna("none").value_counts().sort_index()
    yield _counted("Patients by the views that placed them", "views", views, new)
    reasons = reason_counts(new.patients["reason"])
    outside = reasons[reasons.index.str.contains(BEYOND, regex=False)]
    if new.patients["out_of_reference"].eq(True).any():
        kinds = outside.groupby(outside.index.str.partition(" (").get_level_values(0)).sum()
        yield _counted("Why patients are out of the reference (one can have several reasons)", "reason", kinds, new)
        yield Table("Patients out of the reference", formatted(_outsiders(new), 0))
    else:
        yield Text("No patient is out of the reference.")
    rest = reasons.drop(outside.index)
    if len(rest):
        yield _counted("Other remarks on patients", "reason", rest, new)


def reason_counts(reasons: pd.Series) -> pd.Series:
    """Count the parts of the patients' reasons."""
    return reasons.dropna().str.split(PART).explode().value_counts().sort_index()


def own_reasons(reasons: pd.Series) -> pd.Series:
    """Leave out of each patient's reason what applies to all patients; missing where nothing is left."""
    counts = reason_counts(reasons)
    of_all = set(counts.index[counts == len(reasons)]) if len(reasons) > 1 else set()
    own = reasons.fillna("").map(lambda reason: PART.join(part for part in reason.split(PART) if part not in of_all))
    return own.mask(own == "")


def _counted(caption: str, name: str, counts: pd.Series, new: NewPatients) -> Table:
    return Table(
        caption,
        pd.DataFrame({name: counts.index, "patients": [people(int(count), new.min_cell) for count in counts]}),
    )


def _outsiders(new: NewPatients) -> pd.DataFrame:
    outside = new.patients[new.patients["out_of_reference"].eq(True)]
    beyond = [PART.join(part for part in str(reason).split(PART) if BEYOND in part) for reason in outside["reason"]]
    return pd.DataFrame({"sample": outside["sample"].map(new.labels), "reason": beyond})


def _interferon(new: NewPatients) -> Iterator[Item]:
    yield Text(
        "An ISG expression score is a number. The reference's cut-off turns it into a class, the ISG expression "
        "signature. "
        "Both describe the expression of interferon-stimulated genes, not the amount or activity of any interferon."
    )
    yield FigureSlot("interferon_scores")
    classes = new.patients.set_index("sample")["ifn_class"]
    groups = new.disease_of.reindex(classes.index)
    counts = pd.crosstab(groups, classes).reindex(columns=list(CLASSES_AND_UNSCORED), fill_value=0)
    shown = counts.map(lambda count: people(int(count), new.min_cell))
    yield Table("Patients by ISG expression signature", shown.reset_index(names="disease"))


def _strata(new: NewPatients) -> Iterator[Item]:
    if len(new.strata) < 2:
        found = new.standing("strata", EVERYBODY)
        why = f" ({caveats(found)})" if found.fails else ""
        yield Text(f"The reference has one stratum: its data did not support more{why}.", warning=True)
        return
    yield FigureSlot("strata")
    placed = new.patients[new.patients["stratum"].notna()]
    groups = placed.groupby("stratum")
    names = new.stratum_names
    table = pd.DataFrame(
        {
            "stratum": names,
            "patients": [people(int(n), new.min_cell) for n in groups.size().reindex(names.index, fill_value=0)],
            "median probability": groups["probability"].median().reindex(names.index).map(cell),
        }
    )
    yield Table("Patients by stratum of the reference", table)
    known = new.factors.filter(regex="^sd_").rename(columns=lambda name: name.removeprefix("sd_")).median()
    if known.notna().any():
        yield Table(
            "How well each factor is determined: median posterior SD over the patients (near 0: well determined; "
            "near 1: "
            "not determined by what was measured)",
            formatted(
                pd.DataFrame(
                    {
                        "factor": known.index,
                        "median SD": known.to_numpy(),
                        "evidence for the factor in the reference": [
                            _evidence(new.standing("factor", name)) for name in known.index
                        ],
                    }
                ),
                0,
            ),
        )


def _patients(new: NewPatients) -> Iterator[Item]:
    yield Text(
        "probability_high says how certain it is that the score lies above the cut-off, probability how certain the "
        "stratum is; "
        "neither is a probability of disease."
    )
    table = new.patients.assign(
        sample=new.patients["sample"].map(new.labels),
        disease=new.patients["sample"].map(new.disease_of),
        label=new.patients["stratum"].map(stratum_labels(new.strata)),
        reason=own_reasons(new.patients["reason"]),
    )
    columns = ["sample", "disease", "score", "probability_high", "ifn_class", "stratum", "label", "probability",
               "out_of_reference", "views_used", "reason"]  # fmt: skip
    yield Table(
        "All patients (remarks that apply to all of them are listed above)", formatted(table[columns], 0), search=True
    )


def _notes(new: NewPatients) -> Iterator[Item]:
    # the labels of the strata are shown above
    notes = new.notes[new.notes["what"] != "label"]
    shown = notes_table(notes, new.labels.index, new.shown.sample_ids, new.min_cell)
    yield Table("Notes on the reference, on features and views that are missing, and on the files", shown)


def methods_of_new_patients(new: NewPatients) -> list[str]:
    """Write the methods in a few sentences."""
    source = new.source
    scored = "" if new.cutoff is None or new.scoring is None else (
        f"ISG expression scores ({new.signature}) were computed against the reference's {new.scoring['n_controls']} controls; "
        "probability_high is the share of resamples of these controls in which the score lies above the cut-off. "
    )  # fmt: skip
    return [
        f"New patients were placed by stratifn {__version__} with the frozen reference {source['name']} (contract "
        f"{source['contract']}, SHA-256 {source['sha256']}) alone. Values were transformed by the reference's frozen "
        f"transforms. {scored}Factors are the posterior means of the reference's MOFA model with its weights held fixed, over "
        "the views that a patient has. The stratum is the most probable one under the "
        "reference's Gaussian mixture, averaged over its bootstraps, given what is known of the patient's factors. Out of the reference are "
        "patients whose factors (squared Mahalanobis distance) or whose reconstruction error in a view lie beyond the "
        f"{new.centile:g}th centile of the leave-one-out values of the reference's own samples.",
        "Results are for research use, not for diagnosis.",
    ]


SECTIONS = (
    ("reference", "The reference", _reference),
    ("placed", "Who was placed", _placed),
    ("interferon", "Interferon-stimulated genes", _interferon),
    ("strata", "Strata of the reference", _strata),
    ("patients", "Patients", _patients),
    ("notes", "What was left out, missing or not known", _notes),
)
