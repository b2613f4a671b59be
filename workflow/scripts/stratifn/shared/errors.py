"""Problems, of what kind each is, and what the user can do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

# what is at fault, and what a message about it begins with
INPUT, MACHINE, STRATIFN = "input", "machine", "stratifn"
# of one class of mistakes in one file, as many are printed; all are in `problems.json`
MOST_OF_A_CLASS = 20
HEADINGS = {INPUT: "Input", MACHINE: "Machine", STRATIFN: "stratifn"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    source
        The file (as the user wrote it), ``config``, or empty where there is none to name.
    where
        The row, column, sample, gene or config key.
    found
        What is there.
    expected
        What should be there.
    fix
        How to fix it.
    kind
        A key of `HEADINGS`.
    code
        Of the class of mistakes, ``IN-001`` and so on (`workflow/schemas/mistakes.yaml`); empty for other kinds.
    """

    source: str
    where: str
    found: str
    expected: str
    fix: str
    kind: str = INPUT
    code: str = ""

    def __str__(self) -> str:
        code = f" [{self.code}]" if self.code else ""
        return f"{self.where}: found {self.found}; expected {self.expected}. {self.fix}{code}"

    def as_dict(self) -> dict[str, str]:
        """Return the problem as a plain dictionary, for the machine-readable list."""
        return asdict(self)


class InputError(Exception):
    """The input cannot be analysed; every known reason is listed.

    Parameters
    ----------
    problems
        One or more problems; a plain sentence is accepted where there is no file to name.
    remark
        What could not be looked at because of them, as a sentence.
    """

    def __init__(self, problems: Problem | str | Iterable[Problem], remark: str = ""):
        self.remark = remark
        if isinstance(problems, str):
            self.problems: list[Problem] = []
            super().__init__(f"{HEADINGS[INPUT]}: {problems}")
            return
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(filter(None, [_message(self.problems), remark])))


def gathered(*reads: Callable[[], Any]) -> list[Any]:
    """Read several things, and report the problems of all of them at once.

    Parameters
    ----------
    reads
        Functions without arguments.

    Raises
    ------
    InputError
        With the problems of all of them; an error that is a plain sentence is raised as it is.
    """
    results: list[Any] = []
    problems: list[Problem] = []
    remarks: list[str] = []
    for read in reads:
        try:
            results.append(read())
        except InputError as error:
            if not error.problems:
                raise
            problems += error.problems
            remarks.append(error.remark)
    if problems:
        raise InputError(problems, " ".join(filter(None, remarks)))
    return results


def problems_of(read: Callable[..., Any], *arguments: Any) -> list[Problem]:
    """Read something only for its problems."""
    try:
        read(*arguments)
    except InputError as error:
        return error.problems
    return []


def listed(names: Iterable[object], limit: int = 10, mark: str = ", ") -> str:
    """Write names as a list that stays readable: the first ones, and how many more there are."""
    written = [str(name) for name in names]
    more = f" and {len(written) - limit} more" if len(written) > limit else ""
    return mark.join(written[:limit]) + more


def _message(problems: list[Problem]) -> str:
    """Group the problems by file, in the order in which the files were first named."""
    by_source: dict[str, list[Problem]] = {}
    for problem in problems:
        by_source.setdefault(problem.source, []).append(problem)
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    lines = [f"{HEADINGS[INPUT]}: {count}; nothing was computed."]
    for source, of_source in by_source.items():
        lines.append(f"{source}")
        lines += _shown(of_source)
    return "\n".join(lines)


def _shown(problems: list[Problem]) -> list[str]:
    """Write the problems of a file; of one class the first ones, and how many more there are."""
    lines, counts = [], Counter(problem.code for problem in problems)
    shown: Counter[str] = Counter()
    for problem in problems:
        shown[problem.code] += 1
        if not problem.code or shown[problem.code] <= MOST_OF_A_CLASS:
            lines.append(f"  - {problem}")
        elif shown[problem.code] == counts[problem.code]:
            lines.append(f"  - and {counts[problem.code] - MOST_OF_A_CLASS} more of {problem.code}")
    return lines
