"""Write docs/registries.md: every signature, method, rule and kind, with the fields of its record (`make docs`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from stratifn.inputs.formats import FORMATS
from stratifn.inputs.formats.single import ONE_SAMPLE
from stratifn.inputs.id_forms import ID_FORMS, SYMBOL
from stratifn.interferon.cutoffs import RULES
from stratifn.interferon.methods import METHODS
from stratifn.normalization import KINDS
from stratifn.registry.knowledge import load_knowledge
from stratifn.registry.signatures import Signature
from stratifn.shared.files import write_text
from stratifn.stratification import LABEL_RULES

INTRODUCTION = """\
# Registries

This page is made from the registries by `make docs`; change a record, not this page.
"""


def registries_page() -> str:
    """Write the page in Markdown, a section per registry."""
    knowledge = load_knowledge()
    registry = knowledge.registry
    sections = [
        INTRODUCTION,
        "## Interferon signatures\n",
        "Each gene list was read in the source named, or is marked as not verified; published cut-offs are shown and never used,\n"
        "because a cut-off belongs to its assay.\n",
        *(_signature(record) for record in registry.signatures.values()),
        "## Response profiles\n",
        "How far stimulated cells raise each gene (log2), by which type I and type II are told apart.\n",
        f"Source of every row: {'; '.join(sorted({gene.source for gene in registry.profiles}))}. Computed by\n"
        "`benchmarks/response_profiles.py` from public counts, for which no licence is stated.\n",
        _table(
            ("gene", "type I", "type II"),
            ((gene.symbol, f"{gene.type_i:.2f}", f"{gene.type_ii:.2f}") for gene in registry.profiles),
        ),
        "## CpGs of the methylation score\n",
        _table(
            ("CpG", "gene", "published difference of beta", "in the score", "source"),
            ((c.cpg, c.gene, c.delta_beta_vs_control, _yes(c.in_score), c.source) for c in registry.cpgs),
        ),
        "## Gene sets of the therapeutic axes\n",
        _table(
            ("set", "axis", "genes", "verified", "source"),
            ((s.set_id, s.axis, ", ".join(s.symbols), _yes(s.verified), s.source) for s in knowledge.axis_sets),
        ),
        "## Scoring methods\n",
        _table(("method", "definition", "source"), ((m.name, m.definition, m.source) for m in METHODS.values())),
        "## Cut-off rules\n",
        _table(
            ("rule", "definition", "fewest controls"), ((r.name, r.definition, r.min_controls) for r in RULES.values())
        ),
        "## Formats of matrices\n",
        "Delimited text is asked for these signs in this order; `views[].format` names a format where another one is detected.\n"
        "Columns that are left out are counted and named in `inputs/notes.tsv`.\n",
        _table(
            ("format", "written by", "recognised by", "what is read", "kinds of view"),
            ((f"`{f.name}`", f.title, f.signs, f.reads, ", ".join(f.kinds) or "any") for f in FORMATS),
        ),
        "Files of one sample are refused, with the way to a matrix:\n",
        _table(("file", "what to do"), ((each.title, each.fix) for each in ONE_SAMPLE)),
        "## Ids of genes\n",
        "Of expression matrices whose ids name no gene, a column `gene_name` tells the symbols. A matrix without a gene of the\n"
        "deciding signature is refused, with the form of its ids:\n",
        _table(("ids", "where none of them is known"), ((form.name, form.fix) for form in (*ID_FORMS, SYMBOL))),
        "## Kinds of views\n",
        _table(
            ("kind", "what normalization does", "unit", "source"),
            ((k.name, f"{k.described()}.", k.unit, k.reference) for k in KINDS.values()),
        ),
        "## Labels of strata\n",
        _table(
            ("label", "rule", "genes", "proteins", "cells", "source"),
            (
                (r.label, r.rule, ", ".join(r.genes), ", ".join(r.proteins), ", ".join(r.cells), r.source)
                for r in LABEL_RULES
            ),
        ),
    ]
    return "\n".join(sections)


def _signature(record: Signature) -> str:
    rows = (
        ("interferon type", record.ifn_type),
        ("made on", f"{record.specimen}, {record.platform}"),
        ("published score", record.formula),
        ("published cut-off", f"{record.published_cutoff or 'none'}: {record.cutoff_note}"),
        ("redundancy group (its members share most genes)", record.redundancy_group),
        ("used by", record.used_by),
        ("verified", _yes(record.verified)),
        ("scored by default", _yes(record.default_panel)),
        ("genes", ", ".join(_gene(gene.symbol, gene.symbol_in_source) for gene in record.genes)),
        ("notes", "; ".join(sorted({f"{gene.symbol}: {gene.note}" for gene in record.genes if gene.note}))),
        ("source", "; ".join(sorted({gene.source for gene in record.genes}))),
    )
    return f"### {record.signature_id}: {record.title}\n\n" + _table(("field", "value"), rows)


def _gene(symbol: str, in_source: str) -> str:
    return symbol if in_source in ("", symbol) else f"{symbol} (there {in_source})"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    written = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join(written) + "\n"


if __name__ == "__main__":
    write_text(registries_page(), Path(sys.argv[1]))
