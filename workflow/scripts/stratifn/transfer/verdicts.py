"""What the reference's own cohort could claim: kept with the reference, and repeated for every new patient."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.shared.claims import CLAIMS, COLUMNS
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
