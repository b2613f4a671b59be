"""The first screen of a page: a row for each group, and at most three statements with their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from stratifn.report.content import Statement
from stratifn.report.results import SIZE_OF_SOURCE, Results
from stratifn.report.sections.statements import share_standing, shares_of, statements
from stratifn.report.small_cells import HIDDEN, Share
from stratifn.shared.claims import EVERYBODY, UNSUPPORTED
from stratifn.shared.vocabulary import CLASSES

# a published range begins so: 53 to 81 %
_RANGE = re.compile(r"\d+(\.\d+)? to ")


@dataclass(frozen=True)
class StratumCell:
    """How many people of a group are in a stratum, in words, and their share as far as it is shown."""

    words: str
    share: float


@dataclass(frozen=True)
class Row:
    """One group of the answer.

    Attributes
    ----------
    group, page
        Its label, and the address of its own page; empty where there is none.
    colour
        Of the group.
    control
        Whether these are the controls.
    samples, scored
        How many samples there are, and how many have a score.
    classes
        How many are in each of `CLASSES`; empty where nobody has a class.
    share
        Above the cut-off.
    published, source
        The published share (a fraction; None where only a range was published), and the source; None and empty where
        none is comparable.
    strata
        In the order of the answer's strata.
    verdict
        On the share; empty for the controls.
    """

    group: str
    page: str
    colour: str
    control: bool
    samples: str
    scored: str
    classes: tuple[str, ...]
    share: Share
    published: float | None
    source: str
    strata: tuple[StratumCell, ...]
    verdict: str


@dataclass(frozen=True)
class Answer:
    """What the first screen says.

    Attributes
    ----------
    rows
        Diseases in their order, then the controls.
    classes
        Names of the classes; empty where nobody has one.
    strata
        Name to colour of each stratum; empty where no division is supported.
    statements
        At most three.
    notes
        What the numbers of the rows need beside them.
    sentences
        The answer where it is sentences alone: of new patients.
    """

    rows: tuple[Row, ...] = ()
    classes: tuple[str, ...] = ()
    strata: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    notes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


def answer(results: Results) -> Answer:
    """Answer the pipeline's question for a page."""
    rows = tuple(_row(results, group) for group in results.groups)
    return Answer(
        rows=rows,
        classes=CLASSES if results.has_classes else (),
        strata={name: results.stratum_colours[name] for name in results.heads.shown_strata.values()}
        if _divided(results)
        else {},
        statements=statements(results),
        notes=tuple(_notes(results, rows)),
    )


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(results: Results, group: str) -> Row:
    heads, control = results.heads, group == results.control
    found = shares_of(results).get(group)
    of_page = results.disease is None and not control and len(results.diseases) > 1
    return Row(
        group=group,
        page=f"{group}.html" if of_page else "",
        colour=results.colours[group],
        control=control,
        samples=heads.total(group),
        scored="" if found is None else heads.with_value(group, int(found["n"])),
        classes=tuple(heads.by_class.words.loc[group, list(CLASSES)]) if results.has_classes else (),
        share=Share("") if found is None else heads.share(found),
        published=None if found is None or pd.isna(found["published"]) else float(str(found["published"])),
        source=_source(found),
        strata=tuple(_in_strata(results, group)) if _divided(results) else (),
        verdict="" if control or found is None else share_standing(results, group)[0],
    )


def _source(found: Mapping[str, object] | None) -> str:
    """Return where a published share, or a published range, comes from; empty where none is comparable."""
    if found is None or found["published_source"] is None or found["published_source"] != found["published_source"]:
        return ""
    source = str(found["published_source"])
    return source if pd.notna(found["published"]) or _RANGE.match(source) else ""


def _divided(results: Results) -> bool:
    """Whether strata are shown: a division that is not supported is not."""
    return not results.one_stratum and results.standing("strata", EVERYBODY).verdict != UNSUPPORTED


def _in_strata(results: Results, group: str) -> Iterable[StratumCell]:
    divided = results.heads.by_stratum
    size = max(int(divided.counts.loc[group].sum()), 1)
    for key in results.heads.shown_strata:
        yield StratumCell(divided.words.loc[group, key], divided.least.loc[group, key] / size)


def _notes(results: Results, rows: Iterable[Row]) -> Iterable[str]:
    rows = list(rows)
    if any(row.classes for row in rows):
        yield "Borderline: the cut-off is too uncertain to call the sample high or low."
    sources: dict[str, list[str]] = {}
    for row in rows:
        if row.source:
            size = SIZE_OF_SOURCE.search(row.source)
            words = row.group if size is None else f"{row.group} ({size[1]})"
            sources.setdefault(SIZE_OF_SOURCE.sub("", row.source), []).append(words)
    for source, groups in sources.items():
        what = "Published range" if _RANGE.match(source) else "Diamond: published share"
        yield f"{what} for {', '.join(groups)}: {source}."
    shown = [word for row in rows for word in (row.scored, *row.classes, *(cell.words for cell in row.strata))]
    if any(word == HIDDEN or word.startswith(("<", ">")) for word in shown):
        yield (
            f"Counts below {results.min_cell} are not shown (<{results.min_cell}), nor what they would follow from "
            "(hidden, about, and > for at least one more)."
        )
