"""Formats of delimited matrices, one record each; the first that recognises a file reads it."""

from __future__ import annotations

from stratifn.inputs.delimited import Preview
from stratifn.inputs.formats.layout import Format, Layout
from stratifn.inputs.formats.plain import GENE_NAME, PLAIN

__all__ = ["FORMATS", "GENE_NAME", "Format", "Layout", "format_of"]

# in this order they are asked; PLAIN takes whatever no other one knows
FORMATS: tuple[Format, ...] = (PLAIN,)


def format_of(preview: Preview, name: str | None) -> Format:
    """Return the format that the config names, or the first one that recognises a file."""
    if name is not None:
        return next(each for each in FORMATS if each.name == name)
    return next(each for each in FORMATS if each.recognises(preview))
