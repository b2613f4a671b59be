"""How far a long loop is: lines with counts in the job's log, which the console of a run shows as well."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

LOGGER = "stratifn.progress"
logger = logging.getLogger(LOGGER)
# seconds between two lines, and before the first one: what is shorter than that says nothing
EVERY = 5.0


class Progress:
    """Counts that are written to the log, at most one line every `EVERY` seconds.

    Parameters
    ----------
    what
        What is counted, as a plural: "permutations".
    total
        How many there are at most; None where nobody knows.
    """

    def __init__(self, what: str, total: int | None = None):
        self._what = what
        self._total = total
        self._said = time.monotonic()

    def reached(self, done: int) -> None:
        """Say that so many are done, unless a line was written a moment ago."""
        now = time.monotonic()
        if now - self._said < EVERY:
            return
        self._said = now
        logger.info("%s: %s", self._what, f"{done:,}" if self._total is None else f"{done:,} of {self._total:,}")


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items unchanged, and say in the log how many are done.

    Parameters
    ----------
    items
        What is looped over.
    what
        What is counted, as a plural: "permutations".
    total
        How many there are; by default the length of `items`, where it has one.
    """
    if total is None and isinstance(items, Collection):
        total = len(items)
    counts = Progress(what, total)
    for done, item in enumerate(items):
        counts.reached(done)
        yield item


def step(what: str) -> None:
    """Say in the log what is begun now: a step that cannot be counted, such as reading one large file."""
    logger.info("%s", what)
