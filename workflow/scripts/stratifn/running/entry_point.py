"""The one way in for every script of the workflow: logging, one BLAS thread, plain words for a user's mistake."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from stratifn.shared.errors import InputError
from stratifn.shared.files import write_json

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
logger = logging.getLogger("stratifn")


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Run a script's `main` with the rule's `snakemake` object.

    Linear algebra gets one thread whatever the rule's ``threads`` say, because a product that is split over two
    threads differs in its last bits; ``threads`` is for processes. An `InputError` ends the job with its message
    alone; any other exception leaves its traceback in the rule's log and one line on the console.
    """
    use_one_blas_thread()
    log_file = snakemake.log[0] if snakemake.log else None
    _configure_logging(log_file)
    if "problems" in snakemake.log.keys():
        write_json([], snakemake.log.problems)
    try:
        main(snakemake)
    except InputError as error:
        logger.error("%s", error)
        if "problems" in snakemake.log.keys():
            write_json([problem.as_dict() for problem in error.problems], snakemake.log.problems)
        sys.exit(1)
    except Exception as error:  # the user gets a sentence, the log the traceback
        logger.error("stratifn stopped in rule %s: %s: %s", snakemake.rule, type(error).__name__, error)
        logger.debug("traceback", exc_info=True)
        logger.error("The traceback is in %s; please report it.", log_file)
        sys.exit(1)


def resource_folder() -> Path:
    """Return the folder ``resources/`` of this clone.

    It is no input of a rule, because a moved clone would then rerun everything; its content is in the rule's digest.
    """
    return Path(__file__).resolve().parents[4] / "resources"


def template_folder() -> Path:
    """Return the folder of the report's templates, for the same reason as `resource_folder`."""
    return Path(__file__).resolve().parents[3] / "report"


def sheet_schema() -> dict[str, Any]:
    """Return the schema of the sample sheet."""
    path = Path(__file__).resolve().parents[3] / "schemas" / "samples.schema.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


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
    console.setFormatter(logging.Formatter("%(message)s"))
    handlers: list[logging.Handler] = [console]
    if log_file:
        to_file = logging.FileHandler(log_file, mode="w", encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        handlers.append(to_file)
    # force: decoupler and others configure logging at import
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logger.setLevel(logging.DEBUG)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
