"""What the benchmarks share: processes that are measured, what they ran on, and pages of results.

A page in ``results`` has parts, each from a run of its own; writing one leaves the others as they are.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow" / "scripts"
RESULTS = Path(__file__).resolve().parent / "results"
PART = "\n## "
sys.path.insert(0, str(LIBRARY))

from stratifn.configuration.schema import default_section  # noqa: E402
from stratifn.running.entry_point import THREAD_VARIABLES  # noqa: E402
from stratifn.shared.package_data import config_schema  # noqa: E402

ONE_THREAD = dict.fromkeys(THREAD_VARIABLES, "1")


@dataclass(frozen=True)
class Usage:
    """What one process and its children used: CPU and wall seconds, peak memory in KiB."""

    cpu: float
    wall: float
    peak: int


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command with one BLAS thread; the kernel says what it used."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | ONE_THREAD | dict(environment or {}))
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} stopped with exit code {process.returncode}")
    return Usage(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss)


def default_settings(*path: str) -> dict[str, Any]:
    """Return a section of the configuration as the pipeline has it when nothing is set."""
    return default_section(config_schema(), *path)


def machine() -> str:
    """Processor, cores and system in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = models[0] if models else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def versions(*packages: str) -> str:
    """Versions of Python and of packages."""
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)])


def run_line(*packages: str) -> str:
    """Say by which command a part of a page was made, when, and on what."""
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    return f"Run: `{command}`, {date.today().isoformat()}. {machine()}; {versions(*packages)}."


def markdown(table: pd.DataFrame) -> str:
    """Write a table as Markdown."""
    lines = [table.columns.tolist(), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_part(page: Path, opening: str, part: str, text: str) -> None:
    """Put one part into a page, in the place of its last version; the other parts stay as they are.

    Parameters
    ----------
    page
        Markdown file; made when it is not there.
    opening
        Title of the page and what holds for all its parts.
    part
        Heading.
    text
        What stands below it.
    """
    blocks = page.read_text(encoding="utf-8").split(PART)[1:] if page.exists() else []
    parts = {heading: body for heading, _, body in (block.partition("\n") for block in blocks)}
    parts[part] = text
    written = [opening.strip(), *(f"## {heading}\n\n{body.strip()}" for heading, body in parts.items())]
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n\n".join(written) + "\n", encoding="utf-8")
