"""Snakemake's words, shortened: which messages are left out, why a job runs, and errors without Snakemake's frame."""

from __future__ import annotations

import re
import signal
from pathlib import PurePath

from stratifn.shared.errors import listed

# what Snakemake and its Slurm executor say on the way; their own log file, under .snakemake/log/, has it
NOISE = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Cleaning up SLURM log files",
    "Complete log(s)",
    "Conda environments: ignored",
    "Config file ",
    "Elapsed time:",
    "Execute ",
    "Exiting because a job execution failed",
    "Group jobs: inactive",
    "Reasons:\n",
    "Removing output files of failed job",
    "Rules with provenance triggered jobs",
    "Select jobs to execute",
    "Shutting down, this might take some time",
    "Singularity containers: ignored",
    "Some jobs were triggered by provenance",
    "This was a dry-run",
    "Using shell:",
)
_SUBMITTED = re.compile(r"Job \d+ has been submitted with SLURM jobid")

# the start of each of Snakemake's reasons, and what to say in its place; {} is the list of files behind it
OTHER_JOBS = "Input files updated by another job: "
REASONS = {
    "Missing output files: ": "missing: {}",
    "Incomplete output files: ": "left incomplete: {}",
    "Updated input files: ": "changed: {}",
    OTHER_JOBS: "a job before it runs",
    "Set of input files has changed since last execution": "other inputs than before",
    "Code has changed since last execution": "its script changed",
    "Params have changed since last execution": "settings, code of the library or data changed",
    "Software environment definition has changed since last execution": "the software environment changed",
    "Forced execution": "forced",
}
_REASON = re.compile(rf"(?:^|; )({'|'.join(map(re.escape, REASONS))})")
_FAILED_COMMAND = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.\w+: (\d+)>")
_HEAD = re.compile(r"^(?:Workflow|Rule)(?:Error|Exception)(?: in .*, line \d+)?:\n")
_TRACE = re.compile(r'^ +File ".*", line \d+, in .*\n?', re.MULTILINE)


def is_noise(message: str) -> bool:
    """Whether a message says nothing that a user needs."""
    return message in ("", "None") or message.startswith(NOISE) or bool(_SUBMITTED.match(message))


def short_reason(reason: str) -> str:
    """Say in a few words why a job runs."""
    parts = _REASON.split(reason)
    behind = {start: files for start, files in zip(parts[1::2], parts[2::2], strict=True) if start in REASONS}
    if len(behind) > 1:
        # what a job makes or reads is more to the point
        behind.pop(OTHER_JOBS, None)
    return ", ".join(REASONS[start].format(_first_of(files)) for start, files in behind.items()) or reason


def _first_of(files: str) -> str:
    names = sorted(PurePath(name).name for name in files.split(", "))
    return listed(names, 1)


def exit_of_command(message: str) -> int | None:
    """Return the exit status of a script, if this is Snakemake's message on one that failed; negative for a signal."""
    found = _FAILED_COMMAND.search(message)
    if found is None:
        return None
    if found[2]:
        return -int(found[2])
    status = int(found[1])
    # a shell reports the signal that ended its command as 128 and the signal's number
    return 128 - status if status > 128 else status


def killed(status: int, rule: str) -> str:
    """Say that a job was ended by a signal, which leaves no message of its own."""
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = f"; often there was too little memory: {more_memory(rule)}" if name == "SIGKILL" else ""
    return f"The job was ended from outside by {name}{hint}."


def more_memory(rule: str) -> str:
    """Say how a rule gets more memory."""
    return f"run fewer jobs at once (`--cores`), or on a cluster ask for more (`--set-resources {rule}:mem_mb=...`)"


def plain_error(message: str) -> str:
    """Return an error of the workflow as its sentence alone: no class, no line of a rules file, no traceback."""
    return _TRACE.sub("", _HEAD.sub("", message)).rstrip()
