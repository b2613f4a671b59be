"""One look for every figure: colours, style sheet, and how a figure is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from stratifn.shared.files import atomic_path
from stratifn.shared.vocabulary import BORDERLINE, HIGH, LOW, OPPOSED, SHARED, STRATUM_LABELS, UNCERTAIN, UNSCORED

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure


class Look(NamedTuple):
    """How a group is drawn: its colour, and matplotlib's name of its marker."""

    colour: str
    marker: str


# dark: a middle grey is what green and pink become without red or green cones
CONTROL_LOOK = Look("#555555", "X")
# Okabe & Ito's colour-blind-safe palette (https://jfly.uni-koeln.de/color/), without black and yellow,
# which vanish against text and paper, and two dark colours more
PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#4b2991", "#5c4400")
MARKERS = ("o", "s", "^", "D", "v", "P", "p", "*")
LOOKS = tuple(map(Look, PALETTE, MARKERS))
# the diseases that stratifn was made for look the same in every cohort
DISEASE_LOOKS = dict(zip(("SLE", "pSS", "SSc", "DM"), LOOKS, strict=False))
# Tol's muted scheme (https://personal.sron.nl/~pault/), so that no stratum looks like a disease
_MUTED = ("#332288", "#117733", "#88ccee", "#ddcc77", "#882255", "#44aa99", "#aa4499", "#999933")
STRATUM_LOOKS = dict(zip(STRATUM_LABELS, map(Look, _MUTED, MARKERS), strict=False))
OTHER_STRATUM_LOOKS = tuple(map(Look, _MUTED, MARKERS))[len(STRATUM_LABELS) :]
CLASS_COLOURS = {HIGH: "#b2182b", BORDERLINE: "#f4a582", LOW: "#4393c3", UNSCORED: "#bdbdbd"}
# people of a bar whose part is not shown
HIDDEN_COLOUR = "#f0f0f0"
UP_COLOUR, DOWN_COLOUR, FAINT_COLOUR = "#b2182b", "#2166ac", "#c8c8c8"
UNCERTAIN_LOOK = Look(FAINT_COLOUR, ".")
# genes by how their effects compare across diseases, the rarest last so that they are drawn on top
LARGER_IN_SOME, NEITHER = "larger in some diseases", "undetermined or none"
EFFECT_LOOKS = {
    NEITHER: Look(FAINT_COLOUR, "o"),
    SHARED: Look("#1b7837", "o"),
    LARGER_IN_SOME: Look("#e08214", "s"),
    OPPOSED: Look("#7b3294", "D"),
}

# marks of more people are drawn as one image: a page must not hold thousands of bars or lines
MANY_PEOPLE = 400

# how a figure is written: for the page, for a paper, for slides
FORMATS = ("svg", "pdf", "png")
# those that are installed are used, in this order; matplotlib brings the last one
FONTS = ("Arial", "Liberation Sans", "DejaVu Sans")

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "figure.constrained_layout.use": True,
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
    # embedded as drawings, which takes a quarter of the time; letters stay letters in the SVG
    "pdf.fonttype": 3,
}


def group_looks(diseases: Sequence[str], control: str | None) -> dict[str, Look]:
    """Give every group its look: the same for the same disease in every figure and cohort.

    The four diseases that stratifn was made for have fixed looks; other labels take the rest in their order.
    """
    free = [look for look in LOOKS if look not in {DISEASE_LOOKS.get(name) for name in diseases}]
    looks: dict[str, Look] = {}
    for name in diseases:
        looks[name] = DISEASE_LOOKS.get(name) or free[len(looks) % len(free)]
    return looks | ({control: CONTROL_LOOK} if control is not None else {})


def stratum_looks(labels: Mapping[str, str]) -> dict[str, Look]:
    """Give every stratum its look: that of its label, the same in every run.

    Parameters
    ----------
    labels
        Name of each stratum, as it is shown, to its label; empty where no label fits. A second stratum of a label, and
        strata without one, take the colours that no label has. People without a stratum are faint.
    """
    free, taken, looks = cycle(OTHER_STRATUM_LOOKS), set(), {}
    for name, label in labels.items():
        look = UNCERTAIN_LOOK if label == UNCERTAIN else STRATUM_LOOKS.get(label)
        looks[name] = next(free) if look is None or look in taken else look
        taken.add(look)
    return looks


def colours_of(looks: Mapping[str, Look]) -> dict[str, str]:
    """Return the colour of each group."""
    return {name: look.colour for name, look in looks.items()}


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
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    with plt.style.context(["default", STYLE, {"font.family": [name for name in FONTS if name in installed]}]):
        yield


def save_figure(figure: Figure, stem: Path) -> None:
    """Write a figure in every one of `FORMATS`, without dates, so that the same figure gives the same bytes; close it."""
    import matplotlib.pyplot as plt

    # suffixes are joined as text: a contrast may hold a dot
    with atomic_path(f"{stem}.svg") as temporary:
        figure.savefig(temporary, metadata={"Date": None, "Creator": None})
    # laid out by now, and `savefig` would draw everything twice to find that out
    figure.set_layout_engine("none")
    with atomic_path(f"{stem}.pdf") as temporary:
        figure.savefig(temporary, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    figure.set_dpi(STYLE["savefig.dpi"])
    with atomic_path(f"{stem}.png") as temporary:
        # `plotting` chose Agg
        cast("FigureCanvasAgg", figure.canvas).print_png(temporary, metadata={"Software": None})
    plt.close(figure)
