"""One look for every figure: colours, style sheet, and how a figure is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stratifn.shared.files import atomic_path
from stratifn.shared.vocabulary import BORDERLINE, HIGH, LOW, UNCERTAIN, UNSCORED

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

CONTROL_COLOUR = "#8a8a8a"
# Okabe & Ito's colour-blind-safe palette (https://jfly.uni-koeln.de/color/), without black and yellow,
# which vanish against text and paper
PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5d3a9b", "#7a5c00")
DISEASE_COLOURS = {"SLE": PALETTE[0], "pSS": PALETTE[1], "SSc": PALETTE[2], "DM": PALETTE[3]}
# Tol's muted scheme (https://personal.sron.nl/~pault/), so that no stratum looks like a disease
STRATUM_COLOURS = ("#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#aa4499", "#999933")
CLASS_COLOURS = {HIGH: "#b2182b", BORDERLINE: "#f4a582", LOW: "#4393c3", UNSCORED: "#d0d0d0"}
# people of a bar whose part is not shown
HIDDEN_COLOUR = "#f0f0f0"
UP_COLOUR, DOWN_COLOUR, FAINT_COLOUR = "#b2182b", "#2166ac", "#c8c8c8"

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    # a dollar in a name is a dollar, not a formula
    "text.parse_math": False,
    "svg.hashsalt": "stratifn",
    "svg.fonttype": "none",
}


def group_colours(diseases: Sequence[str], control: str | None) -> dict[str, str]:
    """Give every group its colour: the same for the same disease in every figure and cohort.

    The four diseases that stratifn was made for have fixed colours; other labels take the rest in their order.
    """
    free = [colour for colour in PALETTE if colour not in {DISEASE_COLOURS.get(name) for name in diseases}]
    colours: dict[str, str] = {}
    for name in diseases:
        colours[name] = DISEASE_COLOURS.get(name) or free[len(colours) % len(free)]
    return colours | ({control: CONTROL_COLOUR} if control is not None else {})


def stratum_colours(names: Iterable[str]) -> dict[str, str]:
    """Give every stratum its colour, in their order; people without a stratum are faint."""
    free = cycle(STRATUM_COLOURS)
    return {name: FAINT_COLOUR if name == UNCERTAIN else next(free) for name in names}


def text_colour(background: str) -> str:
    """Return black or white, whichever can be read on a colour (relative luminance of WCAG 2)."""
    channels = [int(background[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.18 else "white"


@contextmanager
def plotting() -> Iterator[None]:
    """Draw without a screen and in the one style."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.style.context(["default", STYLE]):
        yield


def save_figure(figure: Figure, stem: Path) -> None:
    """Write a figure as ``.svg`` and ``.png``, without dates, so that the same figure gives the same bytes; close it."""
    import matplotlib.pyplot as plt

    # suffixes are joined as text: a contrast may hold a dot
    with atomic_path(f"{stem}.svg") as temporary:
        figure.savefig(temporary, metadata={"Date": None, "Creator": None})
    # laid out by now, and `savefig` would draw everything twice to find that out
    figure.set_layout_engine("none")
    figure.set_dpi(STYLE["savefig.dpi"])
    with atomic_path(f"{stem}.png") as temporary:
        # `plotting` chose Agg
        cast("FigureCanvasAgg", figure.canvas).print_png(temporary, metadata={"Software": None})
    plt.close(figure)
