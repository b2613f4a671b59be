"""The registry of published interferon signatures: genes, formulas, sources, aliases, CpGs, published figures.

A table of the registry is read as text, checked, and turned into frozen records. What was not checked against its
paper always has ``verified=False`` and is not in the default panel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from stratifn.shared.errors import InputError, Problem

IFN_TYPES = ("I", "II", "mixed", "ligand")


@dataclass(frozen=True)
class SignatureGene:
    """One gene of one signature: current symbol, weight in the score, and where the line comes from."""

    symbol: str
    ensembl_id: str
    weight: float
    source: str
    verified: bool
    symbol_in_source: str
    note: str


@dataclass(frozen=True)
class Signature:
    """One published (or user's) gene set with everything that is known about it.

    Attributes
    ----------
    signature_id, title
        Short name and plain title.
    ifn_type
        ``I``, ``II``, ``mixed`` or ``ligand`` (genes of interferons themselves, no response score).
    specimen, platform
        What it was made on.
    formula, published_cutoff, cutoff_note
        The published score, its cut-off, and why that cut-off is not transferred to another run.
    redundancy_group
        Signatures of one group share most of their genes: their agreement is no independent evidence.
    used_by
        Trials or studies.
    verified
        Whether every gene was read in the named source.
    default_panel
        Whether it is scored when nothing is asked for.
    genes
        Its genes, sorted by symbol.
    """

    signature_id: str
    title: str
    ifn_type: str
    specimen: str
    platform: str
    formula: str
    published_cutoff: str
    cutoff_note: str
    redundancy_group: str
    used_by: str
    verified: bool
    default_panel: bool
    genes: tuple[SignatureGene, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Current symbols of the genes, in the order of `genes`."""
        return tuple(gene.symbol for gene in self.genes)


@dataclass(frozen=True)
class Cpg:
    """One CpG with its gene; `in_score` marks those of the methylation score."""

    cpg: str
    gene: str
    delta_beta_vs_control: str
    in_score: bool
    source: str
    verified: bool


@dataclass(frozen=True)
class PublishedPrevalence:
    """One published share of people with the signature, in percent; a range where only that was given."""

    disease: str
    specimen: str
    signature: str
    assay: str
    value: float | None
    value_low: float | None
    value_high: float | None
    n: int | None
    source: str
    verified: bool
    note: str


@dataclass(frozen=True)
class ProfileGene:
    """How far stimulated cells raise one gene (log2) under type I and under type II interferon."""

    symbol: str
    ensembl_id: str
    type_i: float
    type_ii: float
    source: str


@dataclass(frozen=True)
class AxisSet:
    """One gene set of a therapeutic axis (ligand, receptor, sensing)."""

    axis: str
    set_id: str
    symbols: tuple[str, ...]
    source: str
    verified: bool


@dataclass(frozen=True)
class SymbolResolution:
    """Symbols of a matrix in today's names.

    Attributes
    ----------
    current
        One symbol per requested symbol, in their order.
    renamed
        Old symbol to current symbol, for those that changed.
    meeting
        Current symbol to the distinct symbols that meet in it (two or more), sorted.
    """

    current: tuple[str, ...]
    renamed: Mapping[str, str]
    meeting: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Registry:
    """Everything in ``resources/signatures``.

    Attributes
    ----------
    signatures
        Records by id, sorted by id.
    aliases
        Old symbol to current symbol.
    cpgs, prevalence
        CpGs and published figures.
    profiles
        What type I and type II interferon raise, gene by gene, sorted by symbol; made by
        ``benchmarks/response_profiles.py``.
    """

    signatures: Mapping[str, Signature]
    aliases: Mapping[str, str]
    cpgs: tuple[Cpg, ...]
    prevalence: tuple[PublishedPrevalence, ...]
    profiles: tuple[ProfileGene, ...]

    @property
    def default_panel(self) -> tuple[str, ...]:
        """Ids of the signatures that are scored when nothing is asked for; all verified."""
        return tuple(name for name, record in self.signatures.items() if record.default_panel)

    def genes(self, signatures: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the sorted current symbols of some signatures (all when none are named)."""
        names = self.signatures if signatures is None else signatures
        return tuple(sorted({symbol for name in names for symbol in self.signature(name).symbols}))

    def signature(self, name: str) -> Signature:
        """Return one record; an unknown name is an `InputError` that lists the known ones."""
        if name not in self.signatures:
            known = ", ".join(self.signatures)
            raise InputError(
                Problem(
                    "config", "interferon", f"signature {name}", f"one of {known}", "Correct the name.", code="IN-193"
                )
            )
        return self.signatures[name]

    def verified_sets(self) -> dict[str, tuple[str, ...]]:
        """Return the symbols of every signature whose genes were all read in the named source."""
        return {name: record.symbols for name, record in self.signatures.items() if record.verified}

    def resolve(self, symbols: Iterable[str]) -> SymbolResolution:
        """Bring a matrix's symbols up to date.

        An old symbol is renamed. Where several distinct symbols mean one gene, they are named in ``meeting``; which
        of them to believe is for the caller to decide.
        """
        asked = tuple(symbols)
        current = tuple(self.aliases.get(symbol, symbol) for symbol in asked)
        sources: dict[str, set[str]] = {}
        for old, new in zip(asked, current, strict=True):
            sources.setdefault(new, set()).add(old)
        meeting = {new: tuple(sorted(old)) for new, old in sources.items() if len(old) > 1}
        renamed = {old: new for old, new in zip(asked, current, strict=True) if old != new}
        return SymbolResolution(current, renamed, meeting)

    def with_signatures(self, added: Iterable[Signature]) -> Registry:
        """Return a registry that also holds `added`; a name that is taken already is an `InputError`."""
        added = tuple(added)
        taken = [record.signature_id for record in added if record.signature_id in self.signatures]
        if taken:
            raise InputError(
                [
                    Problem(
                        "config",
                        "signatures",
                        f"signature {name}",
                        "a name of your own",
                        "Rename the set.",
                        code="IN-194",
                    )
                    for name in taken
                ]
            )
        joined = dict(self.signatures) | {record.signature_id: record for record in added}
        return replace(self, signatures=MappingProxyType(dict(sorted(joined.items()))))


def load_registry(folder: Path) -> Registry:
    """Read the registry from its folder of tables.

    Parameters
    ----------
    folder
        Holds ``signatures.tsv``, ``genes.tsv``, ``aliases.tsv``, ``cpgs.tsv``, ``prevalence.tsv``,
        ``response_profiles.tsv``.
    """
    folder = Path(folder)
    genes = genes_by_signature(read_text_table(folder / "genes.tsv"))
    signatures = {
        row["signature_id"]: _signature(row, genes[row["signature_id"]])
        for row in records(read_text_table(folder / "signatures.tsv"))
    }
    aliases = read_text_table(folder / "aliases.tsv")
    return Registry(
        signatures=MappingProxyType(dict(sorted(signatures.items()))),
        aliases=MappingProxyType(dict(zip(aliases["symbol_in_source"], aliases["gene_symbol"], strict=True))),
        cpgs=tuple(_cpg(row) for row in records(read_text_table(folder / "cpgs.tsv"))),
        prevalence=tuple(_prevalence(row) for row in records(read_text_table(folder / "prevalence.tsv"))),
        profiles=tuple(_profile_gene(row) for row in records(read_text_table(folder / "response_profiles.tsv"))),
    )


def load_axis_sets(path: Path) -> tuple[AxisSet, ...]:
    """Read ``resources/gene_sets/axes.tsv``: the gene sets of the ligand, receptor and sensing axes."""
    table = read_text_table(Path(path))
    return tuple(
        AxisSet(
            axis=axis,
            set_id=set_id,
            symbols=tuple(sorted(set(rows["gene_symbol"]))),
            source=rows["source"].iloc[0],
            verified=bool((rows["verified"] == "yes").all()),
        )
        for (axis, set_id), rows in table.groupby(["axis", "set_id"], sort=True)
    )


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a TSV as text: an empty field stays empty, a gene called NA stays a gene."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)


def records(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return one dictionary per row."""
    return table.to_dict(orient="records")


def genes_by_signature(table: pd.DataFrame) -> dict[str, tuple[SignatureGene, ...]]:
    """Return the genes of each signature, in the order of the rows."""
    return {name: tuple(_gene(row) for row in records(rows)) for name, rows in table.groupby("signature_id", sort=True)}


def _gene(row: Mapping[str, str]) -> SignatureGene:
    return SignatureGene(
        symbol=row["gene_symbol"],
        ensembl_id=row["ensembl_id"],
        weight=float(row["weight"]),
        source=row["source"],
        verified=row["verified"] == "yes",
        symbol_in_source=row["symbol_in_source"],
        note=row["note"],
    )


def _signature(row: Mapping[str, str], genes: tuple[SignatureGene, ...]) -> Signature:
    fields = {key: value for key, value in row.items() if key not in ("verified", "default_panel")}
    return Signature(
        **fields, verified=row["verified"] == "yes", default_panel=row["default_panel"] == "yes", genes=genes
    )


def _cpg(row: Mapping[str, str]) -> Cpg:
    return Cpg(
        cpg=row["cpg"],
        gene=row["gene"],
        delta_beta_vs_control=row["delta_beta_vs_control"],
        in_score=row["in_score"] == "yes",
        source=row["source"],
        verified=row["verified"] == "yes",
    )


def _prevalence(row: Mapping[str, str]) -> PublishedPrevalence:
    value, low, high = (float(row[key]) if row[key] else None for key in ("value", "value_low", "value_high"))
    return PublishedPrevalence(
        disease=row["disease"],
        specimen=row["specimen"],
        signature=row["signature"],
        assay=row["assay"],
        value=value,
        value_low=low,
        value_high=high,
        n=int(row["n"]) if row["n"] else None,
        source=row["source"],
        verified=row["verified"] == "yes",
        note=row["note"],
    )


def _profile_gene(row: Mapping[str, str]) -> ProfileGene:
    return ProfileGene(
        row["gene_symbol"], row["ensembl_id"], float(row["type_i"]), float(row["type_ii"]), row["source"]
    )
