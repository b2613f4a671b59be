"""The page of every claim with its criteria and bounds, made from the registry so that the two cannot differ."""

from __future__ import annotations

import sys
from pathlib import Path

from stratifn.shared.claims import CLAIMS, NOT_COMPUTED, Claim, Criterion
from stratifn.shared.files import write_text

INTRODUCTION = """\
# Claims

This page is made from `stratifn/shared/claims.py` by `make docs`; change the registry, not this page.

A claim is a statement that a reader would quote from the report. Each phase judges its claims and writes one row per
criterion into its `verdicts.tsv`, with the value and the bound; the report makes its sentences from these rows.
"""


def claims_page() -> str:
    """Write the page in Markdown: a table per claim."""
    return "\n".join([INTRODUCTION, *map(_section, CLAIMS.values())])


def _section(claim: Claim) -> str:
    rows = "\n".join(_row(criterion) for criterion in claim.criteria)
    withheld = ", ".join(f"`{criterion.key}`" for criterion in claim.criteria if criterion.people)
    without = f" (without the value of {withheld}, which is one of people)" if withheld else ""
    kept = f" Kept in a frozen reference{without}, and repeated for new patients." if claim.frozen else ""
    return (
        f"## `{claim.key}`\n\nOf {claim.subject}: {claim.meaning}. Judged by the phase {claim.phase}.{kept}\n\n"
        f"| criterion | what the value is | bound | if it fails, the claim is |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def _row(criterion: Criterion) -> str:
    bound = f"`{criterion.setting}`" if criterion.bound is None else f"{criterion.bound:g}"
    failed = "not computed: there is nothing to claim" if criterion.failed == NOT_COMPUTED else criterion.failed
    return f"| `{criterion.key}` | {criterion.meaning} | {criterion.direction} {bound} | {failed} |"


if __name__ == "__main__":
    write_text(claims_page(), Path(sys.argv[1]))
