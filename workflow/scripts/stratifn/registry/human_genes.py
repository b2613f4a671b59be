"""Names of human genes: Entrez ids, Ensembl ids and old symbols with the current symbol of each.

The table is NCBI Gene of 2022-09-12 (public domain), as Debian's org.Hs.eg.db 3.16 has it. It is made by

    python -m stratifn.registry.human_genes human_genes.tsv.gz resources/genes/human_genes.tsv.gz

from a table with the columns entrez_id, gene_symbol, gene_type, ensembl_ids and aliases (`|` between several).
"""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from stratifn.shared.package_data import resource_folder

FILE = Path("genes") / "human_genes.tsv.gz"
SOURCE = "# NCBI Gene of 2022-09-12 (public domain), by org.Hs.eg.db 3.16; made by stratifn.registry.human_genes\n"
CODING = "protein-coding"
SEVERAL = "|"
# NCBI's symbols of the proteins of mitochondria; elsewhere ND1 is MT-ND1, and COX2 is PTGS2
MITOCHONDRIAL = frozenset("ATP6 ATP8 COX1 COX2 COX3 CYTB ND1 ND2 ND3 ND4 ND4L ND5 ND6".split())


@dataclass(frozen=True)
class HumanGenes:
    """Current symbols.

    Attributes
    ----------
    entrez, ensembl
        By Entrez id, and by Ensembl id without version, for ids of one gene.
    old_symbols
        By former symbols and synonyms that belong to one gene and are no gene's current symbol.
    """

    entrez: Mapping[str, str]
    ensembl: Mapping[str, str]
    old_symbols: Mapping[str, str]


@cache
def human_genes() -> HumanGenes:
    """Read the table that comes with the library."""
    # below the line that names the source
    table = read_gene_table(resource_folder() / FILE, skip=1)
    return HumanGenes(
        MappingProxyType(dict(zip(table["entrez_id"], table["gene_symbol"], strict=True))),
        MappingProxyType(_by_each(table, "ensembl_ids")),
        MappingProxyType(_by_each(table, "old_symbols")),
    )


def read_gene_table(path: Path, skip: int = 0) -> pd.DataFrame:
    """Read a table of genes as text, below some lines: a gene called NA stays a gene."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3, skiprows=skip)


def _by_each(table: pd.DataFrame, column: str) -> dict[str, str]:
    pairs = zip(table[column], table["gene_symbol"], strict=True)
    return {each: symbol for several, symbol in pairs for each in several.split(SEVERAL) if each}


def gene_table(original: pd.DataFrame) -> pd.DataFrame:
    """Keep what is needed to name genes.

    Parameters
    ----------
    original
        All genes of NCBI: entrez_id, gene_symbol, gene_type, ensembl_ids, aliases.

    Returns
    -------
    pandas.DataFrame
        Genes that make proteins or have an Ensembl id, sorted by symbol: gene_symbol, entrez_id, ensembl_ids,
        old_symbols. What means several genes is left out, and so are old symbols that are another gene's symbol today,
        and those of genes without a protein: NCBI calls a pseudogene MT-CO2.
    """
    original = original.assign(gene_symbol=[_symbol(*row) for row in original[["gene_symbol", "aliases"]].to_numpy()])
    current = set(original["gene_symbol"])
    ids, names = _counted(original["ensembl_ids"]), _counted(original["aliases"])
    kept = original[(original["gene_type"] == CODING) | (original["ensembl_ids"] != "")]
    # in the source's order the first of two genes with one symbol is the older record
    kept = kept.drop_duplicates("gene_symbol").sort_values("gene_symbol", kind="stable")
    return pd.DataFrame(
        {
            "gene_symbol": kept["gene_symbol"],
            "entrez_id": kept["entrez_id"],
            "ensembl_ids": [_joined(i for i in cell.split(SEVERAL) if ids[i] == 1) for cell in kept["ensembl_ids"]],
            "old_symbols": [
                _joined(name for name in cell.split(SEVERAL) if names[name] == 1 and name not in current)
                if kind == CODING
                else ""
                for cell, kind in zip(kept["aliases"], kept["gene_type"], strict=True)
            ],
        }
    )


def _symbol(symbol: str, aliases: str) -> str:
    """Return HGNC's symbol of a mitochondrial protein (`MT-CO2` of NCBI's alias MTCO2), other symbols as they are."""
    if symbol not in MITOCHONDRIAL:
        return symbol
    return next(f"MT-{name[2:]}" for name in aliases.split(SEVERAL) if name.startswith("MT"))


def _counted(cells: Iterable[str]) -> Counter[str]:
    return Counter(each for cell in cells for each in set(cell.split(SEVERAL)))


def _joined(names: Iterable[str]) -> str:
    return SEVERAL.join(sorted(filter(None, names)))


def main(arguments: list[str]) -> int:
    """Make the table from that of NCBI."""
    source, target = map(Path, arguments)
    table = gene_table(read_gene_table(source))
    text = SOURCE + table.to_csv(sep="\t", index=False, lineterminator="\n", quoting=3)
    # without the time, so that the same table has the same bytes
    target.write_bytes(gzip.compress(text.encode(), mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
