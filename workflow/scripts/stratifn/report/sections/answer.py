"""The first screen of a page: a row for each group, and at most three statements with their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from stratifn.report.claim_words import caveats, criteria_words
from stratifn.report.content import Statement, first_reason
from stratifn.report.results import Results
from stratifn.report.sections.expression import called_sentence
from stratifn.report.sections.strata import one_stratum
from stratifn.report.small_cells import HIDDEN, Share
from stratifn.shared.claims import EVERYBODY, NOT_COMPUTED, SUPPORTED, UNSUPPORTED, WEAK, Standing
from stratifn.shared.criteria import ORDER
from stratifn.shared.vocabulary import CLASSES, HIGH, INTERFERON, SHARED

# share of the high patients in the interferon stratum: so coarse that it tells of no small number of people
_COARSE = 10
# a published range begins so: 53 to 81 %
_RANGE = re.compile(r"\d+(\.\d+)? to ")
_SIZE_OF_SOURCE = re.compile(r", n = (\d+)")

_LOWERED = {WEAK: "Weak evidence", UNSUPPORTED: "Not supported", NOT_COMPUTED: "Not computed"}


@dataclass(frozen=True)
class StratumCell:
    """How many people of a group are in a stratum, in words, and their share as far as it is shown."""

    words: str
    share: float


@dataclass(frozen=True)
class Row:
    """One group of the answer.

    Attributes
    ----------
    group, page
        Its label, and the address of its own page; empty where there is none.
    colour
        Of the group.
    control
        Whether these are the controls.
    samples, scored
        How many samples there are, and how many have a score.
    classes
        How many are in each of `CLASSES`; empty where nobody has a class.
    share
        Above the cut-off.
    published, source
        The published share (a fraction; None where only a range was published), and the source; None and empty where
        none is comparable.
    strata
        In the order of the answer's strata.
    verdict
        On the share; empty for the controls.
    """

    group: str
    page: str
    colour: str
    control: bool
    samples: str
    scored: str
    classes: tuple[str, ...]
    share: Share
    published: float | None
    source: str
    strata: tuple[StratumCell, ...]
    verdict: str


@dataclass(frozen=True)
class Answer:
    """What the first screen says.

    Attributes
    ----------
    rows
        Diseases in their order, then the controls.
    classes
        Names of the classes; empty where nobody has one.
    strata
        Name to colour of each stratum; empty where no division is supported.
    statements
        At most three.
    notes
        What the numbers of the rows need beside them.
    sentences
        The answer where it is sentences alone: of new patients.
    """

    rows: tuple[Row, ...] = ()
    classes: tuple[str, ...] = ()
    strata: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    notes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


def answer(results: Results) -> Answer:
    """Answer the pipeline's question for a page."""
    rows = tuple(_row(results, group) for group in results.groups)
    third = _shared(results) if results.disease is None else _called(results)
    strata = _strata(results) if results.disease is None else _strata_of_disease(results)
    return Answer(
        rows=rows,
        classes=CLASSES if results.has_classes else (),
        strata={name: results.stratum_colours[name] for name in results.heads.shown_strata.values()}
        if _divided(results)
        else {},
        statements=tuple(filter(None, (_interferon(results), strata, third))),
        notes=tuple(_notes(results, rows)),
    )


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(results: Results, group: str) -> Row:
    heads, control = results.heads, group == results.control
    found = _prevalence(results).get(group)
    of_page = results.disease is None and not control and len(results.diseases) > 1
    return Row(
        group=group,
        page=f"{group}.html" if of_page else "",
        colour=results.colours[group],
        control=control,
        samples=heads.total(group),
        scored="" if found is None else heads.with_value(group, int(found["n"])),
        classes=tuple(heads.by_class.words.loc[group, list(CLASSES)]) if results.has_classes else (),
        share=Share("") if found is None else heads.share(found),
        published=None if found is None or pd.isna(found["published"]) else float(str(found["published"])),
        source=_source(found),
        strata=tuple(_in_strata(results, group)) if _divided(results) else (),
        verdict="" if control or found is None else _of_share(results, group)[0],
    )


def _source(found: Mapping[str, object] | None) -> str:
    """Return where a published share, or a published range, comes from; empty where none is comparable."""
    if found is None or found["published_source"] is None or found["published_source"] != found["published_source"]:
        return ""
    source = str(found["published_source"])
    return source if pd.notna(found["published"]) or _RANGE.match(source) else ""


def _prevalence(results: Results) -> dict[str, Mapping[str, object]]:
    """Return the rows of ``prevalence.tsv`` about the configured signature, by group."""
    table = results.tables["prevalence"]
    own = table[(table["signature"] == results.config["interferon"]["signature"]) & table["prevalence"].notna()]
    return {str(row["disease"]): row for row in own.to_dict("records") if row["disease"] in results.groups}


def _divided(results: Results) -> bool:
    """Whether strata are shown: a division that is not supported is not."""
    return not results.one_stratum and results.standing("strata", EVERYBODY).verdict != UNSUPPORTED


def _in_strata(results: Results, group: str) -> Iterable[StratumCell]:
    divided = results.heads.by_stratum
    size = max(int(divided.counts.loc[group].sum()), 1)
    for key in results.heads.shown_strata:
        yield StratumCell(divided.words.loc[group, key], divided.least.loc[group, key] / size)


def _notes(results: Results, rows: Iterable[Row]) -> Iterable[str]:
    rows = list(rows)
    if any(row.classes for row in rows):
        yield "Borderline: the cut-off is too uncertain to call the sample high or low."
    sources: dict[str, list[str]] = {}
    for row in rows:
        if row.source:
            size = _SIZE_OF_SOURCE.search(row.source)
            words = row.group if size is None else f"{row.group} (n = {size[1]})"
            sources.setdefault(_SIZE_OF_SOURCE.sub("", row.source), []).append(words)
    for source, groups in sources.items():
        what = "Published range" if _RANGE.match(source) else "Diamond: published share"
        yield f"{what} for {', '.join(groups)}: {source}."
    shown = [word for row in rows for word in (row.scored, *row.classes, *(cell.words for cell in row.strata))]
    if any(word == HIDDEN or word.startswith(("<", ">")) for word in shown):
        yield (
            f"Counts below {results.min_cell} are not shown (<{results.min_cell}), nor what they would follow from "
            "(hidden, about, and > for at least one more)."
        )


# --- interferon -------------------------------------------------------------------------------------------------------


def _of_share(results: Results, disease: str) -> tuple[str, str]:
    """Return the verdict on a share, and what lowers it: it is not better than the cut-off."""
    share, cutoff = results.standing("prevalence", disease), _cutoff(results)
    if share.verdict == NOT_COMPUTED:
        return NOT_COMPUTED, caveats(share)
    verdict = max((share.verdict, cutoff.verdict), key=_badness)
    return verdict, "; ".join(dict.fromkeys(filter(None, (*caveats(share).split("; "), *caveats(cutoff).split("; ")))))


def _badness(verdict: str) -> int:
    """Order verdicts; what was not computed lowers nothing."""
    return -1 if verdict == NOT_COMPUTED else ORDER.index(verdict)


def _cutoff(results: Results) -> Standing:
    return results.standing("cutoff", results.config["interferon"]["signature"])


def _interferon(results: Results) -> Statement:
    """Say how many patients of each disease are above the cut-off, how sure that is, and what speaks against it."""
    diseases = results.diseases if results.disease is None else [results.disease]
    found = {disease: row for disease, row in _prevalence(results).items() if disease in diseases}
    if not found:
        classes = results.tables["classes"]
        chosen = classes[classes["disease"].isin(diseases)]
        words = f"No ISG expression signature was called: {results.tidied(first_reason(chosen))}."
        return Statement(words, NOT_COMPUTED, (), "interferon")
    shares = {disease: results.heads.share(row) for disease, row in found.items()}
    named = ", ".join(f"{disease} {shares[disease].words}" for disease in diseases if disease in shares)
    judged = {disease: _of_share(results, disease) for disease in found}
    verdict = max((verdict for verdict, _ in judged.values()), key=_badness)
    signature = results.config["interferon"]["signature"]
    interval = ", with 95 % interval" if any(np.isfinite(share.low) for share in shares.values()) else ""
    sentence = f"Patients above the cut-off of {signature}{interval}: {named}."
    return Statement(
        " ".join([sentence, *_against(judged), *_limits(results, shares)]),
        verdict,
        tuple(_evidence_of_shares(results, list(found))),
        "interferon",
    )


def _against(judged: Mapping[str, tuple[str, str]]) -> Iterable[str]:
    """Name the diseases whose share is lowered, those for one reason together."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for disease, found in judged.items():
        if found[0] != SUPPORTED:
            by_reason.setdefault(found, []).append(disease)
    for (verdict, reason), diseases in by_reason.items():
        whom = "" if len(diseases) == len(judged) else f" for {', '.join(diseases)}"
        yield f"{_LOWERED[verdict]}{whom}: {reason or 'not judged'}."


def _limits(results: Results, shares: Mapping[str, Share]) -> Iterable[str]:
    """Say what limits even shares that are supported."""
    widths = [100 * (share.high - share.low) for share in shares.values() if np.isfinite(share.high - share.low)]
    controls = _cutoff(results).rows.get("controls", {}).get("value", float("nan"))
    parts = [f"intervals up to {max(widths):.0f} points wide"] if widths else []
    if np.isfinite(float(str(controls))):
        parts.append(f"a cut-off from {float(str(controls)):.0f} controls")
    if parts:
        yield f"Limits: {', '.join(parts)}."


def _evidence_of_shares(results: Results, diseases: list[str]) -> Iterable[str]:
    for disease in diseases:
        yield f"{disease}: {criteria_words(results.standing('prevalence', disease))}"
    cutoff = _cutoff(results)
    if cutoff.rows:
        yield f"The cut-off: {criteria_words(cutoff)}"
    yield (
        "A person counts by the score alone: borderline people above the cut-off are in the share, and not among the high. "
        "The score describes the expression of interferon-stimulated genes, not the amount of any interferon."
    )


# --- strata -----------------------------------------------------------------------------------------------------------


def _strata(results: Results) -> Statement:
    found = results.standing("strata", EVERYBODY)
    if results.one_stratum:
        verdict = NOT_COMPUTED if found.verdict == NOT_COMPUTED else UNSUPPORTED
        return Statement(one_stratum(results), verdict, (criteria_words(found),) if found.rows else (), "strata")
    number = len(results.stratum_names)
    whom = "patients" if results.control is None else "patients and controls"
    # said only where it was looked at
    own = found.rows.get("one_diagnosis", {}).get("verdict") == SUPPORTED
    sentence = f"The {whom} fall into {number} strata{', which do not follow the diagnosis' if own else ''}"
    return _of_strata(results, sentence, found)


def _strata_of_disease(results: Results) -> Statement:
    found = results.standing("strata", EVERYBODY)
    if results.one_stratum:
        return _strata(results)
    names, words = results.heads.shown_strata, results.heads.by_stratum.words.loc[results.disease]
    weak = {n: " (weak label)" if results.standing("stratum_label", n).fails else "" for n in names}
    parts = [f"{name}{weak[number]}: {words[number]}" for number, name in names.items() if words[number] != "0"]
    return _of_strata(results, f"Patients with {results.disease} by stratum: {'; '.join(parts)}", found)


def _of_strata(results: Results, sentence: str, found: Standing) -> Statement:
    reasons = [criteria_words(found)] if found.rows else []
    for number, name in results.stratum_names.items():
        label = results.standing("stratum_label", str(number))
        if label.fails:
            reasons.append(f"The label of stratum {name} is {label.verdict}: {caveats(label)}")
    if found.verdict in (UNSUPPORTED, NOT_COMPUTED):
        why = caveats(found) or "structure was not tested"
        return Statement(
            f"Strata are {found.verdict.replace('_', ' ')}: {why}.", found.verdict, tuple(reasons), "strata"
        )
    weak = [f"Weak evidence: {caveats(found)}."] if found.fails else []
    words = " ".join([f"{sentence}.", *weak, *_high_outside(results)])
    return Statement(words, found.verdict, tuple(reasons), "strata")


def _high_outside(results: Results) -> Iterable[str]:
    """Say how many of the high patients are outside the stratum that is called interferon."""
    labels = results.stratum_labels
    called = [str(number) for number, label in labels.items() if label == INTERFERON]
    if not called or any(results.standing("stratum_label", number).verdict == UNSUPPORTED for number in called):
        return
    inside, high = _high_in_strata(results, called)
    if not high or inside == high:
        return
    if results.min_cell < 2:
        yield f"{high - inside} of the {high} high patients are outside the stratum {INTERFERON}."
        return
    least = results.min_cell
    if inside >= least and high - inside >= least and high * _COARSE >= 100 * least:
        share = _COARSE * round(100 * (high - inside) / high / _COARSE)
        yield f"About {share} % of the high patients are outside the stratum {INTERFERON}."


def _high_in_strata(results: Results, strata: list[str]) -> tuple[int, int]:
    """Count the high patients of the page in some strata, and in all."""
    whom = results.diseases if results.disease is None else [results.disease]
    classes = results.tables["classes"]
    chosen = classes[(classes["ifn_class"] == HIGH) & classes["disease"].isin(whom)]["sample"]
    stratum = results.tables["strata"].set_index("sample")["stratum"].astype(str).reindex(chosen).dropna()
    return int(stratum.isin(strata).sum()), len(stratum)


# --- what is shared, and what differs ---------------------------------------------------------------------------------


def _shared(results: Results) -> Statement:
    """Say which factor is the interferon factor, and how many genes the diseases share."""
    said = results.tables["interferon_factor"].set_index("item")["value"]
    name, robust = str(said["candidate"]), _robust_factors(results)
    if not name:
        words = "No interferon factor: there are no factors, or too few scored samples."
        return Statement(words, NOT_COMPUTED, (robust,), "integration")
    found = results.standing("interferon_factor", name)
    reasons = (criteria_words(found), *_explained(results, name), robust)
    genes = tuple(_shared_genes(results))
    if found.verdict in (UNSUPPORTED, NOT_COMPUTED):
        start = "No interferon factor" if found.verdict == UNSUPPORTED else "An interferon factor was not computed"
        words = f"{start}: {name} comes closest, but {caveats(found) or 'nothing could be checked'}."
        return Statement(words, found.verdict, (*reasons, *genes), "integration")
    sentence = f"One factor carries the interferon response: {name} follows the score (Spearman's rho {float(said['spearman']):.2f})"
    unknown = found.rows.get("robust", {}).get("verdict") == NOT_COMPUTED
    sentence += "; with one seed it is not known whether the factor is robust." if unknown else "."
    weak = [f"Weak evidence: {caveats(found)}."] if found.fails else []
    return Statement(" ".join([sentence, *weak, *genes]), found.verdict, reasons, "integration")


def _explained(results: Results, name: str) -> Iterable[str]:
    explained = results.tables["variance_explained"]
    r2 = explained[explained["factor"] == name].set_index("view")["r2"]
    yield f"{name} explains " + ", ".join(f"{r2[view]:.1f} % of {view}" for view in results.views if view in r2)


def _shared_genes(results: Results) -> Iterable[str]:
    """Count the genes that change in every disease, unless there is nothing to compare or the calls are not supported."""
    across = results.tables["cross_disease"]
    verdicts = {name: results.standing("calls", name).verdict for name in results.main_contrasts}
    if across["pooled_padj"].isna().all() or not verdicts or set(verdicts.values()) & {UNSUPPORTED, NOT_COMPUTED}:
        return
    weak = [name.partition("_vs_")[0] for name, verdict in verdicts.items() if verdict == WEAK]
    words = f" (weak evidence for {', '.join(weak)})" if weak else ""
    yield f"{int((across['class'] == SHARED).sum())} genes change in every disease in the same direction{words}."


def _robust_factors(results: Results) -> str:
    table = results.tables["robustness"]
    if table["robust"].isna().all():
        return f"With one seed it is not known whether the {len(table)} MOFA factors are robust"
    return f"{len(results.robust_factors)} of {len(table)} MOFA factors are robust over seeds"


def _called(results: Results) -> Statement | None:
    """Say how many genes are called in the contrasts of a disease."""
    contrasts = results.main_contrasts
    if not contrasts:
        return None
    found = {name: results.standing("calls", name) for name in contrasts}
    return Statement(
        " ".join(called_sentence(results, name) for name in contrasts),
        max((standing.verdict for standing in found.values()), key=_badness),
        tuple(
            f"{name.replace('_vs_', ' against ')}: {criteria_words(standing)}"
            for name, standing in found.items()
            if standing.rows
        ),
        "differential-expression",
    )
