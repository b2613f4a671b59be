"""How strata were sought, tested, numbered and named."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from stratifn.report.methods.references import Citations
from stratifn.report.methods.words import in_words, number, percent, series
from stratifn.report.results import Results
from stratifn.shared.claims import EVERYBODY, NOT_COMPUTED, bound_of
from stratifn.shared.vocabulary import HEALTHY_LIKE, INFLAMMATORY, INTERFERON, LYMPHOID

SCORES_OF_LABELS = {
    INTERFERON: "the interferon score",
    INFLAMMATORY: "markers of neutrophils and inflammation",
    LYMPHOID: "markers of B and T cells",
}
# names of the tests of associations, without how their p value was made
TESTS = {"chi_squared": "chi-squared statistics", "kruskal_wallis": "Kruskal-Wallis statistics"}
PERMUTED = "_permutation"
# why most factors are left out, as the phase says it: the sentence on the others calls them robust
NOT_ROBUST = "not robust over the seeds"


def stratification(results: Results, cite: Citations) -> str:
    """Write the paragraph on strata."""
    said = _said(results)
    test = results.standing("strata", EVERYBODY).rows.get("null_pvalue")
    if test is None:
        return ""
    if test["verdict"] == NOT_COMPUTED:
        reason = results.tidied(test["reason"]) if isinstance(test["reason"], str) else "the test could not be computed"
        return f"Strata were not sought: {reason}."
    parts = (
        _whom(results, said),
        _partition(results, said, cite),
        _null(results, said, test, cite),
        _number(results, cite),
        _membership(results),
        _labels(results),
        _associations(results, cite),
    )
    return " ".join(part for part in parts if part)


def _said(results: Results) -> pd.Series:
    return results.tables["stratification_summary"].set_index("item")["value"]


def _bound(results: Results, claim: str, criterion: str) -> float:
    """Return the bound that was used, or would have been."""
    used = results.bound(claim, criterion)
    return bound_of(claim, criterion) if used is None else used


def _whom(results: Results, said: pd.Series) -> str:
    whom = "patients and controls" if said["controls"] == "clustered" else "patients"
    factors = str(said["factors"]).split()
    robust = "robust " if results.robust_factors else ""
    scale = "standardised and multiplied by the square root of the variance that it explains"
    many = f"{len(factors)} {robust}factors ({_runs(factors)}), each {scale}"
    return (
        f"Strata of {whom} were sought in {many if len(factors) > 1 else f'one {robust}factor, {factors[0]}'}.{_left_out(said)}"
        f"{_placed(results, said)}"
    )


def _left_out(said: pd.Series) -> str:
    """Say which robust factors were not used, and why."""
    listed = str(said["factors_left_out"]).split("; ") if isinstance(said["factors_left_out"], str) else []
    reasons = dict(each.split(": ", 1) for each in listed)
    others = [f"{name} ({reason})" for name, reason in reasons.items() if reason != NOT_ROBUST]
    return f" Left out: {series(others)}." if others else ""


def _placed(results: Results, said: pd.Series) -> str:
    """Say who made no strata and was placed in them."""
    controls = (
        " Controls were placed in them afterwards." if said["controls"] == "placed" and not results.one_stratum else ""
    )
    if said["samples_uninformed"] == "0":
        return controls
    count = in_words(results.heads.uninformed)
    then = "" if results.one_stratum else ", and were placed in them by what was known of them"
    return f"{controls} The measurements of {count} people do not tell these factors; they took no part in making strata{then}."


def _runs(factors: list[str]) -> str:
    """Write names that end with numbers, neighbours as a range: ``Factor1 to Factor3 and Factor5``."""
    runs: list[list[str]] = []
    for name in factors:
        if runs and _place(name) == _place(runs[-1][-1]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return series(word for run in runs for word in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run))


def _place(name: str) -> int:
    return int(re.sub(r"\D", "", name))


def _tried(results: Results) -> pd.DataFrame:
    table = results.tables["selection"]
    return table[table["k"] > 1]


def _partition(results: Results, said: pd.Series, cite: Citations) -> str:
    tried = list(_tried(results)["k"])
    numbers = f"{tried[0]} to {tried[-1]} strata" if len(tried) > 1 else f"{tried[0]} strata"
    return (
        f"For {numbers}, people were divided by consensus clustering {cite('consensus')}: k-means on {said['resamples']} subsets of "
        "80 %, then average linkage of how often two people fell together."
    )


def _null(results: Results, said: pd.Series, test: Mapping[str, object], cite: Citations) -> str:
    pvalue, alpha = float(said["null_pvalue"]), float(str(test["bound"]))
    if not results.one_stratum:
        outcome = ", so more than one stratum was accepted"
    elif pvalue > alpha:
        outcome = ", so everybody was left in one stratum"
    else:
        outcome = "; but every division had a stratum that was too small, so everybody was left in one"
    return (
        f"Whether there is more than one stratum was tested against {said['null_draws']} simulated data sets with a single mode, which "
        "kept the covariance of the factors and the shape of each axis. The test statistic was the largest, over all numbers of "
        f"strata, of compactness {cite('gap')}, distance of people from the border between strata, and distance from a single mode: "
        f"p = {number(pvalue)} (alpha {number(alpha)}){outcome}."
    )


def _number(results: Results, cite: Citations) -> str:
    if results.one_stratum:
        return ""
    table = _tried(results)
    chosen, stable = table[table["chosen"].astype(bool)].iloc[0], _bound(results, "strata", "stability")
    least = f"at least {_bound(results, 'strata', 'smallest_stratum'):g} people in every stratum"
    k, jaccard = int(chosen["k"]), number(float(chosen["stability"]))
    index = f"mean bootstrap Jaccard index {cite('Jaccard')}"
    if chosen["stability"] < stable:
        return (
            f"No number of strata with {least} had a {index} of {number(stable)} or more; the most stable was taken, {k} "
            f"(Jaccard index {jaccard}), and its strata are called weak."
        )
    return (
        f"Among the numbers of strata with {least} and a {index} of at least {number(stable)}, that with the lowest Bayesian "
        f"information criterion (BIC) {cite('BIC')} of a Gaussian mixture with one covariance was taken: {k} (Jaccard index "
        f"{jaccard}, BIC {chosen['bic']:.0f})."
    )


def _membership(results: Results) -> str:
    if results.one_stratum:
        return ""
    uncertain = results.heads.uncertain
    count = "none" if uncertain == "0" else in_words(uncertain)
    return (
        "Each person's stratum was the most probable one in that mixture, averaged over bootstraps, given what was measured of the "
        f"person; it was called uncertain if no probability reached one half ({count})."
    )


def _labels(results: Results) -> str:
    given = set() if results.one_stratum else set(results.stratum_labels)
    marked = [words for label, words in SCORES_OF_LABELS.items() if label in given]
    parts = []
    if HEALTHY_LIKE in given:
        inside, elsewhere = (_bound(results, "stratum_label", key) for key in ("controls_inside", "controls_enriched"))
        parts.append(
            f"healthy-like if it held at least {percent(inside)} of the controls and controls were at most {number(elsewhere)} times "
            "as frequent elsewhere"
        )
    if marked:
        auc, first = number(_bound(results, "stratum_label", "auc")), "otherwise " if parts else ""
        parts.append(f"{first}after the score that marked it best, with an AUC of at least {auc} ({'; '.join(marked)})")
    if INTERFERON in given and results.bound("stratum_label", "mostly_high") is not None:
        high = percent(_bound(results, "stratum_label", "mostly_high"))
        parts.append(f"for interferon, at least {high} of its scored people also had to have a high signature")
    return f"A stratum was named {'; '.join(parts)}." if parts else ""


def _associations(results: Results, cite: Citations) -> str:
    used = set(results.tables["associations"].get("test", []))
    tests = [words for name, words in TESTS.items() if {name, name + PERMUTED} & used]
    if results.one_stratum or not tests:
        return ""
    permuted = " (by permutation where groups were small)" if any(str(name).endswith(PERMUTED) for name in used) else ""
    return (
        f"Associations of the strata with the sample sheet were tested by {series(tests)}{permuted}, overall and within diseases, with "
        f"p values adjusted over the variables {cite('BH')}. Variables from the views that made the strata, and markers, are "
        "described without a p value."
    )
