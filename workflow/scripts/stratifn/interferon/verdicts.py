"""How far the cut-off and the prevalence of each disease can be trusted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.interferon.classes import under_anti_ifn
from stratifn.interferon.scored import Cohort, Interferon
from stratifn.interferon.sensitivity import words_on_few_controls
from stratifn.interferon.settings import EXCLUDE, Settings
from stratifn.shared.claims import Measured, judged, verdicts_table
from stratifn.shared.vocabulary import BORDERLINE, HEALTHY


def interferon_verdicts(scored: Interferon, cohort: Cohort, settings: Settings) -> pd.DataFrame:
    """Judge the cut-off of the configured signature, and the prevalence of each disease by it.

    Parameters
    ----------
    scored
        The phase's own results.
    cohort
        Whom the phase scored; the controls' own share is no claim.
    settings
        Of the phase.

    Returns
    -------
    pandas.DataFrame
        Columns `claims.COLUMNS`; no rows where nothing could be scored.
    """
    reference, prevalence = scored.reference_table, scored.prevalence
    own = reference[(reference["signature"] == settings.signature) & (reference["method"] == settings.method)]
    healthy = float(cohort.origin.control_type == HEALTHY)
    kind = "" if healthy else f"the controls are {cohort.origin.control_type}"
    outlying = len(scored.outlying) or scored.reference.excluded
    done = "left out of the reference" if settings.outlying_controls == EXCLUDE else "kept in the reference"
    parts = []
    for row in own.itertuples():
        measured = [
            Measured("controls", float(row.n_controls + row.excluded), settings.min_controls),
            Measured(
                "enough_controls",
                float(row.n_controls) if row.n_controls else np.nan,
                reason=words_on_few_controls(scored.reference),
            ),
            Measured("outlying_controls", float(outlying) if row.n_controls else np.nan, reason=done),
            Measured("healthy_controls", healthy if row.n_controls else np.nan, reason=kind),
        ]
        parts.append(judged("cutoff", settings.signature, measured))
    changes = _changes_by_one_control(scored, cohort, settings)
    shares = prevalence[
        (prevalence["signature"] == settings.signature) & (prevalence["disease"] != str(cohort.control))
    ]
    for row in shares.itertuples():
        share = bool(row.n)
        measured = [
            Measured("scored", float(row.n) if share else np.nan, reason="" if share else "nobody has a class"),
            Measured("healthy_controls", healthy if share else np.nan, reason=kind),
            Measured(BORDERLINE, float(row.borderline - row.high) if share else np.nan),
            Measured("one_control", changes.get(str(row.disease), np.nan) if share else np.nan),
        ]
        parts.append(judged("prevalence", str(row.disease), measured))
    return verdicts_table(parts)


def _changes_by_one_control(scored: Interferon, cohort: Cohort, settings: Settings) -> dict[str, float]:
    """Return, per disease, how far leaving out one control moves the share above the cut-off."""
    influence = scored.influence.get((settings.signature, settings.method))
    if influence is None:
        return {}
    sheet = cohort.samples.set_index("sample").reindex(list(scored.people.samples)).reset_index()
    disease, kept = sheet["disease"].astype(str).to_numpy(), ~under_anti_ifn(sheet)
    return {name: influence.largest_change((disease == name) & kept) for name in set(disease)}
