"""Words for verdicts: how a claim reads when it is weak or not supported, and why. The phases judge, not the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from stratifn.shared.claims import AT_LEAST, CLAIMS, NOT_COMPUTED, SUPPORTED, UNSUPPORTED, WEAK, Standing
from stratifn.shared.vocabulary import BORDERLINE

Row = Mapping[str, object]


def _percent(value: object) -> str:
    return f"{100 * float(str(value)):.0f} %"


def _number(value: object) -> str:
    return f"{float(str(value)):.3g}"


def _people(row: Row, otherwise: str) -> str:
    """Return a number of people; a frozen reference has none."""
    return otherwise if row["value"] != row["value"] else _number(row["value"])


def _share(row: Row) -> str:
    return "too few" if row["value"] != row["value"] else _percent(row["value"])


def _has_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _controls(row: Row) -> str:
    return "the controls are not healthy people"


# why a criterion fails, by claim and criterion; every criterion of `CLAIMS` has its words
CAVEATS: Mapping[tuple[str, str], Callable[[Row], str]] = {
    ("calls", "called"): lambda row: "no gene is called",
    ("calls", "permuted_calls"): lambda row: (
        f"permuted labels call {_percent(row['value'])} as many genes (at most {_percent(row['bound'])} are expected)"
    ),
    ("calls", "leading_component"): lambda row: (
        f"the groups explain {_percent(row['value'])} of {row['reason']} (more than {_percent(row['bound'])}): a batch that "
        "coincides with them would look the same"
    ),
    ("calls", "rank_sum"): lambda row: (
        f"a rank-sum test sees {_percent(row['value'])} of the called genes ({_percent(row['bound'])} are needed): single high "
        "values may decide the others, or a covariate that ranks do not adjust for"
    ),
    ("cutoff", "controls"): lambda row: (
        f"{_people(row, 'too few')} controls give the cut-off, {_number(row['bound'])} are needed"
    ),
    ("cutoff", "enough_controls"): lambda row: (
        f"{_people(row, 'the')} controls are few (at least {_number(row['bound'])} are advised)"
        + (f": {row['reason']}" if _has_text(row["reason"]) else "")
    ),
    ("cutoff", "outlying_controls"): lambda row: (
        f"controls far above the others, as with an infection: {_people(row, 'some')}, {row['reason']}"
    ),
    ("cutoff", "healthy_controls"): _controls,
    ("prevalence", "scored"): lambda row: "nobody has a class",
    ("prevalence", "healthy_controls"): _controls,
    ("prevalence", BORDERLINE): lambda row: f"borderline patients outnumber the high ones by {_number(row['value'])}",
    ("prevalence", "one_control"): lambda row: (
        f"leaving out one control moves it by {100 * float(str(row['value'])):.0f} points "
        f"(at most {100 * float(str(row['bound'])):.0f} may be)"
    ),
    ("factor", "seeds_matched"): lambda row: (
        f"{_percent(row['value'])} of the seeds find it, {_percent(row['bound'])} are needed"
    ),
    ("factor", "seed_correlation"): lambda row: (
        f"|r| with the factors of other seeds is {_number(row['value'])}, {_number(row['bound'])} is needed"
    ),
    ("factor", "missing_view"): lambda row: (
        f"it follows which samples have the view {row['reason']} ({_percent(row['value'])} of its variance, at most "
        f"{_percent(row['bound'])} may be)"
    ),
    ("interferon_factor", "follows_score"): lambda row: (
        f"its absolute rank correlation with the interferon score is {_number(row['value'])}, "
        f"{_number(row['bound'])} is needed"
    ),
    ("interferon_factor", "signature_auc"): lambda row: (
        f"its weights rank the signature's genes with AUC {_number(row['value'])}, {_number(row['bound'])} is needed"
    ),
    ("interferon_factor", "robust"): lambda row: "the factor is not robust over seeds",
    ("strata", "null_pvalue"): lambda row: (
        f"p = {_number(row['value'])} that data without structure would look like this; at most "
        f"{_number(row['bound'])} is needed"
    ),
    ("strata", "clear_null_pvalue"): lambda row: (
        f"p = {_number(row['value'])} that data without structure would look like this, above {_number(row['bound'])}"
    ),
    ("strata", "smallest_stratum"): lambda row: (
        f"there is structure, but every division leaves a stratum of fewer than {_number(row['bound'])} samples"
    ),
    ("strata", "stability"): lambda row: (
        f"they may not be found again in another cohort: mean bootstrap Jaccard {_number(row['value'])}, "
        f"{_number(row['bound'])} is needed"
    ),
    ("strata", "one_diagnosis"): lambda row: f"they largely repeat the diagnosis ({_association(row)})",
    ("strata", "one_batch"): lambda row: f"they largely repeat the batch ({_association(row)})",
    ("strata", "missing_view"): lambda row: (
        f"they largely follow which samples have the view {row['reason']} ({_association(row)})"
    ),
    ("stratum_label", "auc"): lambda row: f"AUC {_number(row['value'])}, {_number(row['bound'])} is needed",
    ("stratum_label", "margin"): lambda row: (
        f"another label fits nearly as well (AUC {_number(row['value'])} lower; {_number(row['bound'])} is needed)"
    ),
    ("stratum_label", "mostly_high"): lambda row: (
        f"{_share(row)} of its scored samples are high, {_percent(row['bound'])} are needed"
    ),
    ("stratum_label", "controls_inside"): lambda row: (
        f"{_share(row)} of the controls are in it, {_percent(row['bound'])} are needed"
    ),
    ("stratum_label", "controls_enriched"): lambda row: (
        f"controls are {_number(row['value'])} times as frequent elsewhere, at most {_number(row['bound'])} is needed"
    ),
    ("placement", "out_of_reference"): lambda row: (
        f"{_percent(row['value'])} of the patients are unlike the reference (at most {_percent(row['bound'])} may be)"
    ),
    ("placement", "batch"): lambda row: (
        f"{row['reason']} (lower confidence bound {_percent(row['value'])}, at most {_percent(row['bound'])} may be)"
    ),
}


def _association(row: Row) -> str:
    return f"Cramer's V {_number(row['value'])}, at most {_number(row['bound'])}"


def caveats(standing: Standing) -> str:
    """Say what lowers a claim, the worst first; empty for one that is supported."""
    return "; ".join(_caveat(row) for row in standing.failing)


def _caveat(row: Row) -> str:
    claim, key = str(row["claim"]), str(row["criterion"])
    if row["verdict"] == NOT_COMPUTED:
        return str(row["reason"] or CAVEATS[claim, key](row))
    if not pd.isna(row["value"]):
        return CAVEATS[claim, key](row)
    return _without_value(row)


# why a criterion of people fails whose value is not shown
HIDDEN_CAVEATS: Mapping[tuple[str, str], Callable[[Row], str]] = {
    ("prevalence", BORDERLINE): lambda row: "borderline patients outnumber the high ones",
    ("prevalence", "one_control"): lambda row: (
        f"leaving out one control moves it by more than {100 * float(str(row['bound'])):.0f} points"
    ),
}


def _without_value(row: Row) -> str:
    """Say how a criterion was judged whose value is not shown: one of people, in a frozen reference or a small cell."""
    words = HIDDEN_CAVEATS.get((str(row["claim"]), str(row["criterion"])))
    if words and row["verdict"] != SUPPORTED:
        return words(row)
    criterion = CLAIMS[str(row["claim"])].criterion(str(row["criterion"]))
    sides = ("at least", "below") if criterion.direction == AT_LEAST else ("at most", "above")
    return f"{criterion.meaning}: {sides[row['verdict'] != SUPPORTED]} {_number(row['bound'])}"


def qualified(sentence: str, standing: Standing) -> str:
    """Return a claim's sentence, qualified by its verdict.

    Parameters
    ----------
    sentence
        The claim, as it reads when it is supported; without a full stop.
    standing
        Of the claim.
    """
    unchecked = "; ".join(_unchecked(row) for row in standing.unchecked)
    not_checked = f" Not checked: {unchecked}." if unchecked else ""
    if standing.verdict == SUPPORTED:
        return f"{sentence}.{not_checked}"
    if standing.verdict == WEAK:
        return f"{sentence}. Weak evidence: {caveats(standing)}.{not_checked}"
    if standing.verdict == UNSUPPORTED:
        return f"Not supported: {caveats(standing)}."
    return f"Not computed: {caveats(standing) or 'no criterion could be computed'}."


# what holds, by claim and criterion, for the claims of the first screen; empty where another criterion says it
HOLDS: Mapping[tuple[str, str], Callable[[Row], str]] = {
    ("calls", "called"): lambda row: "",
    # the same words, good or bad
    ("calls", "permuted_calls"): CAVEATS["calls", "permuted_calls"],
    ("calls", "leading_component"): lambda row: (
        f"the groups explain {_percent(row['value'])} of {row['reason']} (at most {_percent(row['bound'])})"
    ),
    ("calls", "rank_sum"): lambda row: (
        f"a rank-sum test sees {_percent(row['value'])} of the called genes (at least {_percent(row['bound'])})"
    ),
    ("cutoff", "controls"): lambda row: "",
    ("cutoff", "enough_controls"): lambda row: f"at least {_number(row['bound'])} controls give the cut-off",
    ("cutoff", "outlying_controls"): lambda row: "no control is far above the others",
    ("cutoff", "healthy_controls"): lambda row: "the controls are healthy",
    ("prevalence", "scored"): lambda row: "",
    ("prevalence", "healthy_controls"): lambda row: "the controls are healthy",
    ("prevalence", BORDERLINE): lambda row: "borderline patients do not outnumber the high ones",
    ("prevalence", "one_control"): lambda row: (
        f"leaving out any one control moves it by at most {100 * float(str(row['bound'])):.0f} points"
    ),
    ("interferon_factor", "follows_score"): lambda row: (
        f"absolute rank correlation with the interferon score {_number(row['value'])} (at least {_number(row['bound'])})"
    ),
    ("interferon_factor", "signature_auc"): lambda row: (
        f"AUC of the signature's genes among the weights {_number(row['value'])} (at least {_number(row['bound'])})"
    ),
    ("interferon_factor", "robust"): lambda row: "other seeds find the factor too",
    ("strata", "null_pvalue"): lambda row: (
        f"p = {_number(row['value'])} that data without structure would look like this (at most {_number(row['bound'])})"
    ),
    ("strata", "clear_null_pvalue"): lambda row: "",
    ("strata", "smallest_stratum"): lambda row: f"every stratum has at least {_number(row['bound'])} samples",
    ("strata", "stability"): lambda row: (
        f"mean bootstrap Jaccard {_number(row['value'])} (at least {_number(row['bound'])})"
    ),
    ("strata", "one_diagnosis"): lambda row: f"association with the diagnosis: {_association(row)}",
    ("strata", "one_batch"): lambda row: f"association with the batch: {_association(row)}",
    ("strata", "missing_view"): lambda row: f"association with who has a view: {_association(row)}",
}


def criteria_words(standing: Standing) -> str:
    """List what a claim of the first screen was judged by: what lowers it, what was not checked, what holds."""
    held = [
        HOLDS[str(row["claim"]), str(row["criterion"])](row)
        for row in standing.rows.values()
        if row["verdict"] == SUPPORTED
    ]
    unchecked = [f"not checked: {_unchecked(row)}" for row in standing.unchecked]
    return "; ".join(filter(None, [caveats(standing), *unchecked, *held])) or "no criterion could be computed"


def _unchecked(row: Row) -> str:
    meaning = CLAIMS[str(row["claim"])].criterion(str(row["criterion"])).meaning
    reason = row["reason"]
    return meaning if reason is None or reason != reason else f"{meaning} ({reason})"


def missing_words() -> list[str]:
    """List the criteria that have no words; a test holds it empty."""
    known = {(claim.key, criterion.key) for claim in CLAIMS.values() for criterion in claim.criteria}
    return sorted(f"{claim}.{criterion}" for claim, criterion in known ^ set(CAVEATS))
