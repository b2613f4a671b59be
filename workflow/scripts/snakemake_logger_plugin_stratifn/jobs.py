"""The jobs of a run: which are running, for how long, and how far each is."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from stratifn.running.progress import LOGGER

# enough of the end of a log to hold its last line of progress
TAIL_BYTES = 4096
# seconds by which the clock of a file system may be behind
CLOCK_SLACK = 2.0
PROBLEMS = ("ERROR", "CRITICAL")
_PROGRESS = re.compile(rf"^INFO {re.escape(LOGGER)}: (.*)$", re.MULTILINE)
_RECORD = re.compile(r"^(DEBUG|INFO|WARNING|ERROR|CRITICAL) [\w.]+: ", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A job that was started.

    Attributes
    ----------
    title
        The rule's message, which says what the job does.
    name
        Short: its rule and seed.
    logs
        Its log files, absolute, the text first.
    started, began
        `time.monotonic` and `time.time` at the start.
    """

    title: str
    name: str
    logs: tuple[Path, ...] = ()
    started: float = field(default_factory=time.monotonic)
    began: float = field(default_factory=time.time)

    @property
    def elapsed(self) -> str:
        """How long it has been running."""
        return duration(time.monotonic() - self.started)

    def progress(self) -> str:
        """Return the last line of progress in its log; empty where there is none."""
        found = _PROGRESS.findall(self._end_of_log(TAIL_BYTES))
        return found[-1] if found else ""

    def errors(self) -> str:
        """Return what its log says went wrong; empty where it says nothing."""
        text = self._end_of_log()
        marks = [*_RECORD.finditer(text)]
        pairs = pairwise([*((mark[1], mark.start(), mark.end()) for mark in marks), ("", len(text), len(text))])
        return "".join(text[start:end] for (level, _, start), (_, end, _) in pairs if level in PROBLEMS).rstrip()

    def _end_of_log(self, size: int | None = None) -> str:
        """Return the last bytes of its log, or all; nothing while the log is that of an earlier run."""
        if not self.logs:
            return ""
        try:
            with self.logs[0].open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_mtime < self.began - CLOCK_SLACK:
                    return ""
                file.seek(0 if size is None else max(0, status.st_size - size))
                return file.read().decode("utf-8", errors="replace")
        except OSError:
            return ""


def duration(seconds: float) -> str:
    """Write a time as 0:05, 12:40 or 3:02:11."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def phase(rule: str) -> str:
    """Return a rule's name without its cohort: `inputs.mine` is one of several rules for one phase."""
    return rule.split(".", 1)[0].replace("_", " ")


def short_name(rule: str, wildcards: Mapping[str, str]) -> str:
    """Name a job in a few letters."""
    return " ".join([phase(rule), *(value for key, value in wildcards.items() if key == "seed")])


def plan(stats: Mapping[str, int]) -> str:
    """List the phases of a run in their order, with the number of jobs where it is more than one."""
    counts: Counter[str] = Counter()
    for rule, count in stats.items():
        if rule not in ("total", "default", "all"):
            counts[phase(rule)] += count
    return ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counts.items())


def named(paths: Sequence[Path]) -> str:
    """List log files, without the machine-readable copies beside them."""
    return ", ".join(str(path) for path in paths if path.suffix == ".log") or "none was written"
