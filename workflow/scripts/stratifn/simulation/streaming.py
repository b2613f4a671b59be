"""Big files, written block by block."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stratifn.shared.files import atomic_path


@contextmanager
def gzip_text(path: Path) -> Iterator[TextIO]:
    """Open a gzip file for text; its header holds neither name nor time, so the same text gives the same bytes."""
    with (
        atomic_path(path) as temporary,
        open(temporary, "wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        yield text
