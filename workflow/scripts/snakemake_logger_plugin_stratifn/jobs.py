"""The jobs of a run: which are running, for how long, and how far each is."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stratifn.running.progress import LOGGER

# enough of the end of a log to hold its last line of progress
TAIL_BYTES = 4096
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
    started
        `time.monotonic` at the start.
    """

    title: str
    name: str
    logs: tuple[Path, ...] = ()
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> str:
        """How long it has been running."""
        return duration(time.monotonic() - self.started)

    def progress(self) -> str:
        """Return the last line of progress in its log; empty where there is none."""
        if not self.logs:
            return ""
        found = _PROGRESS.findall(_tail(self.logs[0]))
        return found[-1] if found else ""

    def errors(self) -> str:
        """Return what its log says went wrong; empty where it says nothing."""
        try:
            text = self.logs[0].read_text(encoding="utf-8", errors="replace") if self.logs else ""
        except OSError:
            return ""
        marks = [*_RECORD.finditer(text)]
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        pairs = zip(marks, ends, strict=True)
        return "".join(text[mark.end() : end] for mark, end in pairs if mark[1] in ("ERROR", "CRITICAL")).rstrip()


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
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
