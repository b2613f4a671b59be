"""Which factors come back whatever the seed, and whether one of them is the interferon factor."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.integration.interpretation import InterferonFactor
from stratifn.integration.selection import Integration, factors_table
from stratifn.shared.claims import Measured, judged, verdicts_table
from stratifn.shared.samples import measured_views
from stratifn.shared.vocabulary import IN_VIEW

ONE_SEED = "one seed cannot show robustness"


def factor_verdicts(integration: Integration, named: InterferonFactor, samples: pd.DataFrame) -> pd.DataFrame:
    """Judge the robustness of every factor, and the candidate for the interferon factor.

    Parameters
    ----------
    integration
        The chosen model, matched with the other seeds.
    named
        From `interpretation.interferon_factor`.
    samples
        Columns sample, ``in_<view>``.

    Returns
    -------
    pandas.DataFrame
        Columns `claims.COLUMNS`.
    """
    seeds = len(integration.seeds)
    reason = ONE_SEED if seeds == 1 else ""
    parts = []
    missing = _missing_views(factors_table(integration).set_index("sample"), samples.set_index("sample"))
    for row, reached in zip(integration.robustness.itertuples(), integration.seed_correlation, strict=True):
        share = np.nan if reason else row.seeds_matched / seeds
        measured = [
            Measured("seeds_matched", share, reason=reason),
            Measured("seed_correlation", reached, reason=reason),
            missing[str(row.factor)],
        ]
        parts.append(judged("factor", str(row.factor), measured))
    if named.candidate:
        few = "" if np.isfinite(named.auc) else f"only {named.genes} genes of the signature are among the features"
        measured = [
            Measured("follows_score", abs(named.spearman)),
            Measured("signature_auc", named.auc, reason=few),
            Measured("robust", np.nan if named.robust is None else float(named.robust), reason=reason),
        ]
        parts.append(judged("interferon_factor", named.candidate, measured))
    return verdicts_table(parts)


def _missing_views(factors: pd.DataFrame, samples: pd.DataFrame) -> dict[str, Measured]:
    """Measure by factor how much of it says only who has a view: squared correlation, the largest over the views."""
    has = measured_views(samples.loc[factors.index]).eq("yes").astype(float)
    shares = {factor: has.corrwith(values) ** 2 for factor, values in factors.items()}
    return {
        str(factor): Measured("missing_view", of_view.max(), reason=of_view.idxmax().removeprefix(IN_VIEW))
        if of_view.notna().any()
        else Measured("missing_view", np.nan)
        for factor, of_view in shares.items()
    }
