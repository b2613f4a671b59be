"""The statements of the first screen: the claims that a reader would quote, each with its verdict and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stratifn.report.claim_words import caveats, criteria_words
from stratifn.report.content import Statement, first_reason
from stratifn.report.results import Results
from stratifn.report.sections.expression import called_sentence
from stratifn.report.sections.strata import one_stratum
from stratifn.report.small_cells import Share
from stratifn.shared.claims import EVERYBODY, NOT_COMPUTED, SUPPORTED, UNSUPPORTED, WEAK, Standing
from stratifn.shared.criteria import ORDER
from stratifn.shared.vocabulary import INTERFERON, SHARED

_LOWERED = {WEAK: "Weak evidence", UNSUPPORTED: "Not supported", NOT_COMPUTED: "Not computed"}


def statements(results: Results) -> tuple[Statement, ...]:
    """Write the statements of a page, at most three."""
    if results.disease is None:
        return _interferon(results), _strata(results), _shared(results)
    return tuple(filter(None, (_interferon(results), _strata_of_disease(results), _called(results))))


def shares_of(results: Results) -> dict[str, dict[str, Any]]:
    """Return the rows of ``prevalence.tsv`` about the configured signature, by group of the page."""
    table = results.tables["prevalence"]
    own = table[(table["signature"] == results.config["interferon"]["signature"]) & table["prevalence"].notna()]
    return {str(row["disease"]): row for row in own.to_dict("records") if row["disease"] in results.groups}


# --- interferon -------------------------------------------------------------------------------------------------------


def share_standing(results: Results, disease: str) -> tuple[str, str]:
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
    found = {disease: row for disease, row in shares_of(results).items() if disease in diseases}
    if not found:
        classes = results.tables["classes"]
        chosen = classes[classes["disease"].isin(diseases)]
        words = f"No ISG expression signature was called: {results.tidied(first_reason(chosen))}."
        return Statement(words, NOT_COMPUTED, (), "interferon")
    shares = {disease: results.heads.share(row) for disease, row in found.items()}
    named = ", ".join(f"{disease} {shares[disease].words}" for disease in diseases if disease in shares)
    judged = {disease: share_standing(results, disease) for disease in diseases if disease in found}
    verdict = max((verdict for verdict, _ in judged.values()), key=_badness)
    signature = results.config["interferon"]["signature"]
    interval = ", with 95 % interval" if any(np.isfinite(share.low) for share in shares.values()) else ""
    sentence = f"Patients above the cut-off of {signature}{interval}: {named}."
    return Statement(
        " ".join([sentence, *_against(judged), *_limits(results, shares)]),
        verdict,
        tuple(_evidence_of_shares(results, [disease for disease in diseases if disease in found])),
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
    rows = _cutoff(results).rows
    controls = rows.get("controls", {}).get("value", float("nan"))
    # few controls are named among the reasons against the share
    enough = rows.get("enough_controls", {}).get("verdict") == SUPPORTED
    wide = f"{max(widths):.0f} points wide" if widths else ""
    parts = [f"intervals up to {wide}" if len(widths) > 1 else f"an interval {wide}"] if widths else []
    if enough and np.isfinite(float(str(controls))):
        parts.append(f"a cut-off from {float(str(controls)):.0f} controls")
    if parts:
        yield f"Limits: {', '.join(parts)}."


def _evidence_of_shares(results: Results, diseases: list[str]) -> Iterable[str]:
    alike: dict[str, list[str]] = {}
    for disease in diseases:
        alike.setdefault(criteria_words(results.standing("prevalence", disease)), []).append(disease)
    yield from (f"{', '.join(named)}: {words}" for words, named in alike.items())
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
    """Say how many people with a high signature are outside the strata called interferon, where no small count follows."""
    labels = results.stratum_labels
    called = [str(number) for number, label in labels.items() if label == INTERFERON]
    if not called or any(results.standing("stratum_label", number).verdict == UNSUPPORTED for number in called):
        return
    crossed = results.signature_by_stratum if results.disease is None else None
    if crossed is not None and crossed.high_outside is not None and crossed.high_outside[0]:
        outside, high = crossed.high_outside
        yield f"{outside} of {high} people with a high signature are outside the stratum {INTERFERON}."


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
    sentence = f"{name} is the interferon factor: it follows the score (Spearman's rho {float(said['spearman']):.2f})"
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
