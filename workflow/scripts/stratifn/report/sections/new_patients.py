"""The page of new patients: sentences, tables and figures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from stratifn import __version__
from stratifn.report.claim_words import caveats
from stratifn.report.content import FigureSlot, Item, Section, Table, Text, cell, formatted, stratum_labels
from stratifn.report.new_patients import ALL, NOT_SUPPORTED, NewPatients
from stratifn.report.sections.cohort import about_the_list, notes_table
from stratifn.report.small_cells import Division, people
from stratifn.shared.claims import EVERYBODY, NOT_COMPUTED, UNSUPPORTED, Standing
from stratifn.shared.vocabulary import UNLIKE, UNSCORED

# between the parts of a reason
PART = "; "


def sections_of_new_patients(new: NewPatients) -> list[Section]:
    """Write every section of the page, in reading order."""
    return [Section(name, title, tuple(write(new))) for name, title, write in SECTIONS]


def headline_of_new_patients(new: NewPatients) -> list[str]:
    """Say whether the reference fits, who was placed, how the supported classes fall, and what the reference itself lacks."""
    controls = (
        f" Their own controls: {people(int(new.is_own_control.sum()), new.min_cell)}." if new.has_own_controls else ""
    )
    return [
        _fit(new),
        f"Patients: {people(int((~new.is_own_control).sum()), new.min_cell)}.{controls} Patients in a stratum and not out of "
        f"the reference: {new.in_stratum}.",
        f"ISG expression signature of the patients ({new.signature}): {_by_class(new, new.by_class)}.",
        *_by_own_controls(new),
        *lacking(new),
    ]


def _fit(new: NewPatients) -> str:
    """Give the verdict on the whole batch."""
    placement = new.standing("placement", EVERYBODY)
    if placement.verdict == UNSUPPORTED:
        return (
            f"The reference does not fit these patients: {caveats(placement)}. Their classes and strata by the reference are "
            "not supported."
        )
    if placement.verdict == NOT_COMPUTED:
        row = placement.rows.get("out_of_reference", {})
        return f"Whether the reference fits these patients is not known: {row.get('reason', 'not judged')}."
    return f"The reference fits these patients. Out of the reference: {new.outside}."


def _by_class(new: NewPatients, divided: Division) -> str:
    """Count the patients of each class, without own controls."""
    if list(divided.counts.index) == [ALL] and not new.has_own_controls:
        return ", ".join(f"{name} {divided.words[name].iloc[0]}" for name in divided.counts)
    if divided.exact.all(axis=None):
        counts = divided.counts.drop(index=[new.control] if new.has_own_controls else [])
        return ", ".join(f"{name} {counts[name].sum()}" for name in counts)
    # sums over the diseases would tell what is hidden in one of them
    return "see the table by disease"


def _by_own_controls(new: NewPatients) -> list[str]:
    """Say how the classes against the patients' own controls fall, and how good their cut-off is."""
    if not new.has_own_controls:
        return []
    found = new.by_own_controls
    good = f" Evidence for this cut-off is {found.verdict}: {caveats(found)}." if found.fails else ""
    return [f"Patients against their own controls ({new.control}): {_by_class(new, new.by_own_class)}.{good}"]


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
    yield Table(
        "reference-strata",
        "Strata of the reference",
        formatted(strata[["stratum", "label", *words]].rename(columns=words)),
    )


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
        "A patient out of the reference is unlike the samples that the reference was made from: class and stratum are not "
        "supported."
    )
    if new.standing("placement", EVERYBODY).verdict == UNSUPPORTED:
        yield Text(
            f"{_fit(new)} Many patients show this together, even where the reference is too small to show it of each.",
            warning=True,
        )
    views = new.by_views.words.T.reset_index().set_axis(["views", "patients"], axis="columns")
    yield Table("views", "Patients by the views that placed them", views)
    reasons = reason_counts(new.patients["reason"])
    outside = reasons[reasons.index.str.startswith(UNLIKE)]
    if new.patients["out_of_reference"].eq(True).any():
        kinds = outside.groupby(outside.index.str.extract(r"\): (.*) \(", expand=False)).sum()
        yield _counted(
            "outside-reasons", "Patients out of the reference by what is explained least", "reason", kinds, new
        )
        if new.shown.lists_people:
            yield Table("outside", "Patients out of the reference", formatted(_outsiders(new)))
    else:
        yield Text("No patient is out of the reference.")
    rest = reasons.drop(outside.index)
    if len(rest):
        yield _counted("remarks", "Other remarks on patients", "reason", rest, new)


def reason_counts(reasons: pd.Series) -> pd.Series:
    """Count the parts of the patients' reasons."""
    return reasons.dropna().str.split(PART).explode().value_counts().sort_index()


def own_reasons(reasons: pd.Series) -> pd.Series:
    """Leave out of each patient's reason what applies to all patients; missing where nothing is left."""
    counts = reason_counts(reasons)
    of_all = set(counts.index[counts == len(reasons)]) if len(reasons) > 1 else set()
    own = reasons.fillna("").map(lambda reason: PART.join(part for part in reason.split(PART) if part not in of_all))
    return own.mask(own == "")


def _counted(name: str, caption: str, column: str, counts: pd.Series, new: NewPatients) -> Table:
    return Table(
        name,
        caption,
        pd.DataFrame({column: counts.index, "patients": [new.counted(int(count)) for count in counts]}),
    )


def _outsiders(new: NewPatients) -> pd.DataFrame:
    outside = new.patients[new.patients["out_of_reference"].eq(True)]
    beyond = [
        PART.join(part for part in str(reason).split(PART) if part.startswith(UNLIKE)) for reason in outside["reason"]
    ]
    return pd.DataFrame({"sample": outside["sample"].map(new.labels), "reason": beyond})


def _interferon(new: NewPatients) -> Iterator[Item]:
    yield Text(
        "An ISG expression score is a number. The reference's cut-off turns it into a class, the ISG expression "
        "signature. "
        "Both describe the expression of interferon-stimulated genes, not the amount or activity of any interferon."
    )
    yield FigureSlot("interferon_scores")
    caption = "Patients by ISG expression signature against the reference"
    yield Table("classes", caption, new.by_class.words.reset_index(names="disease"))
    if not new.has_own_controls:
        return
    yield Text(
        "Another chip or laboratory shifts controls and patients alike. These patients brought controls of their own "
        f"({new.control}), so the same score was computed against them too: mean, SD and cut-off of every gene and of the "
        "signature are those of their own controls."
    )
    for sentence in _by_own_controls(new):
        yield Text(sentence, warning=new.by_own_controls.fails)
    caption = "Patients by ISG expression signature against their own controls"
    yield Table("own-classes", caption, new.by_own_class.words.reset_index(names="disease"))


def _strata(new: NewPatients) -> Iterator[Item]:
    if len(new.strata) < 2:
        found = new.standing("strata", EVERYBODY)
        why = f" ({caveats(found)})" if found.fails else ""
        yield Text(f"The reference has one stratum: its data did not support more{why}.", warning=True)
        return
    yield FigureSlot("strata")
    names, divided = new.stratum_names, new.by_stratum
    if NOT_SUPPORTED in divided.counts:
        yield Text(
            "Patients whose stratum is not supported, because they or the batch are out of the reference: "
            f"{divided.words.loc[ALL, NOT_SUPPORTED]}. They are not counted below.",
            warning=True,
        )
    counted = new.patients[new.supported.to_numpy() & ~new.is_own_control]
    probability = counted.groupby("stratum")["probability"].median().rename(str).reindex(names.index)
    table = pd.DataFrame(
        {
            "stratum": names,
            "patients": divided.words.loc[ALL, names.index],
            "median probability": probability.map(cell).where(divided.exact.loc[ALL, names.index], ""),
        }
    )
    yield Table("strata", "Patients by stratum of the reference", table)
    known = new.factors.filter(regex="^sd_").rename(columns=lambda name: name.removeprefix("sd_")).median()
    if known.notna().any():
        yield Table(
            "factor-uncertainty",
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
            ),
        )


def _patients(new: NewPatients) -> Iterator[Item]:
    yield Text(
        "probability_high says how certain it is that the score lies above the cut-off, probability how certain the "
        "stratum is; "
        "neither is a probability of disease."
    )
    yield from about_the_list(new.shown)
    if not new.shown.lists_people:
        return
    supported = new.supported.to_numpy()
    table = new.patients.assign(
        sample=new.patients["sample"].map(new.labels),
        disease=new.patients["sample"].map(new.disease_of),
        ifn_class=_marked(new.patients["ifn_class"], supported | new.patients["ifn_class"].eq(UNSCORED).to_numpy()),
        stratum=_marked(new.patients["stratum"], supported),
        label=new.patients["stratum"].map(stratum_labels(new.strata)).where(supported),
        reason=own_reasons(new.patients["reason"]),
    )
    columns = ["sample", "disease", "score", "probability_high", "ifn_class", "stratum", "label", "probability",
               "out_of_reference", "outlier_pvalue", "score_local", "ifn_class_local", "views_used", "reason"]  # fmt: skip
    if not new.has_own_controls:
        columns = [column for column in columns if not column.endswith("_local")]
    yield Table(
        "patients",
        "All patients (remarks that apply to all of them are listed above)",
        formatted(table[columns]),
        people=True,
    )


def _marked(values: pd.Series, supported: np.ndarray) -> pd.Series:
    """Add to values that are not supported that they are not."""
    texts = values.astype(object)
    return texts.where(supported | values.isna(), texts.astype(str) + f" ({NOT_SUPPORTED})")


def _notes(new: NewPatients) -> Iterator[Item]:
    # the labels of the strata are shown above
    notes = new.notes[new.notes["what"] != "label"]
    shown = notes_table(notes, new.labels.index, new.shown)
    yield Table("notes", "Notes on the reference, on features and views that are missing, and on the files", shown)


def methods_of_new_patients(new: NewPatients) -> list[str]:
    """Write the methods in a few sentences."""
    source = new.source
    scored = "" if new.cutoff is None or new.scoring is None else (
        f"ISG expression scores ({new.signature}) were computed against the reference's {new.scoring['n_controls']} controls; "
        "probability_high is the share of resamples of these controls in which the score lies above the cut-off. "
    )  # fmt: skip
    own = (
        f" Scores and classes against their own controls ({new.control}) were computed with the reference's genes, method and "
        "settings, mean, SD and cut-off being those of these controls."
        if new.has_own_controls
        else ""
    )
    return [
        f"New patients were placed by stratifn {__version__} with the frozen reference {source['name']} (contract "
        f"{source['contract']}, SHA-256 {source['sha256']}) alone. Values were transformed by the reference's frozen "
        f"transforms. {scored}Factors are the posterior means of the reference's MOFA model with its weights held fixed, over "
        "the views that a patient has. The stratum is the most probable one under the reference's Gaussian mixture, averaged over "
        "its bootstraps, given what is known of the patient's factors; its probability is that of this average.",
        f"Out of the reference are patients with a p value of at most {new.level:g}: the residuals that the reference's factors "
        "leave of all features, each in units of its spread and at most two of these, are averaged and compared with those of the "
        "reference's own samples, each by a model without it, with an exponential tail above their 80th centile." + own,
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
