"""Figures of factors and strata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.marks import scatter, stacked, subplots
from stratifn.report.results import Results
from stratifn.style import PALETTE, STRATUM_COLOURS, group_colours

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def variance_explained(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the variance explained per factor and view, and by all factors."""
    table = results.tables["variance_explained"]
    factors = [name for name in table["factor"].drop_duplicates() if name != "total"]
    if not factors:
        return
    grid = table.pivot(index="factor", columns="view", values="r2").reindex(columns=results.views).astype(float)
    figure, (axes, total) = subplots(2.6 + 1.05 * len(results.views), 1.4 + 0.32 * len(factors), columns=2)
    image = axes.imshow(grid.loc[factors], cmap="Purples", vmin=0, aspect="auto")
    limit = np.nanmax(grid.loc[factors].to_numpy())
    for row, factor in enumerate(factors):
        for column, view in enumerate(results.views):
            r2 = grid.loc[factor, view]
            if r2 >= 0.5:
                axes.text(column, row, f"{r2:.0f}" if r2 >= 1 else f"{r2:.1f}", ha="center", va="center", fontsize=8,
                          color="white" if r2 > 0.6 * limit else "black")  # fmt: skip
    axes.set_xticks(range(len(results.views)), results.views, rotation=35, ha="right")
    axes.set_yticks(range(len(factors)), factors)
    axes.set_title("per factor (%)", loc="left")
    axes.spines[:].set_visible(False)
    total.bar(range(len(results.views)), grid.loc["total"], color=PALETTE[6], width=0.65)
    total.set_xticks(range(len(results.views)), results.views, rotation=35, ha="right")
    total.set_ylabel("variance explained by all factors (%)")
    total.set_title("all factors", loc="left")
    image.set_clim(0, max(limit, 1))
    yield "", figure


def factors(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the two leading factors by disease and by stratum."""
    strata = results.tables["strata"].set_index("sample")
    factors = results.tables["factors"].set_index("sample")
    if factors.shape[1] < 2:
        return
    shown = _leading_factors(results, list(factors.columns))
    names = _stratum_names(strata)
    by_disease = group_colours(results.diseases, results.control)
    by_stratum = dict(zip(sorted(names.unique()), STRATUM_COLOURS, strict=False))
    figure, panels = subplots(9.6, 3.8, columns=2)
    panel_groups = (("disease", strata["disease"], by_disease), ("stratum", names, by_stratum))
    for axes, (title, groups, colours) in zip(panels, panel_groups, strict=True):
        scatter(axes, factors[shown[0]], factors[shown[1]], groups, colours)
        axes.set(xlabel=shown[0], ylabel=shown[1])
        axes.set_title(f"by {title}", loc="left")
    yield "", figure


def _leading_factors(results: Results, factors: list[str]) -> list[str]:
    """Return the two robust factors that explain most (any two where fewer are robust)."""
    robustness = results.tables["robustness"].set_index("factor")["robust"]
    robust = [factor for factor in factors if bool(robustness.get(factor, False))]
    return [*robust, *(factor for factor in factors if factor not in robust)][:2]


def _stratum_names(strata: pd.DataFrame) -> pd.Series:
    """Name strata by their number, and their label where there is one."""
    labels = strata["label"].fillna("")
    plain = labels.eq("") | labels.eq(strata["stratum"].astype(str))
    return strata["stratum"].astype(str).where(plain, strata["stratum"].astype(str) + " " + labels)


def strata_composition(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how each group divides into strata."""
    strata = results.tables["strata"]
    names = _stratum_names(strata)
    shares = pd.crosstab(strata["disease"], names, normalize="index").mul(100)
    shares = shares.reindex([group for group in results.groups if group in shares.index])
    colours = dict(zip(sorted(shares.columns), STRATUM_COLOURS, strict=False))
    yield "", stacked(shares[sorted(shares.columns)], colours, "samples (%)", "stratum")
