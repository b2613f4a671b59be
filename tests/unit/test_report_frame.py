"""The frame of every page: numbers, anchors and files of figures and tables; what a page was made by, and of."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from stratifn.report import pages_of, write_tables
from stratifn.report.content import FigureSlot, Section, Table, Text
from stratifn.report.figures.drawing import Drawing
from stratifn.report.page.content import Made, made
from stratifn.report.page.numbered import numbered
from unit.test_report import METHODS, example_tables, pages, results

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt" viewBox="0 0 72 36"></svg>'
FRAME = pd.DataFrame({"gene": ["IFI44L"], "padj": ["0.01"]})


def test_figures_and_tables_are_numbered_in_reading_order_and_what_was_not_drawn_has_no_number(tmp_path):
    (tmp_path / "volcano_a.svg").write_text(SVG)
    drawn = {"volcano": Drawing("Caption.", {"a": "volcano_a"}, {})}
    content = (
        Text("Words."),
        FigureSlot("absent"),
        Table("first", "One", FRAME),
        FigureSlot("volcano"),
        Table("second", "Two", FRAME),
    )
    (section,) = numbered([Section("expression", "Expression", content)], drawn, tmp_path, "index")
    labels = [(item["label"], item["anchor"]) for item in section["items"] if "label" in item]
    assert labels == [("Table 1", "table-first"), ("Figure 1", "figure-volcano"), ("Table 2", "table-second")]


def test_two_tables_of_one_name_on_a_page_are_a_fault_of_the_code(tmp_path):
    content = (Table("calls", "One", FRAME), Table("calls", "Two", FRAME))
    with pytest.raises(ValueError, match="table-calls is twice"):
        numbered([Section("expression", "Expression", content)], {}, tmp_path, "index")


def test_every_table_of_every_page_is_a_file_with_the_cells_of_the_page(tmp_path):
    one = results(example_tables())
    every = pages_of(one, METHODS, Made(None, None, "0" * 64))
    write_tables(every.values(), tmp_path / "tables")
    shown = [
        item
        for page in every.values()
        for section in page.sections
        for item in section.content
        if isinstance(item, Table)
    ]
    files = sorted((tmp_path / "tables").rglob("*.tsv"))
    assert len(files) == len(shown) > 10
    (prevalence,) = [
        item
        for section in every["index"].sections
        for item in section.content
        if isinstance(item, Table) and item.name == "prevalence"
    ]
    read = pd.read_csv(tmp_path / "tables" / "prevalence.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert read.to_numpy().tolist() == prevalence.frame.astype(str).to_numpy().tolist()
    assert list(read.columns) == list(prevalence.frame.columns)


def test_the_contents_lead_to_every_section():
    html = pages(results(example_tables()))["index"]
    contents = re.search(r'<nav class="contents".*?</nav>', html, re.DOTALL)[0]
    sections = re.findall(r'<section id="([^"]+)"', html)
    assert re.findall(r'href="#([^"]+)"', contents) == ["answer", *sections]


def test_an_only_disease_has_no_page_of_its_own():
    everybody = results(example_tables())
    kept = everybody.samples[everybody.samples["disease"] != "pSS"]
    tables = example_tables()
    for name, table in tables.items():
        for column in {"sample", "disease"} & set(table):
            tables[name] = tables[name][tables[name][column].isin(kept[column])]
    tables["quality"] = tables["quality"].assign(near_duplicate=None, reason=None)
    one = replace(results(tables, cohort={"diseases": ["SLE"]}), samples=kept)
    assert list(pages_of(one, METHODS, Made(None, None, "0" * 64))) == ["index"]


def test_a_page_says_by_which_code_and_from_which_files_it_was_made(tmp_path):
    (tmp_path / "inputs").mkdir()
    lines = ["path\tbytes\tsha256", f"a/x.tsv\t1\t{'a' * 64}", f"b/y.tsv\t1\t{'b' * 64}"]
    (tmp_path / "inputs" / "sources.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "elsewhere" / "inputs").mkdir(parents=True)
    moved = [lines[0], lines[2].replace("b/", "c/"), lines[1].replace("a/", "c/")]
    (tmp_path / "elsewhere" / "inputs" / "sources.tsv").write_text("\n".join(moved) + "\n")
    by = made("c" * 40, "2026-11-25", [tmp_path / "inputs" / "sources.tsv"])
    assert by == made("c" * 40, "2026-11-25", [tmp_path / "elsewhere" / "inputs" / "sources.tsv"]), (
        "wherever the files are"
    )
    html = pages(results(example_tables()))["index"]
    assert "commit 000000000000, of 2026-01-31; inputs 000000000000" in html
