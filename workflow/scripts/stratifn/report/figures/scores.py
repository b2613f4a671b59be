"""Figures of the ISG expression score: everybody, the share above the cut-off, and what one control decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import FigureRecord
from stratifn.report.figures.marks import jitter, points, strip, subplots
from stratifn.report.figures.style import FAINT_COLOUR, Look
from stratifn.report.results import RANK_METHOD, Results
from stratifn.shared.vocabulary import BORDERLINE, UNSCORED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PUBLISHED = {
    "marker": "D",
    "linestyle": "none",
    "markerfacecolor": "white",
    "markeredgecolor": "black",
    "markersize": 6,
}
# a density of fewer people is that of the single points
FEWEST_FOR_DENSITY = 5


def interferon_scores(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the score of every sample with its density and the cut-off; without controls, the rank-based score."""
    classes, settings = results.tables["classes"].set_index("sample"), results.config["interferon"]
    method, score = settings["method"], classes["score"].astype(float)
    if score.isna().all():
        method, score = RANK_METHOD, results.scores(RANK_METHOD)["score"].astype(float)
    if score.isna().all():
        return
    figure, (panel,) = subplots(2.4 + 1.0 * len(results.groups), 3.9)
    groups = results.disease_of.reindex(score.index)
    if results.shown.lists_people:
        rainclouds(panel, score, groups, results, classes["ifn_class"].reindex(score.index))
    else:
        strip(panel, score, groups, results.looks, results.heads.with_value, results.shown)
    reference = results.tables["reference"]
    row = reference[(reference["signature"] == settings["signature"]) & (reference["method"] == method)]
    if len(row) and row["cutoff"].notna().all() and results.has_classes:
        cut_off(panel, *row.iloc[0][["cutoff", "cutoff_low", "cutoff_high"]])
    panel.set_ylabel(f"ISG expression score\n{settings['signature']}, {method}")
    yield "", figure


def rainclouds(panel: Axes, values: pd.Series, groups: pd.Series, results: Results, classes: pd.Series) -> None:
    """Draw the people of each group as points, half of their density beside them, and the median.

    Where anybody has a class, borderline people are rings, and people without a class are grey.
    """
    from matplotlib.lines import Line2D

    names = []
    for position, (group, look) in enumerate(results.looks.items()):
        own = values[groups == group].dropna()
        names.append(f"{group}\nn = {results.heads.with_value(group, len(own))}")
        x = pd.Series(position - 0.2 + 0.55 * jitter(len(own)), own.index)
        of_class = classes.reindex(own.index) if results.has_classes else pd.Series("", own.index)
        ring, grey = of_class.eq(BORDERLINE).to_numpy(), of_class.eq(UNSCORED).to_numpy()
        points(panel, x[~grey], own[~grey], look, ring[~grey])
        points(panel, x[grey], own[grey], Look(FAINT_COLOUR, look.marker), np.zeros(grey.sum(), dtype=bool))
        _half_density(panel, position + 0.06, own.to_numpy(), look.colour)
        if len(own):
            panel.hlines(own.median(), position - 0.38, position + 0.4, color="black", linewidth=1.6, zorder=3)
    panel.set_xticks(range(len(names)), names)
    panel.set_xlim(-0.6, len(names) - 0.4)
    handles: list[Artist] = [Line2D([], [], color="black", linewidth=1.6, label="median")]
    if results.has_classes:
        handles += _explained_classes(set(classes[values.notna() & groups.isin(list(results.looks))]))
    panel.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1), borderpad=0, handlelength=1.2)


def _half_density(panel: Axes, left: float, values: np.ndarray, colour: str) -> None:
    """Draw a Gaussian kernel density (Scott's rule) within the range of the values."""
    from scipy.stats import gaussian_kde

    if len(values) < FEWEST_FOR_DENSITY or np.ptp(values) == 0:
        return
    at = np.linspace(values.min(), values.max(), 80)
    density = gaussian_kde(values)(at)
    panel.fill_betweenx(at, left, left + 0.34 * density / density.max(), color=colour, alpha=0.3, linewidth=0, zorder=1)


def _explained_classes(classes: set[str]) -> list[Artist]:
    from matplotlib.lines import Line2D

    marks = {BORDERLINE: (BORDERLINE, "none", "black"), UNSCORED: ("no class", FAINT_COLOUR, FAINT_COLOUR)}
    return [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="none",
            markersize=4.5,
            markerfacecolor=face,
            markeredgecolor=edge,
            label=label,
        )
        for name, (label, face, edge) in marks.items()
        if name in classes
    ]


def cut_off(panel: Axes, value: float, low: float, high: float) -> None:
    """Draw the cut-off and its interval across a panel of scores."""
    if np.isfinite([low, high]).all():
        panel.axhspan(low, high, color="black", alpha=0.08, linewidth=0, zorder=0)
    panel.axhline(value, color="black", linewidth=1, linestyle="--", zorder=1)
    # beside the panel, where it covers nobody
    panel.annotate(
        f"cut-off\n{value:.2f}", (1, value), xycoords=("axes fraction", "data"), ha="left", va="center", xytext=(4, 0),
        textcoords="offset points", fontsize=8.5,
    )  # fmt: skip


def prevalence(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw the share with a positive signature, its interval, and the published figure, with the numbers beside them."""
    table = results.tables["prevalence"]
    own = table[(table["signature"] == results.config["interferon"]["signature"]) & table["prevalence"].notna()]
    own = own.set_index("disease").reindex([group for group in results.groups if group in set(own["disease"])])
    shares = {group: results.heads.share({"disease": group} | found.to_dict()) for group, found in own.iterrows()}
    if own["published"].isna().all() and all(np.isnan(share.value) for share in shares.values()):
        return
    figure, (panel,) = subplots(7.2, 1.0 + 0.42 * len(own))
    for row, (group, found) in enumerate(own.iterrows()):
        share, colour = shares[group], results.colours[str(group)]
        panel.hlines(row, 100 * share.low, 100 * share.high, color=colour, linewidth=2)
        panel.plot(100 * share.value, row, "o", color=colour, markersize=7)
        words = share.words
        if np.isfinite(found["published"]):
            # beside our own figure, which it would hide
            panel.plot(100 * found["published"], row + 0.26, **PUBLISHED)
            words += f"\npublished {100 * found['published']:.0f} %"
        panel.annotate(
            words, (1, row), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points", va="center",
            fontsize=8.5,
        )  # fmt: skip
    panel.set_yticks(
        range(len(own)), [f"{group} (n = {results.heads.with_value(group, int(n))})" for group, n in own["n"].items()]
    )
    panel.set_ylim(len(own) - 0.5, -0.5)
    panel.set(xlim=(-2, 102), xlabel="scored samples above the cut-off (%)")
    if own["published"].notna().any():
        panel.plot([], [], label="published share", **PUBLISHED)
        panel.legend(loc="lower right", bbox_to_anchor=(1, 1), handletextpad=0.1, borderpad=0)
    panel.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    yield "", figure


def one_control(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw how far the share of all patients moves when any one control is left out, by signature."""
    rows = one_control_shares(results)
    if rows.empty:
        return
    figure, (panel,) = subplots(5.4, 0.9 + 0.3 * len(rows))
    for place, row in enumerate(rows.itertuples()):
        colour = "black" if row.signature == results.config["interferon"]["signature"] else "#8a8a8a"
        panel.hlines(place, 100 * row.prevalence_low, 100 * row.prevalence_high, color=colour, linewidth=2)
        panel.plot(100 * row.share, place, "o", color=colour, markersize=5)
    panel.set_yticks(range(len(rows)), rows["signature"], fontsize=8.5)
    panel.set(ylim=(len(rows) - 0.5, -0.5), xlim=(-2, 102), xlabel="all scored patients above the cut-off (%)")
    panel.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    yield "", figure


def one_control_shares(results: Results) -> pd.DataFrame:
    """Return the share of all patients above the cut-off by signature, and its range without any one control.

    Returns
    -------
    pandas.DataFrame
        Columns signature, share, prevalence_low, prevalence_high, the configured signature first; empty where the shares would tell
        how many people of a group, or who change sides, are few.
    """
    reference, settings = results.tables["reference"], results.config["interferon"]
    own = reference[(reference["method"] == settings["method"]) & reference["prevalence_low"].notna()]
    if own.empty or not results.heads.every_share_shown or own["flipped"].between(1, results.min_cell - 1).any():
        return pd.DataFrame(columns=["signature", "share", "prevalence_low", "prevalence_high"])
    table = results.tables["prevalence"]
    table = table[table["disease"].isin(results.diseases) & table["prevalence"].notna()]
    above = (table["prevalence"] * table["n"]).groupby(table["signature"]).sum()
    share = above / table["n"].groupby(table["signature"]).sum()
    shown = own.assign(share=own["signature"].map(share)).dropna(subset=["share"])
    shown = shown.assign(other=shown["signature"] != settings["signature"]).sort_values(["other", "signature"])
    return shown[["signature", "share", "prevalence_low", "prevalence_high"]].reset_index(drop=True)


FIGURES = (
    FigureRecord(
        "interferon_scores",
        "Where a group has points on both sides of the cut-off, some of its people respond to interferon and others do not. ISG "
        "expression score of every measured sample (by ranks where the controls are too few for a reference), and the density of "
        f"groups of {FEWEST_FOR_DENSITY} and more beside the points. A cut-off is dashed, in the band of its 95 % bootstrap interval; people whom this "
        "interval does not let call high or low are borderline.",
        interferon_scores,
        without_people="ISG expression score of each group (by ranks where the controls are too few for a reference): "
        "quartiles and median. Dashed: the cut-off, if there is one; grey: its 95 % bootstrap interval.",
        again=True,
    ),
    FigureRecord(
        "prevalence",
        "How many of the scored samples lie above the cut-off: a wide line is a small group or an uncertain cut-off. Line: 95 % interval, which "
        "includes the uncertainty of the cut-off. Published shares are of the same specimen and healthy controls, and may be of another "
        "assay (sources in the table).",
        prevalence,
    ),
    FigureRecord(
        "one_control",
        "How much a single control decides: a long line means that the share depends on who the controls are. Point: the share of all "
        "scored patients above the cut-off; line: the range when any one control is left out; black: the signature that gives the classes.",
        one_control,
    ),
)
