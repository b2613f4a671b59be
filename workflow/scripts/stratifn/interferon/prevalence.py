"""How many patients have the signature, with the uncertainty of people and cut-off; how far signatures agree."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from zlib import crc32

import numpy as np
import pandas as pd

from stratifn.interferon.classes import Standing, call
from stratifn.interferon.concordance import cohens_kappa, rank_correlation
from stratifn.interferon.published import published_prevalence
from stratifn.interferon.reference import Reference
from stratifn.interferon.settings import Origin
from stratifn.registry.signatures import Registry
from stratifn.shared.columns import columns_of
from stratifn.shared.vocabulary import CLASSES, HEALTHY

PREVALENCE_COLUMNS = columns_of("interferon/prevalence.tsv")
AGREEMENT_COLUMNS = columns_of("interferon/agreement.tsv")
FEWEST_PEOPLE = 5


def prevalence_table(
    standings: Mapping[str, Standing],
    all_controls: Mapping[str, Standing | None],
    reference: Reference,
    disease: np.ndarray,
    masked: np.ndarray,
    registry: Registry,
    control: str | None,
    origin: Origin,
) -> pd.DataFrame:
    """Return `prevalence.tsv`: each disease by each signature of the panel.

    Parameters
    ----------
    standings
        By signature, for the same people in the same order.
    all_controls
        The same if no outlying control is left out; None where none was.
    reference
        The frozen reference.
    disease, masked
        Per person: the label, and who is left out (anti-IFN therapy).
    registry
        For the published figures.
    control
        Label of the controls: they get a row too, as a check of sense.
    origin
        Decides whether a published figure is comparable with ours.

    Notes
    -----
    ``prevalence`` is the share with a score above the cut-off. Its 95 % interval draws, for every resample of the
    controls, from the Jeffreys posterior of the share above that resample's cut-off, so that it holds the
    uncertainty of both. Where controls were left out, it is the union of the intervals without and with them: nobody
    knows whether they were ill or the healthy differ that much.
    """
    rows = []
    for name in sorted({str(label) for label in disease}):
        of_disease = (disease.astype(str) == name) & ~masked
        label = HEALTHY if name == control else name
        for signature, stand in standings.items():
            known = published_prevalence(registry, label, signature, origin.specimen, origin.control_type)
            rows.append(
                {"disease": name, "signature": signature}
                | _share(stand, all_controls[signature], of_disease, reference, seed_words=(signature, name))
                | {"published": known.value, "published_source": known.source or None}
            )
    table = pd.DataFrame(rows, columns=list(PREVALENCE_COLUMNS))
    table["published"] = table["published"].astype(float)
    return table.sort_values(["disease", "signature"], ignore_index=True)


def _share(
    stand: Standing,
    all_controls: Standing | None,
    chosen: np.ndarray,
    reference: Reference,
    seed_words: tuple[str, ...],
) -> dict:
    scored = chosen & np.isfinite(stand.probability_high)
    n = int(scored.sum())
    classes = call(stand.probability_high[scored], reference)
    counts = {name: int((classes == name).sum()) for name in CLASSES}
    if not n:
        return {"n": 0} | counts | dict.fromkeys(("prevalence", "ci_low", "ci_high"), np.nan)
    share = float((stand.score[scored] > stand.cutoff).mean())
    seed = [reference.settings.seed, *(crc32(word.encode()) for word in seed_words)]
    ends = [_interval(each.above[scored], seed) for each in (stand, all_controls) if each is not None]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return (
        {"n": n}
        | counts
        | {
            "prevalence": share,
            "ci_low": float(min(low, share)),
            "ci_high": float(max(high, share)),
        }
    )


def _interval(above: np.ndarray, seed: list[int]) -> tuple[float, float]:
    """Return the 95 % interval of a share from who is above the cut-off in each resample (people x resamples)."""
    n, count = len(above), above.sum(axis=0)
    low, high = np.percentile(np.random.default_rng(seed).beta(count + 0.5, n - count + 0.5), (2.5, 97.5))
    return float(low), float(high)


def agreement_table(standings: Mapping[str, Standing], reference: Reference, patients: np.ndarray) -> pd.DataFrame:
    """Return `agreement.tsv` over the patients: rank correlation, kappa of above/below, and genes in common.

    Controls are left out: the difference between them and the patients would be counted as agreement.
    """
    rows = [
        {
            "signature_a": first,
            "signature_b": second,
            "spearman": _spearman(standings[first].score[patients], standings[second].score[patients]),
            "kappa": _kappa(standings[first], standings[second], patients),
            "shared_genes": len(set(reference.panel[first].genes) & set(reference.panel[second].genes)),
        }
        for first, second in combinations(sorted(standings), 2)
    ]
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    both = np.isfinite(first) & np.isfinite(second)
    found = rank_correlation(first[both], second[both])
    return float("nan") if found is None else found.r


def _kappa(first: Standing, second: Standing, chosen: np.ndarray) -> float:
    """Return kappa of being above the cut-off, over people whom both signatures can class."""
    both = chosen & np.isfinite(first.probability_high) & np.isfinite(second.probability_high)
    if both.sum() < FEWEST_PEOPLE:
        return float("nan")
    return cohens_kappa(first.score[both] > first.cutoff, second.score[both] > second.cutoff)
