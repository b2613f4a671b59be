"""Lines on a terminal with one line of status below them, or plain lines where there is no terminal."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

# to the start of the line, and erase it: the entry point of a job does the same before it writes
ERASE = "\r\033[K"
RED, PLAIN = "\033[31m", "\033[0m"


class Console:
    """Where the lines go.

    Parameters
    ----------
    stream
        Standard error, as a rule.
    color
        Whether problems may be red.
    """

    def __init__(self, stream: TextIO, color: bool = True):
        self.stream = stream
        self.is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._color = color and self.is_terminal
        self._has_status = False

    def line(self, text: str, problem: bool = False) -> None:
        """Write a line that stays."""
        if problem and self._color:
            text = f"{RED}{text}{PLAIN}"
        self._write(f"{ERASE if self._has_status else ''}{text}\n")
        self._has_status = False

    def status(self, text: str) -> None:
        """Write the line of status over the one before; without a terminal, nothing."""
        if not self.is_terminal:
            return
        width = shutil.get_terminal_size().columns - 1
        self._write(ERASE + (text if len(text) <= width else text[: width - 3] + "..."))
        self._has_status = True

    def clear(self) -> None:
        """Remove the line of status."""
        if self._has_status:
            self._write(ERASE)
            self._has_status = False

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            # a closed terminal, or a full disk behind a redirection, must not end the run
            return
