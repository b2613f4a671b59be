"""The people: stratum, interferon status and type, true activities, and what a clinic writes down about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from stratifn.shared.vocabulary import HEALTHY_LIKE, HIGH, INFLAMMATORY, INTERFERON, LOW, LYMPHOID, RNA
from stratifn.simulation.profiles import (
    ANTIBODIES,
    INTERFERON_DOMINANT,
    Profile,
    profile_of,
)
from stratifn.simulation.randomness import allocate, random_stream

FACTORS = ("type_i_ifn", "type_ii_ifn", "inflammation", "lymphoid")
# chance of the signature in the strata that it does not dominate, relative to each other
SIGNATURE_ELSEWHERE = {INFLAMMATORY: 1.0, LYMPHOID: 0.8, HEALTHY_LIKE: 0.25}
FEMALE_SHARE = 0.83
SAMPLES_PER_BATCH = 40
MASKED_REMAINDER = 0.1
SHEET_COLUMNS = (
    "sample",
    "patient",
    "disease",
    "sex",
    "age",
    "batch",
    "hydroxychloroquine",
    "glucocorticoid_mg",
    "anti_ifn",
    "activity",
    *ANTIBODIES,
)


def draw_cohort(sizes: dict[str, int], control: str | None, seed: int, stream: str = "patients") -> pd.DataFrame:
    """Draw every group, give out sample ids in random order, and spread each group over the batches.

    Parameters
    ----------
    sizes
        Number of people per group, the control group included.
    control
        Label of the control group.
    seed
        The cohort's seed.
    stream
        Name of the random stream; another name gives an independent cohort of the same population.

    Returns
    -------
    pandas.DataFrame
        One row per sample, sorted by sample: the sheet's columns and the truth.
    """
    groups = []
    for group, size in sizes.items():
        rng = random_stream(seed, f"{stream}.{group}")
        groups.append(_draw_group(group, profile_of(group, control), size, group == control, rng))
    cohort = pd.concat(groups, ignore_index=True)
    rng = random_stream(seed, f"{stream}.order")
    cohort["batch"] = _batches(cohort["disease"], rng)
    cohort = cohort.iloc[rng.permutation(len(cohort))].reset_index(drop=True)
    width = max(3, len(str(len(cohort))))
    cohort["sample"] = [f"S{number:0{width}d}" for number in range(1, len(cohort) + 1)]
    cohort["patient"] = [f"P{number:0{width}d}" for number in range(1, len(cohort) + 1)]
    return cohort


def _draw_group(group: str, profile: Profile, size: int, is_control: bool, rng: np.random.Generator) -> pd.DataFrame:
    people = pd.DataFrame({"disease": [group] * size})
    people["stratum"] = _strata(profile, size, is_control, rng)
    people["ifn_status"] = _interferon_status(people["stratum"], profile, rng)
    people["ifn_type"] = _interferon_type(people["ifn_status"], profile, rng)
    people["type_i_ifn"] = _type_i_activity(people, is_control, rng)
    people["type_ii_ifn"] = _on_and_off(people["ifn_type"].isin(["I+II", "II"]), 1.0, 0.2, 0.08, rng).abs()
    people["inflammation"] = _on_and_off(people["stratum"] == INFLAMMATORY, 1.2, 0.25, 0.18, rng)
    people["lymphoid"] = _on_and_off(people["stratum"] == LYMPHOID, 1.2, 0.25, 0.18, rng)
    people["ifn_alpha_log2"] = profile.ifn_alpha_log2
    _treat(people, profile, rng)
    _describe(people, profile, is_control, rng)
    return people


def _strata(profile: Profile, size: int, is_control: bool, rng: np.random.Generator) -> np.ndarray:
    dominant = 0.0 if is_control else INTERFERON_DOMINANT * profile.prevalence
    others = {stratum: (1 - dominant) * share for stratum, share in profile.other_strata.items()}
    return allocate({INTERFERON: dominant} | others, size, rng)


def _interferon_status(strata: pd.Series, profile: Profile, rng: np.random.Generator) -> pd.Series:
    """Everybody of the interferon stratum has the signature; the rest of the prevalence lies in the others."""
    high = (strata == INTERFERON).to_numpy()
    missing = max(round(profile.prevalence * len(strata)) - int(high.sum()), 0)
    if missing:
        weights = strata.map(SIGNATURE_ELSEWHERE).fillna(0.0).to_numpy(dtype=float)
        chosen = rng.choice(len(strata), missing, replace=False, p=weights / weights.sum())
        high[chosen] = True
    return pd.Series(np.where(high, HIGH, LOW), index=strata.index, dtype=object)


def _interferon_type(status: pd.Series, profile: Profile, rng: np.random.Generator) -> pd.Series:
    kinds = pd.Series("none", index=status.index, dtype=object)
    high, low = status.index[status == HIGH], status.index[status == LOW]
    kinds[high] = allocate({"I+II": profile.type_ii, "I": 1 - profile.type_ii}, len(high), rng)
    if len(low):
        alone = min(profile.isolated_type_ii * len(status) / len(low), 1.0)
        kinds[low] = allocate({"II": alone, "none": 1 - alone}, len(low), rng)
    return kinds


def _type_i_activity(people: pd.DataFrame, is_control: bool, rng: np.random.Generator) -> np.ndarray:
    """Activity in units of a full-blown signature: about 1 where it dominates, half of it elsewhere, near 0 if low.

    Some patients without the signature smoulder: theirs overlaps with the weakest signatures.
    """
    draws = rng.standard_normal(len(people))
    dominant = np.clip(1.05 + 0.20 * draws, 0.6, None)
    moderate = np.clip(0.52 + 0.16 * draws, 0.15, None)
    smouldering = ~is_control & (rng.uniform(size=len(people)) < 0.20)
    low = np.abs(0.08 * draws) + np.where(smouldering, rng.uniform(0.05, 0.35, len(people)), 0.0)
    elsewhere = np.where(people["ifn_status"] == HIGH, moderate, low)
    return np.where(people["stratum"] == INTERFERON, dominant, elsewhere)


def _on_and_off(on: pd.Series, mean: float, spread_on: float, spread_off: float, rng: np.random.Generator) -> pd.Series:
    draws = rng.standard_normal(len(on))
    return pd.Series(np.where(on, mean + spread_on * draws, spread_off * draws), index=on.index)


def _treat(people: pd.DataFrame, profile: Profile, rng: np.random.Generator) -> None:
    """Add treatment and its effect: anti-interferon drugs mask the signature, the others weaken it a little.

    Hydroxychloroquine lowers the score (JOQUER trial), glucocorticoids only at a high dose (Northcott 2022).
    """
    size = len(people)
    people["hydroxychloroquine"] = _yes_no(profile.hydroxychloroquine, size, rng)
    treated = _yes_no(profile.glucocorticoid, size, rng) == "yes"
    dose = np.round(np.exp(rng.normal(np.log(8.0), 0.7, size)) / 2.5) * 2.5
    people["glucocorticoid_mg"] = np.where(treated, np.clip(dose, 2.5, 60.0), 0.0)
    masked = np.zeros(size, dtype=bool)
    dominant = np.flatnonzero(people["stratum"] == INTERFERON)
    masked[rng.permutation(dominant)[: round(profile.anti_ifn * size)]] = True
    people["anti_ifn"] = np.where(masked, "yes", "no")
    people["type_i_ifn"] *= np.where(people["hydroxychloroquine"] == "yes", 0.93, 1.0)
    people["type_i_ifn"] *= np.where(people["glucocorticoid_mg"] >= 30, 0.85, 1.0)
    # what blood shows under the drug is the truth that an analysis of blood can find
    people.loc[masked, "type_i_ifn"] *= MASKED_REMAINDER
    people.loc[masked, ["ifn_status", "ifn_type", "stratum"]] = [LOW, "none", HEALTHY_LIKE]
    people.loc[masked, "type_ii_ifn"] *= MASKED_REMAINDER


def _describe(people: pd.DataFrame, profile: Profile, is_control: bool, rng: np.random.Generator) -> None:
    """Add sex, age, activity and antibodies; groups are matched by sex and age, as a case-control study recruits."""
    size = len(people)
    people["sex"] = allocate({"F": FEMALE_SHARE, "M": 1 - FEMALE_SHARE}, size, rng)
    centiles = (np.arange(size) + rng.uniform(size=size)) / max(size, 1)
    people["age"] = rng.permutation(np.round(np.clip(norm.ppf(centiles, 49, 13), 18, 82)))
    severity = 0.5 + 0.45 * rng.standard_normal(size)
    for factor, weight in profile.activity_weights.items():
        severity += weight * people[factor].to_numpy()
    people["activity"] = np.nan if is_control else np.clip(np.round(6.0 * severity), 0, None)
    high = people["ifn_status"] == HIGH
    for antibody in ANTIBODIES:
        without, with_signature = profile.antibodies.get(antibody, (0.0, 0.0))
        chance = np.where(high, with_signature, without)
        people[antibody] = np.where(rng.uniform(size=size) < chance, "yes", "no")


def _yes_no(share: float, size: int, rng: np.random.Generator) -> np.ndarray:
    return allocate({"yes": share, "no": 1 - share}, size, rng)


def _batches(disease: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Spread each group evenly over the batches, so that no batch is one disease."""
    count = int(np.clip(len(disease) // SAMPLES_PER_BATCH, 2, 12))
    batch = np.empty(len(disease), dtype=object)
    for members in disease.groupby(disease, sort=True).indices.values():
        turns = (rng.integers(count) + np.arange(len(members))) % count
        batch[members] = [f"B{turn + 1}" for turn in rng.permutation(turns)]
    return batch


def presence(samples: Sequence[str], views: Sequence[str], seed: int) -> pd.DataFrame:
    """Say who was measured in which view: 2 % lack the RNA, 10 % each other view, at random.

    Whoever lacks the RNA has all else, so that nobody is without data.

    Returns
    -------
    pandas.DataFrame
        Booleans, samples x views.
    """
    size = len(samples)
    measured = pd.DataFrame(True, index=pd.Index(samples, name="sample"), columns=list(views))
    rng = random_stream(seed, "missing")
    order = rng.permutation(size)
    without_rna, others = order[: round(0.02 * size)], order[round(0.02 * size) :]
    for view in views:
        absent = without_rna if view == RNA else rng.permutation(others)[: round(0.10 * size)]
        measured.iloc[absent, measured.columns.get_loc(view)] = False
    return measured
