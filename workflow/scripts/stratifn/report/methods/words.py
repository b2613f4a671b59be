"""How lists, counts of people and numbers are written in running text."""

from __future__ import annotations

from collections.abc import Iterable

from stratifn.report.results import Results
from stratifn.report.small_cells import HIDDEN, people


def series(words: Iterable[object]) -> str:
    """Write a list as in a sentence: ``a, b and c``; empty where it has no words."""
    *first, last = [str(word) for word in words] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def in_words(count: str) -> str:
    """Write a count as the report shows it (``12``, ``<5``, ``>19`` or hidden) for running text."""
    if count == HIDDEN:
        return "some"
    return count.replace("<", "fewer than ").replace(">", "more than ")


def number(value: float) -> str:
    """Write a number with three significant digits."""
    return f"{value:.3g}"


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.0f} %"


def times(count: int, noun: str) -> str:
    """Write a count and its noun: ``1 gene``, ``2 genes``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def measured_in(results: Results, view: str) -> str:
    """Write how many people a view holds; a small group would follow from the others."""
    counts = results.measured[view]
    least = max(results.min_cell, 1)
    shown = int(counts[counts >= least].sum())
    few = counts.between(1, least - 1)
    if not few.any():
        return str(shown)
    return f"more than {shown}" if shown else in_words(people(int(counts.sum()), results.min_cell))
