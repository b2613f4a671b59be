"""What the ids of a gene expression matrix are, and the current symbol behind each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stratifn.registry.signatures import Registry
from stratifn.shared.errors import listed

ENSEMBL = re.compile(r"^(ENSG\d{11})(\.\d+)?(_PAR_Y)?$")
ENTREZ = re.compile(r"^\d+$")
# what a spreadsheet makes of MARCH1, SEPT2, DEC1 and their like
EXCEL_DATE = re.compile(r"^(\d{1,2}-(Mar|Sep|Sept|Dec|Oct|Apr|Feb|Nov)|(Mar|Sep|Dec|Oct|Apr|Feb|Nov)-\d{1,2})$", re.I)
Note = tuple[str, str, str, str]


@dataclass(frozen=True)
class GeneNames:
    """What is known about symbols.

    Attributes
    ----------
    aliases
        Old symbol to current symbol.
    symbols
        Ensembl id (without version) to current symbol, for the genes of the signature registry.
    """

    aliases: Mapping[str, str]
    symbols: Mapping[str, str]

    @classmethod
    def of(cls, registry: Registry) -> GeneNames:
        """Take them from the signature registry."""
        genes = [gene for signature in registry.signatures.values() for gene in signature.genes]
        return cls(registry.aliases, {gene.ensembl_id: gene.symbol for gene in genes if gene.ensembl_id})


def id_type(ids: Sequence[str]) -> str:
    """Tell what most ids are: ``Ensembl``, ``Entrez`` or ``symbol``."""
    kinds = Counter("Ensembl" if ENSEMBL.match(i) else "Entrez" if ENTREZ.match(i) else "symbol" for i in ids)
    return kinds.most_common(1)[0][0] if kinds else "symbol"


def named_genes(
    ids: Sequence[str], given: Sequence[str] | None, known: GeneNames, view: str
) -> tuple[list[str], list[str], list[Note]]:
    """Give every gene its id without version and its current symbol.

    Parameters
    ----------
    ids
        Row ids of the matrix.
    given
        The file's own `gene_name`, or None.
    known
        Aliases and symbols of the registry.
    view
        The view, for the notes.

    Returns
    -------
    ids, gene_names, notes
        The symbol equals the id where none is known. A symbol is replaced by the current one only when that one is
        not there as well: otherwise the row keeps the name it came with.
    """
    kind = id_type(ids)
    notes: list[Note] = [(view, "ids", "recognised", f"{kind} ids of {len(ids)} genes")]
    stripped = [match.group(1) + (match.group(3) or "") if (match := ENSEMBL.match(i)) else i for i in ids]
    if len(set(stripped)) == len(ids) and stripped != list(ids):
        notes.append((view, "ids", "renamed", "Ensembl versions removed"))
        ids = stripped
    names = [given[n] if given and given[n] else known.symbols.get(i, i) for n, i in enumerate(ids)]
    names, renamed = _current(names, known.aliases)
    if renamed:
        notes.append((view, "gene_name", "renamed", f"old symbols read as current ones: {listed(renamed, 30)}"))
    mangled = sorted({name for name in names if EXCEL_DATE.match(name)})
    if mangled:
        reason = f"{len(mangled)} symbols damaged by a spreadsheet, kept as they are: {listed(mangled, 30)}"
        notes.append((view, "gene_name", "not recognised", reason))
    if kind == "Entrez" and not given:
        notes.append((view, "gene_name", "not computed", "Entrez ids without symbols: no signature gene can be found"))
    return list(ids), names, notes


def _current(names: list[str], aliases: Mapping[str, str]) -> tuple[list[str], list[str]]:
    present = set(names)
    targets = Counter(aliases[name] for name in names if name in aliases)
    current, renamed = [], []
    for name in names:
        target = aliases.get(name)
        # two rows for one gene: an ambiguous id keeps its old name
        if target is not None and target not in present and targets[target] == 1:
            current.append(target)
            renamed.append(f"{name} as {target}")
        else:
            current.append(name)
    return current, renamed
