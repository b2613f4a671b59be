"""Gene sets and signatures of the user's own."""

from __future__ import annotations

from mistakes import Cohort, mistake


def gene_sets(cohort: Cohort, content: str) -> None:
    cohort.files["sets.gmt"] = content.encode()
    cohort.config["differential_expression"] = {"gene_sets": ["sets.gmt"]}


def signatures(cohort: Cohort, content: str, name: str = "signatures.tsv") -> None:
    cohort.files[name] = content.encode()
    cohort.config["interferon"] = {"signature_files": [name]}


@mistake("IN-001")
def a_gene_set_file_that_is_not_there(cohort: Cohort) -> None:
    cohort.config["differential_expression"] = {"gene_sets": ["nowhere.gmt"]}


@mistake("IN-007")
def gene_sets_in_latin_1(cohort: Cohort) -> None:
    gene_sets(cohort, "")
    cohort.files["sets.gmt"] = "S\u00e4tze\tx\tIFIT1\n".encode("latin-1")


@mistake("IN-190")
def a_gene_set_without_genes(cohort: Cohort) -> None:
    gene_sets(cohort, "A\tfirst\tIFIT1\nB\tsecond\n")


@mistake("IN-191")
def a_gene_set_twice(cohort: Cohort) -> None:
    gene_sets(cohort, "A\tfirst\tIFIT1\nA\tsecond\tISG15\n")


@mistake("IN-192")
def a_gene_set_file_without_a_set(cohort: Cohort) -> None:
    gene_sets(cohort, "\n\n")


@mistake("IN-193")
def a_signature_that_nobody_knows(cohort: Cohort) -> None:
    cohort.config["interferon"] = {"signature": "RICE_CROW_7"}


@mistake("IN-194")
def a_signature_with_the_name_of_a_published_one(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\nRICE_CROW_6\tIFIT1\n")


@mistake("IN-195")
def a_signature_with_an_unknown_column(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\tlog2FC\nA\tIFIT1\t2\n")


@mistake("IN-196")
def a_signature_without_its_genes_column(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene\nA\tIFIT1\n")


@mistake("IN-197")
def a_signature_file_without_genes(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\n")


@mistake("IN-198")
def a_signature_with_an_empty_gene(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\nA\tIFIT1\nA\t\n")


@mistake("IN-199")
def a_signature_with_a_gene_twice(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\nA\tIFIT1\nA\tIFIT1\n")


@mistake("IN-200")
def a_signature_of_an_unknown_type(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\tifn_type\nA\tIFIT1\tIV\n")


@mistake("IN-201")
def a_signature_with_a_negative_weight(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\tweight\nA\tIFIT1\t-1\n")


@mistake("IN-014")
def a_signature_file_with_rows_of_several_lengths(cohort: Cohort) -> None:
    signatures(cohort, "signature_id\tgene_symbol\nA\tIFIT1\nA\tISG15\tx\ty\n")
