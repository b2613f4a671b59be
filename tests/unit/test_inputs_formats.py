"""Formats of the field: each goes from a file as its program writes it to the matrix with the right numbers."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stratifn.inputs import GeneNames, Groups, read_cohort
from stratifn.inputs.formats import FORMATS, PLAIN
from stratifn.inputs.formats.counts import NO_GENES
from stratifn.inputs.formats.sample_names import from_paths
from stratifn.inputs.formats.single import ONE_SAMPLE
from stratifn.inputs.gene_ids import named_genes, signature_found
from stratifn.inputs.id_forms import ID_FORMS, id_form
from stratifn.inputs.limits import censored, stated_limits
from stratifn.inputs.not_features import without_other_rows
from stratifn.inputs.number_marks import number_marks
from stratifn.inputs.probe_ids import with_replicates_averaged
from stratifn.inputs.raw_matrix import RawMatrix
from stratifn.inputs.reading import read_matrix
from stratifn.interferon.expression import locate_genes
from stratifn.registry.human_genes import gene_table, human_genes, read_gene_table
from stratifn.registry.knowledge import deciding_signature, load_knowledge
from stratifn.shared.errors import InputError
from stratifn.shared.package_data import config_schema, resource_folder, sheet_schema
from stratifn.shared.vocabulary import VIEW_KINDS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def matrix(content: str, path: str = "m.tsv", name: str | None = None) -> RawMatrix:
    Path(path).write_text(content)
    return read_matrix(path, name=name)


def codes(content: str, path: str = "m.tsv", name: str | None = None) -> list[str]:
    with pytest.raises(InputError) as error:
        matrix(content, path, name)
    return [problem.code for problem in error.value.problems]


def tabs(text: str) -> str:
    """Write cells between bars as a table with tabs."""
    rows = [line.strip() for line in text.strip().splitlines()]
    return "".join("\t".join(cell.strip() for cell in row.split("|")) + "\n" for row in rows)


# --- one file of each format ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """A file, and what is read of it: rows x columns."""

    content: str
    rows: list[str]
    columns: list[str]
    values: list[list[float]]
    notes: tuple[str, ...] = ()
    gene_names: list[str] | None = None
    path: str = "m.tsv"


EXAMPLES = {
    "featurecounts": Example(
        '# Program:featureCounts v2.0.3; Command:"featureCounts" "-T" "8" "-a" "genes.gtf" "-o" "counts.txt" "bam/S1.bam"\n'
        + tabs(
            """Geneid|Chr|Start|End|Strand|Length|/data/bam/S1.sorted.bam|/data/bam/S2Aligned.sortedByCoord.out.bam
            ENSG00000137959.16|chr1;chr1|78620384;78622000|78620500;78646145|+;+|1874|12|0
            ENSG00000165949.13|chr14|94110732|94116690|+|1021|345|1"""
        ),
        ["ENSG00000137959.16", "ENSG00000165949.13"],
        ["S1", "S2"],
        [[12, 0], [345, 1]],
        ("featureCounts; 5 columns left out: Chr, Start, End, Strand, Length", "S1.sorted.bam` read as `S1`"),
    ),
    "htseq_star": Example(
        tabs(
            """|S1|S2
            N_unmapped|900|800
            N_multimapping|90|80
            N_noFeature|9|8
            N_ambiguous|1|2
            ENSG00000137959|12|0
            ENSG00000165949|345|1"""
        ),
        ["N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous", "ENSG00000137959", "ENSG00000165949"],
        ["S1", "S2"],
        [[900, 800], [90, 80], [9, 8], [1, 2], [12, 0], [345, 1]],
    ),
    "rsem": Example(
        '""\t"out/S1.genes.results"\t"out/S2.genes.results"\n'
        '"ENSG00000137959_IFI44L"\t12.00\t0.00\n"ENSG00000165949_IFI27"\t345.53\t1.00\n',
        ["ENSG00000137959_IFI44L", "ENSG00000165949_IFI27"],
        ["S1", "S2"],
        [[12, 0], [345.53, 1]],
        ("RSEM", "`out/S1.genes.results` read as `S1`"),
    ),
    "rsem_merged": Example(
        tabs(
            """gene_id|transcript_id(s)|S1|S2
            ENSG00000137959|ENST00000370751,ENST00000450498|12.00|0.00
            ENSG00000165949|ENST00000621160|345.53|1.00"""
        ),
        ["ENSG00000137959", "ENSG00000165949"],
        ["S1", "S2"],
        [[12, 0], [345.53, 1]],
        ("1 column left out: transcript_id(s)",),
    ),
    "salmon": Example(
        tabs(
            """gene_id|gene_name|S1|S2
            ENSG00000137959|IFI44L|12.3|0
            ENSG00000165949|IFI27|345.53|1"""
        ),
        ["ENSG00000137959", "ENSG00000165949"],
        ["S1", "S2"],
        [[12.3, 0], [345.53, 1]],
        ("Salmon's tables",),
        ["IFI44L", "IFI27"],
    ),
    "geo_series_matrix": Example(
        '!Series_title\t"Lupus ""blood"" study"\n!Series_summary\t"Of 1,234 patients, 12,5 % ..."\n'
        '!Series_sample_id\t"GSM1 GSM2 "\n\n!Sample_title\t"patient 1"\t"patient 2"\n'
        '!Sample_characteristics_ch1\t"age: 12"\t"age: 13"\n!series_matrix_table_begin\n'
        '"ID_REF"\t"GSM1"\t"GSM2"\n"ILMN_1723912"\t7.25\t8.5\n"ILMN_2058782"\tnull\t9\n!series_matrix_table_end\n',
        ["ILMN_1723912", "ILMN_2058782"],
        ["GSM1", "GSM2"],
        [[7.25, 8.5], [np.nan, 9]],
        ("GEO series matrix",),
        path="m.txt",
    ),
    "gct": Example(
        "#1.3\n2\t2\t2\t1\n"
        + tabs(
            """id|gene_symbol|biotype|S1|S2
            age|na|na|40|50
            ENSG00000137959|IFI44L|protein_coding|12.5|0
            ENSG00000165949|IFI27|protein_coding|345|1"""
        ),
        ["ENSG00000137959", "ENSG00000165949"],
        ["S1", "S2"],
        [[12.5, 0], [345, 1]],
        ("GCT 1.2 or 1.3; 1 column left out: biotype", "1 rows of annotation of the samples left out: age"),
        ["IFI44L", "IFI27"],
        path="m.gct",
    ),
    "genomestudio_methylation": Example(
        "[Header]\nGSGT Version\t1.9.4\nReport Date\t1/7/2013 1:30 PM\nProject\tSLE\n[Sample Methylation Profile]\n"
        + tabs(
            """Index|TargetID|S1.AVG_Beta|S1.Detection Pval|S2.AVG_Beta|S2.Detection Pval|CHR|MAPINFO
            1|cg03607951|0.9123|0.0000|0.4|0.02|1|79085586
            2|cg01028142|0.25|0.0000||1|2|7004578"""
        ),
        ["cg03607951", "cg01028142"],
        ["S1", "S2"],
        [[0.9123, 0.4], [0.25, np.nan]],
        ("GenomeStudio, methylation; 5 columns left out: Index, S1.Detection Pval, S2.Detection Pval, CHR, MAPINFO",),
        path="m.txt",
    ),
    "genomestudio_expression": Example(
        tabs(
            """ID_REF|S1|Detection Pval|S2|Detection Pval
            ILMN_1723912|107.5|0.01|98|0.2
            ILMN_2058782|6000|0|75|0.5"""
        ),
        ["ILMN_1723912", "ILMN_2058782"],
        ["S1", "S2"],
        [[107.5, 98], [6000, 75]],
        ("2 columns left out: Detection Pval, Detection Pval",),
    ),
    "cibersortx": Example(
        "Mixture,B cells naive,Monocytes,P-value,Correlation,RMSE\nS1,0.25,0.75,0.0,0.81,0.7\nS2,0.5,0.5,0.01,0.75,0.72\n",
        ["S1", "S2"],
        ["B cells naive", "Monocytes"],
        [[0.25, 0.75], [0.5, 0.5]],
        ("3 columns left out: P-value, Correlation, RMSE",),
        path="m.csv",
    ),
    "cibersortx_absolute": Example(
        tabs(
            """Mixture|B cells naive|Monocytes|P-value|Correlation|RMSE|Absolute score (sig.score)
            S1|2.5|7.5|0.0|0.81|0.7|10
            S2|5|5|0.01|0.75|0.72|10"""
        ),
        ["S1", "S2"],
        ["B cells naive", "Monocytes"],
        [[2.5, 7.5], [5, 5]],
        ("4 columns left out: P-value, Correlation, RMSE, Absolute score (sig.score)",),
    ),
    "olink_npx": Example(
        "SampleID;Index;OlinkID;UniProt;Assay;MissingFreq;Panel;PlateID;QC_Warning;LOD;NPX;Normalization;Sample_Type\n"
        "S1;1;OID20563;P05231;IL6;0,1;Inflammation;P1;PASS;0,5;3,25;IPC;SAMPLE\n"
        "S1;1;OID20101;P05231;IL6;0,1;Oncology;P1;PASS;0,5;3,5;IPC;SAMPLE\n"
        "S1;1;OID20624;P10145;CXCL8;0;Inflammation;P1;PASS;-1;4;IPC;SAMPLE\n"
        "S2;2;OID20563;P05231;IL6;0,1;Inflammation;P1;WARN;0,5;-0,25;IPC;SAMPLE\n"
        "S2;2;OID20101;P05231;IL6;0,1;Oncology;P1;PASS;0,5;1;IPC;SAMPLE\n"
        "S2;2;OID20624;P10145;CXCL8;0;Inflammation;P1;FAIL;-1;9;IPC;SAMPLE\n"
        "CONTROL_1;3;OID20624;P10145;CXCL8;0;Inflammation;P1;PASS;-1;9;IPC;CONTROL\n",
        ["IL6_OID20563", "IL6_OID20101", "CXCL8"],
        ["S1", "S2"],
        [[3.25, -0.25], [3.5, 1], [4, np.nan]],
        (
            "1 controls left out: CONTROL_1",
            "kept apart by their OlinkID: IL6 (2)",
            "quality control failed: 1 values emptied, in 1 samples: S2",
            "quality warnings: 1 values kept, in 1 samples: S2",
            "1 of 6 values lie below the limit of detection",
            "decimal comma",
        ),
        path="m.csv",
    ),
    "plain": Example("id\tS1\tS2\nA\t1\t2\n", ["A"], ["S1", "S2"], [[1, 2]]),
}


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_each_format_is_recognised_and_read_with_its_numbers(each):
    example = EXAMPLES[each.name]
    for name in (None, each.name):
        read = matrix(example.content, example.path, name)
        assert read.rows == example.rows
        assert read.columns == example.columns
        np.testing.assert_array_equal(read.values, np.array(example.values))
        assert read.gene_names == example.gene_names
        assert not read.texts
        said = "; ".join(reason for _, reason in read.corrections)
        assert all(note in said for note in example.notes), said
        assert (f"format: {each.title}" in said) == (each is not PLAIN)


def test_every_format_has_an_example_and_a_name_of_the_config():
    names = [each.name for each in FORMATS]
    assert sorted(EXAMPLES) == sorted(names)
    schema = config_schema()["properties"]
    for where in ("cohorts", "transfer"):
        key = schema[where]["items"]["properties"]["views"]["items"]["properties"]["format"]
        assert key["enum"] == [None, *names]
        assert key["default"] is None


def test_the_kinds_of_formats_are_kinds_of_views():
    assert {kind for each in FORMATS for kind in each.kinds} <= set(VIEW_KINDS)


def test_an_example_is_recognised_by_one_format_or_by_the_first_of_those_that_fit():
    for name, example in EXAMPLES.items():
        assert matrix(example.content, example.path).made_by == next(f.title for f in FORMATS if f.name == name)


def test_a_format_that_the_file_does_not_have_is_refused():
    for each in FORMATS:
        # these two can be any table
        if each.name not in ("plain", "htseq_star"):
            assert codes(EXAMPLES["plain"].content, name=each.name) == ["IN-240"]
    message = str(pytest.raises(InputError, matrix, EXAMPLES["gct"].content, "m.gct", "featurecounts").value)
    assert "format: gct" in message and "featureCounts" in message


def test_a_format_of_text_is_not_asked_of_parquet():
    pq.write_table(pa.table({"id": ["A"], "S1": [1.0]}), "m.parquet")
    with pytest.raises(InputError, match="IN-240"):
        read_matrix("m.parquet", name="gct")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_cell_lost_in_a_row_moves_no_number_onto_another_sample(name):
    example = EXAMPLES[name]
    mark = next(each for each in ("\t", ";", ",") if each in example.content.splitlines()[-2])
    lines = example.content.splitlines()
    rows = [n for n, line in enumerate(lines) if line.count(mark) == max(each.count(mark) for each in lines)][1:][-2:]
    for row in rows:
        cells = lines[row].split(mark)
        for lost in range(len(cells)):
            shorter = mark.join(cells[:lost] + cells[lost + 1 :])
            damaged = "\n".join([*lines[:row], shorter, *lines[row + 1 :]]) + "\n"
            assert "IN-011" in codes(damaged, example.path)


# --- further forms of the same formats --------------------------------------------------------------------------------


def test_names_of_samples_are_shortened_only_where_they_stay_different():
    assert from_paths(["a/S1.bam", "b/S1.bam"])[0] == ["a", "b"]
    assert from_paths(["S1/Aligned.out.bam", "S2/Aligned.out.bam"])[0] == ["S1", "S2"]
    assert from_paths(["x/a/S1.bam", "y/a/S1.bam"]) == (["x/a/S1.bam", "y/a/S1.bam"], [])
    assert from_paths(["S1.markdup.sorted.bam", "S2_Aligned.sortedByCoord.out.bam"])[0] == ["S1", "S2"]
    assert from_paths(["S1", "S2"]) == (["S1", "S2"], [])
    assert from_paths(["C:\\run\\S1.bam", "C:\\run\\S2.bam"])[0] == ["S1", "S2"]


def test_symbols_of_feature_counts_are_read():
    content = EXAMPLES["featurecounts"].content.replace("Length\t", "Length\tgene_name\tgene_biotype\t")
    content = content.replace("\t1874\t", "\t1874\tIFI44L\tprotein_coding\t").replace(
        "\t1021\t", "\t1021\tIFI27\tlncRNA\t"
    )
    read = matrix(content)
    assert (read.gene_names, read.columns) == (["IFI44L", "IFI27"], ["S1", "S2"])
    np.testing.assert_array_equal(read.values, [[12, 0], [345, 1]])


@pytest.mark.parametrize("program", sorted(NO_GENES))
def test_rows_that_count_reads_of_no_gene_are_left_out_wherever_they_are(program):
    genes = "".join(f"ENSG{number:011d}\t{number}\t1\n" for number in range(500))
    others = "".join(f"{name}\t5\t6\n" for name in NO_GENES[program])
    samples = pd.DataFrame({"sample": ["S1", "S2"]})
    for content in (genes + others, others + genes):
        for name in (None, "htseq_star"):
            read, left_out, problems = without_other_rows(
                matrix("gene\tS1\tS2\n" + content, name=name), "counts", samples, {}
            )
            assert not problems
            assert [row for row, _ in left_out] == list(NO_GENES[program])
            assert read.values[:, 0].tolist() == list(range(500))


def test_a_gct_1_2_reads_symbols_and_leaves_descriptions_out():
    def read(first, second):
        return matrix(f"#1.2\n2\t2\nName\tDescription\tS1\tS2\nA\t{first}\t1\t2\nB\t{second}\t3\t4\n", "m.gct")

    assert read("IFI44L", "IFI27").gene_names == ["IFI44L", "IFI27"]
    for described in (("na", "na"), ("interferon induced protein", "another one")):
        assert read(*described).gene_names is None
        np.testing.assert_array_equal(read(*described).values, [[1, 2], [3, 4]])


def test_files_that_have_less_than_they_say_are_refused():
    gct = EXAMPLES["gct"].content
    assert codes(gct[: gct.rindex("ENSG")], "m.gct") == ["IN-244"]
    assert codes(gct.replace("2\t2\t2\t1", "2\t3\t2\t1"), "m.gct") == ["IN-244"]
    series = EXAMPLES["geo_series_matrix"].content
    assert codes(series[: series.index("!series_matrix_table_end")], "m.txt") == ["IN-244"]


def test_a_series_matrix_without_values_says_where_they_are():
    content = EXAMPLES["geo_series_matrix"].content
    begin, end = content.index('"ILMN_1723912"'), content.index("!series_matrix_table_end")
    with pytest.raises(InputError, match="supplementary files") as error:
        matrix(content[:begin] + content[end:], "m.txt")
    assert [problem.code for problem in error.value.problems] == ["IN-243"]


def test_symbols_of_genome_studio_are_read():
    content = tabs(
        """PROBE_ID|SYMBOL|S1.AVG_Signal|S1.Detection Pval|S1.BEAD_STDERR|DEFINITION
        ILMN_1723912|IFI44L|107.5|0.01|3|Homo sapiens interferon-induced protein 44-like
        ILMN_2058782|IFI27|6000|0|4|Homo sapiens interferon alpha-inducible protein 27"""
    )
    read = matrix(content)
    assert (read.rows, read.gene_names, read.columns) == (["ILMN_1723912", "ILMN_2058782"], ["IFI44L", "IFI27"], ["S1"])


def npx_frame() -> pd.DataFrame:
    example = EXAMPLES["olink_npx"]
    frame = pd.read_csv(pd.io.common.StringIO(example.content), sep=";", decimal=",")
    return frame.rename(columns={"QC_Warning": "SampleQC", "Sample_Type": "SampleType"})


def test_npx_of_parquet_is_the_same_matrix():
    npx_frame().to_parquet("npx.parquet", index=False)
    for name in (None, "olink_npx"):
        read = read_matrix("npx.parquet", name=name)
        assert read.rows == EXAMPLES["olink_npx"].rows
        np.testing.assert_array_equal(read.values, np.array(EXAMPLES["olink_npx"].values))
        assert read.kinds == ("continuous",)


def test_controls_among_the_assays_are_left_out_and_missing_pairs_are_missing():
    frame = npx_frame().iloc[:5]
    control = frame.iloc[[0]].assign(OlinkID="OID1", Assay="Extension control", AssayType="ext_ctrl")
    pd.concat([frame.assign(AssayType="assay"), control]).to_csv("npx.csv", sep=";", index=False)
    read = read_matrix("npx.csv")
    assert "Extension control" not in read.rows
    assert np.isnan(read.values[read.rows.index("CXCL8"), read.columns.index("S2")])


def test_a_sample_measured_twice_by_olink_is_refused():
    frame = npx_frame()
    pd.concat([frame, frame.iloc[[0]]]).to_csv("npx.csv", sep=";", index=False)
    with pytest.raises(InputError, match="bridging") as error:
        read_matrix("npx.csv")
    assert [problem.code for problem in error.value.problems] == ["IN-245"]
    assert "S1" in str(error.value)


def test_npx_cells_that_are_no_numbers_are_kept_as_they_are():
    content = EXAMPLES["olink_npx"].content.replace("3,25", "No Data")
    read = matrix(content, "npx.csv")
    assert read.texts == {(0, 0): "No Data"}


# --- files of one sample --------------------------------------------------------------------------------------------

SINGLE = {
    "STAR's": "N_unmapped\t9\t9\t9\nN_multimapping\t9\t9\t9\nENSG00000137959\t12\t6\t6\n",
    "HTSeq's": "ENSG00000137959\t12\nENSG00000165949\t345\n__no_feature\t9\n",
    "RSEM's": tabs(
        """gene_id|transcript_id(s)|length|effective_length|expected_count|TPM|FPKM
        ENSG00000137959|ENST00000370751|1800.5|1650.3|12.00|3.1|2.2"""
    ),
    "Salmon's": "Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST00000370751\t1800\t1650.3\t3.1\t12\n",
    "kallisto's": "target_id\tlength\teff_length\test_counts\ttpm\nENST00000370751\t1800\t1650.3\t12\t3.1\n",
    "StringTie's": tabs(
        """Gene ID|Gene Name|Reference|Strand|Start|End|Coverage|FPKM|TPM
        ENSG00000137959|IFI44L|1|+|78620384|78646145|3.5|1.2|2.3"""
    ),
    "the summary": "Status\tS1.bam\tS2.bam\nAssigned\t100\t200\nUnassigned_Unmapped\t1\t2\n",
}


@pytest.mark.parametrize("each", ONE_SAMPLE, ids=lambda each: each.title)
def test_a_file_of_one_sample_is_refused_with_the_way_to_a_matrix(each):
    with pytest.raises(InputError) as error:
        matrix(SINGLE[each.title.split(" of ")[0].split()[0] if "summary" not in each.title else "the summary"])
    (problem,) = error.value.problems
    assert (problem.code, problem.found, problem.fix) == ("IN-241", each.title, each.fix)


def test_one_new_patient_with_a_header_is_a_matrix():
    for label in ("gene_id", "Gene symbol", "analyte", ""):
        assert matrix(f"{label}\t101\nENSG00000137959\t12\nENSG00000165949\t345\n").columns == ["101"]


def test_the_documented_command_joins_the_files_of_htseq(root):
    for name, first in (("S1", 12), ("S2", 0)):
        Path(f"{name}.counts").write_text(f"ENSG00000137959\t{first}\nENSG00000165949\t3\n__no_feature\t9\n")
    page = (root / "docs" / "usage.md").read_text()
    command = page.split("```sh\n# join the files of HTSeq")[1].split("\n", 1)[1].split("```")[0]
    subprocess.run(["bash", "-c", command], check=True)
    read = read_matrix("counts.tsv")
    assert read.columns == ["S1", "S2"]
    np.testing.assert_array_equal(read.values, [[12, 0], [3, 3], [9, 9]])


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,234.5", "1,234", "12"], [1234.5, 1234, 12]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1.234,5", "1.234", "0,25"], [1234.5, 1234, 0.25]),
        (["1.234.567"], [1234567]),
        (["1 234,5", "12"], [1234.5, 12]),
        (["1\u00a0234", "1\u202f234.25"], [1234, 1234.25]),
        (["1'234.50", "-2'000"], [1234.5, -2000]),
        (["0,123", "12,345"], [0.123, 12.345]),
        (["1234,567"], [1234.567]),
        (["<0,5", ">10.000,5"], ["<0.5", ">10000.5"]),
        (["1.234", "0.5"], [1.234, 0.5]),
        (["1,5e3"], [1500]),
    ],
)
def test_decimal_commas_and_thousands_are_read_where_they_are_certain(cells, numbers):
    marks, notes, problems = number_marks("m", cells)
    assert not problems
    plain = [marks.plain(cell) for cell in cells]
    assert [
        cell if isinstance(number, str) else float(cell) for cell, number in zip(plain, numbers, strict=True)
    ] == numbers
    assert bool(notes) == any(plain[n] != cell for n, cell in enumerate(cells))
    rows = "".join(f'g{n}\t"{cell}"\n' for n, cell in enumerate(cells))
    read = matrix(f"id\tS1\n{rows}")
    expected = [np.nan if isinstance(number, str) else number for number in numbers]
    np.testing.assert_array_equal(read.values[:, 0], expected)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["1,234", "5"], "IN-013"),
        (["1,234", "0.5"], "IN-013"),
        (["1,5", "2.5"], "IN-012"),
        (["1,5", "1.234"], "IN-012"),
        (["1,234.5", "1.234,5"], "IN-012"),
    ],
)
def test_numbers_that_can_be_read_two_ways_are_refused(cells, code):
    assert codes("id\tS1\n" + "".join(f"g{n}\t{cell}\n" for n, cell in enumerate(cells))) == [code]


def test_a_decimal_point_far_down_a_file_of_commas_is_no_number():
    rows = "".join(f"g{n}\t1,5\n" for n in range(300)) + "last\t1.234\n"
    read = matrix("id\tS1\n" + rows)
    assert read.texts == {(300, 0): "1.234"}
    assert read.values[299, 0] == 1.5


# --- beyond the limits of an assay ------------------------------------------------------------------------------------


def limited(content: str, samples=("S1", "S2", "S3", "S4")) -> RawMatrix:
    return censored(*stated_limits(matrix(tabs(content)), samples))


def test_what_lies_beyond_a_limit_is_said_and_not_emptied():
    read = limited(
        """id|S1|S2|S3|S4
        IL6|<0.5|2|3|OOR <
        TNF|OOR <|4|2.5|ND
        IL8|7|>10000|OOR >|12
        IL1|*0.3|OOR >|2|<LLOQ
        IFN|OOR <|OOR <|ND|ND"""
    )
    assert read.below.tolist() == [
        [True, False, False, True],
        [True, False, False, True],
        [False] * 4,
        [False, False, False, True],
        [False] * 4,
    ]
    np.testing.assert_array_equal(read.lod, [0.5, 2.5, np.nan, 0.3, np.nan])
    np.testing.assert_array_equal(read.values[2], [7, 10000, 10000, 12])
    np.testing.assert_array_equal(read.values[3], [0.3, 2, 2, np.nan])
    assert not read.texts
    said = "; ".join(f"{item}: {reason}" for item, reason in read.corrections)
    for note in (
        "TNF: `ND`, `OOR <` in 2 samples, without a limit: below the smallest measured value (2.5)",
        "below the limit: 8 cells without a number",
        "above the limit: 3 cells read as the limit (`>10000` of IL8 in S2 as 10000)",
        "extrapolated: 1 cells",
        "features without any measured value: IFN (4)",
    ):
        assert note in said, said


def test_limits_that_the_file_states_are_taken_and_are_no_samples():
    content = """id|S1|S2|LOD|LLOQ|ULOQ
        IL6|OOR <|<LLOQ|0.2|0.8|500
        TNF|OOR >|4|0.3||600"""
    read = limited(content, ("S1", "S2"))
    assert read.columns == ["S1", "S2"]
    np.testing.assert_array_equal(read.lod, [0.8, 0.3])
    np.testing.assert_array_equal(read.values, [[np.nan, np.nan], [600, 4]])
    assert any("LOD, LLOQ, ULOQ" in reason for _, reason in read.corrections)
    assert "LOD" in limited(content, ("S1", "LOD")).columns


def test_words_that_are_no_limit_stay_text():
    read = limited("id|S1|S2\nIL6|low|1\nTNF|---|2", ("S1", "S2"))
    assert read.texts == {(0, 0): "low", (1, 0): "---"}


# --- EPIC v2 ----------------------------------------------------------------------------------------------------------


def test_replicates_of_epic_v2_are_averaged_and_called_as_on_older_arrays():
    rows = ["cg00000029_TC21", "cg03607951_BC11", "cg03607951_BC12", "cg03607951_BC13", "ch.1.2_TO11", "cg1"]
    values = np.array([[0.1, 0.2], [0.2, np.nan], [0.4, np.nan], [0.6, np.nan], [0.5, 0.6], [0.7, 0.8]])
    read = with_replicates_averaged(RawMatrix("m", values.copy(), rows, ["S1", "S2"]))
    assert read.rows == ["cg00000029", "cg03607951", "ch.1.2", "cg1"]
    np.testing.assert_allclose(read.values, [[0.1, 0.2], [0.4, np.nan], [0.5, 0.6], [0.7, 0.8]], rtol=1e-15)
    said = "; ".join(reason for _, reason in read.corrections)
    assert "5 probes called without their suffix" in said and "3 replicates averaged to 1 probes: cg03607951" in said
    plain = RawMatrix("m", values[:2], ["cg00000029", "cg03607951"], ["S1", "S2"])
    assert with_replicates_averaged(plain) is plain


# --- genes ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def genes() -> GeneNames:
    return GeneNames.of(load_knowledge().registry, deciding_signature([], "RICE_CROW_6"))


FORMS = {
    "ENSG00000137959.16": "IFI44L",
    "ENSG00000137959": "IFI44L",
    "ENSG00000137959.16_IFI44L": "IFI44L",
    "ENSG00000137959|IFI44L": "IFI44L",
    "IFI44L_ENSG00000137959": "IFI44L",
    "IFI44L|10964": "IFI44L",
    "ENSG00000137959_at": "IFI44L",
    "10964": "IFI44L",
    "C1orf29": "IFI44L",
    "DDX58": "RIGI",
    "SEPT4": "SEPTIN4",
    "MARCH1": "MARCHF1",
    "MT-CO2": "MT-CO2",
    "ENSG00000198712": "MT-CO2",
    "IFI44L": "IFI44L",
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_id_leads_to_the_current_symbol(genes, name):
    assert named_genes([name, "TP53"], None, genes, "rna").names[0] == FORMS[name]


UNKNOWN = {
    "Illumina probe": ["ILMN_1723912", "ILMN_2058782"],
    "Affymetrix probe": ["1007_s_at", "200000_at", "AFFX-BioB-3_at"],
    "Agilent probe": ["A_23_P23074", "A_33_P3211666"],
    "mouse symbol": ["Ifi44l", "Stat1", "Isg15"],
    "Ensembl mouse": ["ENSMUSG00000039146", "ENSMUSG00000035692.8"],
    "Ensembl transcript": ["ENST00000370751", "ENST00000621160.3"],
    "several symbols of one probe (`A /// B`)": ["IFI44L /// IFI44", "A /// B"],
    "RefSeq": ["NM_006820", "NR_046018.2"],
    "methylation probe": ["cg00000029", "cg03607951"],
    "Entrez": ["999999991", "999999992"],
    "symbol": ["GENE1", "GENE2"],
}


@pytest.mark.parametrize("form", UNKNOWN)
def test_ids_without_a_gene_of_the_signature_are_refused_by_their_form(genes, form):
    from stratifn.inputs.gene_ids import signature_problems

    (problem,) = signature_problems(UNKNOWN[form], None, genes, "rna", "m.tsv")
    assert problem.code == "IN-250"
    assert problem.found.startswith(f"{form} ids such as {UNKNOWN[form][0]}")
    assert signature_problems([*UNKNOWN[form], "IFI27"], None, genes, "rna", "m.tsv") == []


def test_a_panel_of_human_genes_without_the_signature_is_no_mistake(genes):
    from stratifn.inputs.gene_ids import signature_note, signature_problems

    panel = ["RTN2", "NDRG2", "CCDC113", "TP53", "of nobody"]
    assert signature_problems(panel, None, genes, "rna", "m.tsv") == []
    (note,) = signature_note(named_genes(panel, None, genes, "rna"), genes, "rna")
    assert note[3].startswith("0 of 6 genes of RICE_CROW_6")
    assert signature_problems(panel[:2] + ["a", "b", "c"], None, genes, "rna", "m.tsv")[0].code == "IN-250"


def test_every_form_is_tried():
    assert {form.name for form in ID_FORMS} - set(UNKNOWN) == {
        "Ensembl", "Ensembl and symbol", "symbol and Ensembl", "symbol and Entrez", "Ensembl (custom CDF)",
        "Ensembl of another species",
    }  # fmt: skip
    assert id_form([]).name == "symbol"


def test_genes_are_found_here_exactly_where_the_scores_find_them(genes):
    registry = load_knowledge().registry
    wanted = {gene.symbol: gene.ensembl_id for gene in genes.deciding.genes}
    for ids in (
        ["IFI44L", "ENSG00000165949.1", "SN", "X"],
        ["10964", "3429", "1"],
        ["IFI44L", "IFI44L_2", "RSAD2"],
        ["ENSG00000137959_IFI44L", "ENSG00000165949_IFI27"],
    ):
        named = named_genes(ids, None, genes, "rna")
        located = locate_genes(pd.DataFrame({"gene_name": named.names}, index=named.ids), wanted, registry.aliases)
        found, lacking = signature_found(named, genes.deciding, registry.aliases)
        assert sorted(found) == sorted([*located.features, *located.ambiguous])
        assert sorted([*found, *lacking]) == sorted(wanted)


def test_symbols_of_the_registry_are_never_renamed_and_rows_of_one_gene_are_kept_apart(genes):
    current = sorted(genes.current)
    assert named_genes(current, None, genes, "rna").names == current
    named = named_genes(["DDX58", "RIGI", "A", "A"], None, genes, "rna")
    assert named.names == ["DDX58", "RIGI", "A", "A"]
    assert ("rna", "gene_name", "repeated", "1 symbols belong to several rows, kept apart: A (2)") in named.notes


def test_the_table_of_genes_is_made_of_the_original(root):
    original = root.parent / "shared" / "reference" / "human_genes.tsv.gz"
    shipped = read_gene_table(resource_folder() / "genes" / "human_genes.tsv.gz", skip=1)
    assert shipped["gene_symbol"].is_unique and shipped["gene_symbol"].is_monotonic_increasing
    assert len(human_genes().entrez) == len(shipped)
    if original.exists():
        made = gene_table(read_gene_table(original))
        pd.testing.assert_frame_equal(made.reset_index(drop=True), shipped)


def test_what_means_several_genes_names_none():
    original = pd.DataFrame(
        {
            "entrez_id": ["1", "2", "3", "4513", "5"],
            "gene_symbol": ["A", "B", "C", "COX2", "P1"],
            "gene_type": ["protein-coding", "protein-coding", "pseudo", "protein-coding", "pseudo"],
            "ensembl_ids": ["ENSG1|ENSG2", "ENSG2", "", "ENSG3", "ENSG4"],
            "aliases": ["A|OLD|BOTH", "BOTH|C|B1|COX2", "C1", "COII|COX2|MTCO2", "MT-CO2|P"],
        }
    )
    made = gene_table(original).set_index("gene_symbol")
    assert made["ensembl_ids"].to_dict() == {"A": "ENSG1", "B": "", "MT-CO2": "ENSG3", "P1": "ENSG4"}
    assert made["old_symbols"].to_dict() == {"A": "OLD", "B": "B1", "MT-CO2": "COII|MTCO2", "P1": ""}


# --- a cohort of six formats ------------------------------------------------------------------------------------------


def test_a_cohort_of_six_formats_at_once(genes):
    from mistakes import Cohort
    from mistakes.formats import SIX, six_formats

    cohort = Cohort.clean(Path.cwd())
    clean = {name: frame.copy() for name, frame in cohort.matrices.items()}
    six_formats(cohort)
    assert cohort.problems() == []
    paths = {"samples": "samples.tsv"} | {view["name"]: view["path"] for view in cohort.cohort["views"]}
    settings = {"columns": {}, "labels": {}, "types": {}}
    settings["views"] = [{"round": False, "size_factors": "own"} | view for view in cohort.cohort["views"]]
    read = read_cohort(settings, paths, Groups(["SLE", "pSS"], "HC"), genes, sheet_schema(), ())
    assert set(read.views) == set(SIX)
    for name, source in SIX.items():
        frame = read.views[name].to_df().T
        expected = clean[source].loc[:, frame.columns]
        assert frame.index.tolist() == expected.index.tolist(), name
        np.testing.assert_allclose(frame.to_numpy(), expected.to_numpy(), rtol=1e-6, err_msg=name)
    formats = read.notes[read.notes["reason"].str.startswith("format: ")]
    assert sorted(formats["view"]) == sorted(SIX)


def test_new_patients_on_epic_v2_match_a_reference_of_an_older_array(genes):
    from stratifn.inputs import ANY_GROUP
    from stratifn.transfer.matching import Features, require_features

    probes = [f"cg{number:08d}" for number in range(30)]
    betas = pd.DataFrame(np.random.default_rng(1).random((30, 2)).round(4), index=probes, columns=["A", "B"])
    Path("s.tsv").write_text("sample\nA\nB\n")
    read = {}
    for name, suffix in (("v1", ""), ("v2", "_BC21")):
        betas.rename(index=lambda probe, suffix=suffix: probe + suffix).to_csv(f"{name}.tsv", sep="\t")
        view = {"name": "methylation", "kind": "beta", "round": False}
        settings = {"columns": {}, "labels": {}, "types": {}, "views": [view]}
        paths = {"samples": "s.tsv", "methylation": f"{name}.tsv"}
        read[name] = read_cohort(settings, paths, ANY_GROUP, genes, sheet_schema(), ()).views["methylation"]
    require_features(
        {"methylation": Features.of(read["v1"].var)}, {"methylation": read["v2"]}, {"methylation": "v2.tsv"}
    )
    pd.testing.assert_frame_equal(read["v1"].to_df(), read["v2"].to_df())
