"""Which gene sets move: preranked gene set enrichment by GSEApy.

Subramanian et al. 2005, doi:10.1073/pnas.0506580102; p-values by the adaptive multilevel splitting of fgsea
(Korotkevich et al. 2021, doi:10.1101/060012), which resolves small p-values where a thousand permutations give 0;
implementation: GSEApy (Fang, Liu & Peltz 2023, doi:10.1093/bioinformatics/btac757).

The null exchanges genes, as if they were independent. Co-regulated genes are not, so the p-values rank sets rather
than measure evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stratifn.registry.signatures import AxisSet, Registry
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.statistics import benjamini_hochberg

COLUMNS = ["contrast", "gene_set", "source", "n_genes", "score", "pvalue", "padj"]
PERMUTATIONS = 1000


@dataclass(frozen=True)
class GeneSet:
    """A named set of gene symbols (or ids) and where it comes from."""

    name: str
    source: str
    symbols: tuple[str, ...]


def registry_sets(registry: Registry, axis_sets: Sequence[AxisSet]) -> list[GeneSet]:
    """Take every verified signature and axis set of the registry."""
    signatures = [
        GeneSet(record.signature_id, record.genes[0].source, record.symbols)
        for record in registry.signatures.values()
        if record.verified
    ]
    return signatures + [GeneSet(each.set_id, each.source, tuple(each.symbols)) for each in axis_sets if each.verified]


def read_gmt(path: Path) -> list[GeneSet]:
    """Read a user's gene sets: one per line, tab-separated name, description, genes.

    Raises
    ------
    InputError
        A line without genes, or a name that stands there twice.
    """
    sets, problems = [], []
    seen: set[str] = set()
    for number, line in enumerate(Path(path).read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        name, *rest = [cell.strip() for cell in line.split("\t")]
        genes = tuple(dict.fromkeys(gene for gene in rest[1:] if gene))
        if not name or not genes:
            problems.append(
                Problem(str(path), f"line {number}", repr(line[:40]), "name, description, genes", "Correct the line.")
            )
        elif name in seen:
            problems.append(Problem(str(path), f"line {number}", f"{name} again", "each name once", "Rename it."))
        seen.add(name)
        sets.append(GeneSet(name, f"{Path(path).name}: {rest[0]}" if rest and rest[0] else Path(path).name, genes))
    if problems:
        raise InputError(problems)
    return sets


def enrichment_table(tables: Mapping[str, pd.DataFrame], gene_sets: Sequence[GeneSet], seed: int = 1) -> pd.DataFrame:
    """Test every gene set in every contrast, on the genes ranked by their test statistic.

    Small sets are kept, unlike in the library's defaults: the interferon scores of clinics have four to six genes.

    Parameters
    ----------
    tables
        `results.contrast_table` by contrast name.
    gene_sets
        Sets with distinct names.
    seed
        Of the permutations.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, sorted by contrast and gene set. `n_genes` were ranked; `score` is the normalised
        enrichment score (positive: higher in the level than in the baseline); `padj` is one Benjamini-Hochberg
        family per contrast. A set without a ranked gene has NA.
    """
    parts = [_contrast_enrichment(name, tables[name], gene_sets, seed) for name in sorted(tables)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def ranked_genes(table: pd.DataFrame) -> pd.Series:
    """Return test statistics by gene symbol, highest first; of several genes of one symbol the strongest counts.

    Ties are broken by name, so that the order of the rows does not matter. Statistics count to eight decimals: their last
    bits differ between CPU types, and permutations would carry that into the p values.
    """
    tested = table[np.isfinite(table["stat"].to_numpy(dtype=float)) & table["pvalue"].notna()]
    tested = tested.assign(stat=tested["stat"].astype(float).round(8))
    strength = tested["stat"].abs()
    ordered = tested.assign(strength=strength).sort_values(["strength", "gene_id"], ascending=[False, True])
    unique = ordered.drop_duplicates("gene_name").sort_values(["stat", "gene_name"], ascending=[False, True])
    return pd.Series(unique["stat"].to_numpy(dtype=float), index=unique["gene_name"].astype(str))


def _contrast_enrichment(contrast: str, table: pd.DataFrame, gene_sets: Sequence[GeneSet], seed: int) -> pd.DataFrame:
    ranking = ranked_genes(table)
    symbol_of = dict(zip(table["gene_id"].astype(str), table["gene_name"].astype(str), strict=True))
    present = {
        gene_set.name: sorted({symbol_of.get(gene, gene) for gene in gene_set.symbols} & set(ranking.index))
        for gene_set in gene_sets
    }
    found = _prerank(ranking, {name: genes for name, genes in present.items() if genes}, seed)
    rows = []
    for gene_set in sorted(gene_sets, key=lambda one: one.name):
        score, pvalue = found.get(gene_set.name, (np.nan, np.nan))
        rows.append([contrast, gene_set.name, gene_set.source, len(present[gene_set.name]), score, pvalue])
    result = pd.DataFrame(rows, columns=COLUMNS[:-1])
    result["padj"] = benjamini_hochberg(result["pvalue"])
    return result


def _prerank(ranking: pd.Series, sets: Mapping[str, list[str]], seed: int) -> dict[str, tuple[float, float]]:
    # a set of all genes has no rest to be compared with; a constant ranking has no order
    sets = {name: genes for name, genes in sets.items() if len(genes) < len(ranking)}
    if not sets or ranking.nunique() < 2:
        return {}
    import gseapy

    result = gseapy.prerank(
        rnk=ranking,
        gene_sets=dict(sets),
        outdir=None,
        min_size=1,
        max_size=len(ranking),
        permutation_num=PERMUTATIONS,
        method="multilevel",
        threads=1,
        seed=seed,
        no_plot=True,
    ).res2d
    numbers = result.set_index("Term")[["NES", "NOM p-val"]].astype(float)
    return {str(name): (float(row["NES"]), float(row["NOM p-val"])) for name, row in numbers.iterrows()}
