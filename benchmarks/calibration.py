"""Every error rate and coverage that was measured, as one table: situation, nominal, what comes out, sets.

Each page in ``results`` is made by a benchmark of its own, which takes minutes to hours; this one gathers them, without a
number of its own::

    python benchmarks/calibration.py                   # prints the table and writes results/calibration.md
    python benchmarks/calibration.py docs/methods.md   # and the summary in that page (`make docs`)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from measuring import PART, RESULTS, markdown, run_line, write_part

from stratifn.shared.files import write_text

PAGE = RESULTS / "calibration.md"
INTRODUCTION = "# Calibration\n\nEvery measured error rate and coverage, gathered from the pages named. ± is the Monte Carlo error."
COLUMNS = ["what", "situation", "measure", "nominal", "measured", "sets", "page"]
BEGIN, END = "<!-- calibration: made by `make docs` -->", "<!-- end of calibration -->"
_MEASURED = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Measure:
    """A column of a page: what it is, and what it should be (`nominal`, or the column `nominal_column`)."""

    column: str
    words: str
    nominal: str = ""
    nominal_column: str = ""


@dataclass(frozen=True)
class Source:
    """A part of a page: the columns that name its situations, its measures, and which of its situations they are of."""

    what: str
    page: str
    part: str
    situation: Sequence[str]
    measures: Sequence[Measure]
    only: str = ""


WRONG = Measure("wrong type", "wrong type", nominal_column="nominal")
SOURCES = (
    Source(
        "interferon classes",
        "calibration_interferon",
        "Controls and prevalence",
        ["controls"],
        [
            Measure("healthy high", "healthy people called high", nominal_column="healthy above the true cut-off"),
            Measure("healthy borderline", "healthy people called borderline", "at most 12 %"),
            Measure("patients at +2 high", "patients at +2 log2 called high", "as many as possible"),
            Measure("prevalence covered", "intervals of the prevalence that cover", "95 %"),
        ],
    ),
    Source("types of the response", "calibration_types", "Types", ["situation"], [WRONG]),
    Source(
        "shallow libraries, healthy people",
        "calibration_types",
        "Shallow libraries",
        ["situation"],
        [Measure("high", "called high", "at most 2.3 %")],
        only="healthy",
    ),
    Source(
        "shallow libraries, people with a raised score",
        "calibration_types",
        "Shallow libraries",
        ["situation"],
        [Measure("low", "called low", "0 %")],
        only="raised",
    ),
    Source(
        "strata of data without structure",
        "calibration_strata",
        "Data without structure",
        ["situation"],
        [Measure("measured", "sets divided", nominal_column="nominal")],
    ),
    Source(
        "confidence of strata",
        "calibration_strata",
        "Confidence, given the number of strata",
        ["situation"],
        [Measure("measured", "error of the confidence", nominal_column="nominal")],
    ),
    Source(
        "confidence of people without the view that decides",
        "calibration_strata",
        "People without the view that decides",
        ["situation"],
        [Measure("measured", "mean confidence", nominal_column="nominal")],
        only="two strata in proteins, 30 % without, MOFA: confidence of those",
    ),
    Source(
        "planted strata",
        "calibration_strata",
        "Planted strata",
        ["situation"],
        [Measure("measured", "sets with the right number", nominal_column="nominal")],
        only="all of these",
    ),
    Source(
        "a stratum of 10 % among 400 people",
        "calibration_strata",
        "Small strata",
        ["situation"],
        [Measure("measured", "sets in which it is found", nominal_column="nominal")],
    ),
    Source(
        "one bimodal factor",
        "calibration_strata",
        "A bimodal factor",
        ["situation"],
        [Measure("measured", "sets with two strata", nominal_column="nominal")],
    ),
    Source(
        "out of reference",
        "calibration_transfer",
        "Out of reference",
        ["situation"],
        [Measure("measured", "people out of reference", nominal_column="nominal")],
    ),
    Source(
        "classes across diseases",
        "cross_disease",
        "Wrong classes",
        ["design", "class"],
        [Measure("wrong", "calls that are wrong", "5 %")],
    ),
    Source(
        "genes that do not differ",
        "rank_sum",
        "Genes that do not differ",
        ["counts", "samples a group"],
        [
            Measure("negative binomial, genes called", "genes called of 500, negative binomial model", "0"),
            Measure("rank-sum, genes called", "genes called of 500, rank-sum test", "0"),
        ],
    ),
)


def part_of(page: str, title: str) -> str:
    """Return the text of a part of a page.

    Raises
    ------
    LookupError
        A page without that part.
    """
    text = (RESULTS / f"{page}.md").read_text(encoding="utf-8")
    for part in text.split(PART)[1:]:
        if part.splitlines()[0] == title:
            return part
    raise LookupError(f"{page}.md has no part {title}")


def table_in(part: str) -> pd.DataFrame:
    """Read the first table of a part."""
    lines = part[part.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return pd.DataFrame(rows[2:], columns=rows[0])


def situations_of(source: Source) -> pd.DataFrame:
    """Return the rows of a part that a source is of."""
    table = table_in(part_of(source.page, source.part))
    return table[table[source.situation[0]].str.startswith(source.only)]


def rows_of(source: Source) -> Iterator[dict[str, str]]:
    """Yield the rows of a part, a row per situation and measure."""
    part = part_of(source.page, source.part)
    table = situations_of(source)
    stated = re.search(r"(\d+) sets", part)
    for _, row in table.iterrows():
        for measure in source.measures:
            yield {
                "what": source.what,
                "situation": ", ".join(row[column] for column in source.situation),
                "measure": measure.words,
                "nominal": measure.nominal or row[measure.nominal_column],
                "measured": row[measure.column],
                "sets": row["sets"] if "sets" in table else stated.group(1) if stated else "",
                "page": f"[{source.page}.md]({source.page}.md)",
            }


def gathered() -> pd.DataFrame:
    """Return every row of every page."""
    return pd.DataFrame([row for source in SOURCES for row in rows_of(source)], columns=COLUMNS)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per measure and nominal value: the smallest and the largest of what came out."""
    rows = []
    for (what, measure, nominal), group in table.groupby(["what", "measure", "nominal"], sort=False):
        values = group["measured"].map(lambda cell: float(_MEASURED.search(cell).group()))
        lowest, highest = group["measured"][values.idxmin()], group["measured"][values.idxmax()]
        rows.append(
            {
                "what": what,
                "measure": measure,
                "nominal": nominal,
                "situations": str(len(group)),
                "lowest": lowest,
                "highest": f"{highest} ({group['situation'][values.idxmax()]})",
            }
        )
    return pd.DataFrame(rows)


def include(page: Path, text: str) -> None:
    """Replace what stands between the two marks of a page."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", page)


def main(pages: Sequence[str]) -> None:
    """Write the table, and its summary into pages of the docs."""
    table = gathered()
    if not pages:
        print(table.drop(columns="page").to_string(index=False))
        write_part(PAGE, INTRODUCTION, "All situations", f"{markdown(table)}\n\n{run_line()}")
    for page in pages:
        include(Path(page), markdown(summary(table)))


if __name__ == "__main__":
    main(sys.argv[1:])
