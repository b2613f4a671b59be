"""Files of the field's programs: six of them in one cohort, and what is wrong with some."""

from __future__ import annotations

import pandas as pd

from mistakes import Cohort, mistake

# views of a cohort of six formats to the clean matrix whose numbers they have
SIX = {
    "rna": "rna",
    "repeats": "rna",
    "methylation": "methylation",
    "proteins": "cytokines",
    "cells": "cells",
    "arrays": "cytokines",
}


def six_formats(cohort: Cohort) -> None:
    """Write featureCounts, RSEM, GenomeStudio, Olink NPX, CIBERSORTx and GCT in place of plain matrices."""
    matrices = cohort.matrices
    written = {
        "rna": ("counts", "counts.txt", feature_counts(matrices["rna"])),
        "repeats": ("counts", "rsem.tsv", rsem(matrices["rna"])),
        "methylation": ("beta", "betas.txt", genome_studio(matrices["methylation"])),
        "proteins": ("continuous", "npx.csv", olink(matrices["cytokines"])),
        "cells": ("proportion", "cibersortx.csv", cibersortx(matrices["cells"])),
        "arrays": ("continuous", "arrays.gct", gct(matrices["cytokines"])),
    }
    cohort.cohort["views"] = [{"name": name, "kind": kind, "path": path} for name, (kind, path, _) in written.items()]
    cohort.files |= {path: content.encode() for _, path, content in written.values()}


def feature_counts(counts: pd.DataFrame) -> str:
    table = counts.rename(columns=lambda name: f"/scratch/bam/{name}.sorted.bam")
    for position, (name, cell) in enumerate(
        [("Chr", "1"), ("Start", 1), ("End", 900), ("Strand", "+"), ("Length", 900)]
    ):
        table.insert(position, name, cell)
    return '# Program:featureCounts v2.0.3; Command:"featureCounts" "-o" "counts.txt"\n' + table.rename_axis(
        "Geneid"
    ).to_csv(sep="\t")


def rsem(counts: pd.DataFrame) -> str:
    return counts.rename(columns=lambda name: f"{name}.genes.results").to_csv(sep="\t", index_label="", quoting=2)


def genome_studio(betas: pd.DataFrame) -> str:
    table = pd.DataFrame(index=betas.index.rename("TargetID"))
    for sample in betas:
        table[f"{sample}.AVG_Beta"], table[f"{sample}.Detection Pval"] = betas[sample], 0.0
    return "[Header]\nGSGT Version\t1.9.4\n[Sample Methylation Profile]\n" + table.to_csv(sep="\t")


def olink(npx: pd.DataFrame) -> str:
    table = npx.rename_axis("Assay").reset_index().melt("Assay", var_name="SampleID", value_name="NPX")
    table["OlinkID"] = "OID" + table["Assay"]
    table["QC_Warning"], table["LOD"] = "PASS", 0
    return table.to_csv(sep=";", index=False)


def cibersortx(cells: pd.DataFrame) -> str:
    return cells.T.assign(**{"P-value": 0, "Correlation": 0.9, "RMSE": 0.5}).to_csv(index_label="Mixture")


def gct(values: pd.DataFrame) -> str:
    table = values.rename_axis("Name")
    table.insert(0, "Description", "na")
    return f"#1.2\n{values.shape[0]}\t{values.shape[1]}\n" + table.to_csv(sep="\t")


def replaced(cohort: Cohort, view: str, content: str) -> None:
    cohort.files[cohort.view(view)["path"]] = content.encode()


@mistake("IN-240")
def the_config_names_another_format(cohort: Cohort) -> None:
    cohort.view("rna")["format"] = "featurecounts"


@mistake("IN-241")
def counts_of_one_sample(cohort: Cohort) -> None:
    replaced(cohort, "rna", "".join(f"ENSG{number:011d}\t{number}\n" for number in range(40)))


@mistake("IN-241")
def the_summary_of_feature_counts(cohort: Cohort) -> None:
    replaced(cohort, "rna", "Status\tS01.bam\tS02.bam\nAssigned\t100\t200\nUnassigned_Unmapped\t1\t2\n")


@mistake("IN-242")
def npx_as_concentrations(cohort: Cohort) -> None:
    replaced(cohort, "cytokines", olink(cohort.matrices["cytokines"]))


@mistake("IN-243")
def a_series_matrix_of_sequencing(cohort: Cohort) -> None:
    table = '!series_matrix_table_begin\n"ID_REF"\t"GSM1"\t"GSM2"\n!series_matrix_table_end\n'
    replaced(cohort, "rna", '!Series_title\t"SLE"\n!Sample_title\t"a"\t"b"\n' + table)


@mistake("IN-244")
def a_gct_cut_off(cohort: Cohort) -> None:
    replaced(cohort, "cytokines", gct(cohort.matrices["cytokines"]).rsplit("\n", 3)[0] + "\n")


@mistake("IN-245")
def a_sample_measured_twice_by_olink(cohort: Cohort) -> None:
    content = olink(cohort.matrices["cytokines"])
    cohort.view("cytokines")["kind"] = "continuous"
    replaced(cohort, "cytokines", content + content.splitlines()[1] + "\n")


@mistake("IN-250")
def probes_without_symbols(cohort: Cohort) -> None:
    cohort.matrices["rna"].index = [f"ILMN_{1700000 + number}" for number in range(len(cohort.matrices["rna"]))]


@mistake("IN-250")
def genes_of_mice(cohort: Cohort) -> None:
    cohort.matrices["rna"].index = [name.capitalize() for name in cohort.matrices["rna"].index]


@mistake("IN-211")
def a_zero_in_every_gene(cohort: Cohort) -> None:
    counts = cohort.matrices["rna"]
    for number in range(len(counts)):
        counts.iloc[number, number % counts.shape[1]] = 0


@mistake("IN-246")
def a_report_of_xponent(cohort: Cohort) -> None:
    lines = ["Program,xPONENT,,FlexMAP 3D", "Build,4.3.229.0,,", "Batch,ABCD,,", "Results,,,", "DataType:,Median,,"]
    wells = [
        f'"{number}(1,A{number})",{sample},10.5,20' for number, sample in enumerate(cohort.sheet["sample"], start=1)
    ]
    table = ["Location,Sample,CK0,Total Events", *wells]
    cohort.files["cytokines.tsv"] = "\n".join([*lines, *table, ",,,", "DataType:,Result,,", *table, ""]).encode()
