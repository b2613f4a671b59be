"""What the ids of a gene expression matrix are, and the current symbol behind each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stratifn.inputs.id_forms import ENSEMBL, SYMBOL, id_form, parts_of
from stratifn.registry.human_genes import human_genes
from stratifn.registry.knowledge import deciding_signature, knowledge_problems, load_knowledge
from stratifn.registry.signatures import Registry, Signature
from stratifn.running.progress import step
from stratifn.shared.errors import Problem, listed

# what a spreadsheet makes of MARCH1, SEPT2, DEC1 and their like
EXCEL_DATE = re.compile(r"^(\d{1,2}-(Mar|Sep|Sept|Dec|Oct|Apr|Feb|Nov)|(Mar|Sep|Dec|Oct|Apr|Feb|Nov)-\d{1,2})$", re.I)
Note = tuple[str, str, str, str]
SHOWN = 30
# from this share of ids that are known on, a matrix is one of human genes, whichever of them it lacks
MOSTLY_KNOWN = 0.5


@dataclass(frozen=True)
class GeneNames:
    """What is known about symbols.

    Attributes
    ----------
    aliases
        Old symbol to current symbol, of the signature registry: this one goes first.
    symbols
        Ensembl id (without version) to current symbol.
    entrez
        Entrez id to current symbol.
    old_symbols
        Other old symbols and synonyms to current symbol.
    current
        Symbols that are never renamed.
    deciding
        The signature that gives the classes, or None.
    """

    aliases: Mapping[str, str]
    symbols: Mapping[str, str]
    entrez: Mapping[str, str] = field(default_factory=dict)
    old_symbols: Mapping[str, str] = field(default_factory=dict)
    current: frozenset[str] = frozenset()
    deciding: Signature | None = None

    @classmethod
    def of(cls, registry: Registry, deciding: Signature | None = None) -> GeneNames:
        """Take them from the signature registry, and what it does not know from the table of all human genes."""
        genes, others = [gene for each in registry.signatures.values() for gene in each.genes], human_genes()
        symbols = {**others.ensembl, **{gene.ensembl_id: gene.symbol for gene in genes if gene.ensembl_id}}
        current = frozenset(gene.symbol for gene in genes)
        return cls(registry.aliases, symbols, others.entrez, others.old_symbols, current, deciding)

    def share_known(self, names: Sequence[str]) -> float:
        """Return the share of names that are current symbols of human genes."""
        human = {*self.symbols.values(), *self.entrez.values()}
        return sum(name in human for name in names) / max(1, len(names))

    def today(self, name: str) -> str:
        """Return the current symbol of a gene that is called by an old one; other names as they are."""
        if name in self.current:
            return name
        name = self.aliases.get(name) or self.old_symbols.get(name, name)
        return self.aliases.get(name, name)


def known_genes(
    signature_files: Sequence[str], signatures: Sequence[str], gene_set_files: Sequence[str]
) -> tuple[GeneNames, list[Problem]]:
    """Return what is known about genes, and what is wrong with a user's own files about them.

    Parameters
    ----------
    signature_files, gene_set_files
        The user's paths.
    signatures
        Requested signatures; the first one gives the classes.
    """
    problems = knowledge_problems(signature_files, signatures, gene_set_files)
    deciding = deciding_signature(signature_files, signatures[0])
    return GeneNames.of(load_knowledge().registry, deciding), problems


class NamedGenes(NamedTuple):
    """The genes of a matrix.

    Attributes
    ----------
    ids
        Of every row; Ensembl ids without version where they stay different.
    names
        The symbol of every row; the id where none is known.
    notes
        What was recognised and renamed.
    """

    ids: list[str]
    names: list[str]
    notes: list[Note]


def named_genes(ids: Sequence[str], given: Sequence[str] | None, known: GeneNames, view: str) -> NamedGenes:
    """Give every gene its id without version and its current symbol.

    Parameters
    ----------
    ids
        Row ids of the matrix.
    given
        The file's own `gene_name`, or None.
    known
        Aliases and symbols.
    view
        The view, for the notes.

    Notes
    -----
    A symbol is replaced by the current one only when that one is not there as well: otherwise the row keeps the name
    it came with. Rows of one gene are kept apart.
    """
    form = id_form(ids)
    notes: list[Note] = []
    if form is not SYMBOL and not (given and all(given)):
        notes.append((view, "ids", "recognised", f"{form.name} ids of {len(ids)} genes"))
    split = [parts_of(name) for name in ids]
    plain = [parts.id for parts in split]
    if plain != list(ids) and len(set(plain)) == len(ids):
        composite = sum(parts.symbol != "" for parts in split)
        what = (
            f"ids and symbols taken apart in {composite} rows"
            if composite
            else "version suffix: removed from Ensembl ids"
        )
        notes.append((view, "ids", "renamed", what))
        ids = plain
    asked = [
        (given[number] if given else "") or parts.symbol or known.symbols.get(parts.id) or known.entrez.get(parts.id)
        for number, parts in enumerate(split)
    ]
    names, renamed = _current([name or own for name, own in zip(asked, ids, strict=True)], known)
    if renamed:
        notes.append((view, "gene_name", "renamed", f"old symbols read as current ones: {listed(renamed, SHOWN)}"))
    mangled = sorted({name for name in names if EXCEL_DATE.match(name)})
    if mangled:
        reason = f"{len(mangled)} symbols damaged by a spreadsheet, kept as they are: {listed(mangled, SHOWN)}"
        notes.append((view, "gene_name", "not recognised", reason))
    unnamed = [own for own, name in zip(ids, asked, strict=True) if not name]
    if form.needs_symbols and unnamed:
        reason = f"no symbol is known for {len(unnamed)} of {len(ids)} ids: {listed(unnamed)}"
        notes.append((view, "gene_name", "not recognised", reason))
    notes += _repeated(names, view)
    return NamedGenes(list(ids), names, notes)


def _repeated(names: Sequence[str], view: str) -> list[Note]:
    counts = Counter(names)
    several = sorted(name for name, count in counts.items() if count > 1)
    if not several:
        return []
    shown = listed((f"{name} ({counts[name]})" for name in several), SHOWN)
    return [(view, "gene_name", "repeated", f"{len(several)} symbols belong to several rows, kept apart: {shown}")]


def _current(names: list[str], known: GeneNames) -> tuple[list[str], list[str]]:
    present = set(names)
    targets = [known.today(name) for name in names]
    counts = Counter(target for name, target in zip(names, targets, strict=True) if name != target)
    current, renamed = [], []
    for name, target in zip(names, targets, strict=True):
        # two rows for one gene: an ambiguous id keeps its old name
        if target != name and target not in present and counts[target] == 1:
            current.append(target)
            renamed.append(f"{name} as {target}")
        else:
            current.append(name)
    return current, renamed


def signature_found(genes: NamedGenes, signature: Signature, aliases: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return which genes of a signature a matrix has, by Ensembl id, current symbol or old one, and which it lacks."""
    ids = {match[1] for name in genes.ids if (match := ENSEMBL.match(name))}
    names = set(genes.names) | {aliases[name] for name in genes.names if name in aliases}
    found = [gene.symbol for gene in signature.genes if gene.ensembl_id in ids or gene.symbol in names]
    return found, [gene.symbol for gene in signature.genes if gene.symbol not in found]


def signature_note(genes: NamedGenes, known: GeneNames, view: str) -> list[Note]:
    """Say how many genes of the deciding signature there are: in the log, and in a note where one is missing."""
    if known.deciding is None:
        return []
    found, lacking = signature_found(genes, known.deciding, known.aliases)
    reason = f"{len(found)} of {len(known.deciding.genes)} genes of {known.deciding.signature_id}"
    step(f"{view}: {reason} found")
    return [(view, "signature", "recognised", f"{reason}; not found: {listed(lacking)}")] if lacking else []


def signature_problems(
    ids: Sequence[str], given: Sequence[str] | None, known: GeneNames, view: str, path: str
) -> list[Problem]:
    """Refuse a matrix without a gene of the deciding signature whose ids are not those of human genes.

    A panel of human genes that lacks the signature is measured as it is: the notes say that none was found, and nobody
    gets a class. Parameters as of `named_genes`.
    """
    if known.deciding is None:
        return []
    genes = named_genes(ids, given, known, view)
    found, lacking = signature_found(genes, known.deciding, known.aliases)
    if found or known.share_known(genes.names) >= MOSTLY_KNOWN:
        return []
    form, name = id_form(ids), known.deciding.signature_id
    shown = f"{form.name} ids such as {listed(ids, 3)}: none of the {len(lacking)} genes of {name}"
    expected = f"genes such as {listed(lacking, 3)}"
    fix = f"{form.fix} If these genes were not measured, choose another signature (`interferon: {{signature: ...}}`)."
    return [Problem(path, "gene ids", shown, expected, fix, code="IN-250")]
