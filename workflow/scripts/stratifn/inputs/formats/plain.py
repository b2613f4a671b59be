"""A plain matrix: a header, a column of ids, perhaps `gene_name`, numbers."""

from __future__ import annotations

from stratifn.inputs.delimited import Preview, header_of
from stratifn.inputs.formats.layout import Format, Layout

GENE_NAME = "gene_name"


def plain_layout(preview: Preview) -> Layout:
    """Take the first column as ids, and a second one called `gene_name` as symbols."""
    header, corrections = header_of(preview)
    annotated = len(header) > 1 and header[1] == GENE_NAME
    first = preview.body[0].line
    return Layout(header, first, gene_names=1 if annotated else None, corrections=corrections)


PLAIN = Format(
    "plain",
    "a plain matrix",
    "any other table",
    "first column: ids; a second column `gene_name`: symbols; the others: numbers",
    lambda preview: True,
    plain_layout,
)
