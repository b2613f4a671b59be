"""Tables of microarrays and of public archives: GEO's series matrix, GCT, GenomeStudio."""

from __future__ import annotations

import re

from stratifn.inputs.delimited import Preview
from stratifn.inputs.formats.layout import Format, Layout
from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.vocabulary import BETA

TABLE_BEGIN, TABLE_END = "!series_matrix_table_begin", "!series_matrix_table_end"
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]*")
_SYMBOL_COLUMNS = ("pr_gene_symbol", "gene_symbol", "genesymbol", "symbol", "gene_name", "hgnc_symbol")
_BETA, _SIGNAL = ".avg_beta", ".avg_signal"
_DETECTION = re.compile(r"(.*[. _])?detection[ ._]?p[ ._-]?val(ue)?([._]?\d+)?", re.I)
# rows of a section `[Header]` and its title
_LONGEST_HEADER = 50
_ID_COLUMNS = ("targetid", "ilmnid", "probe_id", "probeid", "id_ref", "name")


def _first(preview: Preview, number: int) -> str:
    return preview.rows[number].cells[0].strip() if number < len(preview.rows) else ""


# --- GEO ------------------------------------------------------------------------------------------------------------


def _is_series_matrix(preview: Preview) -> bool:
    return _first(preview, 0).lower().startswith(("!series_", "!sample_"))


def _series_matrix(preview: Preview) -> Layout:
    begin = next((n for n, row in enumerate(preview.rows) if row.cells[0].lower() == TABLE_BEGIN), None)
    if begin is None or begin + 1 >= len(preview.rows):
        found = f"no line `{TABLE_BEGIN}` with a table below it"
        fix = "Download the series matrix again, or cut off the lines that begin with `!`."
        raise InputError(Problem(preview.path, "the file", found, "a GEO series matrix", fix, code="IN-243"))
    header, body = preview.rows[begin + 1], preview.rows[begin + 2 :]
    if not body or body[0].cells[0].lower().startswith(TABLE_END):
        found = "a series matrix without a row of values, as sequencing studies have it"
        fix = "Download the table of counts from the series' supplementary files."
        raise InputError(Problem(preview.path, "the table", found, "rows of values", fix, code="IN-243"))
    return Layout([cell.strip() for cell in header.cells], body[0].line, last_line=TABLE_END)


# --- GCT ------------------------------------------------------------------------------------------------------------


def _is_gct(preview: Preview) -> bool:
    return _first(preview, 0) in ("#1.2", "#1.3")


def _gct(preview: Preview) -> Layout:
    version = _first(preview, 0)
    sizes = [cell.strip() for cell in preview.rows[1].cells if cell.strip()] if len(preview.rows) > 1 else []
    wanted = 2 if version == "#1.2" else 4
    if len(sizes) != wanted or not all(size.isdecimal() for size in sizes) or len(preview.rows) < 4:
        found = f"`{' '.join(sizes)}`"
        raise InputError(
            Problem(preview.path, "line 2", found, f"{wanted} sizes of a GCT file", "Export it again.", code="IN-243")
        )
    rows, samples = int(sizes[0]), int(sizes[1])
    annotation, below = (1, 0) if wanted == 2 else (int(sizes[2]), int(sizes[3]))
    header = [cell.strip() for cell in preview.rows[2].cells]
    while header and not header[-1]:
        header.pop()
    if len(header) != 1 + annotation + samples or len(preview.rows) < 4 + below:
        found = f"{len(header)} columns"
        expected = f"{1 + annotation + samples}, as line 2 says: ids, {annotation} of annotation, {samples} samples"
        fix = "Correct line 2, or export the file again."
        raise InputError(Problem(preview.path, f"line {preview.rows[2].line}", found, expected, fix, code="IN-244"))
    described = range(1, 1 + annotation)
    symbols = next((n for n in described if header[n].lower() in _SYMBOL_COLUMNS), None)
    body = preview.rows[3 + below :]
    if wanted == 2 and _are_symbols([row.cells[1].strip() for row in body if len(row.cells) > 1]):
        symbols = 1
    left_out = frozenset(number for number in described if number != symbols)
    note = f"GCT: {below} rows of annotation of the samples left out: "
    corrections = [("the file", note + listed(row.cells[0] for row in preview.rows[3 : 3 + below]))] if below else []
    return Layout(header, body[0].line, gene_names=symbols, left_out=left_out, rows=rows, corrections=corrections)


def _are_symbols(cells: list[str]) -> bool:
    """Tell whether descriptions are gene symbols: one word each, and not always the same."""
    alike = [cell for cell in cells if _SYMBOL.fullmatch(cell)]
    return bool(cells) and len(alike) > 0.9 * len(cells) and len({cell.lower() for cell in cells} - {"na"}) > 1


# --- GenomeStudio ---------------------------------------------------------------------------------------------------


def _genome_studio_header(preview: Preview) -> int | None:
    """Return the place of the header: the first row with columns such as `S1.AVG_Beta` or detection p values."""
    for number, row in enumerate(preview.rows[:_LONGEST_HEADER]):
        # one search of the whole row: it may have 450,000 cells
        text = "\t".join(row.cells).lower()
        if "avg_" not in text and "detection" not in text:
            continue
        cells = [cell.strip().lower() for cell in row.cells]
        if any(cell.endswith((_BETA, _SIGNAL)) for cell in cells) or any(_DETECTION.fullmatch(cell) for cell in cells):
            return number
    return None


def _genome_studio(preview: Preview) -> Layout:
    at = _genome_studio_header(preview)
    rows = preview.rows[at or 0 :]
    header = [cell.strip() for cell in rows[0].cells]
    while header and not header[-1]:
        header.pop()
    if len(rows) < 2:
        found = "a header and no row below it"
        raise InputError(Problem(preview.path, "the file", found, "a header and rows", "Fill it.", code="IN-005"))
    lower = [cell.lower() for cell in header]
    ids = next((lower.index(name) for name in _ID_COLUMNS if name in lower), 0)
    values = [n for n, name in enumerate(lower) if name.endswith((_BETA, _SIGNAL))]
    if not values:
        # as GEO has it: every column of a sample is followed by its p values
        values = [n - 1 for n, name in enumerate(lower) if _DETECTION.fullmatch(name) and n - 1 != ids and n]
    for number in values:
        for ending in (_BETA, _SIGNAL):
            if lower[number].endswith(ending):
                header[number] = header[number][: -len(ending)]
    symbols = next((n for n, name in enumerate(lower) if name in _SYMBOL_COLUMNS and n not in (ids, *values)), None)
    left_out = frozenset(range(len(header))) - {ids, symbols, *values}
    return Layout(header, rows[1].line, ids=ids, gene_names=symbols, left_out=left_out)


def _is_beta(preview: Preview) -> bool:
    at = _genome_studio_header(preview)
    return at is not None and any(cell.strip().lower().endswith(_BETA) for cell in preview.rows[at].cells)


SERIES_MATRIX = Format(
    "geo_series_matrix",
    "GEO series matrix",
    "lines that begin with `!Series_` or `!Sample_`",
    f"only the table between `{TABLE_BEGIN}` and `{TABLE_END}`; samples are called by their GSM accessions",
    _is_series_matrix,
    _series_matrix,
)
GCT = Format(
    "gct",
    "GCT 1.2 or 1.3",
    "a first line `#1.2` or `#1.3`",
    "rows are counted and compared with line 2; `Description` (1.2) or a column such as `gene_symbol` (1.3) is read as "
    "symbols, other annotation of genes and samples is left out",
    _is_gct,
    _gct,
)
GENOME_STUDIO_BETA = Format(
    "genomestudio_methylation",
    "GenomeStudio, methylation",
    "columns such as `S1.AVG_Beta`",
    "a section `[Header]`, columns of detection p values and all annotation are left out",
    _is_beta,
    _genome_studio,
    kinds=(BETA,),
)
GENOME_STUDIO = Format(
    "genomestudio_expression",
    "GenomeStudio, expression",
    "columns such as `S1.AVG_Signal` or `Detection Pval`",
    "the same; a column `SYMBOL` is read as symbols",
    lambda preview: _genome_studio_header(preview) is not None,
    _genome_studio,
)
ARRAY_FORMATS = (SERIES_MATRIX, GCT, GENOME_STUDIO_BETA, GENOME_STUDIO)
