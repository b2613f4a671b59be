"""A user's own interferon signatures, from a TSV or a GMT, checked as a whole before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from stratifn.registry.gene_sets import read_gmt
from stratifn.registry.signatures import (
    IFN_TYPES,
    Registry,
    Signature,
    SignatureGene,
    genes_by_signature,
    read_text_table,
    records,
)
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.files import reading_users

USER_COLUMNS = (
    "signature_id",
    "gene_symbol",
    "ensembl_id",
    "weight",
    "source",
    "verified",
    "symbol_in_source",
    "note",
    "title",
    "ifn_type",
)
# the note of a gene that a line of a GMT file names more than once
REPEATED = "named more than once, counted once"
USER_REQUIRED = ("signature_id", "gene_symbol")


def read_user_signatures(path: Path, aliases: Mapping[str, str]) -> tuple[Signature, ...]:
    """Read a user's own signatures from a TSV or a GMT.

    A TSV has a row per gene with at least ``signature_id`` and ``gene_symbol`` (optional: ``weight``, ``source``,
    ``title``, ``ifn_type``, ``ensembl_id``, ``note``); a GMT has a set per line: name, description, genes. Old
    symbols are brought up to date, and a gene that a line of a GMT names twice counts once. The sets are marked as
    not verified and join no default panel.

    Raises
    ------
    InputError
        With every problem found: unknown columns, a missing column, a duplicated gene of a TSV (also two old symbols
        of one gene, whose weights may differ), an empty set, a weight that is no positive number, an unknown IFN type.
    """
    path = Path(path)
    source = str(path)
    table, problems = (_gmt_table(path, aliases), []) if path.suffix.lower() == ".gmt" else _user_table(path, aliases)
    if not problems:
        problems += _row_problems(table, source)
    if problems:
        raise InputError(problems)
    genes = genes_by_signature(table.sort_values(["signature_id", "gene_symbol"], kind="stable"))
    return tuple(_user_signature(name, rows, genes[name]) for name, rows in table.groupby("signature_id"))


def _gmt_table(path: Path, aliases: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        _user_row(signature_id=each.name, title=each.description, gene_symbol=symbol, symbol_in_source=written)
        | {"note": REPEATED if symbol in each.repeated else ""}
        for each in read_gmt(path, aliases)
        for symbol, written in zip(each.symbols, each.written, strict=True)
    ]
    return pd.DataFrame(rows)


def _user_row(**given: str) -> dict[str, str]:
    return dict.fromkeys(USER_COLUMNS, "") | {"verified": "no", "weight": "1"} | given


def _user_table(path: Path, aliases: Mapping[str, str]) -> tuple[pd.DataFrame, list[Problem]]:
    with reading_users(path, "a table of text in UTF-8, its columns between tabs", "Save it as such."):
        table = read_text_table(path).rename(columns=lambda name: name.strip().lstrip("\ufeff"))
    source, expected = str(path), ", ".join(USER_COLUMNS)
    problems = [
        Problem(source, "header", f"column {name}", f"only {expected}", "Remove or rename the column.", code="IN-195")
        for name in table.columns
        if name not in USER_COLUMNS
    ]
    problems += [
        Problem(source, "header", f"no column {name}", f"a column {name}", "Add the column.", code="IN-196")
        for name in USER_REQUIRED
        if name not in table.columns
    ]
    if not problems and table.empty:
        problems.append(
            Problem(source, "the file", "no gene", "a row per gene", "Add the genes of the set.", code="IN-197")
        )
    if problems:
        return table, problems
    rows = [_user_row(**{k: v.strip() for k, v in row.items() if v.strip()}) for row in records(table)]
    table = pd.DataFrame(rows).assign(verified="no")
    table["symbol_in_source"] = table["gene_symbol"]
    table["gene_symbol"] = [aliases.get(symbol, symbol) for symbol in table["gene_symbol"]]
    return table, problems


def _row_problems(table: pd.DataFrame, source: str) -> list[Problem]:
    problems = []
    for name, rows in table.groupby("signature_id", sort=True):
        where = f"signature {name or '(without name)'}"
        if not name or (rows["gene_symbol"] == "").any():
            fix = "Fill in signature_id and gene_symbol in every row."
            problems.append(Problem(source, where, "an empty name or gene", "a name and a gene", fix, code="IN-198"))
        for symbol, twice in rows.groupby("gene_symbol"):
            if symbol and len(twice) > 1:
                found = f"gene {symbol} {len(twice)} times (as {', '.join(twice['symbol_in_source'])})"
                problems.append(Problem(source, where, found, "each gene once", "Remove the duplicate.", code="IN-199"))
        for value in sorted(set(rows["ifn_type"]) - {*IFN_TYPES, ""}):
            expected = f"one of {', '.join(IFN_TYPES)}"
            problems.append(Problem(source, where, f"ifn_type {value}", expected, "Correct the type.", code="IN-200"))
        for value in sorted(value for value in set(rows["weight"]) if not _is_positive(value)):
            fix = "Scores use genes that interferon induces: give a weight above 0, or leave the column out."
            problems.append(Problem(source, where, f"weight {value}", "a positive number", fix, code="IN-201"))
    return problems


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def _user_signature(name: str, rows: pd.DataFrame, genes: tuple[SignatureGene, ...]) -> Signature:
    first = {column: next(filter(None, rows[column]), "") for column in ("title", "ifn_type")}
    return Signature(
        signature_id=name,
        title=first["title"] or name,
        ifn_type=first["ifn_type"] or "mixed",
        specimen="not stated",
        platform="not stated",
        formula="the user's own set",
        published_cutoff="",
        cutoff_note="the user's own set: no published cut-off",
        redundancy_group="user",
        used_by="this run",
        verified=False,
        default_panel=False,
        genes=genes,
    )


def registry_with_files(registry: Registry, paths: Iterable[str | Path]) -> tuple[Registry, tuple[str, ...]]:
    """Add a user's own signature files to the registry.

    Returns
    -------
    Registry
        With the sets of every file.
    tuple of str
        Their ids, in the order of the files.
    """
    names: list[str] = []
    for path in paths:
        added = read_user_signatures(Path(path), registry.aliases)
        registry = registry.with_signatures(added)
        names += [record.signature_id for record in added]
    return registry, tuple(names)


def require_signatures(registry: Registry, paths: Iterable[str | Path], names: Iterable[str]) -> None:
    """Make sure that the files can be read and that every requested signature is in them or in the registry.

    Raises
    ------
    InputError
        For what is wrong with the files, or for the names that nobody knows.
    """
    known, _ = registry_with_files(registry, paths)
    for name in names:
        known.signature(name)
