"""Names of samples from the names of files that a program wrote as headers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stratifn.inputs.raw_matrix import Correction

# what aligners and counters append to a sample's name, the last one first
_ENDINGS = re.compile(
    r"[._-]?(bam|sam|cram|Aligned([._]?(sortedByCoord|toTranscriptome))?[._]out|sortedByCoord|sorted([._]by[._]?coord)?"
    r"|markdup|marked|dedup(ped)?|rmdup|umi_dedup|genes\.results|isoforms\.results|ReadsPerGene\.out\.tab|hisat2|featureCounts)$",
    re.I,
)


def from_paths(names: Sequence[str]) -> tuple[list[str], list[Correction]]:
    """Return base names without the usual endings, where this leaves every sample a name of its own.

    Where all base names are the same (`S1/Aligned.out.bam`), the folders are the names.

    Parameters
    ----------
    names
        Headers of the columns of samples.
    """
    parts = [name.replace("\\", "/").rstrip("/").split("/") for name in names]
    for position in (-1, -2):
        short = [_without_endings(part[position]) if len(part) >= -position else "" for part in parts]
        if all(short) and len(set(short)) == len(short):
            changed = [(old, new) for old, new in zip(names, short, strict=True) if old != new]
            note = f"file names: `{changed[0][0]}` read as `{changed[0][1]}`, and so on" if changed else ""
            return short, [("sample ids", note)] if changed else []
    return list(names), []


def _without_endings(name: str) -> str:
    while (shorter := _ENDINGS.sub("", name)) != name:
        name = shorter
    return name
