"""The registry of signatures, and signatures that a user brings."""

from pathlib import Path

import pandas as pd
import pytest

from stratifn.registry.gene_sets import read_gmt
from stratifn.registry.signatures import load_axis_sets
from stratifn.registry.user_signatures import REPEATED, read_user_signatures
from stratifn.shared.errors import InputError

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


def test_every_signature_has_a_record_and_genes_with_a_source(registry):
    assert len(registry.signatures) == 47
    for record in registry.signatures.values():
        assert record.title and record.formula and record.specimen and record.platform and record.redundancy_group
        assert record.ifn_type in ("I", "II", "mixed", "ligand")
        assert record.genes and all(gene.source and gene.weight > 0 for gene in record.genes)
        assert len(set(record.symbols)) == len(record.symbols)


def test_default_panel_holds_verified_signatures_only(registry):
    assert {"RICE_CROW_6", "AYBEY_IFN1_20", "AYBEY_IFN2_6", "CHAUSSABEL_M1.2"} <= set(registry.default_panel)
    assert all(registry.signature(name).verified for name in registry.default_panel)


def test_one_unverified_gene_makes_the_signature_unverified(registry):
    for record in registry.signatures.values():
        assert record.verified == all(gene.verified for gene in record.genes)
    assert not registry.signature("FENG_5").verified


def test_a_published_cutoff_always_says_why_it_is_not_transferred(registry):
    assert all(record.cutoff_note for record in registry.signatures.values())


def test_an_old_symbol_is_brought_up_to_date(registry):
    assert registry.resolve(["DDX58", "IFI27"]).current == ("RIGI", "IFI27")


def test_two_old_symbols_that_meet_in_one_gene_are_named(registry):
    resolution = registry.resolve(["TYKI", "LOC129607", "MX1"])
    assert resolution.current == ("CMPK2", "CMPK2", "MX1")
    assert resolution.meeting == {"CMPK2": ("LOC129607", "TYKI")}


def test_no_alias_is_a_current_symbol_of_the_registry(registry):
    assert not set(registry.aliases) & set(registry.genes())


def test_a_symbol_that_was_given_to_another_gene_is_no_alias(registry):
    # Illumina's COP1 is CARD16; today's COP1 is another gene
    assert "COP1" not in registry.aliases


def test_an_unknown_signature_is_refused_with_the_known_ones(registry):
    with pytest.raises(InputError, match="RICE_CROW_6"):
        registry.signature("RICE_6")


def test_published_figures_are_numbers_in_percent(registry):
    higgs = {row.disease: row.value for row in registry.prevalence if row.signature == "HIGGS2011_5"}
    assert (higgs["SLE"], higgs["DM"], higgs["SSc"], higgs["healthy"]) == (73, 66, 68, 0)
    assert all(0 <= row.value <= 100 for row in registry.prevalence if row.value is not None)
    assert all(row.source for row in registry.prevalence)


def test_cpgs_of_the_score_are_verified_and_lie_in_the_five_genes(registry):
    chosen = [cpg for cpg in registry.cpgs if cpg.in_score]
    assert {cpg.gene for cpg in chosen} == {"IFI44L", "RSAD2", "PARP9", "PLSCR1", "CMPK2"}
    assert all(cpg.verified for cpg in chosen)


def test_axes_have_sources_and_keep_their_verification():
    axes = {axis.set_id: axis for axis in load_axis_sets(RESOURCES / "gene_sets" / "axes.tsv")}
    assert not axes["CGAS_STING_CORE_12"].verified
    assert axes["REACTOME_RIG_I_MDA5_MEDIATED_INDUCTION_OF_IFN_ALPHA_BETA_PATHWAYS"].verified
    assert all(axis.source and axis.symbols for axis in axes.values())


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_user_tsv_is_read_marked_unverified_and_kept_out_of_the_panel(tmp_path, registry):
    path = _write(tmp_path / "own.tsv", "signature_id\tgene_symbol\tweight\nOWN\tDDX58\t2\nOWN\tMX1\t1\n")
    (own,) = read_user_signatures(path, registry.aliases)
    assert own.symbols == ("MX1", "RIGI") and [gene.weight for gene in own.genes] == [1.0, 2.0]
    assert not own.verified
    joined = registry.with_signatures([own])
    assert "OWN" in joined.signatures and "OWN" not in joined.default_panel


def test_user_gmt_is_read(tmp_path, registry):
    path = _write(tmp_path / "own.gmt", "A\tfirst\tMX1\tIFI27\nB\tsecond\tOAS1\n")
    first, second = read_user_signatures(path, registry.aliases)
    assert (first.symbols, first.title, second.symbols) == (("IFI27", "MX1"), "first", ("OAS1",))


def test_both_uses_of_a_gmt_read_repeated_and_renamed_genes_alike(tmp_path, registry):
    path = _write(tmp_path / "own.gmt", "A\tfirst\tMX1\tTYKI\tCMPK2\tMX1\n")
    (signature,), (gene_set,) = read_user_signatures(path, registry.aliases), read_gmt(path, registry.aliases)
    assert set(signature.symbols) == set(gene_set.symbols) == {"MX1", "CMPK2"}
    assert gene_set.repeated == ("CMPK2", "MX1")
    assert [gene.note for gene in signature.genes] == [REPEATED, REPEATED]
    assert {gene.symbol: gene.symbol_in_source for gene in signature.genes}["CMPK2"] == "TYKI"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.tsv", "signature_id\tgene_symbol\tcolour\nA\tMX1\tred\n", "column colour"),
        ("a.tsv", "signature_id\tgene\nA\tMX1\n", "no column gene_symbol"),
        ("a.tsv", "signature_id\tgene_symbol\nA\tMX1\nA\tMX1\n", "gene MX1 2 times"),
        ("a.tsv", "signature_id\tgene_symbol\nA\tTYKI\nA\tCMPK2\n", "TYKI, CMPK2"),
        ("a.tsv", "signature_id\tgene_symbol\n", "no gene"),
        ("a.tsv", "signature_id\tgene_symbol\nA\t\n", "empty name or gene"),
        ("a.tsv", "signature_id\tgene_symbol\tweight\nA\tMX1\t-1\n", "weight -1"),
        ("a.tsv", "signature_id\tgene_symbol\tifn_type\nA\tMX1\tIII\n", "ifn_type III"),
        ("a.gmt", "A\tdescription\n", "a set without genes"),
        ("a.gmt", "\n", "no gene set"),
        ("a.gmt", "A\td\tMX1\nA\td\tMX2\n", "the name A, as in line 1"),
    ],
)
def test_a_bad_signature_file_is_refused_in_words(tmp_path, registry, name, text, said):
    with pytest.raises(InputError, match=said):
        read_user_signatures(_write(tmp_path / name, text), registry.aliases)


def test_all_problems_of_a_signature_file_are_shown_at_once(tmp_path, registry):
    text = "signature_id\tgene_symbol\tweight\nA\tMX1\tx\nB\tMX1\t1\nB\tMX1\t1\n"
    with pytest.raises(InputError) as caught:
        read_user_signatures(_write(tmp_path / "own.tsv", text), registry.aliases)
    assert len(caught.value.problems) == 2


def test_a_users_name_may_not_hide_a_published_signature(tmp_path, registry):
    path = _write(tmp_path / "own.tsv", "signature_id\tgene_symbol\nRICE_CROW_6\tMX1\n")
    with pytest.raises(InputError, match="RICE_CROW_6"):
        registry.with_signatures(read_user_signatures(path, registry.aliases))


def test_resource_tables_are_sorted_and_without_stray_quotes():
    for path in sorted((RESOURCES / "signatures").glob("*.tsv")):
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3)
        assert not table.map(lambda cell: cell.startswith('"')).to_numpy().any(), path.name
        assert table.iloc[:, 0].is_monotonic_increasing, path.name
