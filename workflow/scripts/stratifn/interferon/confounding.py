"""What else goes with the score: cells, treatment, activity; and autoantibodies as a control of sense.

Per disease, never pooled: the score follows activity in dermatomyositis and hardly does in lupus, and a pooled
correlation would mostly be the difference between diseases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, t

from stratifn.interferon import expression
from stratifn.interferon.cells import leading_components
from stratifn.interferon.classes import under_anti_ifn
from stratifn.interferon.concordance import rank_correlation
from stratifn.shared.columns import columns_of
from stratifn.shared.samples import is_number
from stratifn.shared.statistics import benjamini_hochberg
from stratifn.shared.vocabulary import AUTOANTIBODIES, NO, TREATMENTS, YES

CONFOUNDING_COLUMNS = columns_of("interferon/confounding.tsv")
FEWEST = 8
FEWEST_PER_GROUP = 4
MEDIATION = "composition can mediate the effect of interferon on the score, so adjusting can remove a true effect"


@dataclass(frozen=True)
class Family:
    """A kind of sheet column that is looked at, and what its association means."""

    kind: str
    columns: re.Pattern[str]
    note: str


# patients under anti-IFN therapy are looked at here and nowhere else
MASKING = "anti-IFN therapy"
FAMILIES = (
    Family(
        "treatment",
        TREATMENTS,
        "hydroxychloroquine and high-dose glucocorticoids lower the score",
    ),
    Family(
        MASKING,
        re.compile("anti_ifn"),
        "the drug blocks what the score measures: patients under it get no class",
    ),
    Family(
        "activity",
        re.compile(r"activity|sledai(_2k)?|essdai|cdasi(_a)?|mrss|physician_global", re.IGNORECASE),
        "within this disease only",
    ),
    Family(
        "autoantibody",
        AUTOANTIBODIES,
        "plausibility check: positive patients are expected to score higher",
    ),
)


def confounding_table(
    classes: pd.DataFrame, samples: pd.DataFrame, control: str | None, cells: ad.AnnData | None = None
) -> pd.DataFrame:
    """Return `confounding.tsv`: differences from the controls with and without cells, and associations per disease.

    Parameters
    ----------
    classes
        `classes.tsv`; its score is what is tested.
    samples
        The sheet with its treatment, activity and autoantibody columns.
    control
        Label of the controls, or None.
    cells
        Centred log-ratios of cell proportions (samples x cell types), or None.

    Notes
    -----
    ``effect`` is the difference from the controls in score units (kind ``cells``), the rank-biserial correlation
    (yes/no columns) or Spearman's correlation (numbers). Patients under anti-IFN therapy are left out of all rows but
    that therapy's own. The BH family is all rows with a p-value but those of kind
    ``cells``, which describe one and the same difference twice.
    """
    joined = classes[["sample", "disease", "score"]].merge(samples.drop(columns="disease"), on="sample", how="left")
    joined = joined[np.isfinite(joined["score"])].copy()
    treated = under_anti_ifn(joined)
    untreated = joined[~treated]
    if "anti_ifn" in joined:
        # the name of a drug is a yes
        joined["anti_ifn"] = joined["anti_ifn"].where(~treated, YES)
    rows = [] if control is None else _against_controls(untreated, control, cells)
    for disease, group in joined[joined["disease"] != control].groupby("disease", sort=True):
        for family in FAMILIES:
            of_family = group if family.kind == MASKING else group.loc[group.index.intersection(untreated.index)]
            for column in sorted(filter(family.columns.fullmatch, samples.columns)):
                rows.append(
                    {"disease": disease, "variable": column, "kind": family.kind}
                    | _association(of_family["score"], of_family[column])
                    | {"note": family.note}
                )
    table = pd.DataFrame(rows, columns=list(CONFOUNDING_COLUMNS))
    table[["effect", "ci_low", "ci_high", "pvalue"]] = table[["effect", "ci_low", "ci_high", "pvalue"]].astype(float)
    tested = table["kind"] != "cells"
    table["padj"] = np.nan
    table.loc[tested, "padj"] = benjamini_hochberg(table.loc[tested, "pvalue"])
    return table.sort_values(["disease", "kind", "variable"], kind="stable", ignore_index=True)


def _against_controls(joined: pd.DataFrame, control: str, cells: ad.AnnData | None) -> list[dict]:
    """Return each disease's difference from the controls, unadjusted and adjusted, on the people with cells."""
    if cells is None:
        return []
    names = joined["sample"]
    ratios = pd.DataFrame(expression.dense(cells), index=cells.obs_names).reindex(names).to_numpy()
    complete = np.isfinite(ratios).all(axis=1)
    rows = []
    for disease in sorted(set(joined["disease"]) - {control}):
        chosen = complete & joined["disease"].isin([disease, control]).to_numpy()
        is_patient = (joined["disease"] == disease).to_numpy()[chosen]
        fixed = {"disease": disease, "kind": "cells", "n": int(chosen.sum()), "test": "linear model"}
        if min(is_patient.sum(), (~is_patient).sum()) < FEWEST:
            note = f"not computed: fewer than {FEWEST} patients or controls with cells"
            rows.append(fixed | {"variable": "difference from controls", "note": note})
            continue
        score = joined["score"].to_numpy()[chosen]
        components = leading_components(ratios[chosen], np.ones(chosen.sum(), dtype=bool))
        for variable, covariates, note in (
            ("difference from controls, unadjusted", components[:, :0], "the same people as the adjusted difference"),
            (f"difference from controls, adjusted for {components.shape[1]} cell components", components, MEDIATION),
        ):
            rows.append(fixed | {"variable": variable, "note": note} | _difference(score, is_patient, covariates))
    return rows


def _difference(score: np.ndarray, is_patient: np.ndarray, covariates: np.ndarray) -> dict[str, float]:
    """Return the difference with its normal-theory interval and p-value, by ordinary least squares."""
    design = np.column_stack([np.ones(len(score)), is_patient, covariates])
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ design.T @ score
    residual = score - design @ coefficients
    variance = residual @ residual / (len(score) - design.shape[1])
    spread = float(np.sqrt(variance * inverse[1, 1]))
    effect = float(coefficients[1])
    freedom = len(score) - design.shape[1]
    reach = t.ppf(0.975, freedom) * spread
    pvalue = 2 * t.sf(abs(effect) / spread, freedom) if spread > 0 else np.nan
    return {"effect": effect, "ci_low": effect - reach, "ci_high": effect + reach, "pvalue": float(pvalue)}


def _association(score: pd.Series, column: pd.Series) -> dict:
    """Test a score against answers (yes or no) or a number, within one disease."""
    known = column.notna()
    score, column = score[known].to_numpy(), column[known]
    if is_number(column):
        return _number(score, column.to_numpy())
    if column.isin([YES, NO]).all():
        return _yes_no(score, column.eq(YES).to_numpy())
    return {"n": len(score), "test": "not tested: neither yes/no nor a number"}


def _yes_no(score: np.ndarray, yes: np.ndarray) -> dict:
    n_yes, n_no = int(yes.sum()), int((~yes).sum())
    result = {"n": len(score), "test": "Mann-Whitney"}
    if min(n_yes, n_no) < FEWEST_PER_GROUP:
        return result | {"test": f"not tested: {n_yes} yes, {n_no} no"}
    found = mannwhitneyu(score[yes], score[~yes], alternative="two-sided", method="asymptotic")
    effect = 2 * float(found.statistic) / (n_yes * n_no) - 1
    return result | {"effect": effect, "pvalue": float(found.pvalue)}


def _number(score: np.ndarray, values: np.ndarray) -> dict:
    result = {"n": len(values), "test": "Spearman"}
    found = rank_correlation(score, values)
    if len(values) < FEWEST or found is None:
        return result | {"test": f"not tested: {len(values)} values, or all values equal"}
    return result | {"effect": found.r, "ci_low": found.low, "ci_high": found.high, "pvalue": found.pvalue}
