"""The score beside the measured IFN-alpha protein.

Digital ELISA of IFN-alpha and ISG scores rank people alike (r 0.66 to 0.94, Huijser 2022 Rheumatology 61:2156) but are
not interchangeable, and the cut-off belongs to the assay (10 to 266 fg/ml by antibody and version): it is a parameter
and carries the assay's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from stratifn.interferon.concordance import cohens_kappa, rank_correlation
from stratifn.shared.columns import columns_of
from stratifn.shared.vocabulary import HIGH, LOW

# human IFN-alpha (2, 2a), with or without its unit
IFN_ALPHA = re.compile(
    r"^(h(u|uman)?[-_. ]?)?(ifn|interferon)[-_. ]?(a|α|alpha)[-_. ]?2?[-_. ]?a?([-_. (]*[fpn]g[-_./ ]?ml\)?)?$",
    re.IGNORECASE,
)
PROTEIN_COLUMNS = columns_of("interferon/protein.tsv")
RANK_COLUMNS = columns_of("interferon/protein_ranks.tsv")
POOLED = "all patients"
FEWEST = 5


@dataclass(frozen=True)
class Assay:
    """The assay of the protein: its name as to be printed, and its cut-off in the view's units (None: not given)."""

    name: str
    cutoff: float | None = None


def find_ifn_alpha(view: ad.AnnData) -> str | None:
    """Return the analyte of a concentration view whose name is one of IFN-alpha; None if none or several are."""
    found = [name for name in view.var_names if IFN_ALPHA.match(name)]
    return found[0] if len(found) == 1 else None


def concentrations(view: ad.AnnData, analyte: str) -> pd.DataFrame:
    """Return value and below_limit of one analyte, one row per sample.

    Parameters
    ----------
    view
        The validated concentration view: ``X`` in measured units, ``layers["below_lod"]`` and ``var["lod"]`` where
        values lie below the limit of detection (these get the limit over the square root of two).
    analyte
        A feature of the view.
    """
    column = view[:, analyte]
    values = np.asarray(column.X, dtype=float).ravel()
    below = np.zeros(len(values), dtype=bool)
    if "below_lod" in column.layers:
        below = np.asarray(column.layers["below_lod"], dtype=bool).ravel()
        values = np.where(below, float(column.var["lod"].iloc[0]) / np.sqrt(2), values)
    return pd.DataFrame({"value": values, "below_limit": below}, index=view.obs_names)


def log2_over_controls(measured: pd.DataFrame, controls: list[str]) -> pd.Series | None:
    """Return log2 of the concentration over the controls' median; None without measured controls."""
    values = measured["value"].where(measured["value"] > 0)
    of_controls = values.reindex(controls).dropna()
    if of_controls.empty:
        return None
    return np.log2(values / of_controls.median())


def protein_table(
    measured: pd.DataFrame, classes: pd.DataFrame, analyte: str, assay: Assay, signature: str, control: str | None
) -> pd.DataFrame:
    """Return `protein.tsv`: concordance per disease, over all patients, and in the controls.

    Parameters
    ----------
    measured
        From `concentrations`.
    classes
        `classes.tsv`.
    analyte, assay, signature
        What is compared with what.
    control
        Label of the controls; they are never pooled with the patients.

    Notes
    -----
    Kappa compares the protein above the assay's cut-off with the signature ``high``, without
    borderline people.
    """
    joined = classes.set_index("sample").join(measured, how="left")
    groups = dict(iter(joined.groupby("disease", sort=True)))
    groups[POOLED] = joined[joined["disease"] != control]
    fixed = {"analyte": analyte, "assay": assay.name, "signature": signature, "assay_cutoff": assay.cutoff}
    rows = [fixed | {"disease": name} | _concordance(group, assay.cutoff) for name, group in groups.items()]
    table = pd.DataFrame(rows, columns=list(PROTEIN_COLUMNS))
    numbers = ["spearman", "ci_low", "ci_high", "assay_cutoff", "kappa"]
    return table.astype(dict.fromkeys(numbers, float))


def _concordance(group: pd.DataFrame, cutoff: float | None) -> dict:
    both = group.dropna(subset=["score", "value"])
    result: dict[str, Any] = {"n": len(both), "below_limit": int(both["below_limit"].sum()), "reason": None}
    found = rank_correlation(both["score"].to_numpy(), both["value"].to_numpy())
    if len(both) < FEWEST:
        result["reason"] = f"fewer than {FEWEST} people with both"
    elif found is None:
        result["reason"] = "all values are equal"
    else:
        result |= {"spearman": found.r, "ci_low": found.low, "ci_high": found.high}
    return result if cutoff is None else result | _classes_against(both, cutoff)


def _classes_against(both: pd.DataFrame, cutoff: float) -> dict:
    called = both[both["ifn_class"].isin([HIGH, LOW])]
    protein, signature = (called["value"] > cutoff).to_numpy(), (called["ifn_class"] == HIGH).to_numpy()
    return {
        "protein_high": int(protein.sum()),
        "signature_high": int(signature.sum()),
        "both_high": int((protein & signature).sum()),
        "kappa": cohens_kappa(protein, signature),
    }


def rank_agreement(measured: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Return the points of a Bland-Altman plot on ranks: sample, disease, mean_rank, rank_difference (0 to 1).

    ``rank_difference`` is the protein's rank less the score's, both as a share of the people with both.
    """
    both = classes.set_index("sample").join(measured, how="inner").dropna(subset=["score", "value"])
    score, protein = (rankdata(both[column]) / max(len(both), 1) for column in ("score", "value"))
    table = pd.DataFrame(
        {
            "sample": both.index,
            "disease": both["disease"].to_numpy(),
            "mean_rank": (score + protein) / 2,
            "rank_difference": protein - score,
        }
    )
    return table.sort_values("sample", ignore_index=True)[list(RANK_COLUMNS)]
