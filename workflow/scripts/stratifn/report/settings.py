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
        Counts of people below this are not shown.
    """

    sample_ids: bool
    min_cell: int
