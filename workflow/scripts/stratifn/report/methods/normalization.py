"""What was done to each view before anything else, and which genes were kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from stratifn.report.methods.references import Citations
from stratifn.report.results import Results
from stratifn.shared.vocabulary import (
    AS_GIVEN,
    CHECKED,
    COUNTS,
    MEDIAN_OF_RATIOS,
    OWN_FACTORS,
    RNA,
    SCALE,
    SIZE_FACTORS,
)

# (kind of view, names of views) -> what normalization does to them (see `stratifn.normalization.described`)
Described = Callable[[str, str], str]
_USED = re.compile(r"(\d+) of (\d+) genes used")
_DROPPED = re.compile(r"(\d+) genes")


def normalization(results: Results, versions: Mapping[str, str], described: Described, cite: Citations) -> str:
    """Write the paragraph on normalization."""
    sentences = []
    for kind, views in _kinds(results).items():
        sentence = described(kind, ", ".join(views))
        if kind == COUNTS:
            sentence += f" {cite('DESeq2')}, by PyDESeq2 {versions['pydeseq2']} {cite('PyDESeq2')}"
        sentences.append(f"{sentence}.")
        if kind == COUNTS:
            sentences += [words for view in views for words in (_size_factors(results, view), _kept(results, view))]
    sentences += [
        f"The values of {view['name']} were taken as given: their scale was not checked."
        for view in results.settings["views"]
        if view.get(SCALE, CHECKED) == AS_GIVEN
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _kinds(results: Results) -> dict[str, list[str]]:
    """Return the names of the views by their kind."""
    names: dict[str, list[str]] = {}
    for view in results.settings["views"]:
        names.setdefault(view["kind"], []).append(view["name"])
    return names


def _size_factors(results: Results, view: str) -> str:
    """Say which genes carry the size factors, or whose they are."""
    lender = next(each.get(SIZE_FACTORS, OWN_FACTORS) for each in results.settings["views"] if each["name"] == view)
    if lender != OWN_FACTORS:
        return f"The size factors of {view} were those of {lender}."
    used = _noted(results, view, "what", _USED)
    if used is None:
        return ""
    ratio = results.config["normalization"]["size_factors"] == MEDIAN_OF_RATIOS
    how = (
        "medians of ratios" if ratio else "medians of ratios to geometric means over the counts above zero (poscounts)"
    )
    return f"The size factors of {view} were {how}, from {used.group(1)} of {used.group(2)} {_features(view)}."


def _kept(results: Results, view: str) -> str:
    """Say how many genes were kept of how many, and by which rule."""
    features = results.tables["features"].set_index("view")["features"]
    if view not in features:
        return ""
    kept, least = int(features[view]), results.config["normalization"]["min_count"]
    dropped = _noted(results, view, "item", _DROPPED)
    if dropped is None:
        return f"All {kept} {_features(view)} of {view} were kept."
    rule = "a count above zero in any sample"
    if least:
        rule = f"at least {least} counts in as many samples as the smallest group has{_smallest(results, view)}"
    return (
        f"Of the {kept + int(dropped.group(1))} {_features(view)} of {view}, {kept} were kept: those with {rule}, and those of the "
        "signature registry."
    )


def _noted(results: Results, view: str, column: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """Find a note of the phase about a view."""
    notes = results.tables["notes"]
    own = notes[(notes["phase"] == "normalization") & (notes["view"] == view)]
    return next((found for words in own[column] if (found := pattern.fullmatch(str(words)))), None)


def _features(view: str) -> str:
    return "genes" if view == RNA else "features"


def _smallest(results: Results, view: str) -> str:
    """Write the size of the smallest group in brackets; a small one is not told."""
    size = int(results.measured[view][results.measured[view] > 0].min())
    return f" ({size})" if size >= results.min_cell else ""
