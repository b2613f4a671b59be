"""Files that are missing, damaged, or not what they should be."""

from __future__ import annotations

import bz2
import gzip

from mistakes import Cohort, mistake


@mistake("IN-001")
def a_matrix_is_missing(cohort: Cohort) -> None:
    cohort.files["rna.tsv"] = None


@mistake("IN-001")
def the_sheet_is_missing(cohort: Cohort) -> None:
    cohort.files["samples.tsv"] = None


@mistake("IN-003")
def the_path_is_a_folder(cohort: Cohort) -> None:
    cohort.view("rna")["path"] = "."


@mistake("IN-004")
def the_sheet_is_an_excel_workbook(cohort: Cohort) -> None:
    cohort.files["samples.tsv"] = b"PK\x03\x04 and the rest"


@mistake("IN-005")
def a_matrix_is_empty(cohort: Cohort) -> None:
    cohort.files["cytokines.tsv"] = b""


@mistake("IN-005")
def a_matrix_has_only_its_header(cohort: Cohort) -> None:
    cohort.files["cytokines.tsv"] = cohort.text("cytokines").splitlines()[0].encode()


@mistake("IN-006")
def a_compressed_matrix_is_cut_off(cohort: Cohort) -> None:
    cohort.files["rna.tsv"] = gzip.compress(cohort.text("rna").encode())[:-100]


@mistake("IN-006")
def a_bz2_matrix_is_damaged(cohort: Cohort) -> None:
    content = bz2.compress(cohort.text("rna").encode())
    cohort.files["rna.tsv"] = content[:200] + b"\0" * 20 + content[220:]


@mistake("IN-007")
def the_sheet_is_in_latin_1(cohort: Cohort) -> None:
    cohort.sheet["centre"] = "K\u00f6ln"
    cohort.files["samples.tsv"] = cohort.text("samples").encode("latin-1")


@mistake("IN-008")
def an_id_holds_a_nul_byte(cohort: Cohort) -> None:
    cohort.files["rna.tsv"] = cohort.text("rna").replace("GENE7\t", "GENE\0007\t").encode()
