"""How far the strata and their labels can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats.contingency import association

from stratifn.shared.claims import EVERYBODY, Measured, judged, verdicts_table
from stratifn.shared.vocabulary import IN_VIEW
from stratifn.stratification.labels import Label
from stratifn.stratification.settings import Settings
from stratifn.stratification.strata import Strata


def strata_verdicts(
    strata: Strata, labels: Mapping[int, Label], samples: pd.DataFrame, control: str | None, settings: Settings
) -> pd.DataFrame:
    """Judge the division into strata, and the label of each.

    Parameters
    ----------
    strata
        From `strata.find_strata`.
    labels
        Label by stratum, with its evidence.
    samples
        Columns sample, disease, ``in_<view>`` and, where the sheet has it, batch.
    control
        Label of the controls, or None: that they lie together is no fault of the strata.
    settings
        Of the phase.

    Returns
    -------
    pandas.DataFrame
        Columns `claims.COLUMNS`; the subject of a label is the number of its stratum.
    """
    parts = [judged("strata", EVERYBODY, _of_division(strata, samples, control, settings))]
    if strata.number > 1:
        parts += [judged("stratum_label", str(number), _of_label(label)) for number, label in labels.items()]
    return verdicts_table(parts)


def _of_division(strata: Strata, samples: pd.DataFrame, control: str | None, settings: Settings) -> list[Measured]:
    pvalue = strata.null_pvalue
    measured = [
        Measured("null_pvalue", pvalue, settings.alpha, strata.hindrance),
        Measured("clear_null_pvalue", pvalue if pvalue <= settings.alpha else np.nan),
    ]
    if strata.number < 2:
        beyond_chance = pvalue <= settings.alpha
        # there is structure, and every division has a stratum that is too small
        return [*measured, Measured("smallest_stratum", 0.0)] if beyond_chance else measured
    stratum = strata.shown
    sheet = samples.set_index("sample").loc[stratum.index]
    made_of = strata.table.set_index("sample")["clustered"].loc[stratum.index]
    stability = float(strata.selection.loc[strata.selection["chosen"], "stability"].iloc[0])
    missing = {name: follows(sheet[name], stratum) for name in sheet if str(name).startswith(IN_VIEW)}
    worst = max((name for name in missing if np.isfinite(missing[name])), key=missing.__getitem__, default="")
    batch = follows(sheet["batch"], stratum) if "batch" in sheet else np.nan
    return [
        *measured,
        Measured("smallest_stratum", float(_sizes(stratum[made_of], strata.number).min())),
        Measured("stability", stability),
        Measured("one_diagnosis", follows(sheet["disease"].where(sheet["disease"] != control), stratum)),
        Measured("one_batch", batch),
        Measured("missing_view", missing.get(worst, np.nan), reason=worst.removeprefix(IN_VIEW)),
    ]


def _sizes(stratum: pd.Series, number: int) -> pd.Series:
    return stratum.value_counts().reindex(range(1, number + 1), fill_value=0)


def follows(variable: pd.Series, stratum: pd.Series) -> float:
    """Return how closely the strata follow a variable: Cramer's V (0: not at all, 1: one determines the other).

    Corrected for chance (Bergsma 2013, J. Korean Stat. Soc. 42:323). One odd sample among many stays small, unlike in measures
    of information, because V weighs it by the size of its stratum. Missing for a variable with one value.
    """
    known = variable.notna()
    counts = pd.crosstab(variable[known].astype(str), stratum[known])
    if min(counts.shape) < 2:
        return float("nan")
    n, (levels, strata) = counts.to_numpy().sum(), counts.shape
    squared = association(counts.to_numpy(), method="cramer") ** 2 * (min(counts.shape) - 1)
    squared = max(0.0, squared - (levels - 1) * (strata - 1) / (n - 1))
    free = min(levels - (levels - 1) ** 2 / (n - 1), strata - (strata - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(squared / free)) if free > 0 else float("nan")


def _of_label(label: Label) -> list[Measured]:
    if not label.evidence:
        return [Measured("auc", np.nan, reason="no label fits")]
    return [Measured(key, value) for key, value in label.evidence.items()]
