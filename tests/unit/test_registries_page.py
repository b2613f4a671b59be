"""The page of the registries shows every record, and every field that a record has."""

from __future__ import annotations

import runpy
from dataclasses import fields

from stratifn.registry.knowledge import load_knowledge
from stratifn.registry.signatures import Cpg, Signature, SignatureGene


def page(root) -> str:
    return runpy.run_path(str(root / "docs" / "registries.py"))["registries_page"]()


def test_the_page_is_that_of_the_registries(root):
    assert (root / "docs" / "registries.md").read_text(encoding="utf-8") == page(root)


def test_every_signature_is_shown_with_its_published_score_and_cut_off(root):
    text = page(root)
    for record in load_knowledge().registry.signatures.values():
        assert f"### {record.signature_id}: {record.title}" in text
        assert record.cutoff_note.replace("|", "\\|") in text


def test_every_field_of_a_record_of_the_registry_is_read_somewhere(root):
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in (root / "workflow" / "scripts", root / "docs")
        for path in folder.rglob("*.py")
    )
    unread = [
        f"{record.__name__}.{field.name}"
        for record in (Signature, SignatureGene, Cpg)
        for field in fields(record)
        if f".{field.name}" not in code
    ]
    assert unread == []
