"""Named sets of genes: those of the registry, and a user's own in GMT files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stratifn.registry.signatures import AxisSet, Registry
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import reading_users


@dataclass(frozen=True)
class GeneSet:
    """A named set of genes.

    Attributes
    ----------
    name
        Unique among the sets of a run.
    source
        Where it comes from.
    symbols
        Current gene symbols (or ids), each once.
    written
        What the source calls each of them, in the same order.
    repeated
        Genes that the source names more than once (also under two symbols): each counts once.
    description
        What a GMT file says of the set.
    """

    name: str
    source: str
    symbols: tuple[str, ...]
    written: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    description: str = ""


def registry_sets(registry: Registry, axis_sets: Sequence[AxisSet]) -> list[GeneSet]:
    """Take every verified signature and axis set of the registry."""
    signatures = [
        GeneSet(record.signature_id, record.genes[0].source, record.symbols)
        for record in registry.signatures.values()
        if record.verified
    ]
    return signatures + [GeneSet(each.set_id, each.source, tuple(each.symbols)) for each in axis_sets if each.verified]


def read_gmt(path: Path | str, aliases: Mapping[str, str]) -> list[GeneSet]:
    """Read gene sets: one per line, tab-separated name, description, genes.

    Old symbols are brought up to date. A gene that a line names twice counts once and is listed in `repeated`.

    Parameters
    ----------
    path
        The file.
    aliases
        Old symbol to current symbol.

    Raises
    ------
    InputError
        A file that cannot be read, without a set, a line without name or genes, or a name that occurs twice.
    """
    path = Path(path)
    with reading_users(path, "gene sets in GMT, as text in UTF-8", "Save it as UTF-8."):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    sets: list[GeneSet] = []
    problems: list[Problem] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, description, *genes = [cell.strip() for cell in (line + "\t").split("\t")]
        genes = [gene for gene in genes if gene]
        where = f"line {number}"
        if not name or not genes:
            fix = "Write name, description and genes, separated by tabs."
            problems.append(
                Problem(str(path), where, f"{line[:40]!r}: a set without genes", "a gene set", fix, code="IN-190")
            )
        elif name in first_line:
            found = f"the name {name}, as in line {first_line[name]}"
            problems.append(
                Problem(str(path), where, found, "each name once", "Rename one of the sets.", code="IN-191")
            )
        first_line.setdefault(name, number)
        sets.append(_gene_set(path.name, name, description, genes, aliases))
    if not sets:
        problems.append(Problem(str(path), "the file", "no gene set", "at least one", "Add a set.", code="IN-192"))
    if problems:
        raise InputError(problems)
    return sets


def _gene_set(file: str, name: str, description: str, genes: Sequence[str], aliases: Mapping[str, str]) -> GeneSet:
    written: dict[str, str] = {}
    for gene in genes:
        written.setdefault(aliases.get(gene, gene), gene)
    counts = Counter(aliases.get(gene, gene) for gene in genes)
    repeated = tuple(sorted(symbol for symbol, count in counts.items() if count > 1))
    source = f"{file}: {description}" if description else file
    return GeneSet(name, source, tuple(written), tuple(written.values()), repeated, description)
