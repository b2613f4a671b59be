"""The claims that a reader would quote, and the criteria that each must meet.

Phases write the numbers (`judged`), one row per criterion, into their ``verdicts.tsv``; the report turns them into
sentences. A claim is as good as its worst criterion. Criteria that could not be computed are listed but do not lower
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from stratifn.shared.columns import columns_of
from stratifn.shared.criteria import (
    AT_LEAST,
    AT_MOST,
    NOT_COMPUTED,
    ORDER,
    SUPPORTED,
    UNSUPPORTED,
    WEAK,
    Claim,
    Criterion,
)
from stratifn.shared.vocabulary import BORDERLINE

COLUMNS = columns_of("differential_expression/verdicts.tsv")
# the subject of a claim about all samples, or all new patients, together
EVERYBODY = "everybody"

CLAIMS: dict[str, Claim] = {
    claim.key: claim
    for claim in (
        Claim(
            "calls",
            "differential_expression",
            "a contrast",
            "the called genes differ between the groups",
            (
                Criterion("called", "genes called", AT_LEAST, 1, NOT_COMPUTED),
                Criterion(
                    "permuted_calls",
                    "mean number of calls on permuted labels, as a share of the calls",
                    AT_MOST,
                    None,
                    WEAK,
                    setting="differential_expression.alpha",
                    required=True,
                ),
                Criterion(
                    "leading_component",
                    "share of a leading principal component's variance that the contrast explains",
                    AT_MOST,
                    0.5,
                    WEAK,
                ),
                Criterion(
                    "rank_sum",
                    "share of the calls that have a rank-sum p value below the false discovery rate",
                    AT_LEAST,
                    0.7,
                    WEAK,
                ),
            ),
        ),
        Claim(
            "cutoff",
            "interferon",
            "a signature",
            "a score above the cut-off is unusual for healthy people",
            (
                Criterion(
                    "controls",
                    "number of controls that give the cut-off",
                    AT_LEAST,
                    None,
                    UNSUPPORTED,
                    setting="interferon.min_controls",
                    people=True,
                ),
                Criterion(
                    "enough_controls",
                    "number of controls without outlying ones, with a stricter bound",
                    AT_LEAST,
                    20,
                    WEAK,
                    people=True,
                ),
                Criterion("outlying_controls", "controls far above the others", AT_MOST, 0, WEAK, people=True),
                Criterion("healthy_controls", "1 if the controls are healthy people, else 0", AT_LEAST, 1, WEAK),
            ),
            frozen=True,
        ),
        Claim(
            "prevalence",
            "interferon",
            "a disease",
            "the share of patients with a high signature",
            (
                Criterion("scored", "patients with a class", AT_LEAST, 1, NOT_COMPUTED, people=True),
                Criterion("healthy_controls", "1 if the controls are healthy people, else 0", AT_LEAST, 1, WEAK),
                Criterion(
                    BORDERLINE,
                    "number of borderline patients minus number of high patients",
                    AT_MOST,
                    0,
                    WEAK,
                    people=True,
                ),
                Criterion(
                    "one_control", "largest change of the share when one control is left out", AT_MOST, 0.1, WEAK
                ),
            ),
        ),
        Claim(
            "factor",
            "integration",
            "a factor",
            "the factor is found with other seeds too, and is more than who has a view",
            (
                Criterion("seeds_matched", "share of the seeds that find it", AT_LEAST, 0.8, UNSUPPORTED),
                Criterion(
                    "seed_correlation",
                    "absolute correlation with the factors of other seeds, reached in that share of the seeds",
                    AT_LEAST,
                    0.95,
                    UNSUPPORTED,
                ),
                Criterion(
                    "missing_view",
                    "largest share of its variance that having a view explains, over the views",
                    AT_MOST,
                    0.5,
                    WEAK,
                ),
            ),
            frozen=True,
        ),
        Claim(
            "interferon_factor",
            "integration",
            "a factor",
            "the factor is the interferon factor",
            (
                Criterion(
                    "follows_score", "absolute rank correlation with the interferon score", AT_LEAST, 0.5, UNSUPPORTED
                ),
                Criterion(
                    "signature_auc",
                    "AUC of the signature's genes among its weights",
                    AT_LEAST,
                    0.8,
                    UNSUPPORTED,
                    required=True,
                ),
                Criterion(
                    "robust", "1 if the factor is robust over seeds, else 0", AT_LEAST, 1, UNSUPPORTED, required=True
                ),
            ),
        ),
        Claim(
            "strata",
            "stratification",
            "the cohort",
            "the samples fall into several strata",
            (
                Criterion(
                    "null_pvalue",
                    "p value against data without structure",
                    AT_MOST,
                    None,
                    UNSUPPORTED,
                    setting="stratification.alpha",
                ),
                Criterion(
                    "clear_null_pvalue", "the p value of null_pvalue, with a stricter bound", AT_MOST, 0.01, WEAK
                ),
                Criterion("smallest_stratum", "samples of the smallest stratum", AT_LEAST, 5, UNSUPPORTED, people=True),
                Criterion("stability", "mean bootstrap Jaccard of the strata", AT_LEAST, 0.85, WEAK),
                Criterion(
                    "one_diagnosis", "Cramer's V of the strata with the diagnosis, among patients", AT_MOST, 0.5, WEAK
                ),
                Criterion("one_batch", "Cramer's V of the strata with the batch", AT_MOST, 0.5, WEAK),
                Criterion(
                    "missing_view",
                    "largest Cramer's V of the strata with having a view, over the views",
                    AT_MOST,
                    0.5,
                    WEAK,
                ),
            ),
            frozen=True,
        ),
        Claim(
            "stratum_label",
            "stratification",
            "a stratum",
            "the stratum is what its label says",
            (
                Criterion("auc", "AUC of the label's score in the stratum", AT_LEAST, 0.75, UNSUPPORTED),
                Criterion("margin", "its AUC minus that of the next best label", AT_LEAST, 0.05, WEAK),
                Criterion(
                    "mostly_high",
                    "share of the stratum's scored samples that are high",
                    AT_LEAST,
                    0.5,
                    UNSUPPORTED,
                    people=True,
                ),
                Criterion(
                    "controls_inside",
                    "share of the controls that are in the stratum",
                    AT_LEAST,
                    0.5,
                    UNSUPPORTED,
                    people=True,
                ),
                Criterion(
                    "controls_enriched",
                    "share of controls among the other samples, divided by the share in the stratum",
                    AT_MOST,
                    0.5,
                    UNSUPPORTED,
                    people=True,
                ),
            ),
            frozen=True,
        ),
        Claim(
            "placement",
            "transfer",
            "the new patients",
            "the reference fits these patients",
            (
                Criterion(
                    "out_of_reference",
                    "share of the patients who are out of the reference",
                    AT_MOST,
                    0.5,
                    UNSUPPORTED,
                    people=True,
                ),
                Criterion(
                    "batch",
                    "share of the patients who are explained less well than 80 % of the reference's own samples, lower 99 % "
                    "confidence bound",
                    AT_MOST,
                    0.5,
                    UNSUPPORTED,
                    people=True,
                ),
            ),
        ),
    )
}


def bound_of(claim: str, criterion: str) -> float:
    """Return the bound of a criterion that has one of its own."""
    bound = CLAIMS[claim].criterion(criterion).bound
    if bound is None:
        raise ValueError(f"the bound of {claim}.{criterion} is a setting")
    return bound


@dataclass(frozen=True)
class Measured:
    """The number that a criterion is judged by.

    Attributes
    ----------
    criterion
        Key of the criterion.
    value
        NaN where it could not be computed.
    bound
        The setting that is its bound, for criteria without a bound of their own.
    reason
        Why it was not computed, or what the value is about (the name of a component, of a view).
    """

    criterion: str
    value: float
    bound: float | None = None
    reason: str = ""


def judged(claim: str, subject: str, measured: Iterable[Measured]) -> pd.DataFrame:
    """Judge a claim about one subject.

    Parameters
    ----------
    claim
        Key in `CLAIMS`.
    subject
        What the claim is about: a contrast, a disease, a factor.
    measured
        The criteria that apply to this subject.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, one row per criterion in the order given.
    """
    rows = []
    for each in measured:
        criterion = CLAIMS[claim].criterion(each.criterion)
        bound = criterion.bound if each.bound is None else each.bound
        if bound is None:
            raise ValueError(f"{claim}.{each.criterion} needs the bound of {criterion.setting}")
        verdict = criterion.verdict(each.value, bound)
        rows.append((subject, claim, criterion.key, float(each.value), float(bound), verdict, each.reason or None))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdicts_table(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join what was judged; the header alone where nothing was."""
    kept = [part for part in parts if len(part)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(COLUMNS))


@dataclass(frozen=True)
class Standing:
    """How good a claim about a subject is, and what lowers it.

    Attributes
    ----------
    verdict
        The worst of its criteria; not computed where a criterion leaves nothing to claim, or where none was computed.
    failing
        Rows of the criteria that fail, the worst first.
    rows
        Every row by criterion.
    unchecked
        Rows of the required criteria that could not be computed.
    """

    verdict: str
    failing: tuple[Mapping[str, object], ...]
    rows: Mapping[str, Mapping[str, object]]
    unchecked: tuple[Mapping[str, object], ...] = ()

    @property
    def fails(self) -> bool:
        """Whether a criterion that was computed fails."""
        return self.verdict in (WEAK, UNSUPPORTED)


def standing(verdicts: pd.DataFrame, claim: str, subject: str) -> Standing:
    """Read how good a claim is from the rows of its criteria.

    Parameters
    ----------
    verdicts
        Columns `COLUMNS`.
    claim, subject
        Which one.
    """
    chosen = verdicts[(verdicts["claim"] == claim) & (verdicts["subject"].astype(str) == str(subject))]
    rows = {str(row["criterion"]): row for row in chosen.to_dict("records")}
    computed = [row for row in rows.values() if row["verdict"] != NOT_COMPUTED]
    nothing = [
        row
        for row in rows.values()
        if row["verdict"] == NOT_COMPUTED and CLAIMS[claim].criterion(str(row["criterion"])).failed == NOT_COMPUTED
    ]
    if nothing or not computed:
        return Standing(NOT_COMPUTED, tuple(nothing), rows)
    failing = sorted(
        (row for row in computed if row["verdict"] != SUPPORTED), key=lambda row: -ORDER.index(str(row["verdict"]))
    )
    unchecked = tuple(
        row
        for row in rows.values()
        if row["verdict"] == NOT_COMPUTED and CLAIMS[claim].criterion(str(row["criterion"])).required
    )
    return Standing(str(failing[0]["verdict"]) if failing else SUPPORTED, tuple(failing), rows, unchecked)
