"""What each page holds besides its figures: heading, answer, sections, methods text, and links."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stratifn.report.content import Section
from stratifn.report.figures.drawing import OVERVIEW
from stratifn.report.new_patients import NewPatients
from stratifn.report.profiles import people_data, people_of_new_patients
from stratifn.report.results import Results
from stratifn.report.sections.answer import Answer, answer
from stratifn.report.sections.new_patients import (
    headline_of_new_patients,
    methods_of_new_patients,
    sections_of_new_patients,
)
from stratifn.report.sections.pages import build_sections
from stratifn.running.manifests import listed_sources

QUESTION = "Which patients have an interferon-driven disease, and what do they share across diagnoses?"
PROVENANCE = (
    ("../provenance/software.tsv", "software, versions and commit"),
    ("../provenance/machine.tsv", "the machine"),
    ("../provenance/config.yaml", "the effective configuration"),
    ("../provenance/inputs.tsv", "the files that were read, with their checksums"),
    ("../provenance/outputs.tsv", "every result, with its checksum"),
    ("../provenance/ro-crate-metadata.json", "all of this as RO-Crate"),
)


@dataclass(frozen=True)
class Link:
    """A relative link; the page's own has no address."""

    words: str
    address: str | None


@dataclass(frozen=True)
class Made:
    """What a page was made by, and of: the day is that of the code, so that the same run gives the same bytes.

    Attributes
    ----------
    commit, date
        Of the code that made the page; None if not known.
    inputs
        Digest of all the user's files, in hexadecimal.
    """

    commit: str | None
    date: str | None
    inputs: str


def made(commit: str | None, date: str | None, sources: Iterable[str | os.PathLike]) -> Made:
    """Say what a page is made by, and of.

    Parameters
    ----------
    commit, date
        Of the code; None if not known.
    sources
        Tables of the user's files; their digests count, not where the files are.
    """
    digests = sorted(digest.sha256 for digest in listed_sources(sources).values())
    return Made(commit, date, hashlib.sha256("\n".join(digests).encode("ascii")).hexdigest())


@dataclass(frozen=True)
class Page:
    """What a page shows besides its figures.

    Attributes
    ----------
    name
        Of its file, without suffix.
    title, question
        Its heading, and the line below it.
    answer
        What the first screen says.
    pages
        Links to the other pages, this one among them.
    sections
        In reading order.
    made
        What the page was made by, and of.
    methods, references
        The methods text in paragraphs, and what it cites.
    methods_at
        Where the methods text is, if not here.
    provenance
        Files that say how the results came about, and what each is.
    people
        What the page's scripts know of each person, see `people_data`; None where no mark stands for one person.
    """

    name: str
    title: str
    question: str
    answer: Answer
    pages: Sequence[Link]
    sections: Sequence[Section]
    made: Made
    methods: Sequence[str] = ()
    references: Sequence[str] = ()
    methods_at: str = ""
    provenance: Sequence[tuple[str, str]] = ()
    people: Mapping[str, Any] | None = None


def pages_of(results: Results, methods: str, by: Made) -> dict[str, Page]:
    """Return the overview and the page of each disease, by name (``index``, or the disease).

    Parameters
    ----------
    results
        What to show.
    methods
        The methods text.
    by
        What the pages are made by, and of.
    """
    names = {OVERVIEW: "Overview"} | {disease: disease for disease in results.with_own_page}
    # without its headings; the last paragraph is the list of references
    *paragraphs, references = (text for text in methods.split("\n\n") if not text.startswith("#"))
    in_full = {"methods": paragraphs, "references": [line.split(". ", 1)[1] for line in references.splitlines()]}
    pages = {}
    for name in names:
        of_page = results if name == OVERVIEW else results.of_disease(name)
        pages[name] = Page(
            name=name,
            title=f"stratifn: cohort {results.cohort}" + ("" if name == OVERVIEW else f", {name}"),
            question=QUESTION,
            answer=answer(of_page),
            pages=[Link(words, None if other == name else f"{other}.html") for other, words in names.items()]
            if results.with_own_page
            else [],
            sections=build_sections(of_page),
            made=by,
            people=people_data(of_page),
            provenance=(("methods.md", "the methods text"), *PROVENANCE),
            **(in_full if name == OVERVIEW else {"methods_at": f"{OVERVIEW}.html#methods"}),
        )
    return pages


def page_of_new_patients(new: NewPatients, by: Made) -> Page:
    """Return the page of new patients."""
    return Page(
        name=OVERVIEW,
        title=f"stratifn: new patients {new.name}",
        question=f"How do these patients compare with the reference {new.source['name']}?",
        answer=Answer(sentences=tuple(headline_of_new_patients(new))),
        pages=[],
        sections=sections_of_new_patients(new),
        made=by,
        people=people_of_new_patients(new),
        methods=methods_of_new_patients(new),
        provenance=(*PROVENANCE, ("../provenance/reference.tsv", "the reference with its checksum")),
    )
