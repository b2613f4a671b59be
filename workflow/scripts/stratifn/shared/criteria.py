"""What a claim must meet: the words of verdicts, and the records of criteria and claims."""

from __future__ import annotations

import math
from dataclasses import dataclass

SUPPORTED, WEAK, UNSUPPORTED, NOT_COMPUTED = "supported", "weak", "unsupported", "not_computed"
# the worst last
ORDER = (SUPPORTED, WEAK, UNSUPPORTED)
AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True)
class Criterion:
    """One thing that a claim must fulfil.

    Attributes
    ----------
    key
        Name within its claim.
    meaning
        What the value is, in words.
    direction
        `AT_LEAST` or `AT_MOST`: which side of the bound is good.
    bound
        The bound; None where a setting of the configuration is the bound.
    setting
        Key of that setting, empty where `bound` is given.
    required
        Whether a claim says that the criterion was not checked, where it could not be computed.
    people
        Whether the value is a number or a share of people; a frozen reference does not keep those.
    failed
        What the claim is where the criterion fails: `WEAK`, `UNSUPPORTED`, or `NOT_COMPUTED` where there is then
        nothing to claim.
    """

    key: str
    meaning: str
    direction: str
    bound: float | None
    failed: str
    setting: str = ""
    required: bool = False
    people: bool = False

    def verdict(self, value: float, bound: float) -> str:
        """Judge a value; one that is missing is not computed."""
        if math.isnan(value):
            return NOT_COMPUTED
        good = value >= bound if self.direction == AT_LEAST else value <= bound
        return SUPPORTED if good else self.failed

    def holds(self, value: float) -> bool:
        """Whether a value fulfils a criterion that has a bound of its own."""
        return self.bound is not None and self.verdict(value, self.bound) == SUPPORTED


@dataclass(frozen=True)
class Claim:
    """What a phase may claim of a subject.

    Attributes
    ----------
    key
        Name of the claim.
    phase
        The phase that judges it.
    subject
        What a subject is.
    meaning
        The claim in words.
    criteria
        What it must fulfil.
    frozen
        Whether a frozen reference keeps it, because the classes and strata of new patients rest on it.
    """

    key: str
    phase: str
    subject: str
    meaning: str
    criteria: tuple[Criterion, ...]
    frozen: bool = False

    def criterion(self, key: str) -> Criterion:
        """Return a criterion by its key."""
        return next(criterion for criterion in self.criteria if criterion.key == key)
