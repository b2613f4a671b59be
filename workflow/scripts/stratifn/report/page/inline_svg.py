"""Matplotlib's SVG as a part of a page whose Content-Security-Policy allows no style but its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
# of the style element that matplotlib writes for the whole figure
WHOLE = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
PERSON = "data-s"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")

ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


class Inlined(NamedTuple):
    """The element ``svg``, and its width in pixels."""

    svg: str
    width: int


def inline_svg(text: str, prefix: str, words: str, people: Mapping[str, Sequence[str]]) -> Inlined:
    """Prepare a figure for a page.

    Parameters
    ----------
    text
        An SVG file by matplotlib, which is trusted.
    prefix
        What its ids begin with in the page, where those of several figures meet.
    words
        What the figure shows, for those who cannot see it.
    people
        The id of a group to the names of its points, in the order in which they were drawn; they become the attribute
        ``data-s``.

    Returns
    -------
    Inlined
        Its styles are presentation attributes, because a policy with digests allows no others.

    Raises
    ------
    ValueError
        A group does not hold one point for each of its people.
    """
    root = ET.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _style_as_attributes(element)
        if element.get("id") in people:
            _name_points(element, people[str(element.get("id"))])
        _prefix_ids(element, prefix)
    for name in ("width", "height"):
        # points of 1/72 inch to the pixels of a page
        root.set(name, f"{float(root.attrib[name].removesuffix('pt')) * 96 / 72:.0f}")
    root.attrib.pop("version", None)
    root.attrib.update(WHOLE | {"role": "img", "aria-label": words})
    return Inlined(ET.tostring(root, encoding="unicode"), int(root.attrib["width"]))


def _style_as_attributes(element: ET.Element) -> None:
    style = element.attrib.pop("style", "")
    for part in filter(str.strip, style.split(";")):
        name, _, value = part.partition(":")
        element.set(name.strip(), value.strip())


def _prefix_ids(element: ET.Element, prefix: str) -> None:
    if "id" in element.attrib:
        element.set("id", f"{prefix}-{element.attrib['id']}")
    target = element.get(HREF, "")
    if target.startswith("#"):
        element.set(HREF, f"#{prefix}-{target[1:]}")
    for name, value in element.attrib.items():
        if "url(#" in value:
            element.set(name, _REFERENCE.sub(rf"url(#{prefix}-\1)", value))


def _name_points(group: ET.Element, names: Sequence[str]) -> None:
    """Name the marks of a group: matplotlib draws many alike by ``use``, and few as paths of their own."""
    defined = {id(part) for defs in group.iter(f"{{{SVG}}}defs") for part in defs.iter()}
    drawn = [part for part in group.iter() if id(part) not in defined]
    marks = [part for part in drawn if part.tag == f"{{{SVG}}}use"] or [
        part for part in drawn if part.tag == f"{{{SVG}}}path"
    ]
    if len(marks) != len(names):
        raise ValueError(f"group {group.get('id')} has {len(marks)} points for {len(names)} people")
    for mark, name in zip(marks, names, strict=True):
        mark.set(PERSON, name)
