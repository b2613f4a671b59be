"""A comparison for the cut-off: whether a mixture model finds two groups among the patients' scores.

Two normal components by maximum likelihood against one, compared by BIC. It looks at all patients together, so it is
reported beside the cut-off and decides nothing: a patient's class owes nothing to other patients.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.shared.columns import columns_of

MIXTURE_COLUMNS = columns_of("interferon/mixture.tsv")
FEWEST = 20
# a BIC difference of 10 is "very strong" (Kass & Raftery 1995, doi:10.1080/01621459.1995.10476572)
STRONG = 10.0


def mixture_table(scores: dict[str, np.ndarray], cutoffs: dict[str, float]) -> pd.DataFrame:
    """Return one row per signature: the components, where they cross, and how many patients the two rules agree on.

    Parameters
    ----------
    scores
        Patients' scores by signature (NaN are left out).
    cutoffs
        The run's cut-offs by signature.
    """
    rows = [{"signature": name} | _second_opinion(values, cutoffs[name]) for name, values in sorted(scores.items())]
    return pd.DataFrame(rows, columns=list(MIXTURE_COLUMNS))


def _second_opinion(values: np.ndarray, cutoff: float) -> dict:
    values = values[np.isfinite(values)]
    known = {"n": len(values), "cutoff": cutoff}
    if len(values) < FEWEST or np.ptp(values) == 0:
        return known | {"verdict": f"fewer than {FEWEST} patients with a score"}
    from sklearn.mixture import GaussianMixture

    column = values[:, None]
    start = np.percentile(values, [25, 75])[:, None]
    two = GaussianMixture(2, means_init=start, random_state=0, reg_covar=1e-4, max_iter=500).fit(column)
    gain = float(GaussianMixture(1).fit(column).bic(column) - two.bic(column))
    low, high = np.argsort(two.means_[:, 0])
    means, sds = two.means_[:, 0], np.sqrt(two.covariances_[:, 0, 0])
    grid = np.linspace(means[low], means[high], 2001)
    upper = two.predict_proba(grid[:, None])[:, high] > 0.5
    crossing = float(grid[np.argmax(upper)]) if upper.any() else float("nan")
    return known | {
        "mean_low": means[low],
        "sd_low": sds[low],
        "mean_high": means[high],
        "sd_high": sds[high],
        "share_high": two.weights_[high],
        "crossing": crossing,
        "bic_gain": gain,
        "agree": float(((values > cutoff) == (values > crossing)).mean()) if np.isfinite(cutoff) else np.nan,
        "verdict": "two groups" if gain > STRONG else "no clear second group",
    }
