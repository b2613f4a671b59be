"""Tables of counts per gene: featureCounts, HTSeq, STAR, RSEM, and Salmon as nf-core/rnaseq writes it."""

from __future__ import annotations

from dataclasses import replace

from stratifn.inputs.delimited import Preview, header_of
from stratifn.inputs.formats.layout import Format, Layout
from stratifn.inputs.formats.plain import GENE_NAME, plain_layout
from stratifn.inputs.formats.sample_names import from_paths
from stratifn.shared.vocabulary import COUNTS

ANNOTATION = ("Geneid", "Chr", "Start", "End", "Strand", "Length")
# further columns of `--extraAttributes`
_EXTRA = (
    "gene_id",
    "gene_biotype",
    "gene_type",
    "gene_source",
    "gene_version",
    "transcript_id",
    "db_xref",
    "description",
)
# rows of HTSeq and STAR that count reads of no gene
NO_GENES = {
    "HTSeq": ("__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned", "__alignment_not_unique"),
    "STAR": ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"),
}
_TRANSCRIPTS = "transcript_id(s)"
_RSEM_ENDING = ".genes.results"


def _header(preview: Preview) -> list[str]:
    return [cell.strip() for cell in preview.header.cells]


def _feature_counts(preview: Preview) -> Layout:
    header, corrections = header_of(preview)
    symbols = header.index(GENE_NAME) if GENE_NAME in header else None
    left_out = [n for n, name in enumerate(header) if n and (name in ANNOTATION or name in _EXTRA) and n != symbols]
    layout = Layout(header, preview.body[0].line, gene_names=symbols, left_out=frozenset(left_out))
    return _renamed(layout, corrections)


def _renamed(layout: Layout, corrections: list) -> Layout:
    """Give the samples short names in place of those of files."""
    short, note = from_paths([layout.header[number] for number in layout.numbers])
    header = list(layout.header)
    for number, name in zip(layout.numbers, short, strict=True):
        header[number] = name
    return replace(layout, header=header, corrections=[*corrections, *note])


def _rsem_matrix(preview: Preview) -> Layout:
    header, corrections = header_of(preview)
    return _renamed(Layout(header, preview.body[0].line), corrections)


def _rsem_merged(preview: Preview) -> Layout:
    header, corrections = header_of(preview)
    return Layout(header, preview.body[0].line, left_out=frozenset([1]), corrections=corrections)


def _is_rsem_matrix(preview: Preview) -> bool:
    first, *others = _header(preview)
    # R leaves out the name of the first column, or leaves it empty
    samples = [first, *others] if first.endswith(_RSEM_ENDING) else others
    return bool(samples) and all(name.endswith(_RSEM_ENDING) for name in samples)


def _is_rsem_merged(preview: Preview) -> bool:
    return _header(preview)[:2] == ["gene_id", _TRANSCRIPTS] and "expected_count" not in _header(preview)


def _has_rows_of_no_gene(preview: Preview) -> bool:
    names = {name for rows in NO_GENES.values() for name in rows}
    return any(row.cells[0].strip() in names for row in preview.body)


def _merged_counts(preview: Preview) -> Layout:
    layout = plain_layout(preview)
    return _renamed(layout, layout.corrections)


FEATURE_COUNTS = Format(
    "featurecounts",
    "featureCounts",
    f"a header that begins with {', '.join(ANNOTATION)}",
    "the annotation is left out, a column `gene_name` is read as symbols; samples are named after their BAM files, "
    "without the folder and endings such as `.sorted.bam`, if the names stay different",
    lambda preview: tuple(_header(preview)[: len(ANNOTATION)]) == ANNOTATION,
    _feature_counts,
    kinds=(COUNTS,),
)
HTSEQ_STAR = Format(
    "htseq_star",
    "HTSeq or STAR, the counts of several samples in one table",
    f"rows such as `{NO_GENES['HTSeq'][0]}` or `{NO_GENES['STAR'][0]}`",
    "these rows are left out, wherever they are (of a plain matrix too)",
    _has_rows_of_no_gene,
    _merged_counts,
    kinds=(COUNTS,),
    # the rows may be at the end of a file of which only the beginning was looked at
    fits=lambda preview: True,
)
RSEM_MATRIX = Format(
    "rsem",
    "RSEM, rsem-generate-data-matrix",
    f"columns that end in `{_RSEM_ENDING}`",
    f"samples are named without `{_RSEM_ENDING}`; expected counts are fractions: set `round: true`",
    _is_rsem_matrix,
    _rsem_matrix,
    kinds=(COUNTS,),
)
RSEM_MERGED = Format(
    "rsem_merged",
    "RSEM, merged expected counts of nf-core/rnaseq",
    f"a header that begins with gene_id, {_TRANSCRIPTS}",
    f"`{_TRANSCRIPTS}` is left out; expected counts are fractions: set `round: true`",
    _is_rsem_merged,
    _rsem_merged,
)
SALMON = Format(
    "salmon",
    "genes with symbols, as nf-core/rnaseq writes Salmon's tables",
    f"a header that begins with gene_id, {GENE_NAME}",
    f"`{GENE_NAME}` is read as symbols; estimated counts are fractions: set `round: true`",
    lambda preview: _header(preview)[:2] == ["gene_id", GENE_NAME],
    plain_layout,
)
COUNT_FORMATS = (FEATURE_COUNTS, RSEM_MATRIX, RSEM_MERGED, SALMON, HTSEQ_STAR)
