"""One wrong input per class of mistakes: what a case changes of a clean cohort, `make check` must name by its code.

A module per family; a case is a function with `@mistake("IN-...")` that changes a `Cohort`.
"""

from mistakes.cohort import CASES, Cohort, mistake

__all__ = ["CASES", "Cohort", "mistake"]
