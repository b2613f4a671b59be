"""Who is most like whom, in the space that the strata were made in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stratifn.report.results import Results

NEIGHBOURS = 5
TOTAL = "total"


def nearest(results: Results) -> dict[str, list[str]]:
    """Return the samples nearest to each sample, the nearest first.

    As the strata were made: by the factors used for them, each standardised and weighted by the square root of the
    variance that it explains over all views, and among those in whom these factors were measured.
    """
    strata = results.tables["strata"].set_index("sample")
    factors = results.tables["factors"].set_index("sample")
    informed = strata.index[strata["informed"].eq(True)]
    names = _factors_of_strata(results, list(factors.columns))
    values = factors.reindex(index=informed, columns=names).dropna()
    explained = results.tables["variance_explained"]
    single = explained[explained["factor"] != TOTAL]
    weights = np.sqrt(single.assign(r2=single["r2"].clip(lower=0)).groupby("factor")["r2"].sum()).reindex(names)
    spread = values.std(ddof=0)
    kept = spread.index[(spread > 0) & (weights.reindex(spread.index) > 0)]
    if len(values) < 2 or kept.empty:
        return {}
    points = ((values[kept] - values[kept].mean()) / spread[kept] * weights[kept]).to_numpy(float)
    return _nearest(pd.DataFrame(points, index=values.index))


def _factors_of_strata(results: Results, known: list[str]) -> list[str]:
    summary = results.tables["stratification_summary"].set_index("item")["value"]
    used = str(summary.get("factors", "")).split()
    return (
        [name for name in known if name in used] or [name for name in known if name in results.robust_factors] or known
    )


def _nearest(points: pd.DataFrame) -> dict[str, list[str]]:
    from scipy.spatial import KDTree

    count = min(NEIGHBOURS + 1, len(points))
    _, found = KDTree(points.to_numpy()).query(points.to_numpy(), k=count)
    names = points.index.to_numpy()
    return {
        str(name): [str(names[other]) for other in row if other != position][:NEIGHBOURS]
        for position, (name, row) in enumerate(zip(names, found, strict=True))
    }
