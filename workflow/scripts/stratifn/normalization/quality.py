"""Which samples look unlike the others, belong to another sex than the sheet says, or are there twice.

Nothing is dropped here: a reader decides.
"""

from __future__ import annotations

from collections.abc import Mapping

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.normalization.principal_components import variable_features
from stratifn.shared.columns import columns_of

COLUMNS = list(columns_of("normalization/quality.tsv"))
# robust standard deviations; the cut-off of nf-core/differentialabundance's correlation check
MAD_CUTOFF = 5.0
_MAD_TO_SD = 1.4826
# a filtered matrix detects nearly the same features everywhere: 0.3 % fewer is then ten MADs, and no matter
MIN_LOG_SPREAD = 0.05
Y_LINKED_GENES = ("DDX3Y", "EIF1AY", "KDM5D", "NLGN4Y", "RPS4Y1", "TXLNGY", "USP9Y", "UTY", "ZFY")
FEMALE_GENE = "XIST"
# log2 units between XIST and the mean of the Y-linked genes, below which the sex stays open
SEX_MARGIN = 1.0
MIN_PER_SEX = 3
IDENTICAL_CORRELATION = 0.9999
DUPLICATE_CORRELATION = 0.95


def quality_table(views: Mapping[str, ad.AnnData], samples: pd.DataFrame) -> pd.DataFrame:
    """Measure every sample in every view and say what is unusual about it.

    A sample is an outlier in a view if its log library size, its number of detected features or its median
    correlation with the other samples lies more than five median absolute deviations (scaled to a standard
    deviation) from the median, for the correlation downwards only.

    Parameters
    ----------
    views
        Normalised views by name.
    samples
        The cohort's samples; ``sex`` (F, M) is compared with the expression of XIST and Y-linked genes.

    Returns
    -------
    pandas.DataFrame
        One row per sample and view, sorted by view and sample; see `COLUMNS`. `reason` also holds a sex that does
        not fit the sheet and a near-duplicate, which make no outlier by themselves.
    """
    sheet_sex = samples.set_index("sample")["sex"] if "sex" in samples else pd.Series(dtype=object)
    tables = [_view_quality(name, views[name], sheet_sex) for name in sorted(views)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _view_quality(name: str, view: ad.AnnData, sheet_sex: pd.Series) -> pd.DataFrame:
    table = pd.DataFrame({"sample": view.obs_names.astype(str), "view": name})
    for column in ("library_size", "detected_features", "missing_fraction"):
        table[column] = view.obs[column].to_numpy() if column in view.obs else np.nan
    centred, means = variable_features(view.X)
    table["median_correlation"] = _median_with_others(_correlations(centred + means))
    table["predicted_sex"] = predict_sex(view, sheet_sex)
    table["near_duplicate"] = near_duplicates(_correlations(centred), view.obs_names)
    reasons: list[list[str]] = [[] for _ in range(view.n_obs)]
    for label, scores, both in _robust_scores(table):
        for i in np.flatnonzero((scores < -MAD_CUTOFF) | (both & (scores > MAD_CUTOFF))).tolist():
            reasons[i].append(f"{label} {scores[i]:+.1f} MAD from the median")
    table["outlier"] = [bool(reason) for reason in reasons]
    expected = sheet_sex.reindex(table["sample"]).to_numpy(dtype=object)
    for i, (predicted, stated) in enumerate(zip(table["predicted_sex"], expected, strict=True)):
        if isinstance(predicted, str) and isinstance(stated, str) and predicted != stated:
            reasons[i].append(f"the sheet says sex {stated}, expression says {predicted}")
    for i, twin in enumerate(table["near_duplicate"]):
        if isinstance(twin, str):
            reasons[i].append(f"nearly identical to {twin}")
    table["reason"] = pd.Series(["; ".join(reason) or None for reason in reasons], dtype=object)
    return table.sort_values("sample", ignore_index=True)[COLUMNS]


def _robust_scores(table: pd.DataFrame) -> list[tuple[str, np.ndarray, bool]]:
    """Return label, distance from the median in scaled MADs, and whether a high value is unusual too."""
    scores = []
    library = table["library_size"].to_numpy(dtype=float)
    if np.isfinite(library).any():
        scores.append(("log library size", robust_z(np.log(library), MIN_LOG_SPREAD), True))
    detected = np.log(np.maximum(table["detected_features"].to_numpy(dtype=float), 0.5))
    scores.append(("log detected features", robust_z(detected, MIN_LOG_SPREAD), True))
    scores.append(("median correlation", robust_z(table["median_correlation"].to_numpy(dtype=float)), False))
    return scores


def robust_z(values: np.ndarray, least_spread: float = 0.0) -> np.ndarray:
    """Return distances from the median in scaled MADs, which are taken to be at least `least_spread`.

    All 0 where the spread is 0, so that rounding flags nobody.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(len(values))
    middle = np.median(values[finite])
    mad = max(_MAD_TO_SD * np.median(np.abs(values[finite] - middle)), least_spread)
    if mad <= 1e-9 * max(abs(middle), 1.0):
        return np.zeros(len(values))
    return np.where(finite, (values - middle) / mad, 0.0)


def _correlations(values: np.ndarray) -> np.ndarray:
    """Correlate samples (rows); samples x samples."""
    if not values.size:
        return np.zeros((len(values), len(values)))
    values = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    values = values / np.where(lengths > 0, lengths, 1.0)
    return np.clip(values @ values.T, -1.0, 1.0)


def _median_with_others(correlations: np.ndarray) -> np.ndarray:
    n = len(correlations)
    if n < 2:
        return np.full(n, np.nan)
    others = correlations[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return np.median(others, axis=1)


def near_duplicates(correlations: np.ndarray, names: pd.Index) -> pd.Series:
    """Name for each sample the one that it nearly equals, or None.

    `correlations` are over centred features: uncentred, all samples of one tissue correlate at 0.95 and more.
    Identical up to rounding (r above 0.9999), or r above 0.95 and, on Fisher's z scale, more than five MADs nearer
    than samples usually are to their nearest neighbour: in a small experiment with a strong treatment, replicates
    reach 0.95 without being the same sample.
    """
    n = len(correlations)
    twins = pd.Series([None] * n, dtype=object)
    if n < 3:
        return twins
    others = np.where(np.eye(n, dtype=bool), -1.0, correlations)
    nearest = others.argmax(axis=1)
    closeness = others[np.arange(n), nearest]
    unusual = robust_z(np.arctanh(np.clip(closeness, -0.999999, 0.999999))) > MAD_CUTOFF
    for i in range(n):
        if closeness[i] > IDENTICAL_CORRELATION or (closeness[i] > DUPLICATE_CORRELATION and unusual[i]):
            twins[i] = str(names[nearest[i]])
    return twins


def predict_sex(view: ad.AnnData, sheet_sex: pd.Series) -> pd.Series:
    """Predict F or M from XIST against the mean of the Y-linked genes; None where it stays open.

    Counts are comparable between genes: the sign of the log2 difference decides. Intensities of an array are not
    (each probe has its own background): there the middle between the medians of the sheet's women and men decides,
    if at least three of each are known and their medians differ.
    """
    difference = _xist_minus_y(view)
    open_question = pd.Series([None] * view.n_obs, dtype=object)
    if difference is None:
        return open_question
    threshold: float | None = 0.0
    if "normalized" not in view.layers:
        threshold = _sheet_threshold(difference, sheet_sex.reindex(view.obs_names).to_numpy(dtype=object))
    if threshold is None:
        return open_question
    distance = difference - threshold
    open_question[distance > SEX_MARGIN] = "F"
    open_question[distance < -SEX_MARGIN] = "M"
    return open_question


def _xist_minus_y(view: ad.AnnData) -> np.ndarray | None:
    symbols = view.var["gene_name"].astype(str).to_numpy()
    female = np.flatnonzero(symbols == FEMALE_GENE)
    male = np.flatnonzero(np.isin(symbols, Y_LINKED_GENES))
    if not len(female) or not len(male):
        return None
    if "normalized" in view.layers:
        values = np.log2(np.asarray(view.layers["normalized"], dtype=float)[:, [*female, *male]] + 1)
    else:
        values = np.asarray(view.X[:, [*female, *male]], dtype=float)
    difference = values[:, : len(female)].mean(axis=1) - values[:, len(female) :].mean(axis=1)
    return np.where(np.isfinite(difference), difference, 0.0)


def _sheet_threshold(difference: np.ndarray, sex: np.ndarray) -> float | None:
    women, men = difference[sex == "F"], difference[sex == "M"]
    if min(len(women), len(men)) < MIN_PER_SEX:
        return None
    middle_women, middle_men = float(np.median(women)), float(np.median(men))
    if middle_women - middle_men <= 2 * SEX_MARGIN:
        return None
    return (middle_women + middle_men) / 2
