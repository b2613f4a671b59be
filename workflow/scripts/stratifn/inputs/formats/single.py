"""Files that a program of the field writes and that are no matrix: of one sample, or of several tables. They are refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stratifn.inputs.delimited import Preview
from stratifn.inputs.formats.counts import NO_GENES
from stratifn.shared.errors import InputError, Problem

_JOIN = (
    "Join the samples' files into one table: gene ids in the first column, then a column per sample, with its id above."
)
_TXIMPORT = "Sum transcripts to genes with tximport in R (`txi$counts`), and write one table of all samples."
# the first genes of annotations, in the order of the genome and of the alphabet: no header has such a name
_FIRST_GENES = re.compile(r"ENS[A-Z]*[GT]\d{11}(\.\d+)?|A1BG(-AS1)?|A1CF|DDX11L1|WASH7P|5S_rRNA|5_8S_rRNA|7SK|__\w+")
_COUNT = re.compile(r"\d+")


@dataclass(frozen=True)
class OneSample:
    """A file that holds one sample, or none.

    Attributes
    ----------
    title
        The program and the file.
    recognises
        Whether a file is one of these, by its first rows.
    fix
        How to make a matrix of several.
    """

    title: str
    recognises: Callable[[Preview], bool]
    fix: str


def _has(*columns: str) -> Callable[[Preview], bool]:
    return lambda preview: set(columns) <= {cell.strip() for cell in preview.header.cells}


def _star(preview: Preview) -> bool:
    first = preview.header.cells
    return len(first) == 4 and first[0].strip() == NO_GENES["STAR"][0]


def _htseq(preview: Preview) -> bool:
    """Tell whether the rows are ids and counts, and the first one is no header."""
    first, rows = preview.header.cells, [preview.header, *preview.body]
    return (
        _FIRST_GENES.fullmatch(first[0].strip()) is not None
        and all(len(row.cells) == 2 for row in rows)
        and all(_COUNT.fullmatch(row.cells[1].strip()) for row in rows)
    )


def _summary(preview: Preview) -> bool:
    return preview.header.cells[0].strip() == "Status" and any(row.cells[0] == "Assigned" for row in preview.body)


_STAR_FIX = "Of every sample take the column of your strandedness (2: unstranded, 3: forward, 4: reverse). "
ONE_SAMPLE = (
    OneSample("STAR's ReadsPerGene.out.tab of one sample", _star, _STAR_FIX + _JOIN),
    OneSample("HTSeq's counts of one sample, without a header", _htseq, _JOIN),
    OneSample(
        "RSEM's results of one sample",
        _has("length", "effective_length", "expected_count", "TPM"),
        "Join the samples: `rsem-generate-data-matrix S1.genes.results S2.genes.results > counts.tsv`.",
    ),
    OneSample("Salmon's quant.sf of one sample", _has("Name", "EffectiveLength", "TPM", "NumReads"), _TXIMPORT),
    OneSample("kallisto's abundances of one sample", _has("target_id", "est_counts", "tpm"), _TXIMPORT),
    OneSample(
        "StringTie's abundances of one sample",
        _has("Gene ID", "Coverage", "FPKM", "TPM"),
        "Make raw counts of all samples with StringTie's prepDE.py.",
    ),
    OneSample(
        "the summary of featureCounts, which counts reads and not genes",
        _summary,
        "Give the table of counts itself, whose name is the same without `.summary`.",
    ),
)


def refuse_one_sample(preview: Preview) -> None:
    """Refuse a file of one sample.

    Raises
    ------
    InputError
        With the name of the program and how to make a matrix.
    """
    for each in ONE_SAMPLE:
        if each.recognises(preview):
            expected = "a matrix with a column per sample"
            raise InputError(Problem(preview.path, "the file", each.title, expected, each.fix, code="IN-241"))


def refuse_blocks(preview: Preview) -> None:
    """Refuse the report of xPONENT, Luminex's program: tables of medians, counts, concentrations one below the other.

    Raises
    ------
    InputError
        With the block that is a matrix of concentrations.
    """
    first = [cell.strip() for cell in preview.header.cells[:2]]
    if first == ["Program", "xPONENT"]:
        found = "a report of Luminex's xPONENT, which has several tables one below the other"
        fix = (
            "Save the table below `DataType: Avg Result` (concentrations; else the one below `Result`) as a file of its own, with "
            "its header, and without the rows of standards, backgrounds and controls. Median and Net MFI are no concentrations."
        )
        raise InputError(Problem(preview.path, "the file", found, "one table", fix, code="IN-246"))
