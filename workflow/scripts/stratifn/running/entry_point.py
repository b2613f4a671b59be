"""The entry point of every script of the workflow: logging, one BLAS thread, a plain message for a user's mistake."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from stratifn.running.manifests import begin_reading, write_evidence, write_manifest
from stratifn.shared.errors import HEADINGS, INPUT, STRATIFN, InputError, Problem, listed
from stratifn.shared.files import being_written, remove_unfinished, write_json
from stratifn.shared.machine import MachineError, machine_error

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
logger = logging.getLogger("stratifn")


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Run a script's `main` with the rule's `snakemake` object.

    Linear algebra gets one thread whatever the rule's ``threads`` say, because a product that is split over two
    threads differs in its last bits; ``threads`` is for processes. A job that fails says in the first word whether the
    input, the machine or stratifn is at fault, and lists the same in its `problems_file`; a traceback is in the rule's
    log alone.
    """
    log_file = snakemake.log[0] if snakemake.log else None
    problems = problems_file(snakemake.log)
    try:
        _configure_logging(log_file)
        sys.unraisablehook = partial(_unraisable, problems)
        sys.excepthook = partial(_uncaught, problems)
        if problems:
            problems.unlink(missing_ok=True)
        use_one_blas_thread()
        _run_with_evidence(main, snakemake)
    except SystemExit:
        raise
    except KeyboardInterrupt:
        # ended by the signal as if nobody had caught it, but without a traceback
        logger.info("stopped by the user")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    except InputError as error:
        logger.error("%s", error)
        _list_problems(error.problems or [Problem("", "", str(error), "", "", INPUT)], problems)
        sys.exit(1)
    except BaseException as error:  # a panic is no Exception; the user gets a sentence, the log the traceback
        fault = machine_error(error)
        if fault is not None:
            _leave(fault, error, problems)
        logger.debug("traceback", exc_info=True)
        found = f"stopped in rule {snakemake.rule}: {type(error).__name__}: {error}"
        fix = f"The traceback is in {log_file}; please report it."
        logger.error("%s: %s. %s", HEADINGS[STRATIFN], found, fix)
        _list_problems([Problem(str(log_file), "the job", found, "results", fix, STRATIFN)], problems)
        sys.exit(1)


def problems_file(log: Any) -> Path | None:
    """Return where a job lists its problems: the rule's ``problems`` log, else beside its log.

    The file of a job that had none does not exist.

    Parameters
    ----------
    log
        ``snakemake.log``.
    """
    if "problems" in log.keys():
        return Path(log.problems)
    return Path(log[0]).with_suffix(".problems.json") if log else None


def _list_problems(problems: list[Problem], path: Path | None) -> None:
    """Write the problems of a failed job, unless the disk that failed it is also that of its log."""
    if path:
        with contextlib.suppress(OSError, MachineError):
            write_json([problem.as_dict() for problem in problems], path)


def _run_with_evidence(main: Callable[[Any], None], snakemake: Any) -> None:
    """Run `main` between checks of what it reads; then list the user's files that it read, and what it wrote.

    Of a rule's inputs `manifests` and `sources` are the evidence of other jobs; its output `manifest` is this job's own,
    and `sources` lists the files of its input `files` and all those that no evidence lists.
    """
    read, output = snakemake.input, snakemake.output
    reading = begin_reading(read, _named(read, "manifests"), _named(read, "sources"))
    if reading.unlisted and "sources" not in output.keys():
        raise LookupError(f"no manifest lists {listed(reading.unlisted)}, which the rule reads")
    main(snakemake)
    users = [*reading.unlisted, *_named(read, "files")] if "sources" in output.keys() else []
    digests = {path: digest for path in users if (digest := reading.digest(path))}
    reading.require_unchanged()
    if "sources" in output.keys():
        write_evidence(digests, output.sources)
    write_manifest([path for path in output if path != output.manifest], output.manifest)


def _named(files: Any, name: str) -> list[str]:
    """Return the files of a name of a rule; none where it has no such name."""
    found = files.get(name, [])
    return [found] if isinstance(found, str) else list(found)


def _unraisable(problems: Path | None, unraisable: sys.UnraisableHookArgs) -> None:
    """End the job when HDF5 meets a full disk while an object is released, where no exception can be raised.

    What it could not write is lost by then, and closing the file crashes.
    """
    error = unraisable.exc_value
    fault = machine_error(error, being_written()) if error else None
    if error is None or fault is None:
        sys.__unraisablehook__(unraisable)
        return
    _leave(fault, error, problems)


def _uncaught(
    problems: Path | None, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Do the same where Cython prints the traceback of such an error before it calls the hook for it."""
    fault = machine_error(error, being_written())
    if fault is None:
        sys.__excepthook__(kind, error, trace)
        return
    _leave(fault, error, problems)


def _leave(fault: MachineError, error: BaseException, problems: Path | None) -> NoReturn:
    """Say what is wrong with the machine and end the process at once.

    HDF5's own teardown on a full disk ends in a segmentation fault, which would take the place of the message.
    """
    # the log may be on the same disk, and its own errors would hide the message
    logging.raiseExceptions = False
    logger.debug("traceback", exc_info=error)
    logger.error("%s", fault)
    flushes = [handler.flush for handler in logging.getLogger().handlers]
    list_them = partial(_list_problems, fault.problems, problems)
    for last_act in (remove_unfinished, *flushes, sys.stdout.flush, sys.stderr.flush, list_them):
        with contextlib.suppress(OSError, ValueError):
            last_act()
    os._exit(1)


def use_one_blas_thread() -> None:
    """Fix the linear algebra of this process, and of the processes it starts, to one thread."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    # libraries that are loaded already do not read the environment again
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)


def _configure_logging(log_file: str | None) -> None:
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.ERROR)
    # on a terminal, the line of status of the run's console is erased first
    console.setFormatter(logging.Formatter(("\r\033[K" if sys.stderr.isatty() else "") + "%(message)s"))
    # force: decoupler and others configure logging at import
    logging.basicConfig(level=logging.INFO, handlers=[console], force=True)
    logger.setLevel(logging.DEBUG)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    if log_file:
        to_file = logging.FileHandler(log_file, mode="w", encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(to_file)
