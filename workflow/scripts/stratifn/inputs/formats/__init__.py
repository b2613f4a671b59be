"""Formats of delimited matrices, one record each; the first that recognises a file reads it."""

from __future__ import annotations

from stratifn.inputs.delimited import Preview
from stratifn.inputs.formats.arrays import ARRAY_FORMATS
from stratifn.inputs.formats.cells import CELL_FORMATS
from stratifn.inputs.formats.counts import COUNT_FORMATS
from stratifn.inputs.formats.layout import Format, Layout, LongTable
from stratifn.inputs.formats.olink import OLINK
from stratifn.inputs.formats.plain import GENE_NAME, PLAIN
from stratifn.inputs.formats.single import refuse_blocks, refuse_one_sample
from stratifn.shared.errors import InputError, Problem, listed

__all__ = ["FORMATS", "GENE_NAME", "OLINK", "PLAIN", "Format", "Layout", "LongTable", "format_of"]

# in this order they are asked; PLAIN takes whatever no other one knows
FORMATS: tuple[Format, ...] = (*ARRAY_FORMATS, *CELL_FORMATS, OLINK, *COUNT_FORMATS, PLAIN)


def format_of(preview: Preview, name: str | None) -> Format:
    """Return the format that the config names, or the first one that recognises a file.

    Raises
    ------
    InputError
        A file of one sample, of several tables, or of another format than the one that is named.
    """
    refuse_one_sample(preview)
    refuse_blocks(preview)
    recognised = next(each for each in FORMATS if each.recognises(preview))
    if name is None:
        return recognised
    named = next(each for each in FORMATS if each.name == name)
    if named.can_read(preview):
        return named
    found = f"a table that begins with {listed((cell.strip() or '(empty)' for cell in preview.header.cells), 5)}"
    other = f"set `format: {recognised.name}` or remove `format`" if recognised is not PLAIN else "remove `format`"
    fix = f"Give the file as the program wrote it, or {other} of this view."
    raise InputError(Problem(preview.path, "the file", found, f"{named.title}: {named.signs}", fix, code="IN-240"))
