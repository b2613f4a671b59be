"""Which genes a cohort has, and what drives each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd

from stratifn.registry.signatures import Registry
from stratifn.simulation.composition import COMPARTMENTS
from stratifn.simulation.patients import FACTORS
from stratifn.simulation.randomness import random_stream

# response (log2 fold change in whole blood per unit of type I and of type II activity) and log2 mean count in health
KNOWN_RESPONSE = {
    "IFI27": (5.8, 0.3, 4.0),
    "IFI44L": (4.4, 0.4, 7.0),
    "RSAD2": (4.2, 0.4, 6.5),
    "SIGLEC1": (3.9, 0.3, 4.8),
    "IFI44": (3.7, 0.4, 7.0),
    "IFIT1": (3.9, 0.3, 6.8),
    "ISG15": (3.6, 0.4, 7.2),
    "USP18": (3.6, 0.4, 5.2),
    "CMPK2": (3.4, 0.4, 6.0),
    "HERC5": (3.1, 0.3, 7.0),
    "EPSTI1": (2.9, 0.6, 7.5),
    "IFIT3": (3.2, 0.5, 7.5),
    "OAS1": (2.6, 0.4, 8.0),
    "OAS2": (2.6, 0.5, 8.5),
    "OAS3": (3.1, 0.4, 7.5),
    "OASL": (2.5, 0.4, 7.5),
    "MX1": (2.8, 0.3, 9.0),
    "MX2": (1.7, 0.3, 9.0),
    "IFI6": (2.9, 0.3, 8.0),
    "LY6E": (2.6, 0.3, 8.5),
    "OTOF": (4.6, 0.3, 2.8),
    "LAMP3": (2.6, 0.5, 4.5),
    "SPATS2L": (2.8, 0.3, 6.0),
    "XAF1": (2.3, 0.5, 8.5),
    "SERPING1": (2.8, 1.6, 5.5),
    "CXCL10": (2.0, 2.6, 4.0),
    "GBP1": (1.6, 2.2, 8.0),
    "GBP5": (1.1, 2.4, 8.5),
    "STAT1": (1.5, 1.4, 10.0),
    "CXCL9": (0.9, 4.4, 4.0),
    "IDO1": (1.0, 3.8, 4.8),
    "GBP2": (0.9, 2.3, 10.0),
    "IRF1": (0.6, 1.9, 10.0),
    "CD74": (0.3, 1.3, 13.0),
    "ICAM1": (0.4, 1.7, 7.0),
}
# the first set that holds a gene gives its usual response; genes of a set scatter around it
SET_RESPONSE = {
    "AYBEY_IFN2_6": (0.6, 2.2),
    "CHAUSSABEL_M1.2": (2.3, 0.4),
    "AYBEY_IFN1_20": (2.1, 0.3),
    "RICE_CROW_6": (3.5, 0.3),
    "CROW_NANOSTRING_24": (2.5, 0.3),
    "CHAUSSABEL_M3.4": (1.2, 0.7),
    "CHAUSSABEL_M5.12": (0.6, 0.5),
    "HALLMARK_INTERFERON_ALPHA_RESPONSE": (0.6, 0.3),
    "HALLMARK_INTERFERON_GAMMA_RESPONSE": (0.15, 0.5),
}
FIRST_SETS = (
    "RICE_CROW_6",
    "AZ_IFNGS_4",
    "KENNEDY_ISM_3",
    "AYBEY_IFN1_20",
    "AYBEY_IFN2_6",
    "CHAUSSABEL_M1.2",
    "CHAUSSABEL_M3.4",
    "CHAUSSABEL_M5.12",
)
# log2 mean count in men; women have none
MALE_GENES = {
    "RPS4Y1": 10.0,
    "DDX3Y": 9.0,
    "KDM5D": 8.5,
    "EIF1AY": 8.0,
    "UTY": 7.5,
    "USP9Y": 6.5,
    "ZFY": 6.0,
    "TMSB4Y": 4.5,
}
XIST, XIST_LEVEL = "XIST", 10.0
# genes that escape X inactivation: log2 difference men against women
ESCAPING = {"KDM6A": -0.4, "ZFX": -0.4, "EIF1AX": -0.4, "KDM5C": -0.35}
# listed on Y alone in the resource, although both sexes have two copies
PSEUDOAUTOSOMAL = frozenset(
    "AKAP17A ASMT ASMTL CD99 CRLF2 CSF2RA DHRSX GTPBP6 IL3RA IL9R P2RY8 PLCXD1 PPP2R3B SHOX SLC25A6 SPRY3 VAMP7 "
    "ZBED1".split()
)
ABSENT_LEVEL = -8.0
MARKERS = {
    "neutrophils": "FCGR3B CXCR2 CXCR1 CSF3R MMP25 VNN2 PROK2 MGAM",
    "monocytes": "CD14 VCAN LYZ CD163 MS4A7 CTSS CSF1R FCN1",
    "t_cells": "CD3D CD3E CD3G IL7R LEF1 TCF7 CD8A CD28 CCR7 LCK",
    "b_cells": "CD19 MS4A1 CD79A CD79B BANK1 FCRL1 PAX5 TCL1A CD22",
    "nk_cells": "GNLY NKG7 KLRD1 NCAM1 KLRF1 PRF1",
    "dendritic_plasmacytoid": "CLEC4C LILRA4 SERPINF1 PTCRA",
    "plasmablasts": "MZB1 JCHAIN TNFRSF17 TXNDC5 IGLL5",
    "inflammation": "S100A8 S100A9 S100A12 MMP8 MMP9 LTF LCN2 CAMP DEFA4 ELANE MPO AZU1 IL1R2 CD177 ARG1 CXCL8 "
    "IL1B OLFM4 PGLYRP1 BPI TLR4 HP",
    "lymphoid": "ICOS CTLA4 CD27 CXCR5 CD40LG IL21R TNFRSF13B FCRL5 POU2AF1 CD38 CD5 CD6 CD2 ITK ZAP70",
}
# share of the genes that follow each driver, besides the markers; the others follow no disease at all
ORDINARY_SHARES = {
    "inflammation": 0.065,
    "lymphoid": 0.065,
    "neutrophils": 0.025,
    "monocytes": 0.020,
    "t_cells": 0.025,
    "b_cells": 0.015,
    "nk_cells": 0.010,
    "dendritic_plasmacytoid": 0.003,
    "plasmablasts": 0.007,
}
# genes that fall under interferon, per registry gene that rises: they keep the sum of all changes near zero, as the
# median of ratios assumes; at most this share of the ordinary genes
FALLING_PER_RISING, FALLING_SHARE = 0.8, 0.10
RISING = 0.3
DISEASE_SHARE = 0.02
DISPERSION_FLOOR, DISPERSION_SLOPE, DISPERSION_SCATTER = 0.06, 2.0, 0.35


@dataclass(frozen=True)
class GeneModel:
    """What drives each gene; every part has one row per gene, in the order of `weights`.

    Attributes
    ----------
    weights
        log2 change per unit of each driver (genes x drivers; the index holds the symbols).
    level
        log2 mean count of a healthy woman of 50 years in a library of usual size.
    male, age
        log2 change in men, and per ten years.
    dispersion
        Negative-binomial dispersion.
    """

    weights: pd.DataFrame
    level: np.ndarray
    male: np.ndarray
    age: np.ndarray
    dispersion: np.ndarray


def genes_of_signatures(registry: Registry) -> pd.DataFrame:
    """List the genes of every signature: ``signature_id``, ``gene_symbol``."""
    return pd.DataFrame(
        [(name, symbol) for name, record in registry.signatures.items() for symbol in record.symbols],
        columns=["signature_id", "gene_symbol"],
    )


def choose_genes(size: int, signature_genes: pd.DataFrame, gene_symbols: pd.DataFrame, seed: int) -> list[str]:
    """Choose `size` different symbols, those first that the analysis needs most.

    Order: default signatures and sex genes; all other registry genes and the marker genes if they leave at least
    half of the cohort's genes to others (size factors need genes that nothing drives); then the list of
    protein-coding genes in random order; then ``LINC`` symbols.

    Parameters
    ----------
    size
        Number of genes.
    signature_genes
        Columns ``signature_id``, ``gene_symbol``.
    gene_symbols
        Column ``gene_symbol``.
    seed
        The cohort's seed.

    Returns
    -------
    list of str
        Sorted symbols.
    """
    in_first = signature_genes["signature_id"].isin(FIRST_SETS)
    first = list(signature_genes.loc[in_first, "gene_symbol"]) + [XIST, *MALE_GENES]
    coding = list(gene_symbols["gene_symbol"])
    known = set(coding)
    markers = [symbol for symbols in MARKERS.values() for symbol in symbols.split() if symbol in known]
    wanted = list(dict.fromkeys(first + list(signature_genes["gene_symbol"]) + markers + list(ESCAPING)))
    if 2 * len(wanted) > size:
        wanted = list(dict.fromkeys(first))
    ordinary = random_stream(seed, "rna.genes").permutation(np.array(coding, dtype=object))
    candidates = dict.fromkeys([*wanted, *ordinary])
    chosen = list(candidates)[:size]
    long_noncoding = (f"LINC{number:05d}" for number in count(100))
    while len(chosen) < size:
        symbol = next(long_noncoding)
        if symbol not in candidates:
            chosen.append(symbol)
    return sorted(chosen)


def gene_model(
    symbols: Sequence[str],
    diseases: Sequence[str],
    signature_genes: pd.DataFrame,
    gene_symbols: pd.DataFrame,
    seed: int,
) -> GeneModel:
    """Draw what drives each gene.

    Parameters
    ----------
    symbols
        The cohort's genes.
    diseases
        Labels without the control; each has genes of its own.
    signature_genes, gene_symbols
        As in `choose_genes`; `gene_symbols` with ``chromosome`` as well.
    seed
        The cohort's seed.
    """
    index = pd.Index(symbols, name="gene_id")
    rng = random_stream(seed, "rna.model")
    drivers = [*FACTORS, *COMPARTMENTS, *map(disease_driver, diseases)]
    weights = pd.DataFrame(0.0, index=index, columns=drivers)
    level = np.clip(rng.normal(6.8, 2.1, len(index)), -1.0, 14.0)
    silent = _silent_genes(index, gene_symbols)
    response, in_registry = _response(index, signature_genes, rng)
    weights[["type_i_ifn", "type_ii_ifn"]] = response
    sexed = index.isin([XIST, *MALE_GENES, *ESCAPING]) | silent
    _drive_markers(weights, level, in_registry | sexed, rng)
    _drive_ordinary(weights, _undriven(weights) & ~in_registry & ~sexed, rng)
    _drive_diseases(weights, diseases, ~in_registry & ~sexed, seed)
    level = _registry_levels(index, level, in_registry, rng)
    male = np.where(rng.uniform(size=len(index)) < 0.03, rng.normal(0, 0.2, len(index)), 0.0)
    age = np.where(rng.uniform(size=len(index)) < 0.10, rng.normal(0, 0.08, len(index)), 0.0)
    level, male = _sex_levels(index, level, np.where(sexed, 0.0, male), silent)
    # of the sex that has the gene
    usual = np.exp2(np.clip(np.maximum(level, level + male), -1, None))
    trend = DISPERSION_FLOOR + DISPERSION_SLOPE / usual
    dispersion = trend * np.exp(DISPERSION_SCATTER * rng.standard_normal(len(index)))
    return GeneModel(weights, level, male, age, np.clip(dispersion, 0.01, 5.0))


def disease_driver(disease: str) -> str:
    """Return the name of the driver that is 1 in one disease and 0 elsewhere."""
    return f"disease_{disease}"


def _silent_genes(index: pd.Index, gene_symbols: pd.DataFrame) -> np.ndarray:
    """Return the male-specific genes that blood does not express."""
    on_y = set(gene_symbols.loc[gene_symbols["chromosome"] == "Y", "gene_symbol"])
    return index.isin(on_y - PSEUDOAUTOSOMAL - set(MALE_GENES))


def _response(
    index: pd.Index, signature_genes: pd.DataFrame, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    members = signature_genes.groupby("signature_id")["gene_symbol"].agg(set)
    response = np.zeros((len(index), 2))
    for signature, usual in reversed(SET_RESPONSE.items()):
        if signature in members.index:
            response[index.isin(members[signature])] = usual
    response *= np.exp(0.3 * rng.standard_normal(response.shape))
    for symbol, (type_i, type_ii, _) in KNOWN_RESPONSE.items():
        response[index == symbol] = (type_i, type_ii)
    return response, index.isin(signature_genes["gene_symbol"])


def _drive_markers(weights: pd.DataFrame, level: np.ndarray, excluded: np.ndarray, rng: np.random.Generator) -> None:
    for driver, symbols in MARKERS.items():
        chosen = weights.index.isin(symbols.split()) & ~excluded
        weights.loc[chosen, driver] = 1.0 * np.exp(0.2 * rng.standard_normal(chosen.sum()))
        level[chosen] = np.clip(level[chosen], 5.0, None)


def _drive_ordinary(weights: pd.DataFrame, free: np.ndarray, rng: np.random.Generator) -> None:
    """Let random genes follow a driver: up or down, except those of cells, which rise with their cells."""
    places = np.flatnonzero(free)
    falling = FALLING_PER_RISING * (weights["type_i_ifn"] > RISING).sum() / max(len(places), 1)
    shares = ORDINARY_SHARES | {"type_i_ifn": min(falling, FALLING_SHARE)}
    shares[""] = 1 - sum(shares.values())
    driver = rng.choice(list(shares), size=len(places), p=list(shares.values()))
    size = np.exp(0.35 * rng.standard_normal(len(places)))
    sign = np.where(rng.uniform(size=len(places)) < 0.55, 1.0, -1.0)
    for name in filter(None, shares):
        of_driver = driver == name
        if name == "type_i_ifn":
            values = -0.6 * size
        elif name in FACTORS:
            values = 0.85 * sign * size
        else:
            values = 0.8 * size
        weights.iloc[places[of_driver], weights.columns.get_loc(name)] = values[of_driver]


def _drive_diseases(weights: pd.DataFrame, diseases: Sequence[str], free: np.ndarray, seed: int) -> None:
    for disease in diseases:
        rng = random_stream(seed, f"rna.disease.{disease}")
        chosen = free & (rng.uniform(size=len(weights)) < DISEASE_SHARE)
        effects = rng.choice([-1.0, 1.0], len(weights)) * np.exp(rng.normal(np.log(0.8), 0.35, len(weights)))
        weights.loc[chosen, disease_driver(disease)] = effects[chosen]


def _undriven(weights: pd.DataFrame) -> np.ndarray:
    return (weights == 0).all(axis=1).to_numpy()


def _registry_levels(
    index: pd.Index, level: np.ndarray, in_registry: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    usual = np.clip(rng.normal(7.5, 1.3, len(index)), 4.0, 13.0)
    level = np.where(in_registry, usual, level)
    known = {symbol: values[2] for symbol, values in KNOWN_RESPONSE.items()}
    return np.array([known.get(symbol, value) for symbol, value in zip(index, level, strict=True)])


def _sex_levels(
    index: pd.Index, level: np.ndarray, male: np.ndarray, silent: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Set level and difference of the genes of one sex, given as the level of women and the change in men."""
    level, male = np.where(silent, ABSENT_LEVEL, level), male.copy()
    for symbol, in_men in MALE_GENES.items():
        level[index == symbol], male[index == symbol] = ABSENT_LEVEL, in_men - ABSENT_LEVEL
    level[index == XIST], male[index == XIST] = XIST_LEVEL, -XIST_LEVEL - 2.0
    for symbol, change in ESCAPING.items():
        male[index == symbol] = change
    return level, male
