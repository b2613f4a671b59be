"""Olink's NPX, a row per sample and assay: already on a log2 scale."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from stratifn.inputs.delimited import Preview, header_of
from stratifn.inputs.formats.layout import Format, LongColumns, LongTable
from stratifn.inputs.raw_matrix import Correction, RawMatrix
from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.vocabulary import CONTINUOUS

REQUIRED = ("SampleID", "OlinkID", "Assay", "NPX")
# what a column is to the names that Olink's versions give it
TEXTS = {
    "sample": ("SampleID",),
    "assay_id": ("OlinkID",),
    "assay": ("Assay",),
    "sample_type": ("SampleType", "Sample_Type"),
    "assay_type": ("AssayType",),
    "sample_qc": ("SampleQC", "QC_Warning"),
    "assay_qc": ("AssayQC", "Assay_Warning"),
}
NUMBERS = {"npx": ("NPX",), "lod": ("LOD", "PlateLOD", "MaxLOD")}
_FAILED = re.compile(r"fail(ed)?|excluded", re.I)
_PASSED = re.compile(r"pass(ed)?|na|", re.I)


def olink_columns(header: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return where the columns of text and of numbers are, by what they are."""
    place = {name: number for number, name in enumerate(header)}
    texts, numbers = (
        {
            what: next(place[name] for name in names if name in place)
            for what, names in known.items()
            if set(names) & set(place)
        }
        for known in (TEXTS, NUMBERS)
    )
    return texts, numbers


def is_olink(header: Sequence[str]) -> bool:
    """Tell whether these are the columns of a long NPX table."""
    return set(REQUIRED) <= set(header)


def _layout(preview: Preview) -> LongTable:
    header, _ = header_of(preview)
    texts, numbers = olink_columns(header)
    left_out = frozenset(range(len(header))) - {*texts.values(), *numbers.values()}
    return LongTable(header, preview.body[0].line, texts, numbers, npx_matrix, left_out)


def npx_matrix(columns: LongColumns) -> RawMatrix:
    """Make a matrix of assays x samples.

    Controls of the assay and of the plate are left out, values that failed quality control are emptied, an assay of
    several panels keeps a row for each; all of it is said.

    Raises
    ------
    InputError
        A sample is measured twice in an assay.
    """
    kept, notes = _without_controls(columns)
    samples, assays = columns.texts["sample"], columns.texts["assay_id"]
    sample, assay = samples[0][kept], assays[0][kept]
    names, repeated_names = _assay_names(columns, kept)
    _refuse_repeated(columns, kept, sample, assay, names)
    values = columns.numbers["npx"][kept]
    failed, quality = _quality(columns, kept)
    values = np.where(failed, np.nan, values)
    there, sample_place = np.unique(sample, return_inverse=True)
    rows, assay_place = np.unique(assay, return_inverse=True)
    matrix = np.full((len(rows), len(there)), np.nan)
    matrix[assay_place, sample_place] = values
    position = np.full(len(columns.lines), -1)
    position[kept[~failed]] = np.flatnonzero(~failed)
    texts = {
        (int(assay_place[position[row]]), int(sample_place[position[row]])): cell
        for row, cell in columns.odd["npx"].items()
        if position[row] >= 0
    }
    notes += [*repeated_names, *quality, *_below_limit(columns, kept, values)]
    return RawMatrix(
        columns.path,
        matrix,
        [names[int(code)] for code in rows],
        [samples[1][code] for code in there],
        texts=texts,
        corrections=notes,
    )


def _without_controls(columns: LongColumns) -> tuple[np.ndarray, list[Correction]]:
    """Return the rows of patients' samples and of assays that measure a protein."""
    keep, notes = np.ones(len(columns.lines), dtype=bool), []
    for kind, wanted, item, named in (
        ("sample_type", "sample", "samples", "sample"),
        ("assay_type", "assay", "assays", "assay"),
    ):
        if kind in columns.texts:
            codes, words = columns.texts[kind]
            of_kind = np.array([word.lower() in (wanted, "") for word in words])[codes]
            codes, words = columns.texts[named]
            controls = sorted({words[code] for code in np.unique(codes[keep & ~of_kind])})
            if controls:
                notes.append((item, f"Olink: {len(controls)} controls left out: {listed(controls)}"))
            keep &= of_kind
    return np.flatnonzero(keep), notes


def _assay_names(columns: LongColumns, kept: np.ndarray) -> tuple[dict[int, str], list[Correction]]:
    """Call every assay by its protein, and with its id where a protein has several."""
    ids, assays = columns.texts["assay_id"], columns.texts["assay"]
    codes, first = np.unique(ids[0][kept], return_index=True)
    proteins = {int(code): assays[1][assays[0][kept[row]]] for code, row in zip(codes, first, strict=True)}
    counts = Counter(proteins.values())
    repeated = sorted(name for name, count in counts.items() if count > 1)
    names = {code: f"{name}_{ids[1][code]}" if counts[name] > 1 else name for code, name in proteins.items()}
    shown = listed((f"{name} ({counts[name]})" for name in repeated), 20)
    note = f"Olink: assays of several panels kept apart by their OlinkID: {shown}"
    return names, [("assays", note)] if repeated else []


def _refuse_repeated(
    columns: LongColumns, kept: np.ndarray, sample: np.ndarray, assay: np.ndarray, names: dict[int, str]
) -> None:
    pair = sample.astype(np.int64) * (int(assay.max(initial=0)) + 1) + assay
    _, first, counts = np.unique(pair, return_index=True, return_counts=True)
    again = first[counts > 1]
    if len(again):
        words = columns.texts["sample"][1]
        who = listed(sorted({words[code] for code in sample[again]}))
        row = again[0]
        found = f"several values of a sample in an assay: {who} (the first: {names[int(assay[row])]})"
        fix = "Keep one run of every sample (bridging samples are measured on each plate), or rename the others."
        where = f"line {columns.lines[kept[row]]} and others"
        raise InputError(Problem(columns.path, where, found, "one value per sample and assay", fix, code="IN-245"))


def _quality(columns: LongColumns, kept: np.ndarray) -> tuple[np.ndarray, list[Correction]]:
    """Return which values failed quality control; warnings are said and change nothing."""
    failed, warned = np.zeros(len(kept), dtype=bool), np.zeros(len(kept), dtype=bool)
    for kind in ("sample_qc", "assay_qc"):
        if kind in columns.texts:
            codes, words = columns.texts[kind]
            failed |= np.array([bool(_FAILED.fullmatch(word)) for word in words])[codes[kept]]
            warned |= np.array([not (_FAILED.fullmatch(word) or _PASSED.fullmatch(word)) for word in words])[
                codes[kept]
            ]
    notes: list[Correction] = []
    codes, words = columns.texts["sample"]
    for what, rows in (
        ("quality control failed: {} values emptied", failed),
        ("quality warnings: {} values kept", warned),
    ):
        if rows.any():
            who = sorted({words[code] for code in np.unique(codes[kept][rows])})
            notes.append(("values", f"Olink: {what.format(int(rows.sum()))}, in {len(who)} samples: {listed(who)}"))
    return failed, notes


def _below_limit(columns: LongColumns, kept: np.ndarray, values: np.ndarray) -> list[Correction]:
    if "lod" not in columns.numbers:
        return []
    with np.errstate(invalid="ignore"):
        below = values < columns.numbers["lod"][kept]
    if not below.any():
        return []
    codes, words = columns.texts["assay"]
    counts = np.bincount(codes[kept], minlength=len(words))
    mostly = [
        words[n] for n, low in enumerate(np.bincount(codes[kept][below], minlength=len(words))) if 2 * low > counts[n]
    ]
    more = f"; more than half of those of {listed(sorted(mostly))}" if mostly else ""
    return [
        ("values", f"Olink: {int(below.sum())} of {len(values)} values lie below the limit of detection, kept{more}")
    ]


OLINK = Format(
    "olink_npx",
    "Olink NPX, a row per sample and assay",
    f"columns {', '.join(REQUIRED)}",
    "a matrix of assays and samples; controls are left out, values that failed quality control are emptied, values with "
    "a warning or below the limit of detection are kept and counted, assays of several panels are kept apart",
    lambda preview: is_olink([cell.strip() for cell in preview.header.cells]),
    _layout,
    kinds=(CONTINUOUS,),
)
