"""Write docs/input-errors.md from the classes of mistakes: ``python -m stratifn.configuration.mistakes_page PAGE``."""

from __future__ import annotations

import sys
from pathlib import Path

from stratifn.shared.files import write_text
from stratifn.shared.package_data import mistakes

INTRODUCTION = """\
# Mistakes in the input

Every message about a file or the configuration ends with the code of its class, such as `[IN-011]`. All problems of all files
are listed at once, before any model is fitted; of one class in one file the first 20 are printed, and all of them are in
`logs/<cohort>/problems.json`. What can be put right without doubt is put right and said in `inputs/notes.tsv`.

This page is made by `make docs` from `workflow/schemas/mistakes.yaml`.
"""


def mistakes_page() -> str:
    """Write the page in Markdown: a table per family."""
    sections = [INTRODUCTION]
    for family in mistakes()["families"]:
        rows = [
            f"| {code} | {each['title']} | {each['why']} | {each['fix']} |" for code, each in family["classes"].items()
        ]
        head = ["| code | what | how it comes about | what to do |", "| --- | --- | --- | --- |"]
        sections.append("\n".join([f"## {family['name']}", "", *head, *rows, ""]))
    return "\n".join(sections)


if __name__ == "__main__":
    write_text(mistakes_page(), Path(sys.argv[1]))
