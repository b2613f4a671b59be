"""What is printed at each event of a run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_stratifn.console import Console
from snakemake_logger_plugin_stratifn.jobs import Job, duration, named, plan, short_name
from snakemake_logger_plugin_stratifn.settings import LogHandlerSettings
from snakemake_logger_plugin_stratifn.words import (
    exit_of_command,
    is_noise,
    killed,
    more_memory,
    plain_error,
    short_reason,
)

# without a terminal: seconds until the running jobs are listed, twice as many after every list, up to the second
FIRST_LIST, LONGEST_PAUSE = 30.0, 600.0
# Snakemake's words after Ctrl-C and after SIGTERM
STOPPED_NOW, STOPPED_SOON = "Terminating processes on user request", "Will exit after finishing"
LOCKED = (
    "Another run is using this folder, or one was killed here: if none is running, type `{unlock}`, then start again."
)


class LogHandler(LogHandlerBase):
    """Prints what a user needs: the plan, each job when it starts and ends, problems once, how it ended."""

    def __post_init__(self) -> None:
        settings = self.settings if isinstance(self.settings, LogHandlerSettings) else LogHandlerSettings()
        self.command, self.result = settings.command, settings.result
        stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self.console = Console(stream, color=not self.common_settings.nocolor)
        self.started = time.monotonic()
        self.total = self.done = 0
        self.running: dict[int, Job] = {}
        self.failed: set[int] = set()
        self.complete = self.interrupted = self.cancelled = self.ended = False
        self._said: set[str] = set()
        self._exit_status: int | None = None
        self._pause = FIRST_LIST
        self._next_list = time.monotonic() + FIRST_LIST
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="stratifn-console", daemon=True)
        self._ticker.start()

    # a plugin says by these what it is; the filter is Snakemake's own, which knows --quiet
    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record of Snakemake's, or what it means."""
        event: LogEvent | None = getattr(record, "event", None)
        acts = {
            LogEvent.RUN_INFO: self._plan,
            LogEvent.JOB_INFO: self._job,
            LogEvent.JOB_FINISHED: self._finished,
            LogEvent.JOB_ERROR: self._job_failed,
            LogEvent.ERROR: self._error,
        }
        try:
            if event is None:
                self._message(record)
            elif event in acts:
                acts[event](vars(record))
            elif event in (LogEvent.SHELLCMD, LogEvent.DEBUG_DAG):
                # filtered: they come where the user asked for them
                self._text(self.format(record))
            self._show_status()
        except Exception:  # noqa: BLE001  a console that fails is a by-product; the run goes on
            self.handleError(record)

    def close(self) -> None:
        """Say how the run ended. Snakemake closes its handlers, and so does Python at its exit."""
        self._stop.set()
        with self.lock:  # type: ignore[union-attr]
            self.console.clear()
            if not self.ended:
                self.ended = True
                self._end()
        super().close()

    def _line(self, text: str, problem: bool = False) -> None:
        self.console.line(f"{time.strftime('%H:%M:%S')}  {text}", problem)

    def _text(self, text: str, problem: bool = False) -> None:
        """Print a text without a time, each once."""
        if text and text not in ("None", "Shell command: None") and text not in self._said:
            self._said.add(text)
            self.console.line(text, problem)

    def _plan(self, event: dict[str, Any]) -> None:
        if self.total:
            return
        self.total = event["stats"]["total"]
        self._line(f"{self.total} job{'s' if self.total != 1 else ''}: {plan(event['stats'])}")

    def _job(self, event: dict[str, Any]) -> None:
        if not event["output"]:
            # the target of the run: it does nothing
            return
        rule = event["rule_name"]
        # not resolved: the user knows the path of the link
        logs = tuple(Path(os.path.abspath(str(log).split(" (", 1)[0])) for log in event["log"])
        message = event["rule_msg"] or rule
        # a remark in brackets is told once, when the job starts
        job = Job(message.partition(" (")[0], short_name(rule, event["wildcards"]), logs)
        if self.common_settings.dryrun:
            self.console.line(f"  {job.title} ({short_reason(event['reason'])})")
            return
        self.running[event["jobid"]] = job
        self._list_later()
        if not self.console.is_terminal:
            self._line(f"{self._count()}  {'start ' if event['local'] else 'submit'}  {message}")

    def _finished(self, event: dict[str, Any]) -> None:
        self.done += 1
        self._list_later()
        job = self.running.pop(event["job_id"], None)
        if job is not None:
            self._line(f"{self._count()}  done    {job.title}, {job.elapsed}")

    def _job_failed(self, event: dict[str, Any]) -> None:
        job = self.running.pop(event["jobid"], Job(event["rule_name"], event["rule_name"]))
        status, self._exit_status = self._exit_status, None
        # Ctrl-C reaches the jobs before Snakemake speaks of it
        if self.cancelled or status == -signal.SIGINT:
            self.interrupted = self.cancelled = True
            return
        self.failed.add(event["jobid"])
        if event["rule_msg"]:
            # on a cluster: the console of the job is elsewhere, its log is at hand
            hint = f"It left no message; often there was too little memory: {more_memory(event['rule_name'])}."
            self._text(job.errors() or f"{event['rule_msg']}\n{hint}", problem=True)
        elif status is not None and status < 0:
            self._text(killed(status, event["rule_name"]), problem=True)
        self._line(f"{self._count()}  failed  {job.title}, {job.elapsed}", problem=True)
        logs = [*job.logs, *(Path(log) for log in event["log"] if os.path.isabs(str(log)))]
        self.console.line(f"          log: {named(logs)}")

    def _error(self, event: dict[str, Any]) -> None:
        message, exception = str(event["msg"]), event.get("exception")
        status = exit_of_command(message)
        if exception == "LockException":
            unlock = f'{self.command} ARGS="--unlock"' if self.command else "your command with --unlock"
            self._text(LOCKED.format(unlock=unlock), problem=True)
        elif status is not None:
            # the job has said what was wrong
            self._exit_status = status
        elif "At least one job did not complete successfully" not in message:
            self._text(plain_error(message), problem=True)

    def _message(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith(STOPPED_NOW):
            self.interrupted = self.cancelled = True
            self._line("stopping the running jobs ...")
        elif message.startswith(STOPPED_SOON):
            if not self.interrupted:
                self._line("finishing the running jobs, then stopping ...")
            self.interrupted = True
        elif message.startswith("Nothing to be done"):
            self.complete = True
            self._line("nothing to do: every result is there and up to date")
        elif message.startswith("Trying to restart job"):
            self.failed.discard(int(message.removeprefix("Trying to restart job").strip(" .")))
            self._line("it is started again")
        elif self.common_settings.verbose or not is_noise(message):
            self._text(message, problem=record.levelno >= logging.ERROR)

    def _end(self) -> None:
        again = f"start again: {self.command}" if self.command else "start again"
        if self.common_settings.dryrun:
            if self.total:
                self.console.line("Nothing was run (-n).")
        elif self.interrupted:
            self._line(f"stopped by the user; finished results are kept. To go on, {again}")
        elif self.failed:
            failed = f"{len(self.failed)} job{'s' if len(self.failed) != 1 else ''} failed"
            self._line(f"{failed} after {duration(time.monotonic() - self.started)}, {self.done} of {self.total} done")
            self.console.line(f"Finished results are kept. When the problem is solved, {again}")
        elif self.complete or (self.total and self.done == self.total):
            if self.total:
                self._line(f"{self._count()}  finished in {duration(time.monotonic() - self.started)}")
            if self.result:
                self.console.line(self.result)
        elif self.total:
            self._line(f"stopped after {duration(time.monotonic() - self.started)}, {self.done} of {self.total} done")

    def _count(self) -> str:
        return f"{self.done:>{len(str(self.total))}}/{self.total}"

    def _list_later(self) -> None:
        self._pause = FIRST_LIST
        self._next_list = time.monotonic() + FIRST_LIST

    def _tick(self) -> None:
        """Tell of the running jobs between Snakemake's events: a job may last for hours."""
        while not self._stop.wait(1.0):
            with self.lock:  # type: ignore[union-attr]
                if self.ended:
                    return
                self._show_status()
                self.list_running()

    def list_running(self) -> None:
        """Without a terminal, list the running jobs if none was listed for a while."""
        if self.console.is_terminal or not self.running or time.monotonic() < self._next_list:
            return
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._next_list = time.monotonic() + self._pause
        self._line(f"{self._count()}  running {self._running()}")

    def _show_status(self) -> None:
        if self.console.is_terminal and self.running and not self.ended:
            self.console.status(f"{self._count()} done; running: {self._running()}")

    def _running(self) -> str:
        told = []
        for job in self.running.values():
            progress = job.progress()
            told.append(f"{job.name} {job.elapsed}" + (f" ({progress})" if progress else ""))
        return ", ".join(told)
