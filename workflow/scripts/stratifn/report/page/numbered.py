"""The items of a page with their numbers and anchors, ready for the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stratifn.report.content import FigureSlot, Item, Section, Statement, Table, Text
from stratifn.report.figures.drawing import Drawing, Drawings
from stratifn.report.figures.style import FORMATS
from stratifn.report.page.inline_svg import inline_svg

# wider figures and longer tables scroll by themselves, on a phone or in the page
WIDE, LONG_TABLE = 640, 25
TABLES, FIGURES = "tables", "figures"


def numbered(sections: Sequence[Section], drawn: Drawings, figures: Path, page: str) -> list[dict[str, Any]]:
    """Give the figures and tables of a page their numbers, in reading order.

    Parameters
    ----------
    sections
        Of the page.
    drawn
        The figures that it can show.
    figures
        Their folder.
    page
        Its name; the files of its tables are in a folder of that name, those of the overview directly in ``tables``.

    Returns
    -------
    list of dict
        id, title and items of each section; an item has its kind and what its template needs. A figure that was not
        drawn is left out.

    Raises
    ------
    ValueError
        Two figures or two tables of a page have one name.
    """
    counts = {"Figure": 0, "Table": 0}
    seen: set[str] = set()

    def labelled(word: str, name: str) -> dict[str, str]:
        counts[word] += 1
        anchor = f"{word.lower()}-{name}"
        if anchor in seen:
            raise ValueError(f"{anchor} is twice on one page")
        seen.add(anchor)
        return {"label": f"{word} {counts[word]}", "anchor": anchor}

    def prepared(item: Item) -> dict[str, Any] | None:
        match item:
            case Text():
                return {"kind": "text", "text": item.text, "warning": item.warning}
            case Statement():
                return {"kind": "statement", "statement": item}
            case Table():
                return {"kind": "table"} | labelled("Table", item.name) | _table(item, page)
            case FigureSlot() if images := _images(item, drawn, figures):
                slot = drawn[item.name]
                return {"kind": "figure", "caption": slot.caption, "images": images} | labelled("Figure", item.name)
        return None

    return [
        {
            "id": section.id,
            "title": section.title,
            "items": [each for item in section.content if (each := prepared(item)) is not None],
        }
        for section in sections
    ]


def table_path(table: Table, page: str) -> str:
    """Return where a table of a page is written, relative to the folder of tables."""
    return f"{table.name}.tsv" if page == "index" else f"{page}/{table.name}.tsv"


def _table(table: Table, page: str) -> dict[str, Any]:
    return {
        "caption": table.caption,
        "header": list(table.frame.columns),
        "rows": table.frame.astype(str).to_numpy().tolist(),
        "people": table.people,
        "long": len(table.frame) > LONG_TABLE,
        "file": f"{TABLES}/{table_path(table, page)}",
    }


def _images(slot: FigureSlot, drawn: Drawings, figures: Path) -> list[dict[str, Any]]:
    drawing: Drawing | None = drawn.get(slot.name)
    if drawing is None:
        return []
    return [
        _image(drawing, stem, figures, f"{slot.name}-{n}") for n, stem in enumerate(drawing.stems.values(), start=1)
    ]


def _image(drawing: Drawing, stem: str, figures: Path, prefix: str) -> dict[str, Any]:
    people: Mapping[str, Sequence[str]] = drawing.people.get(stem, {})
    # names are joined as text: a contrast may hold a dot
    text = Path(f"{figures / stem}.svg").read_text(encoding="utf-8")
    inlined = inline_svg(text, prefix, drawing.caption, people)
    return {
        "stem": stem,
        "svg": inlined.svg,
        "wide": inlined.width > WIDE,
        "files": [{"words": suffix.upper(), "address": f"{FIGURES}/{stem}.{suffix}"} for suffix in FORMATS],
    }
