"""The forms of ids that gene expression matrices come with, one record each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

ENSEMBL = re.compile(r"^(ENSG\d{11})(\.\d+)?(_PAR_Y)?$")
_ENSEMBL_AND_SYMBOL = re.compile(r"(?P<id>ENSG\d{11})(?:\.\d+)?(?P<par>_PAR_Y)?[_|;:](?P<symbol>.+)")
_SYMBOL_AND_ENSEMBL = re.compile(r"(?P<symbol>.+?)[_|;:](?P<id>ENSG\d{11})(?:\.\d+)?(?P<par>_PAR_Y)?")
_SYMBOL_AND_ENTREZ = re.compile(r"(?P<symbol>[A-Za-z][A-Za-z0-9.@-]*)\|(?P<id>\d+)")
_CUSTOM_CDF = re.compile(r"(?P<id>ENSG\d{11})(?P<par>)(?P<symbol>)_at")
_COMPOSITE = (_CUSTOM_CDF, _ENSEMBL_AND_SYMBOL, _SYMBOL_AND_ENSEMBL)
_ADD_SYMBOLS = "Add a second column `gene_name` with the gene symbols"


@dataclass(frozen=True)
class IdForm:
    """A form of ids.

    Attributes
    ----------
    name
        What they are, before the word ids.
    pattern
        Of a whole id.
    fix
        What to do where no known gene is among them.
    needs_symbols
        Whether they name no gene by themselves.
    """

    name: str
    pattern: re.Pattern[str]
    fix: str
    needs_symbols: bool = False


_PROBES = f"{_ADD_SYMBOLS} from the annotation of the array (in GEO: the table of its GPL)."
_SPECIES = "stratifn reads human genes: map these to their human orthologues first."
SYMBOL = IdForm("symbol", re.compile(r".*"), f"{_ADD_SYMBOLS} (HGNC), or use Ensembl ids.")
# in this order they are asked
ID_FORMS = (
    IdForm("Ensembl", ENSEMBL, f"{_ADD_SYMBOLS}.", needs_symbols=True),
    IdForm("Ensembl (custom CDF)", _CUSTOM_CDF, f"{_ADD_SYMBOLS}.", needs_symbols=True),
    IdForm("Ensembl and symbol", _ENSEMBL_AND_SYMBOL, f"{_ADD_SYMBOLS}."),
    IdForm("symbol and Ensembl", _SYMBOL_AND_ENSEMBL, f"{_ADD_SYMBOLS}."),
    IdForm("symbol and Entrez", _SYMBOL_AND_ENTREZ, f"{_ADD_SYMBOLS}."),
    IdForm("Ensembl transcript", re.compile(r"ENST\d{11}(\.\d+)?(\|.*)?"), "Sum transcripts to genes (tximport in R)."),
    IdForm("Ensembl mouse", re.compile(r"ENSMUS[GT]\d{11}(\.\d+)?.*"), _SPECIES),
    IdForm("Ensembl of another species", re.compile(r"ENS[A-Z]{3,4}[GT]\d{11}(\.\d+)?.*"), _SPECIES),
    IdForm("Entrez", re.compile(r"\d+"), f"{_ADD_SYMBOLS}: the numbers are no known Entrez ids.", needs_symbols=True),
    IdForm("Illumina probe", re.compile(r"ILMN_\d+"), _PROBES, needs_symbols=True),
    IdForm("Agilent probe", re.compile(r"A_\d+_P\d+"), _PROBES, needs_symbols=True),
    IdForm("Affymetrix probe", re.compile(r"(AFFX-.*|\d+(_[a-z])*_at|TC\w+\.hg\.\d+)"), _PROBES, needs_symbols=True),
    IdForm("methylation probe", re.compile(r"(cg|ch)[.\d]\S*"), "Is this the methylation? Give gene expression."),
    IdForm("RefSeq", re.compile(r"[NX][MR]_\d+(\.\d+)?"), f"{_ADD_SYMBOLS}, one row per gene.", needs_symbols=True),
    IdForm("several symbols of one probe (`A /// B`)", re.compile(r".+ /// .+"), f"{_ADD_SYMBOLS}."),
    IdForm("mouse symbol", re.compile(r"[A-Z][a-z]+[A-Za-z0-9-]*"), _SPECIES),
)


@dataclass(frozen=True)
class IdParts:
    """An id without version, and the symbol that is written beside it (empty where there is none)."""

    id: str
    symbol: str = ""


def id_form(ids: Sequence[str]) -> IdForm:
    """Tell what most ids are."""
    counts = Counter(next((form for form in ID_FORMS if form.pattern.fullmatch(name)), SYMBOL) for name in ids)
    return counts.most_common(1)[0][0] if counts else SYMBOL


def parts_of(name: str) -> IdParts:
    """Take an id apart: `ENSG00000137959.16_IFI44L`, `ENSG00000137959|IFI44L`, `IFI44L|10964`, a version."""
    if match := ENSEMBL.match(name):
        return IdParts(match[1] + (match[3] or ""))
    for pattern in _COMPOSITE:
        if match := pattern.fullmatch(name):
            return IdParts(match["id"] + (match["par"] or ""), match["symbol"])
    if match := _SYMBOL_AND_ENTREZ.fullmatch(name):
        # the symbol may be old; the row keeps both
        return IdParts(name, match["symbol"])
    return IdParts(name)
