"""How far the cut-off and the prevalence of each disease can be trusted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.interferon.settings import Settings
from stratifn.shared.claims import Measured, judged, verdicts_table
from stratifn.shared.vocabulary import BORDERLINE, HEALTHY


def interferon_verdicts(
    reference: pd.DataFrame, prevalence: pd.DataFrame, settings: Settings, control: str | None, control_type: str
) -> pd.DataFrame:
    """Judge the cut-off of the configured signature, and the prevalence of each disease by it.

    Parameters
    ----------
    reference, prevalence
        The phase's own tables.
    settings
        Of the phase: signature, method, fewest controls.
    control
        Label of the controls, whose own share is no claim.
    control_type
        Who the controls are.

    Returns
    -------
    pandas.DataFrame
        Columns `claims.COLUMNS`; no rows where nothing could be scored.
    """
    own = reference[(reference["signature"] == settings.signature) & (reference["method"] == settings.method)]
    healthy = float(control_type == HEALTHY)
    kind = "" if healthy else f"the controls are {control_type}"
    parts = []
    for row in own.itertuples():
        measured = [
            Measured("controls", float(row.n_controls), settings.min_controls),
            Measured("healthy_controls", healthy if row.n_controls else np.nan, reason=kind),
        ]
        parts.append(judged("cutoff", settings.signature, measured))
    shares = prevalence[(prevalence["signature"] == settings.signature) & (prevalence["disease"] != control)]
    for row in shares.itertuples():
        scored = bool(row.n)
        measured = [
            Measured("scored", float(row.n) if scored else np.nan, reason="" if scored else "nobody has a class"),
            Measured("healthy_controls", healthy if scored else np.nan, reason=kind),
            Measured(BORDERLINE, float(row.borderline - row.high) if scored else np.nan),
        ]
        parts.append(judged("prevalence", str(row.disease), measured))
    return verdicts_table(parts)
