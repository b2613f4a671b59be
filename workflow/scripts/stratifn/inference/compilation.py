"""How the loops over genes are compiled."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

logger = logging.getLogger("stratifn.inference")


def _digest_of_sources() -> str:
    """Short digest of every module of this package."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


SOURCES = _digest_of_sources()


def compiled(function: Callable) -> Callable:
    """Compile a loop over genes with numba, kept on disk, free of Python's lock, IEEE arithmetic in program order.

    Numba's cache on disk notices a change only in the file of the function itself, not in the functions that it
    calls; the digest in the name makes it notice a change anywhere in this package.
    """
    function.__qualname__ = f"{function.__qualname__}_{SOURCES}"
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError as error:
        # neither the folder of the sources nor the user's cache can be written: compile again in every process
        logger.debug("compiled code is not kept: %s", error)
        return njit(**options)(function)
