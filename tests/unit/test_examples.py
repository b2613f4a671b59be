"""The examples of the configuration: what they name, and the script that puts public data where they look for them."""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path

import pytest
import yaml

from stratifn.configuration.config import complete_config, read_config
from stratifn.inputs.reading import read_matrix, read_sheet
from stratifn.shared.package_data import config_schema, output_contract

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "config" / "examples"
SERIES = """!Series_title\t"Systemic sclerosis"
!Sample_title\t"PATIENT01"\t"CONTROL01"
!Sample_geo_accession\t"GSM1"\t"GSM2"
!Sample_characteristics_ch1\t"condition: systemic sclerosis patient"\t"condition: Control"
!Sample_characteristics_ch1\t"gender: Female"\t"gender: Male"
!Sample_characteristics_ch1\t"age: 22"\t"age: 40"
!Sample_characteristics_ch1\t"disease duration: 7.8"\t""
!series_matrix_table_begin
"ID_REF"\t"GSM1"\t"GSM2"
"IFI27"\t9.5\t7.2
!series_matrix_table_end
"""


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("prepare")


def test_every_example_is_known_and_its_files_are_those_of_its_configuration(prepare):
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(prepare.EXAMPLES)
    for name, example in prepare.EXAMPLES.items():
        complete = complete_config(read_config(FOLDER / f"{name}.yaml"), config_schema(), output_contract())
        (cohort,) = complete["cohorts"]
        files = {"samples": cohort["samples"]} | {view["name"]: view["path"] for view in cohort["views"]}
        assert example.files == files
        used = set(cohort["columns"].values()) or {"sample", "disease"}
        assert used <= set(example.columns)


@pytest.mark.parametrize("packed", [False, True])
def test_a_series_matrix_gives_sheet_and_matrix(prepare, tmp_path, monkeypatch, capsys, packed):
    monkeypatch.chdir(tmp_path)
    data = SERIES.encode()
    Path("series.txt").write_bytes(gzip.compress(data) if packed else data)
    prepare.main(["ssc-blood", "--sheet", "series.txt", "--matrix", "rna=series.txt", "--to", "mine"])
    said = capsys.readouterr()
    assert "make check CONFIG=mine/ssc-blood.yaml" in said.out
    assert said.err == ""
    sheet, _ = read_sheet("mine/samples.tsv")
    assert list(sheet.columns) == ["title", "gsm", "condition", "gender", "age", "disease duration"]
    assert sheet.iloc[1].tolist() == ["CONTROL01", "GSM2", "Control", "Male", "40", ""]
    assert read_matrix("mine/expr_log2_symbol.tsv.gz").columns == ["GSM1", "GSM2"]
    assert yaml.safe_load(Path("mine/ssc-blood.yaml").read_text())["cohorts"][0]["samples"] == "samples.tsv"


def test_a_sheet_without_its_columns_is_told(prepare, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("series.txt").write_text(SERIES.replace("condition:", "status:"))
    prepare.main(["ssc-blood", "--sheet", "series.txt", "--matrix", "rna=series.txt"])
    assert "samples.tsv has no column condition, but title, gsm, status" in capsys.readouterr().err


def test_half_a_series_matrix_and_missing_files_end_in_words(prepare, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("series.txt").write_text("!Series_title\tx\n")
    with pytest.raises(SystemExit, match="no whole series matrix"):
        prepare.main(["ssc-blood", "--sheet", "series.txt", "--matrix", "rna=series.txt"])
    with pytest.raises(SystemExit):
        prepare.main(["ssc-blood", "--sheet", "series.txt", "--matrix", "rna=absent.txt"])
    assert "there is no file absent.txt" in capsys.readouterr().err


def test_without_an_argument_all_are_listed(prepare, capsys):
    prepare.main([])
    said = capsys.readouterr().out
    assert all(name in said for name in prepare.EXAMPLES)
