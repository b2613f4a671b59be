"""Size factors: how deep each sample was sequenced, by DESeq2's median of ratios, frozen for later samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError, Problem
from stratifn.shared.vocabulary import MEDIAN_OF_RATIOS, RNA

GENES_PER_BLOCK = 4096


@dataclass(frozen=True)
class SizeFactorReference:
    """What the size factor of any sample, seen or new, is computed from.

    Attributes
    ----------
    method
        ``ratio`` or ``poscounts``.
    log_geometric_means
        Per gene (natural log), over all training samples; -inf where the gene is not used.
    log_normaliser
        Logarithm of the geometric mean of the training samples' raw factors (``poscounts``; 0 for ``ratio``).
    """

    method: str
    log_geometric_means: np.ndarray
    log_normaliser: float

    @property
    def carrying_genes(self) -> int:
        """Number of genes that the median of ratios uses."""
        return int(np.isfinite(self.log_geometric_means).sum())

    def size_factors(self, counts: np.ndarray, samples: list[str] | None = None) -> np.ndarray:
        """Compute size factors, each from its own sample and the reference alone.

        Genes that a sample does not count are left out of its median, as in R's `estimateSizeFactorsForMatrix`.

        Parameters
        ----------
        counts
            Samples x the reference's genes.
        samples
            Names for the message.

        Returns
        -------
        numpy.ndarray
            Shape (samples,).

        Raises
        ------
        InputError
            A sample has no count in any gene of the reference.
        """
        carrying = np.isfinite(self.log_geometric_means)
        reference = self.log_geometric_means[carrying]
        factors = np.full(len(counts), np.nan)
        for i in range(len(counts)):
            # one contiguous row at a time: a sample's value must not depend on the samples beside it
            row = np.ascontiguousarray(counts[i], dtype=float)[carrying]
            counted = row > 0
            if counted.any():
                factors[i] = np.exp(np.median(np.log(row[counted]) - reference[counted]) - self.log_normaliser)
        lost = np.flatnonzero(np.isnan(factors))
        if len(lost):
            names = [str(samples[i]) if samples is not None else f"row {i + 1}" for i in lost]
            raise InputError(
                Problem(
                    "counts",
                    f"sample {', '.join(names)}",
                    "no count in any gene that the size factors use",
                    "counts of the same genes as in the reference",
                    "Leave the sample out or check its gene ids.",
                    code="IN-210",
                )
            )
        return factors


def fit_size_factors(
    counts: np.ndarray, samples: list[str], method: str, source: str = "counts"
) -> SizeFactorReference:
    """Learn the reference of the size factors from all genes of the training samples.

    ``ratio`` is the median of ratios to the geometric mean over the genes without a zero (Anders & Huber 2010,
    doi:10.1186/gb-2010-11-10-r106); ``poscounts`` takes every gene that is counted somewhere, with the n-th root of
    the product of its positive counts (DESeq2's ``estimateSizeFactors(type = "poscounts")``). There is no iterative
    fallback: it does not converge on sparse data.

    Parameters
    ----------
    counts
        Samples x genes, every gene that was measured.
    samples
        Their names, for the messages.
    method
        One of `METHODS`.
    source
        How the user calls this matrix, for the messages.

    Raises
    ------
    InputError
        A sample without any count; no gene without zeros under ``ratio``.
    """
    empty = [str(name) for name, total in zip(samples, counts.sum(axis=1), strict=True) if total == 0]
    if empty:
        problems = [
            Problem(source, f"sample {name}", "no count at all", "a sequenced sample", "Leave it out.", code="IN-090")
            for name in empty
        ]
        raise InputError(problems)
    log_means = METHODS[method](counts)
    reference = SizeFactorReference(method, log_means, 0.0)
    if not reference.carrying_genes:
        raise InputError(
            Problem(
                source,
                "size factors",
                "no gene that is counted in every sample",
                "at least one gene without zeros for the median of ratios",
                "Set `normalization: {size_factors: poscounts}` in the config.",
                code="IN-211",
            )
        )
    if method == MEDIAN_OF_RATIOS:
        return reference
    raw = reference.size_factors(counts, samples)
    return SizeFactorReference(method, log_means, float(np.mean(np.log(raw))))


def _ratio(counts: np.ndarray) -> np.ndarray:
    """Mean log count per gene; -inf for a gene with a zero."""
    return _by_blocks(counts, lambda block: _log(block).mean(axis=0))


def _poscounts(counts: np.ndarray) -> np.ndarray:
    """Sum of the logs of the positive counts over the number of samples; -inf for a gene without a count."""

    def log_means(block: np.ndarray) -> np.ndarray:
        logs = _log(block)
        counted = block > 0
        return np.where(counted.any(axis=0), np.where(counted, logs, 0.0).mean(axis=0), -np.inf)

    return _by_blocks(counts, log_means)


METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {MEDIAN_OF_RATIOS: _ratio, "poscounts": _poscounts}


def _by_blocks(counts: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    starts = range(0, counts.shape[1], GENES_PER_BLOCK)
    return np.concatenate([function(counts[:, start : start + GENES_PER_BLOCK].astype(float)) for start in starts])


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):  # a zero is -inf on purpose
        return np.log(values)


def size_factor_table(views: Mapping[str, ad.AnnData]) -> pd.DataFrame:
    """Return `size_factors.tsv` (sample, size_factor) of the view ``rna``; without rows where it holds no counts."""
    rna = views.get(RNA)
    if rna is None or "size_factor" not in rna.obs:
        return pd.DataFrame({"sample": [], "size_factor": []})
    table = pd.DataFrame({"sample": rna.obs_names.astype(str), "size_factor": rna.obs["size_factor"].to_numpy()})
    return table.sort_values("sample", ignore_index=True)
