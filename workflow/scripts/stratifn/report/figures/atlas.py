"""The interferon atlas: one column for each person, from the score down to the genes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.report.content import FigureRecord
from stratifn.report.figures.marks import link
from stratifn.report.figures.style import CLASS_COLOURS, FAINT_COLOUR, MANY_PEOPLE
from stratifn.report.figures.tracks import OF_CLASS, TRACKS, Track, classes_of, levels
from stratifn.report.results import RANK_METHOD, Results
from stratifn.shared.vocabulary import CLASSES, HIGH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

OTHER_GENES, MOST_GENES, FEWEST_GENES = 14, 30, 2
# inches: what the labels and the scale take, a character of small print, and a patch of colour with its space
BESIDE, CHARACTER, SWATCH = 2.3, 0.058, 0.16
# of a line of colours, at least where they are few
PIXELS = 1000
# colours of the heat map end here
STRONGEST_Z = 6.0


@dataclass(frozen=True)
class Columns:
    """What the atlas has a column for: people, or cells of group and class.

    Attributes
    ----------
    group, score, kind
        Of each column, in the order of drawing; the kind is the class.
    z
        Columns x genes.
    tracks
        From the top down.
    people
        Whether each column is one person.
    """

    group: pd.Series
    score: pd.Series
    kind: pd.Series
    z: pd.DataFrame
    tracks: Sequence[Track]
    people: bool

    def places(self) -> pd.Series:
        """Return where each column is, with a gap between the groups."""
        gap = max(1, round(len(self.group) / 100))
        changes = self.group.ne(self.group.shift()).cumsum() - 1
        return pd.Series(np.arange(len(self.group)) + gap * changes.to_numpy(), self.group.index)


def atlas(results: Results) -> Iterator[tuple[str, Figure]]:
    """Draw everybody by group and score: bars of the score, tracks, and genes."""
    score = _score(results)
    if score.notna().sum() == 0:
        return
    z = _z(results)
    columns = _of_people(results, score, z) if results.shown.lists_people else _of_cells(results, score, z)
    if columns.group.empty:
        return
    own, others = results.genes.leading(columns.z, _strongest(columns, results), OTHER_GENES, MOST_GENES)
    genes = [*own, *others] if len(own) + len(others) >= FEWEST_GENES else []
    yield "", _drawn(columns, genes, len(own), results)


def _score(results: Results) -> pd.Series:
    score = results.tables["classes"].set_index("sample")["score"].astype(float)
    if score.notna().any():
        return score
    return results.scores(RANK_METHOD)["score"].astype(float).reindex(score.index)


def _z(results: Results) -> pd.DataFrame:
    """Return z-scores against the controls; among everybody where there are none."""
    z = results.genes.against(results.reference_controls)
    return z if len(z) else results.genes.against(results.samples["sample"])


def _strongest(columns: Columns, results: Results) -> list[str]:
    """Return the columns that order the genes: high ones, else those of patients."""
    patients = columns.group.index[columns.group != results.control]
    high = [column for column in patients if columns.kind.get(column) == HIGH]
    return high or list(patients) or list(columns.group.index)


def _groups(results: Results) -> list[str]:
    """Return the groups from the left: the controls, to which the others are compared, come first."""
    controls = [] if results.control is None else [results.control]
    return [*controls, *(group for group in results.groups if group not in controls)]


# --- one column for each person ---------------------------------------------------------------------------------------


def _of_people(results: Results, score: pd.Series, z: pd.DataFrame) -> Columns:
    people = pd.DataFrame({"disease": results.disease_of.reindex(score.index), "score": score})
    order = {group: place for place, group in enumerate(_groups(results))}
    people = people[people["disease"].isin(order)].assign(place=people["disease"].map(order))
    # people without a score first, at the low end
    people = people.sort_values(["place", "score"], na_position="first", kind="stable")
    tracks = [track for make in TRACKS for track in make(results, people.index)]
    return Columns(
        people["disease"], people["score"], classes_of(results), z.reindex(people.index), tracks, people=True
    )


# --- one column for each cell of group and class ----------------------------------------------------------------------


def _of_cells(results: Results, score: pd.Series, z: pd.DataFrame) -> Columns:
    """Average the people of each class of each group, where it is shown that they are not few."""
    classes, least = classes_of(results), results.heads.by_class.least
    disease = results.disease_of
    rows, means = [], []
    for group in _groups(results):
        for name in reversed(CLASSES):
            members = classes.index[(classes == name) & (disease.reindex(classes.index) == group)]
            if least.loc[group, name] >= max(results.min_cell, 1):
                rows.append((f"{group} | {name}", group, name, score.reindex(members).mean()))
                means.append(z.reindex(members).mean())
    cells = pd.DataFrame(rows, columns=["cell", "group", "class", "score"]).set_index("cell")
    tracks = [levels(OF_CLASS, cells["class"], CLASS_COLOURS)]
    of_genes = pd.DataFrame(means, index=cells.index, columns=z.columns)
    return Columns(cells["group"], cells["score"], cells["class"], of_genes, tracks, people=False)


# --- drawing ----------------------------------------------------------------------------------------------------------


def _drawn(columns: Columns, genes: Sequence[str], own: int, results: Results) -> Figure:
    import matplotlib.pyplot as plt

    places = columns.places()
    width = float(np.clip(4.2 + 0.055 * len(places), 6.4, 11.0))
    lines = _lines(columns.tracks, width - BESIDE)
    heights = [1.5, 0.17 * len(columns.tracks), 0.175 * len(genes), 0.18 * len(lines)]
    kept = [height for height in heights if height > 0]
    figure, grid = plt.subplots(len(kept), 1, figsize=(width, 0.9 + sum(kept)), height_ratios=kept, squeeze=False)
    panels = iter(grid[:, 0])
    bars = next(panels)
    _bars(bars, columns, places, results)
    _group_names(bars, columns, places, results, width)
    if columns.tracks:
        _tracks(next(panels), columns.tracks, places)
    if genes:
        panel = next(panels)
        image = _genes(panel, columns.z[list(genes)], own, places)
        known = len(results.genes.against(results.reference_controls)) > 0
        against = "z against the controls" if known else "z among all samples"
        figure.colorbar(
            image, ax=panel, label=against, extend="both", aspect=18, pad=0.015, shrink=min(1, 2.2 / heights[2])
        )
    if lines:
        _explain(next(panels), lines, width - BESIDE)
    for panel in grid[: len(kept) - bool(lines), 0]:
        panel.set_xlim(places.min() - 0.7, places.max() + 0.7)
    return figure


def _bars(panel: Axes, columns: Columns, places: pd.Series, results: Results) -> None:
    from matplotlib.collections import PolyCollection

    known = columns.score.dropna()
    x, top = places.reindex(known.index), known.to_numpy()
    corners = [[(p - 0.44, 0), (p - 0.44, s), (p + 0.44, s), (p + 0.44, 0)] for p, s in zip(x, top, strict=True)]
    by_class = next((track.colours for track in columns.tracks if track.name == OF_CLASS), None)
    colours = [FAINT_COLOUR] * len(known) if by_class is None else by_class.reindex(known.index).tolist()
    # an image is linked to nobody
    many = len(known) > MANY_PEOPLE
    drawn = PolyCollection(corners, facecolors=colours, linewidths=0, rasterized=many)
    panel.add_collection(drawn)
    if columns.people and not many:
        link(drawn, list(known.index))
    reference, settings = results.tables["reference"], results.config["interferon"]
    row = reference[(reference["signature"] == settings["signature"]) & (reference["method"] == settings["method"])]
    if results.has_classes and len(row) and row["cutoff"].notna().all():
        panel.axhline(row["cutoff"].iloc[0], color="black", linewidth=0.9, linestyle="--", zorder=3)
    panel.axhline(0, color="black", linewidth=0.5)
    low, high = min(float(top.min()), 0.0), max(float(top.max()), 0.0)
    panel.set_ylim(low - 0.04 * (high - low), high + 0.06 * (high - low))
    panel.set_ylabel("score", fontsize=9)
    panel.tick_params(axis="x", length=0, labelbottom=False)
    panel.spines["bottom"].set_visible(False)


def _group_names(panel: Axes, columns: Columns, places: pd.Series, results: Results, width: float) -> None:
    """Write the groups above their columns, slanted where a name is longer than its group is wide."""
    inches = 0.7 * width / (places.max() + 2)
    names = {group: f"{group} (n = {results.heads.total(group)})" for group in columns.group.unique()}
    spans = {group: places[columns.group == group] for group in names}
    slanted = any(0.085 * len(name) > inches * (len(spans[group]) + 1) for group, name in names.items())
    for group, name in names.items():
        middle = spans[group].mean()
        panel.annotate(
            name, (middle, 1.03), xycoords=("data", "axes fraction"), ha="left" if slanted else "center", va="bottom",
            rotation=25 if slanted else 0, rotation_mode="anchor", fontsize=9.5, color=results.colours[group],
        )  # fmt: skip


def _extent(places: pd.Series, rows: int) -> tuple[float, float, float, float]:
    return float(places.min()) - 0.5, float(places.max()) + 0.5, rows - 0.5, -0.5


def _tracks(panel: Axes, tracks: Sequence[Track], places: pd.Series) -> None:
    from matplotlib.colors import to_rgb

    slots = (places - places.min()).astype(int).to_numpy()
    image = np.ones((len(tracks), slots.max() + 1, 3))
    for row, track in enumerate(tracks):
        image[row, slots] = [to_rgb(colour) for colour in track.colours]
    panel.imshow(_magnified(image), aspect="auto", interpolation="none", extent=_extent(places, len(tracks)))
    for row in range(1, len(tracks)):
        panel.axhline(row - 0.5, color="white", linewidth=1.2)
    panel.set_yticks(range(len(tracks)), [track.name for track in tracks], fontsize=8)
    _bare(panel)


def _genes(panel: Axes, z: pd.DataFrame, own: int, places: pd.Series) -> AxesImage:
    slots = (places - places.min()).astype(int).to_numpy()
    grid = np.full((z.shape[1], slots.max() + 1), np.nan)
    grid[:, slots] = z.to_numpy().T
    image = panel.imshow(
        _magnified(grid), cmap="PuOr_r", vmin=-STRONGEST_Z, vmax=STRONGEST_Z, aspect="auto", interpolation="none",
        extent=_extent(places, z.shape[1]),
    )  # fmt: skip
    if 0 < own < z.shape[1]:
        panel.axhline(own - 0.5, color="white", linewidth=3)
    panel.set_yticks(range(z.shape[1]), z.columns, fontsize=8, style="italic")
    _bare(panel)
    return image


def _magnified(image: np.ndarray) -> np.ndarray:
    """Repeat every pixel, so that viewers that smooth an image smooth its edges alone; nothing is resampled in a vector file."""
    times = max(1, PIXELS // image.shape[1])
    return image.repeat(times, axis=1).repeat(min(times, 8), axis=0)


def _bare(panel: Axes) -> None:
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, labelbottom=False)


def _lines(tracks: Sequence[Track], width: float) -> list[list[tuple[float, str, str]]]:
    """Return what explains the colours: lines of (inches from the left, words, colour or nothing for a name).

    Tracks of the same colours are explained together, and are not divided between lines unless they are longer than one.
    """
    named: dict[str, tuple[list[str], Mapping[str, str]]] = {}
    for track in tracks:
        named.setdefault(str(dict(track.legend)), ([], track.legend))[0].append(track.name)
    lines: list[list[tuple[float, str, str]]] = []
    left = width
    for names, colours in named.values():
        items = [(f"{', '.join(names)}:", ""), *colours.items()]
        sizes = [CHARACTER * len(words) + (SWATCH if colour else 0) + 0.12 for words, colour in items]
        fits = left + sum(sizes) <= width
        for place, ((words, colour), size) in enumerate(zip(items, sizes, strict=True)):
            if (place == 0 and not fits) or left + size > width:
                lines.append([])
                left = 0.0
            lines[-1].append((left, words, colour))
            left += size
        left += 0.15
    return lines


def _explain(panel: Axes, lines: Sequence[Sequence[tuple[float, str, str]]], width: float) -> None:
    from matplotlib.patches import Rectangle

    for row, line in enumerate(lines):
        for left, words, colour in line:
            if colour:
                box = Rectangle((left, row - 0.3), 0.11, 0.6, facecolor=colour, edgecolor="#aaaaaa", linewidth=0.4)
                panel.add_patch(box)
            panel.text(left + (SWATCH if colour else 0), row, words, fontsize=8, va="center_baseline")
    panel.set(xlim=(0, width), ylim=(len(lines) - 0.5, -0.5))
    panel.set_axis_off()


FIGURES = (
    FigureRecord(
        "atlas",
        "The interferon response of each person, from the score down to the genes: where a disease is divided into people with and "
        "without a response, its bars rise at once and its genes turn orange together. One column is one person, by "
        "group and score, people without a score first. From the top, as far as they are known: the score with its cut-off (dashed); what else is "
        "known of this person (white: not known; grey: from the smallest to the largest value); expression of the genes of the signature that "
        "decides, and then of the leading other ISGs of published type I signatures, each in SD of the controls (of all samples where there are too few controls).",
        atlas,
        without_people="The interferon response of each group and class, from the score down to the genes: means over people, where it is "
        "shown that they are not few. From the top: the score with its cut-off (dashed); the class; expression of the genes of the signature that "
        "decides, and then of the leading other ISGs of published type I signatures, each in SD of the controls.",
        again=True,
    ),
)
