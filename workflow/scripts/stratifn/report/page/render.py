"""The HTML of a page: self-contained, and nothing but its own style and scripts may act in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stratifn import __version__
from stratifn.report.content import Table
from stratifn.report.figures.drawing import Drawings
from stratifn.report.page.content import Page
from stratifn.report.page.numbered import numbered, table_path
from stratifn.shared import columns
from stratifn.shared.package_data import template_folder
from stratifn.shared.tables import write_table

# control characters (but tab and line ends) and bidirectional overrides, embeddings and isolates
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
STYLES = ("frame.css", "answer.css", "figures.css", "tables.css", "people.css", "print.css")
SCRIPTS = ("report.js", "copy.js")
# the library of sorted and filtered tables, for pages that list people
TABLE_SCRIPTS = ("vendor/dataTables.min.js", "vendor/dataTables.buttons.min.js", "tables.js")
PROFILE_SCRIPTS = ("profile.js",)


def render(page: Page, drawn: Drawings, figures: Path) -> str:
    """Render a page.

    Parameters
    ----------
    page
        What it holds.
    drawn
        From `draw_figures` or `draw_new_patients`: the figures that the page can show.
    figures
        Their folder; the SVGs are put into the page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = template_folder()
    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, finalize=_visible
    )
    scripts = [(templates / name).read_text(encoding="utf-8") for name in _scripts(page)]
    style = "".join((templates / name).read_text(encoding="utf-8") for name in STYLES)
    return environment.get_template("page.html.j2").render(
        page=page,
        people=_data(page.people),
        sections=numbered(page.sections, drawn, figures, page.name),
        scripts=scripts,
        style=style,
        script_digests=[_policy_digest(script) for script in scripts],
        style_digest=_policy_digest(style),
        version=__version__,
    )


def _scripts(page: Page) -> tuple[str, ...]:
    """Choose the scripts that a page has a use for."""
    lists_people = any(isinstance(item, Table) and item.people for part in page.sections for item in part.content)
    has_profiles = page.people is not None and "profile" in page.people
    return (
        *(SCRIPTS if page.people is not None else ()),
        *(TABLE_SCRIPTS if lists_people else ()),
        *(PROFILE_SCRIPTS if has_profiles else ()),
    )


def write_tables(pages: Iterable[Page], folder: Path) -> None:
    """Write every table of some pages as it is shown."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for table in (item for section in page.sections for item in section.content if isinstance(item, Table)):
            path = folder / table_path(table, page.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            words = {str(name): columns.Column("text") for name in table.frame.columns}
            write_table(table.frame.astype(str), path, columns.Table(str(path), words))


def _visible(value: object) -> object:
    """Replace characters of a text that are not seen but change what is: of control, and of the direction of writing."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _data(people: Mapping[str, Any] | None) -> str:
    """Write what the scripts know of people so that no part of it can end the block of data that it is put into."""
    if people is None:
        return ""
    text = json.dumps(_all_visible(people), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _all_visible(value: Any) -> Any:
    """Do for every text of some data what is done for the texts of templates."""
    if isinstance(value, Mapping):
        return {_visible(name): _all_visible(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_all_visible(each) for each in value]
    return _visible(value)


def _policy_digest(text: str) -> str:
    """Digest by which the page's Content-Security-Policy knows its own script and style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
