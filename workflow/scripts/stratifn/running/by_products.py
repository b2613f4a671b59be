"""Results that the main result does not need, and whose failure must not stop it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from stratifn.shared.errors import InputError
from stratifn.shared.machine import machine_error

logger = logging.getLogger("stratifn")
Result = TypeVar("Result")


def by_product(
    compute: Callable[[], Result], otherwise: Result, *, view: str, item: str
) -> tuple[Result, list[tuple[str, str, str, str]]]:
    """Compute what the main result does not need; where that fails, say so in a note and go on.

    Panics of Rust libraries, which are no `Exception`, count as failures. The traceback is in the log.

    Parameters
    ----------
    compute
        Without arguments: ``lambda: enrichment_table(...)``.
    otherwise
        The result where there is none, such as a table with only its header.
    view, item
        Of the note; `item` is the name of the by-product in the report.

    Returns
    -------
    tuple
        The result, and rows of notes (view, item, what, reason): none, or one that says ``not computed``.

    Raises
    ------
    InputError
        The input must be corrected, for whatever needs it.
    MachineError, MemoryError, OSError
        The machine failed, as it would have for the main result: with more memory there is another result.
    """
    try:
        return compute(), []
    except (InputError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        if machine_error(error):
            raise
        logger.debug("traceback", exc_info=True)
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        logger.error("%s: not computed (%s); the rest was computed. The traceback is in the log.", item, reason)
        return otherwise, [(view, item, "not computed", reason)]
