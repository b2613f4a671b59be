"""The pages: sections, figures and the methods text in self-contained HTML files."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stratifn import __version__
from stratifn.report.content import FigureSlot, Section, Table, Text
from stratifn.report.figures import OVERVIEW, Drawings
from stratifn.report.new_patients import NewPatients
from stratifn.report.new_patients_sections import (
    headline_of_new_patients,
    methods_of_new_patients,
    sections_of_new_patients,
)
from stratifn.report.results import Results
from stratifn.report.sections import build_sections, headline
from stratifn.report.style import STYLE

PIXELS_PER_INCH = 96
# control characters (but tab and line ends) and bidirectional overrides, embeddings and isolates
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# wider images and longer tables scroll by themselves, on a phone or in the page
WIDE_IMAGE, LONG_TABLE = 480, 25
QUESTION = "Which patients have an interferon-driven disease, and what do they share across diagnoses?"
PROVENANCE = (
    ("../provenance/software.tsv", "software, versions and commit"),
    ("../provenance/machine.tsv", "the machine"),
    ("../provenance/config.yaml", "the effective configuration"),
    ("../provenance/inputs.tsv", "the files that were read, with their checksums"),
    ("../provenance/outputs.tsv", "every result, with its checksum"),
    ("../provenance/ro-crate-metadata.json", "all of this as RO-Crate"),
)


@dataclass(frozen=True)
class Link:
    """A relative link; the page's own has no address."""

    words: str
    address: str | None


@dataclass(frozen=True)
class Page:
    """What a page shows besides its figures.

    Attributes
    ----------
    title, question
        Its heading, and the line below it.
    headline
        The answer in a few sentences.
    pages
        Links to the other pages, this one among them.
    sections
        In reading order.
    methods, references
        The methods text in paragraphs, and what it cites.
    methods_at
        Where the methods text is, if not here.
    provenance
        Files that say how the results came about, and what each is.
    """

    title: str
    question: str
    headline: Sequence[str]
    pages: Sequence[Link]
    sections: Sequence[Section]
    methods: Sequence[str] = ()
    references: Sequence[str] = ()
    methods_at: str = ""
    provenance: Sequence[tuple[str, str]] = ()


def render_pages(
    results: Results, drawn: Mapping[str, Drawings], figures: Path, templates: Path, methods: str
) -> dict[str, str]:
    """Render the overview and the page of each disease.

    Parameters
    ----------
    results
        What to show.
    drawn
        From `draw_figures`.
    figures
        Their folder; the PNGs are put into the pages.
    templates
        Folder with ``page.html.j2``, ``report.css`` and ``report.js``.
    methods
        The methods text.

    Returns
    -------
    dict
        Name of the page (``index``, or the disease) to its HTML.
    """
    names = {OVERVIEW: "Overview"} | {disease: disease for disease in results.diseases}
    # without its headings; the last paragraph is the list of references
    *paragraphs, references = (text for text in methods.split("\n\n") if not text.startswith("#"))
    in_full = {"methods": paragraphs, "references": [line.split(". ", 1)[1] for line in references.splitlines()]}
    html = {}
    for name in names:
        of_page = results if name == OVERVIEW else results.of_disease(name)
        page = Page(
            title=f"stratifn: cohort {results.cohort}" + ("" if name == OVERVIEW else f", {name}"),
            question=QUESTION,
            headline=headline(of_page),
            pages=[Link(words, None if other == name else f"{other}.html") for other, words in names.items()],
            sections=build_sections(of_page),
            provenance=(("methods.md", "the methods text"), *PROVENANCE),
            **(in_full if name == OVERVIEW else {"methods_at": f"{OVERVIEW}.html#methods"}),
        )
        html[name] = render(page, drawn[name], figures, templates)
    return html


def render_new_patients(new: NewPatients, drawn: Drawings, figures: Path, templates: Path) -> str:
    """Render the page of new patients; the arguments are those of `render_pages`, for one page."""
    page = Page(
        title=f"stratifn: new patients {new.name}",
        question=f"How do these patients compare with the reference {new.source['name']}?",
        headline=headline_of_new_patients(new),
        pages=[],
        sections=sections_of_new_patients(new),
        methods=methods_of_new_patients(new),
        provenance=(*PROVENANCE, ("../provenance/reference.tsv", "the reference with its checksum")),
    )
    return render(page, drawn, figures, templates)


def render(page: Page, drawn: Drawings, figures: Path, templates: Path) -> str:
    """Render one page: HTML that loads nothing from the network; its policy allows only its own style and script."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, finalize=_visible
    )
    script = (templates / "report.js").read_text(encoding="utf-8")
    style = (templates / "report.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        page=page,
        sections=[_with_images(section, drawn, figures) for section in page.sections],
        script=script,
        style=style,
        script_digest=_policy_digest(script),
        style_digest=_policy_digest(style),
        version=__version__,
    )


def _visible(value: object) -> object:
    """Replace characters of a text that are not seen but change what is: of control, and of the direction of writing."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _policy_digest(text: str) -> str:
    """Digest by which the page's Content-Security-Policy knows its own script and style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _with_images(section: Section, drawn: Drawings, figures: Path) -> dict[str, object]:
    items: list[dict[str, object]] = []
    for item in section.content:
        if isinstance(item, Text):
            items.append({"kind": "text", "text": item.text, "warning": item.warning})
        elif isinstance(item, Table):
            items.append(
                {
                    "kind": "table",
                    "caption": item.caption,
                    "header": list(item.frame.columns),
                    "rows": item.frame.astype(str).to_numpy().tolist(),
                    "search": item.search,
                    "long": len(item.frame) > LONG_TABLE,
                }
            )
        elif images := _images(item, drawn, figures):
            items.append({"kind": "figure", "caption": drawn[item.name].caption, "images": images})
    return {"id": section.id, "title": section.title, "items": items}


def _images(slot: FigureSlot, drawn: Drawings, figures: Path) -> list[dict[str, object]]:
    if slot.name not in drawn:
        return []
    stems = drawn[slot.name].stems
    return [_image(figures, stem) for item, stem in stems.items() if slot.items is None or item in slot.items]


def _image(figures: Path, stem: str) -> dict[str, object]:
    """Put a PNG into the page at the size that it was drawn for."""
    # names are joined as text: a contrast may hold a dot
    data = Path(f"{figures / stem}.png").read_bytes()
    # the header of a PNG holds width and height in its bytes 16 to 24
    scale = PIXELS_PER_INCH / STYLE["savefig.dpi"]
    width, height = (round(scale * int.from_bytes(data[start : start + 4], "big")) for start in (16, 20))
    source = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return {"stem": stem, "source": source, "width": width, "height": height, "wide": width > WIDE_IMAGE}
