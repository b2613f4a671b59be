"""A section of the configuration as a record, in the same way for every phase; defaults and bounds are the schema's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Section:
    """Base of every phase's `Settings`.

    A field without a default is a key of the section: the schema alone knows its default and its bounds. A field with
    a default is a choice that no key makes, stated here and nowhere else.
    """

    @classmethod
    def from_config(cls, section: Mapping[str, Any]) -> Self:
        """Take the section of a completed configuration; keys that are no field belong to other parts of the phase.

        Raises
        ------
        KeyError
            A key that the section lacks: the configuration was not completed by the schema.
        """
        return cls(**{name: _unchangeable(section[name]) for name in cls.keys()})

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Name the fields that are keys of the configuration."""
        return tuple(field.name for field in fields(cls) if field.default is MISSING)


def _unchangeable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
