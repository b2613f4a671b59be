"""The page: sections, figures and the methods text in one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from stratifn import __version__
from stratifn.report.content import FigureSlot, Section, Table, Text
from stratifn.report.figures import FIGURES
from stratifn.report.results import Results
from stratifn.report.sections import build_sections, headline
from stratifn.style import STYLE

PIXELS_PER_INCH = 96
CAPTIONS = {record.name: record.caption for record in FIGURES}


def render_page(
    results: Results, drawn: Mapping[str, Sequence[str]], figures: Path, templates: Path, methods: str
) -> str:
    """Render the report.

    Parameters
    ----------
    results
        What to show.
    drawn
        Figure record to the file stems that were drawn, as `draw_figures` returns them.
    figures
        Their folder; the PNGs are put into the page.
    templates
        Folder with ``index.html.j2``, ``report.css`` and ``report.js``.
    methods
        The methods text.

    Returns
    -------
    str
        HTML that asks nothing of the network: its policy allows its own style and script, and images inside it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined)
    script = (templates / "report.js").read_text(encoding="utf-8")
    style = (templates / "report.css").read_text(encoding="utf-8")
    return environment.get_template("index.html.j2").render(
        results=results,
        headline=headline(results),
        sections=[_with_images(section, drawn, figures) for section in build_sections(results)],
        methods=_paragraphs(methods)[:-1],
        references=[line.split(". ", 1)[1] for line in _paragraphs(methods)[-1].splitlines()],
        script=script,
        style=style,
        script_digest=_policy_digest(script),
        style_digest=_policy_digest(style),
        version=__version__,
    )


def _paragraphs(methods: str) -> list[str]:
    """Split the methods text, without its headings; the last paragraph is the list of references."""
    return [paragraph for paragraph in methods.split("\n\n") if not paragraph.startswith("#")]


def _policy_digest(text: str) -> str:
    """Digest by which the page's Content-Security-Policy knows its own script and style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _with_images(section: Section, drawn: Mapping[str, Sequence[str]], figures: Path) -> dict[str, object]:
    items: list[dict[str, object]] = []
    for item in section.content:
        if isinstance(item, Text):
            items.append({"kind": "text", "text": item.text, "warning": item.warning})
        elif isinstance(item, Table):
            rows = item.frame.astype(str).to_numpy().tolist()
            items.append(
                {
                    "kind": "table",
                    "caption": item.caption,
                    "header": list(item.frame.columns),
                    "rows": rows,
                    "search": item.search,
                }
            )
        elif isinstance(item, FigureSlot) and item.name in drawn:
            images = [_image(figures, stem) for stem in drawn[item.name]]
            items.append({"kind": "figure", "caption": CAPTIONS[item.name], "images": images})
    return {"id": section.id, "title": section.title, "items": items}


def _image(figures: Path, stem: str) -> dict[str, object]:
    """Put a PNG into the page at the size that it was drawn for."""
    data = (figures / f"{stem}.png").read_bytes()
    # the header of a PNG holds width and height in its bytes 16 to 24
    width, height = (int.from_bytes(data[start : start + 4], "big") for start in (16, 20))
    scale = PIXELS_PER_INCH / STYLE["savefig.dpi"]
    source = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return {"stem": stem, "source": source, "width": round(width * scale), "height": round(height * scale)}
