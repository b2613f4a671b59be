"""What the strata are associated with: clinical variables, scores and cells; overall and within each disease.

One test serves all: the generalised Cochran-Mantel-Haenszel statistic (Landis, Heyman & Koch 1978,
doi:10.2307/1402373), which compares what is seen with what shuffling the strata within each disease would give.

* A number is replaced by its rank within the disease over (n + 1): van Elteren's weights. With one block the statistic
  is that of Kruskal & Wallis.
* A category is replaced by indicators. With one block the statistic is Pearson's chi-squared times (n - 1) / n.

The blocks are the diseases (controls are one) for "within disease", and all samples for the test overall. Where an
expected count is below 5, or a number has fewer than 5 values in a stratum, the p value comes from `PERMUTATIONS`
shuffles instead of the chi-squared distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata

from stratifn.running.progress import progress
from stratifn.shared.columns import columns_of
from stratifn.shared.samples import is_number
from stratifn.shared.statistics import benjamini_hochberg

ASSOCIATION_COLUMNS = list(columns_of("stratification/associations.tsv"))
PERMUTATIONS = 1999
# below this expected count the chi-squared approximation is not used
EXPECTED = 5
# a category with more levels than this is free text
LEVELS = 20
DISEASE = "disease"


@dataclass(frozen=True)
class Test:
    """Statistic, degrees of freedom, and the p value with how it was found."""

    statistic: float
    degrees: int
    pvalue: float
    permuted: bool


def associations(
    stratum: pd.Series,
    variables: pd.DataFrame,
    disease: pd.Series,
    descriptive: Sequence[str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Test every variable against the strata.

    Parameters
    ----------
    stratum
        Stratum by sample.
    variables
        Index sample; numbers or text, missing where not known.
    disease
        Disease by sample: the blocks.
    descriptive
        Variables that were computed from the data that made the strata: they get the effect and no p value.
    rng
        For the permutations.

    Returns
    -------
    pandas.DataFrame
        Columns variable, test, n, effect, pvalue, padj, pvalue_within_disease, padj_within_disease, sorted by
        variable. The effect is epsilon squared for a number (Tomczak & Tomczak 2014) and Cramer's V for a category.
        ``padj`` is Benjamini-Hochberg over all p values of its column. The test is ``kruskal_wallis`` or
        ``chi_squared`` (with ``_permutation``), ``descriptive``, or ``none`` where there is nothing to compare.
    """
    stratum = stratum.sort_index()
    variables, disease = variables.reindex(stratum.index), disease.reindex(stratum.index)
    rows = [
        _row(name, stratum, variables[name], disease, name in set(descriptive), rng)
        for name in progress(sorted(variables.columns), "associations with strata")
    ]
    table = pd.DataFrame(rows, columns=[c for c in ASSOCIATION_COLUMNS if not c.startswith("padj")])
    table["padj"] = benjamini_hochberg(table["pvalue"])
    table["padj_within_disease"] = benjamini_hochberg(table["pvalue_within_disease"])
    return table[ASSOCIATION_COLUMNS]


def _row(
    name: str, stratum: pd.Series, values: pd.Series, disease: pd.Series, descriptive: bool, rng: np.random.Generator
) -> tuple:
    known = values.notna().to_numpy()
    values, groups = values[known], stratum[known].to_numpy()
    n = int(known.sum())
    numeric = is_number(values)
    levels = values.nunique()
    if levels < 2 or len(np.unique(groups)) < 2 or (not numeric and levels > LEVELS):
        return name, "none", n, np.nan, np.nan, np.nan
    overall = np.zeros(n, dtype=np.int64)
    blocks = pd.factorize(disease[known], sort=True)[0]
    if descriptive:
        return name, "descriptive", n, _effect(groups, values, numeric), np.nan, np.nan
    test = block_test(groups, values, overall, numeric, rng)
    within = np.nan if name == DISEASE else block_test(groups, values, blocks, numeric, rng).pvalue
    kind = "kruskal_wallis" if numeric else "chi_squared"
    return name, kind + "_permutation" * test.permuted, n, _effect(groups, values, numeric), test.pvalue, within


def _effect(groups: np.ndarray, values: pd.Series, numeric: bool) -> float:
    """Epsilon squared (a number) or Cramer's V (a category), both from 0 to 1."""
    n = len(values)
    together = np.zeros(n, dtype=np.int64)
    indicator = _indicators(groups)
    explained = BlockDesign.fit(indicator, scores(values, together, numeric), together).statistic(indicator) / (n - 1)
    if numeric:
        return explained
    smaller = min(indicator.shape[1], values.nunique() - 1)
    return float(np.sqrt(explained / smaller))


def scores(values: pd.Series, blocks: np.ndarray, numeric: bool) -> np.ndarray:
    """Return n x columns: ranks within blocks over (n + 1), or indicators of all levels but the last."""
    if not numeric:
        codes, levels = pd.factorize(values.astype(str), sort=True)
        return np.eye(len(levels))[codes][:, :-1]
    ranked = np.empty(len(values))
    numbers = values.to_numpy(float)
    for block in np.unique(blocks):
        inside = blocks == block
        ranked[inside] = rankdata(numbers[inside]) / (inside.sum() + 1)
    return ranked[:, None]


@dataclass(frozen=True)
class BlockDesign:
    """What shuffling within blocks leaves as it is.

    Attributes
    ----------
    centred
        n x columns: scores minus their mean in the block.
    inverse
        Inverse of the covariance of the statistic's vector.
    degrees
        Its rank.
    """

    centred: np.ndarray
    inverse: np.ndarray
    degrees: int

    @classmethod
    def fit(cls, indicator: np.ndarray, score: np.ndarray, blocks: np.ndarray) -> BlockDesign:
        """Fit to group indicators (n x groups - 1), scores (n x columns) and blocks (n)."""
        centred = np.zeros_like(score)
        size = indicator.shape[1] * score.shape[1]
        variance = np.zeros((size, size))
        for block in np.unique(blocks):
            inside = blocks == block
            if inside.sum() < 2:
                continue
            x = indicator[inside] - indicator[inside].mean(axis=0)
            centred[inside] = score[inside] - score[inside].mean(axis=0)
            variance += np.kron(x.T @ x, centred[inside].T @ centred[inside]) / (inside.sum() - 1)
        values, vectors = np.linalg.eigh(variance)
        kept = values > 1e-10 * max(values.max(), 1e-300)
        return cls(centred, vectors[:, kept] / values[kept] @ vectors[:, kept].T, int(kept.sum()))

    def statistic(self, indicator: np.ndarray) -> float:
        """Generalised Cochran-Mantel-Haenszel statistic of these group indicators."""
        difference = (indicator.T @ self.centred).ravel()
        return float(difference @ self.inverse @ difference)


def _indicators(groups: np.ndarray) -> np.ndarray:
    codes = np.unique(groups, return_inverse=True)[1]
    return np.eye(codes.max() + 1)[codes][:, :-1]


def block_test(
    groups: np.ndarray, values: pd.Series, blocks: np.ndarray, numeric: bool, rng: np.random.Generator
) -> Test:
    """Test whether groups and values go together within blocks.

    Returns
    -------
    Test
        With a missing p value where no block can tell (one group or one value in each block).
    """
    indicator = _indicators(groups)
    design = BlockDesign.fit(indicator, scores(values, blocks, numeric), blocks)
    statistic = design.statistic(indicator)
    if design.degrees == 0:
        return Test(statistic, 0, np.nan, False)
    if _enough(groups, values, numeric):
        return Test(statistic, design.degrees, float(chi2.sf(statistic, design.degrees)), False)
    return Test(statistic, design.degrees, _permutation_pvalue(indicator, design, blocks, statistic, rng), True)


def _enough(groups: np.ndarray, values: pd.Series, numeric: bool) -> bool:
    """Whether the chi-squared approximation holds: group sizes, or expected counts, of at least `EXPECTED`."""
    sizes = np.unique(groups, return_counts=True)[1]
    if numeric:
        return bool(sizes.min() >= EXPECTED)
    return bool(np.outer(sizes, values.value_counts()).min() / len(values) >= EXPECTED)


def _permutation_pvalue(
    indicator: np.ndarray, design: BlockDesign, blocks: np.ndarray, statistic: float, rng: np.random.Generator
) -> float:
    """Share of shuffles of the groups within blocks with a statistic at least as large (the data count as one)."""
    order = np.argsort(blocks, kind="stable")
    reached = 1
    for _ in range(PERMUTATIONS):
        # sorted by block and at random within it
        shuffled = np.lexsort((rng.random(len(blocks)), blocks))
        moved = np.empty_like(indicator)
        moved[order] = indicator[shuffled]
        reached += design.statistic(moved) >= statistic * (1 - 1e-9)
    return reached / (PERMUTATIONS + 1)
