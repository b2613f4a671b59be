"""The text of a user's file as blocks of whole lines: UTF-8 with Unix line ends, whatever it was."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from stratifn.inputs.contents import EXPORT_AGAIN, decompressed, whole_compression
from stratifn.inputs.raw_matrix import Correction
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import reading_users

BYTES_PER_BLOCK = 2**24
# one line of 900,000 numbers has 20 MB
LONGEST_LINE = 2**28
# a header and two rows
FEWEST_LINES = 3
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Block:
    """Whole lines of a file.

    Attributes
    ----------
    line
        Number of the first one, from 1.
    data
        UTF-8; every line, also the last one, ends with a line feed.
    """

    line: int
    data: bytes


class Text:
    """The blocks of a file, in order; each can be had once.

    Parameters
    ----------
    path
        As the user wrote it.

    Attributes
    ----------
    corrections
        What was put right in the part that was read.
    """

    def __init__(self, path: str):
        self.path = path
        self.corrections: list[Correction] = []

    def __iter__(self) -> Iterator[Block]:
        line, rest = 1, b""
        with reading_users(self.path, "text in UTF-8", "Save it as UTF-8."):
            for data in self._utf8():
                data = rest + data
                # a line may end between two chunks, and a carriage return may be the first half of a line end
                cut = data.rfind(b"\n") + 1
                if not cut:
                    self._refuse_long(line, data)
                    rest = data
                    continue
                rest = data[cut:]
                block = self._checked(line, data[:cut])
                yield block
                line += block.data.count(b"\n")
            if rest:
                yield self._checked(line, rest + b"\n")

    def _utf8(self) -> Iterator[bytes]:
        """Decompress and recode; carriage returns become line feeds."""
        with decompressed(self.path) as handle:
            start = self._read(handle, BYTES_PER_BLOCK)
            recode = None
            if start.startswith(_UTF16):
                recode = codecs.getincrementaldecoder("utf-16")()
                self._correct("the file", "utf-16: read as UTF-8")
            elif start.startswith(codecs.BOM_UTF8):
                start = start[len(codecs.BOM_UTF8) :]
            held = b""
            while start:
                data = recode.decode(start).encode() if recode else start
                data = held + data
                held = b""
                if data.endswith(b"\r"):
                    data, held = data[:-1], b"\r"
                yield self._unix(data)
                start = self._read(handle, BYTES_PER_BLOCK)
            if recode:
                recode.decode(b"", final=True)
            if held:
                yield self._unix(held)

    def _read(self, handle: BinaryIO, size: int) -> bytes:
        with whole_compression(self.path):
            return handle.read(size)

    def _unix(self, data: bytes) -> bytes:
        if b"\r" not in data:
            return data
        self._correct("the file", "line endings: those of Windows or an old Mac read as line ends")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _correct(self, item: str, what: str) -> None:
        if (item, what) not in self.corrections:
            self.corrections.append((item, what))

    def _checked(self, line: int, data: bytes) -> Block:
        nul = data.find(b"\0")
        if nul >= 0:
            at = line + data.count(b"\n", 0, nul)
            fix = "Save it as UTF-8 text; if it is UTF-16, save it with a byte order mark."
            raise InputError(Problem(self.path, f"line {at}", "a NUL byte", "text in UTF-8", fix, code="IN-008"))
        if not data.isascii():
            self._check_utf8(line, data)
        return Block(line, data)

    def _check_utf8(self, line: int, data: bytes) -> None:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            at = line + data.count(b"\n", 0, error.start)
            begin = data.rfind(b"\n", 0, error.start) + 1
            near = data[max(begin, error.start - 10) : error.start + 11].split(b"\n")[0].decode("latin-1")
            found = f"bytes that are not UTF-8, near {near!r}"
            fix = "Save it as UTF-8 (it may be in Latin-1 or Windows-1252 now)."
            raise InputError(Problem(self.path, f"line {at}", found, "text in UTF-8", fix, code="IN-007")) from error

    def _refuse_long(self, line: int, data: bytes) -> None:
        if len(data) > LONGEST_LINE:
            found = f"a line of more than {LONGEST_LINE // 2**20} MB"
            raise InputError(Problem(self.path, f"line {line}", found, "lines of text", EXPORT_AGAIN, code="IN-009"))


def first_block(blocks: Iterator[Block], lines: int, size: int = 4 * BYTES_PER_BLOCK) -> Block | None:
    """Join blocks until there are enough lines to see how a file is laid out.

    Parameters
    ----------
    blocks
        Of the file; those that are joined are gone from it.
    lines
        Enough lines.
    size
        So many bytes are enough too, if there are a few lines in them.

    Returns
    -------
    Block or None
        None of a file with nothing in it.
    """
    joined = next(blocks, None)
    while joined is not None:
        count = joined.data.count(b"\n")
        more = None if count >= lines or (len(joined.data) >= size and count >= FEWEST_LINES) else next(blocks, None)
        if more is None:
            break
        joined = Block(joined.line, joined.data + more.data)
    return joined


def lines_of(block: Block) -> io.StringIO:
    """Return the text of a block for a reader of lines; line ends within cells stay as they are."""
    return io.StringIO(block.data.decode("utf-8"), newline="")
