"""What the configuration decides about the report; defaults and bounds are the schema's."""

from __future__ import annotations

from dataclasses import dataclass

from stratifn.shared.settings import Section


@dataclass(frozen=True)
class Settings(Section):
    """The section ``report`` of the configuration.

    Attributes
    ----------
    sample_ids
        Whether sample ids are shown; numbers in their place otherwise.
    min_cell
        Counts of people below this are not shown, and nothing that they follow from.
    """

    sample_ids: bool
    min_cell: int

    @property
    def lists_people(self) -> bool:
        """Whether a row or a point may stand for one person: who hides ids hides these, unless counts of 1 are shown."""
        return self.sample_ids or self.min_cell < 2
