"""What the page's scripts know of each person: a line for the figures, and the profile that a row of the table opens.

Everything is by position: the people in the order of ``people``, numbers rounded to what can be seen. A cohort of 1,600
people must fit into a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from stratifn.report.content import cell
from stratifn.report.figures.style import Look
from stratifn.report.neighbours import nearest
from stratifn.report.new_patients import NewPatients
from stratifn.report.page.markers import marker_path
from stratifn.report.results import RANK_METHOD, Results
from stratifn.shared.samples import NAMES, TEXT, column_types
from stratifn.shared.vocabulary import ID, IN_VIEW, MODULE_METHOD, MODULES, UNSCORED

# how the signatures of modules are named
MODULE_PREFIX = "CHAUSSABEL_"
OVERVIEW_PAGE = "index.html"
_ID = re.compile(ID)


def people_data(results: Results) -> dict[str, Any] | None:
    """Describe the people of a page for its scripts; None where no mark may stand for one person.

    Returns
    -------
    dict
        ``groups`` (name, colour, marker as a path), ``fields`` and ``people`` (name to the words of its fields, the
        first being the number of the group), ``profiles_at`` (the page that holds the profiles; empty: this one; None:
        there are none), and on the overview ``profile``, see `profile_data`.
    """
    if not results.shown.lists_people:
        return None
    samples = results.samples[results.samples["disease"].isin(results.groups)]
    classes, strata = (_by_sample(results.tables[name], samples) for name in ("classes", "strata"))
    words = pd.DataFrame(
        {
            "score": _score(results).reindex(samples["sample"]),
            "ISG expression signature": classes["ifn_class"],
            "stratum": strata["stratum"].map(str).map(results.heads.stratum_names),
        }
    )
    line = _lines(words, samples.set_index("sample")["disease"], results.looks, results.labels)
    profile = {"profile": profile_data(results)} if results.disease is None else {}
    return line | {"profiles_at": "" if results.disease is None else OVERVIEW_PAGE} | profile


def people_of_new_patients(new: NewPatients) -> dict[str, Any] | None:
    """Describe new patients as `people_data` does; they have no profile."""
    if not new.shown.lists_people:
        return None
    patients = new.patients.set_index("sample")
    words = pd.DataFrame(
        {
            "score": patients["score"],
            "ISG expression signature": patients["ifn_class"],
            "stratum": patients["stratum"].map(new.stratum_names),
        }
    )
    return _lines(words, new.disease_of, new.looks, new.labels) | {"profiles_at": None}


def _lines(words: pd.DataFrame, group_of: pd.Series, looks: Mapping[str, Look], labels: pd.Series) -> dict[str, Any]:
    """Describe groups and people (index of `words`: samples) in a line each."""
    groups, written = list(looks), words.apply(lambda column: words_of(column))
    return {
        "groups": [[name, look.colour, marker_path(look.marker)] for name, look in looks.items()],
        "fields": list(words.columns),
        "people": {
            labels[sample]: [groups.index(group_of[sample]), *row]
            for sample, row in zip(words.index, written.itertuples(index=False), strict=True)
        },
    }


def profile_data(results: Results) -> dict[str, Any]:
    """Describe every person of the cohort for the profile, by position.

    Returns
    -------
    dict
        ``score``, ``genes``, ``type``, ``modules``, ``factors``, ``stratum``, ``views``, ``sheet`` and ``remarks``; a
        part that the data do not have is left out.
    """
    parts = {
        "score": _scores(results),
        "genes": _genes(results),
        "type": _types(results),
        "modules": _modules(results),
        "factors": _factors(results),
        "stratum": _strata(results),
        "views": {"names": results.views, "measured": _measured(results)},
        "sheet": _sheet(results),
        "remarks": _remarks(results),
    }
    return {name: part for name, part in parts.items() if part is not None}


def _by_sample(table: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    return table.set_index("sample").reindex(samples["sample"])


def _score(results: Results) -> pd.Series:
    """Return the score that the figures show: that of the classes, else the one by ranks."""
    score = results.tables["classes"].set_index("sample")["score"]
    return score if score.notna().any() else results.scores(RANK_METHOD)["score"]


def _scores(results: Results) -> dict[str, Any] | None:
    score = _score(results).reindex(results.samples["sample"])
    if score.isna().all():
        return None
    interferon = results.config["interferon"]
    by_ranks = results.tables["classes"]["score"].isna().all()
    method = RANK_METHOD if by_ranks else interferon["method"]
    classes = _by_sample(results.tables["classes"], results.samples)
    return {
        "name": f"{interferon['signature']}, {method}",
        "values": rounded(score, 3),
        "certainty": rounded(classes["probability_high"], 3),
        "cutoff": None if by_ranks or not results.has_classes else _cutoff(results, interferon["signature"], method),
        "control": None if results.control is None else results.groups.index(results.control),
    }


def _cutoff(results: Results, signature: str, method: str) -> list[float | None] | None:
    """Return the cut-off of a signature and its interval."""
    reference = results.tables["reference"]
    row = reference[(reference["signature"] == signature) & (reference["method"] == method)]
    if row.empty or row["cutoff"].isna().any():
        return None
    return rounded(row.iloc[0][["cutoff", "cutoff_low", "cutoff_high"]].astype(float), 3)


def _genes(results: Results) -> dict[str, Any] | None:
    z = results.genes.against(results.reference_controls)
    return None if z.empty else _grid(z[list(results.genes.signature)], results, 1)


def _types(results: Results) -> dict[str, Any] | None:
    table = results.tables["response_types"]
    if table.empty or table["type_i"].isna().all():
        return None
    kinds = {
        kind: [*(f"{kind}{end}" for end in ("", "_low", "_high")), f"{kind}_cutoff"] for kind in ("type_i", "type_ii")
    }
    shown = _by_sample(table, results.samples)
    return {
        "words": words_of(shown["ifn_type"]),
        "boundaries": rounded(table[[columns[-1] for columns in kinds.values()]].median(), 3),
        "parts": [rows_of(shown[columns[:-1]], 3) for columns in kinds.values()],
    }


def _modules(results: Results) -> dict[str, Any] | None:
    scores = results.tables["scores"]
    of_modules = scores[(scores["method"] == MODULE_METHOD) & scores["signature"].isin(MODULES)]
    if of_modules["score"].isna().all():
        return None
    grid = of_modules.pivot(index="sample", columns="signature", values="score")
    found = _grid(grid.rename(columns=lambda name: name.removeprefix(MODULE_PREFIX)), results, 2)
    cutoffs = [_cutoff(results, name, MODULE_METHOD) for name in grid.columns]
    return None if found is None else found | {"cutoffs": [each and each[0] for each in cutoffs]}


def _factors(results: Results) -> dict[str, Any] | None:
    factors = results.tables["factors"].set_index("sample")
    return _grid(factors[[name for name in factors if name in results.robust_factors]], results, 2)


def _strata(results: Results) -> dict[str, Any] | None:
    if results.one_stratum:
        return None
    strata = _by_sample(results.tables["strata"], results.samples)
    position = {sample: number for number, sample in enumerate(results.samples["sample"])}
    neighbours = nearest(results)
    return {
        "names": words_of(strata["stratum"].map(str).map(results.heads.stratum_names)),
        "confidence": rounded(strata["confidence"], 3),
        "stability": rounded(strata["stability"], 2) if "stability" in strata else None,
        "neighbours": [[position[other] for other in neighbours.get(sample, ())] for sample in position],
    }


def _measured(results: Results) -> list[str]:
    """Write for each person which views it was measured in: 1 or 0 for each view."""
    columns = [
        results.samples.get(f"{IN_VIEW}{view}", pd.Series(True, results.samples.index)) for view in results.views
    ]
    return ["".join("1" if known else "0" for known in row) for row in zip(*columns, strict=True)]


def _sheet(results: Results) -> dict[str, Any] | None:
    """Take the sheet's variables; words that nobody shares (dates, comments) are none."""
    samples = results.samples
    kinds = {name: kind["type"] for name, kind in column_types(samples).items()}
    names = [
        name for name, kind in kinds.items() if kind != TEXT and name not in NAMES and not name.startswith(IN_VIEW)
    ]
    if not names:
        return None
    return {"names": names, "values": [words_of(samples[name]) for name in names]}


def _remarks(results: Results) -> list[list[str]]:
    """List for each person why it has no class, what its quality was flagged for, and the phases' notes on it."""
    found: dict[str, list[str]] = {sample: [] for sample in results.samples["sample"]}
    for row in results.tables["classes"].dropna(subset="reason").itertuples():
        found[row.sample].append(f"{'not classed: ' if row.ifn_class == UNSCORED else ''}{row.reason}")
    for row in results.tables["quality"].dropna(subset="reason").itertuples():
        found[row.sample].append(f"quality, {row.view}: {row.reason}")
    for row in results.tables["notes"].itertuples():
        if row.item in found:
            found[row.item].append(f"{row.view}, {row.what}: {row.reason}")
    labels = results.labels.to_dict()
    return [[_named(remark, labels) for remark in dict.fromkeys(remarks)] for remarks in found.values()]


def _named(remark: str, labels: Mapping[str, str]) -> str:
    """Call every sample that a remark names by its label."""
    return _ID.sub(lambda match: labels.get(match.group(), match.group()), remark)


def _grid(frame: pd.DataFrame, results: Results, digits: int) -> dict[str, Any] | None:
    """Describe a table of samples x names."""
    if frame.shape[1] == 0 or frame.isna().all(axis=None):
        return None
    return {"names": [str(name) for name in frame], "values": rows_of(frame.reindex(results.samples["sample"]), digits)}


def rows_of(frame: pd.DataFrame, digits: int) -> list[list[float | None] | None]:
    """Return the rounded rows of a table; None for one without any value."""
    rows = [rounded(row, digits) for row in frame.to_numpy(float)]
    return [None if all(value is None for value in row) else row for row in rows]


def rounded(values: Sequence[float] | pd.Series | np.ndarray, digits: int) -> list[float | None]:
    """Round numbers; what is missing or not finite becomes None, which JSON knows."""
    return [round(float(value), digits) if np.isfinite(value) else None for value in np.asarray(values, dtype=float)]


def words_of(values: pd.Series | Mapping[str, Any]) -> list[str]:
    """Write values as the tables do."""
    return [cell(value) for value in pd.Series(values).astype(object)]
