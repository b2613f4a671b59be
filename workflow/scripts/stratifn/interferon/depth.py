"""How far sampling alone moves a score, at the depth of each library.

At few counts the log of a count plus one is biased and noisy, and so is a size factor from the genes that were counted
at all. Both are computed by Poisson draws from the controls' mean expression, over a grid of depths; the share of the
noise that the controls have themselves is in their SD. Where |bias| + 1.96 * SD exceeds the distance from the controls'
mean to the cut-off, the library is too shallow for the signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from zlib import crc32

import anndata as ad
import numpy as np

from stratifn.interferon import expression
from stratifn.interferon.controls import Controls
from stratifn.interferon.learning import fit_reference
from stratifn.interferon.reference import GeneSet, Reference
from stratifn.interferon.settings import KEEP, Settings
from stratifn.registry.knowledge import Knowledge
from stratifn.shared.vocabulary import COUNTS, SHALLOW

# relative to the controls
DEPTHS = np.logspace(-4, 1, 51)
DRAWS = 200
REACH = 1.96
QUICK_BOOTSTRAPS = 100
# a control with less than this share of the controls' median count is looked at
LOOKED_AT = 0.5


def shallow_libraries(reference: Reference, factors: np.ndarray, universe: np.ndarray) -> dict[str, np.ndarray]:
    """Say by signature why a library is too shallow for it: a sentence per person, empty where it is deep enough.

    Parameters
    ----------
    reference
        Of counts, with cut-offs.
    factors
        Size factors against the controls (people).
    universe
        Which features of the reference's universe these people's matrix has (boolean).

    Notes
    -----
    The z-score of a signature judges for all its methods. People do not see one another: the grid is the reference's.
    """
    rng = np.random.default_rng([reference.settings.seed, crc32(b"depth")])
    means = np.exp(reference.arrays["log_geometric_means"][universe])
    seen = _size_factors_at(means[np.isfinite(means)], rng)
    usable = np.isfinite(seen)
    if not usable.any():
        return {}
    steps, seen = np.log(DEPTHS[usable]), np.log(np.maximum.accumulate(seen[usable]))
    depth = np.interp(np.log(np.where(np.isfinite(factors), factors, 1.0)), seen, steps)
    errors = _sampling_errors(reference, np.exp(steps), np.exp(seen), rng)
    found = {}
    for gene_set, bias, sd in errors:
        cutoff = reference.cutoff(gene_set.name, "zscore")
        own_bias, own_sd = np.interp(depth, steps, bias), np.interp(depth, steps, sd)
        distance = cutoff.cutoff - cutoff.mean
        shallow = np.isfinite(factors) & (np.abs(own_bias) + REACH * own_sd > distance)
        words = [
            f"{SHALLOW}: at {at:.2g} of the controls' depth sampling moves the score of {gene_set.name} by {mean:.2g} "
            f"± {REACH * spread:.2g}, the cut-off lies {distance:.2g} above the controls"
            if no
            else ""
            for no, at, mean, spread in zip(shallow, np.exp(depth), own_bias, own_sd, strict=True)
        ]
        found[gene_set.name] = np.array(words, dtype=object)
    return found


def deep_controls(
    data: ad.AnnData, kind: str, controls: Controls, knowledge: Knowledge, settings: Settings
) -> Controls:
    """Leave out the controls whose own library is too shallow for the configured signature, each with a warning.

    Those with less than half of the controls' median count are judged against the others, as a patient is.
    """
    if kind != COUNTS or controls.refusal:
        return controls
    names = np.array(controls.samples)
    values = expression.dense(data[list(names)])
    totals = values.sum(axis=1)
    suspect = totals < LOOKED_AT * np.median(totals)
    if not suspect.any():
        return controls
    # no class is asked for: the fewest resamples, and nobody else is left out
    quick = replace(settings, bootstraps=QUICK_BOOTSTRAPS, outlying_controls=KEEP)
    others = Controls(tuple(names[~suspect]), "", ())
    reference, _ = fit_reference(data, kind, others, knowledge, quick)
    if reference.refusal:
        return controls
    factors = expression.size_factors(values, reference.arrays["log_geometric_means"])
    every = np.ones(len(reference.universe), dtype=bool)
    shallow = shallow_libraries(reference, factors, every).get(settings.signature)
    if shallow is None:
        return controls
    kept = names[~suspect | (shallow == "")]
    refusal = ""
    if len(kept) < settings.min_controls:
        refusal = f"{len(kept)} controls with a library that is deep enough, at least {settings.min_controls} needed"
    warnings = [
        f"control {name} is left out of the reference, {words}"
        for name, words, suspected in zip(names, shallow, suspect, strict=True)
        if suspected and words
    ]
    return Controls(tuple(kept), refusal, (*controls.warnings, *warnings))


def _size_factors_at(means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the size factor that a library of each depth gets: genes without a count do not enter, so it is too large."""
    log_means = np.log(means)
    return np.array([expression.size_factors(rng.poisson(means * depth)[None], log_means)[0] for depth in DEPTHS])


def _sampling_errors(
    reference: Reference, depths: np.ndarray, factors: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[GeneSet, np.ndarray, np.ndarray]]:
    """Yield, for each set with a cut-off, the bias and the additional SD of its z-score at each depth."""
    location, scale = reference.arrays["location.zscore"], reference.arrays["scale.zscore"]
    mean = np.maximum(np.exp2(location) - 1, 0)
    moments = [_moments(mean, depth, factor, rng) for depth, factor in zip(depths, factors, strict=True)]
    at_controls = _moments(mean, 1.0, 1.0, rng)
    bias = np.array([here for here, _ in moments]) - at_controls[0]
    variance = np.array([here for _, here in moments]) - at_controls[1]
    for gene_set in reference.panel.values():
        if not np.isfinite(reference.cutoff(gene_set.name, "zscore").cutoff):
            continue
        members, weights = reference.positions(gene_set), np.array(gene_set.weights)
        shares = weights / weights.sum() / scale[members]
        yield (
            gene_set,
            (shares * bias[:, members]).sum(axis=1),
            np.sqrt(np.maximum((shares**2 * variance[:, members]).sum(axis=1), 0)),
        )


def _moments(mean: np.ndarray, depth: float, factor: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of a gene's log2 value when its counts are Poisson (genes)."""
    drawn = expression.log2_values(
        rng.poisson(mean * depth, size=(DRAWS, len(mean))).astype(float), COUNTS, np.full(DRAWS, factor)
    )
    return drawn.mean(axis=0), drawn.var(axis=0, ddof=1)
