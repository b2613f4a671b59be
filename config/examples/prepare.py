"""Put public data where the examples of this folder look for them.

``python prepare.py`` lists what each example needs and where it comes from. Nothing is downloaded: download the files with
a browser, then for example

    python prepare.py ssc-blood --sheet GSE179153_series_matrix.txt.gz --matrix rna=values.tsv.gz --to mine

writes the sample sheet, the matrices and the configuration into the folder `mine`, for `make check CONFIG=mine/ssc-blood.yaml`.
A sheet may be a GEO series matrix (its lines `!Sample_...` become columns) or a table; a matrix is any file that stratifn reads, and
is copied as it is. The project tested the examples with tables that had been made before, not with the files as GEO offers them: where
a line below says "not tried", look at the first lines of what you downloaded, and at what `make check` says.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHEET = "samples"


@dataclass(frozen=True)
class Example:
    """Public data of an example.

    Attributes
    ----------
    source
        Accession or package, and what it is.
    steps
        What to download, and what to make of it.
    files
        ``samples`` and every view to the name that the configuration gives the file.
    columns
        What the sheet must have.
    """

    source: str
    steps: tuple[str, ...]
    files: dict[str, str]
    columns: tuple[str, ...]


EXAMPLES = {
    "pss-salivary-gland": Example(
        "GSE159574: salivary glands, 12 primary Sjogren syndrome, 11 sicca controls (RNA-seq)",
        (
            "rna: the table of raw counts among the supplementary files; gene symbols in rows (not tried in this form)",
            "samples: a table with `sample` as the counts call it and `condition` (pSS or nonSS); the series matrix has "
            "them under GEO's own names (not tried)",
        ),
        {SHEET: "samples.tsv", "rna": "counts.tsv.gz"},
        ("sample", "condition"),
    ),
    "ifn-stimulated-airway": Example(
        "GSE161664: airway epithelium under interferon alpha, beta, gamma or lambda (RNA-seq)",
        (
            "rna: the supplementary files hold one table per sample: join them into one with a column per sample (not tried)",
            "samples: a table with `sample` as the joined table calls it and `stimulus` (Control, IFNa, IFNb, IFNg, IFNl3)",
        ),
        {SHEET: "samples.tsv", "rna": "counts.tsv.gz"},
        ("sample", "stimulus"),
    ),
    "ssc-blood": Example(
        "GSE179153: blood cells, 49 systemic sclerosis, 25 controls (Illumina HT-12)",
        (
            "samples: the series matrix file (its sheet is made by this script)",
            "rna: log2 intensities with gene symbols in rows and GSM ids in columns; the series matrix may have probes instead, which "
            "need a second column `gene_name` from the array's annotation (not tried)",
        ),
        {SHEET: "samples.tsv", "rna": "expr_log2_symbol.tsv.gz"},
        ("gsm", "condition", "gender", "age"),
    ),
    "breast-tcga": Example(
        "breast.TCGA of the R package mixOmics: 150 breast cancers, three views",
        (
            "in R: library(mixOmics); data(breast.TCGA); d <- breast.TCGA$data.train",
            "for each of mrna, mirna, protein: write.table(d$mrna, 'mrna.tsv', sep = '\\t', quote = FALSE, col.names = NA)",
            "write.table(data.frame(sample = rownames(d$mrna), subtype = d$subtype), 'subtype.tsv', sep = '\\t', quote = FALSE, "
            "row.names = FALSE)",
        ),
        {
            SHEET: "train_subtype.tsv",
            "rna": "train_mrna.tsv.gz",
            "mirna": "train_mirna.tsv.gz",
            "protein": "train_protein.tsv.gz",
        },
        ("sample", "subtype"),
    ),
}


def overview() -> str:
    """Say what each example needs."""
    lines = []
    for name, example in EXAMPLES.items():
        lines += [f"{name}: {example.source}", *(f"  - {step}" for step in example.steps)]
        views = " ".join(f"--matrix {view}=FILE" for view in example.files if view != SHEET)
        lines.append(f"  python prepare.py {name} --sheet FILE {views} --to FOLDER")
    return "\n".join(lines)


def opened(path: Path) -> Iterator[str]:
    """Yield the lines of a text, compressed by gzip or not."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as text:
        yield from text


def series_sheet(path: Path) -> list[list[str]]:
    """Make a sheet of the lines `!Sample_...` of a GEO series matrix: GSM ids, titles, and a column per characteristic.

    A characteristic is written ``name: value``; one of another name than the others in its line gets a column of its own.
    """
    samples: list[dict[str, str]] = []
    for line in opened(path):
        if line.lower().startswith("!series_matrix_table_begin"):
            break
        key, *cells = next(csv.reader([line.rstrip("\r\n")], delimiter="\t"), [""])
        if not key.startswith("!Sample_"):
            continue
        samples += [{} for _ in range(len(cells) - len(samples))]
        for sample, cell in zip(samples, cells, strict=False):
            name, value = {"!Sample_geo_accession": "gsm", "!Sample_title": "title"}.get(key, ""), cell
            if key.startswith("!Sample_characteristics_ch1"):
                name, _, value = (part.strip() for part in cell.partition(":"))
            if name:
                sample[name] = value
    if not samples or any("gsm" not in sample for sample in samples):
        raise SystemExit(f"{path}: no line `!Sample_geo_accession`: this is no whole series matrix. Download it again.")
    columns = list(dict.fromkeys(name for sample in samples for name in sample))
    return [columns, *([sample.get(name, "") for name in columns] for sample in samples)]


def write_sheet(given: Path, path: Path, columns: tuple[str, ...]) -> None:
    """Write a sheet from a series matrix or a table, and see that it has its columns."""
    if next(opened(given), "").startswith("!"):
        rows = series_sheet(given)
        path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        header = rows[0]
    else:
        text = "".join(opened(given))
        path.write_text(text, encoding="utf-8")
        header = re.split(r"[\t,;]", text.split("\n", 1)[0].strip())
    missing = [name for name in columns if name not in header]
    if missing:
        print(
            f"{path.name} has no column {' or '.join(missing)}, but {', '.join(header)}: rename one, or change `columns` in "
            "the configuration.",
            file=sys.stderr,
        )


def main(arguments: list[str]) -> None:
    """Prepare an example, or list all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", nargs="?", choices=sorted(EXAMPLES))
    parser.add_argument("--sheet", type=Path, help="a GEO series matrix, or a table")
    parser.add_argument("--matrix", action="append", default=[], metavar="VIEW=FILE")
    parser.add_argument("--to", type=Path, default=Path(), help="folder that is made where it is not there")
    given = parser.parse_args(arguments)
    if given.example is None:
        print(overview())
        return
    example = EXAMPLES[given.example]
    matrices = {view: Path(path) for view, _, path in (each.partition("=") for each in given.matrix)}
    views = {view for view in example.files if view != SHEET}
    if given.sheet is None or set(matrices) != views:
        parser.error(f"{given.example} needs --sheet and --matrix of {', '.join(sorted(views))}")
    absent = [str(path) for path in (given.sheet, *matrices.values()) if not path.is_file()]
    if absent:
        parser.error(f"there is no file {', '.join(absent)}")
    given.to.mkdir(parents=True, exist_ok=True)
    write_sheet(given.sheet, given.to / example.files[SHEET], example.columns)
    for view, path in matrices.items():
        # what a file is, stratifn tells by its content: the name may have another ending
        shutil.copyfile(path, given.to / example.files[view])
    shutil.copyfile(HERE / f"{given.example}.yaml", given.to / f"{given.example}.yaml")
    print(f"Now: make check CONFIG={given.to / given.example}.yaml")


if __name__ == "__main__":
    main(sys.argv[1:])
