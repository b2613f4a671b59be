"""Random streams: one per purpose and block, so that no part of a cohort depends on how much another part draws."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np


def random_stream(seed: int, name: str, block: int = 0) -> np.random.Generator:
    """Return the generator of one block of one named stream (numpy's `SeedSequence` of the three).

    Parameters
    ----------
    seed
        The cohort's seed.
    name
        What is drawn, for example ``rna.counts``.
    block
        Number of the block of features.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode("utf-8")), block]))


def allocate(shares: Mapping[str, float], size: int, rng: np.random.Generator) -> np.ndarray:
    """Give `size` places to the labels by their shares (largest remainder), in random order.

    Places by quota, as a study recruits, keep a cohort of two dozen near the published shares.

    Parameters
    ----------
    shares
        Non-negative share per label; need not sum to 1.
    size
        Number of places.
    rng
        Generator for the order.

    Returns
    -------
    numpy.ndarray
        Labels (object), one per place.
    """
    labels = list(shares)
    exact = np.array([shares[label] for label in labels], dtype=float)
    exact = exact / exact.sum() * size
    places = np.floor(exact).astype(int)
    by_remainder = np.argsort(-(exact - places), kind="stable")
    places[by_remainder[: size - places.sum()]] += 1
    return rng.permutation(np.repeat(np.array(labels, dtype=object), places))
