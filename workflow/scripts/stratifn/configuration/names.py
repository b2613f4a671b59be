"""Names that clash: each becomes a file, a folder or a column, and two of them cannot share one.

Upper and lower case count as the same, because on some file systems they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stratifn.shared.comparisons import INTERFERON_STATUS, contrast_names, interferon_contrast_names
from stratifn.shared.errors import Problem
from stratifn.shared.factor_model import RESERVED_VIEW_NAMES

# folders beside those of the cohorts
COHORTS = frozenset({"transfer", "studies"})
# besides the files of the phase
CONTRASTS = frozenset({"index", "transfer", "studies", "verdicts", "files"})
DISEASES = frozenset({"index", *INTERFERON_STATUS.lower().split("_vs_")})
# what notes say in the place of a view, the sheet among the input files, the factors in the MuData object
VIEWS = frozenset({"all", "samples", "sources", "verdicts", "files", "model", "x_mofa"})

SAMPLES = "inputs/samples.tsv"
# tables whose columns are joined to those of the sample sheet: in association tests, in the report, in cohort.h5mu
JOINED_TABLES = frozenset(
    {
        "normalization/quality.tsv",
        "normalization/size_factors.tsv",
        "interferon/classes.tsv",
        "integration/factors.tsv",
        "stratification/strata.tsv",
    }
)
KEYS = frozenset({"sample", "patient", "disease", "view", "reason"})


def name_problems(config: Mapping[str, Any], contract: Mapping[str, Any]) -> Iterator[Problem]:
    """List the names of a configuration, with its defaults filled in, that clash.

    Parameters
    ----------
    config
        Every cohort with its own ``diseases`` and ``control``.
    contract
        The content of ``outputs.yaml``: the files that have their names already.
    """
    yield from _taken("cohorts", _names(config["cohorts"]), COHORTS)
    yield from _taken("transfer", _names(config["transfer"]), frozenset())
    contrasts = _names(config["contrasts"])
    yield from _taken("contrasts", contrasts, CONTRASTS | reserved_names(contract, "contrast"))
    views = VIEWS | reserved_names(contract, "view") | RESERVED_VIEW_NAMES
    for key in ("cohorts", "transfer"):
        for number, item in enumerate(config[key]):
            yield from _taken(f"{key}[{number}] ({item['name']}).views", _names(item["views"]), views)
    diseases = DISEASES | reserved_names(contract, "disease")
    automatic: dict[str, list[str]] = {}
    for number, cohort in enumerate(config["cohorts"]):
        named = f"cohorts[{number}] ({cohort['name']})"
        where = f"{named}.diseases"
        yield from _taken(where, cohort["diseases"], diseases)
        yield from _taken(f"{named}.control", [cohort["control"]] if cohort["control"] else [], frozenset())
        yield from _same_comparison(where, cohort["diseases"], cohort["control"])
        for name in _automatic(cohort["diseases"], cohort["control"]):
            automatic.setdefault(name.lower(), []).append(cohort["name"])
    for number, name in enumerate(contrasts):
        if name.lower() in automatic:
            found = f"the name of a comparison that is always made (cohort {automatic[name.lower()][0]})"
            expected = "a name of its own"
            yield Problem(
                "config",
                f"contrasts[{number}].name",
                f"`{name}`, {found}",
                expected,
                "Rename it, or remove it.",
                code="IN-175",
            )


def _names(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def _taken(where: str, names: Sequence[str], reserved: frozenset[str]) -> Iterator[Problem]:
    for name, count in sorted(Counter(name.lower() for name in names).items()):
        if count > 1:
            yield Problem(
                "config",
                where,
                f"`{name}` {count} times (case does not count)",
                "each once",
                "Rename one.",
                code="IN-176",
            )
        if name in reserved:
            expected = f"another name than {', '.join(sorted(reserved))}"
            yield Problem("config", where, f"the reserved name `{name}`", expected, "Rename it.", code="IN-177")
        if ".." in name:
            yield Problem("config", where, f"`{name}`", "no two dots in a row", "Rename it.", code="IN-178")


def _same_comparison(where: str, diseases: Sequence[str], control: str | None) -> Iterator[Problem]:
    """Find comparisons of different groups that would be called the same, such as A with B_vs_C and A_vs_B with C."""
    groups = [name.lower() for name in (*diseases, *([control] if control else []))]
    if len(set(groups)) < len(groups):
        return  # said already, and better
    for name, count in Counter(name.lower() for name in _automatic(diseases, control)).items():
        if count > 1:
            found = f"{count} comparisons that would be called `{name}`"
            fix = "Rename a disease or the control: `labels` then maps the name to the label of the sheet."
            yield Problem("config", where, found, "a name for each", fix, code="IN-179")


def _automatic(diseases: Sequence[str], control: str | None) -> list[str]:
    """Name every comparison that is always made."""
    return [*contrast_names(diseases, control), *interferon_contrast_names(diseases)]


def reserved_names(contract: Mapping[str, Any], placeholder: str) -> frozenset[str]:
    """List the names that would give two files of the same kind one name.

    Parameters
    ----------
    contract
        The content of ``outputs.yaml``.
    placeholder
        What the name stands for in its paths, for example ``contrast``.

    Returns
    -------
    frozenset of str
        In lower case: the names, without their endings, of everything beside the files that are called
        ``{placeholder}``.
    """
    entries = [*contract["tables"], *contract["files"], *contract["folders"]]
    paths = [entry if isinstance(entry, str) else entry["path"] for entry in entries]
    folders = {parent for parent, name in map(_split, paths) if name == f"{{{placeholder}}}"}
    return frozenset(name.lower() for parent, name in map(_split, paths) if parent in folders and "{" not in name)


def _split(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name.split(".")[0]


def joined_columns(contract: Mapping[str, Any]) -> frozenset[str]:
    """List the columns that tables with one row per sample add to those of the sample sheet.

    ``Factor*`` stands for Factor1, Factor2 and so on.
    """
    tables = {entry["path"]: set(entry["columns"]) for entry in contract["tables"]}
    joined = set().union(*(columns for path, columns in tables.items() if path in JOINED_TABLES))
    return frozenset((joined | tables[SAMPLES]) - KEYS)
