"""Whether the reference fits new patients, and what its own cohort could claim: that is kept with the reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import beta

from stratifn.shared.claims import CLAIMS, COLUMNS, EVERYBODY, Measured, judged
from stratifn.transfer.limits import CENTILES, TAIL_SHARE
from stratifn.transfer.reference import VERDICTS, Part, Reference


def verdicts_part(verdicts: pd.DataFrame) -> Part:
    """Freeze the claims that the classes and strata of new patients rest on.

    Numbers and shares of people are left out, so that no small cell leaves with the reference.

    Parameters
    ----------
    verdicts
        Of the cohort's phases: columns `claims.COLUMNS`.
    """
    kept = verdicts[verdicts["claim"].isin([key for key, claim in CLAIMS.items() if claim.frozen])].astype(object)
    of_people = [
        CLAIMS[claim].criterion(key).people for claim, key in zip(kept["claim"], kept["criterion"], strict=True)
    ]
    kept["value"] = kept["value"].mask(np.array(of_people, dtype=bool))
    return Part({"rows": kept.where(kept.notna(), None).to_dict("records")}, {})


def reference_verdicts(reference: Reference) -> pd.DataFrame:
    """Return the claims of the reference's cohort: columns `claims.COLUMNS`, no value where it is one of people."""
    table = pd.DataFrame(reference.parts[VERDICTS].values["rows"], columns=list(COLUMNS))
    return table.astype({"value": float, "bound": float})


# certainty of the lower bound of a share
CERTAINTY = 0.99


def placement_verdicts(patients: pd.DataFrame) -> pd.DataFrame:
    """Judge whether the reference fits these patients together.

    By the share who are out of it; and by the share whose p value is within the upper tail, where a fifth is expected: a
    batch can be unlike a small reference beyond doubt although no single patient is.

    Parameters
    ----------
    patients
        Columns outlier_pvalue (missing where a patient could not be compared), out_of_reference.
    """
    compared = patients[patients["outlier_pvalue"].notna()]
    reason = "" if len(compared) else "nobody could be compared with the reference"
    out, high = (
        float(part.astype(bool).mean()) if len(compared) else np.nan
        for part in (compared["out_of_reference"], compared["outlier_pvalue"] <= TAIL_SHARE)
    )
    least = lower_bound(round(high * len(compared)), len(compared)) if len(compared) else np.nan
    words = (
        f"{100 * high:.0f} % of the patients are explained less well than {CENTILES[-1]:g} % of the reference's own samples, where "
        f"{100 * TAIL_SHARE:.0f} % are expected"
    )
    measured = [
        Measured("out_of_reference", out, reason=reason),
        Measured("batch", least, reason=reason or words),
    ]
    return judged("placement", EVERYBODY, measured)


def lower_bound(count: int, total: int) -> float:
    """Return the lower confidence bound of a share (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404)."""
    return float(beta.ppf(1 - CERTAINTY, count, total - count + 1)) if count else 0.0
