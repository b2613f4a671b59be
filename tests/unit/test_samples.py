"""What a column of the sheet is, validation decides once; every later job reads it, and the model is the one checked."""

from __future__ import annotations

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml

from defaults import settings_of
from stratifn.differential_expression import fit_model
from stratifn.inference import BatchedInference
from stratifn.inputs import ANY_GROUP, GeneNames, Groups, read_cohort
from stratifn.interferon.confounding import confounding_table
from stratifn.normalization import normalize_view
from stratifn.shared.design import model_matrix
from stratifn.shared.errors import InputError
from stratifn.shared.machine import MachineError
from stratifn.shared.samples import covariates, is_number, read_samples, write_samples

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
NAMES = [f"S{number:02d}" for number in range(20)]
DISEASE = ["SLE"] * 10 + ["HC"] * 10
GROUPS = Groups(["SLE"], "HC")


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Validate a sheet with the columns given, beside counts of all samples, and read it back as a later job does."""
    monkeypatch.chdir(tmp_path)
    counts = pd.DataFrame(np.random.default_rng(1).poisson(20, (5, 20)), index=list("ABCDE"), columns=NAMES)
    counts.to_csv("counts.tsv", sep="\t", index_label="gene")

    def run(groups=GROUPS, design="disease", types=None, **columns):
        sheet = pd.DataFrame({"sample": NAMES, "disease": DISEASE} | columns)
        sheet.to_csv("sheet.tsv", sep="\t", index=False)
        view = {"name": "rna", "kind": "counts", "round": False}
        settings = {"columns": {}, "labels": {}, "types": types or {}, "design": design, "views": [view]}
        paths = {"samples": "sheet.tsv", "rna": "counts.tsv"}
        cohort = read_cohort(settings, paths, groups, GeneNames({}, {}), SCHEMA, ())
        write_samples(cohort.samples, "samples.tsv")
        back = read_samples("samples.tsv")
        pd.testing.assert_frame_equal(back, cohort.samples)
        return back, cohort.notes

    return run


def cycled(*values):
    return [values[row % len(values)] for row in range(20)]


def refusal(read, **columns) -> str:
    with pytest.raises(InputError) as error:
        read(**columns)
    return str(error.value)


# --- what is decided ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (cycled("1.5", "-2", "+3e-2", ""), float),
        (cycled("0", "1"), float),
        (cycled("", "NA", "."), object),
        (cycled("a", "b"), object),
        (cycled("1", "2", "3", "x"), object),
        (cycled("1e999", "1"), object),
        (cycled("1_000", "nan.", "2"), object),
    ],
)
def test_a_covariate_is_a_number_where_every_cell_is_one(read, cells, dtype):
    samples, _ = read(crp=cells)
    assert samples["crp"].dtype == dtype
    assert is_number(samples["crp"]) == (dtype is float)


def test_known_columns_are_what_the_schema_says_whatever_they_look_like(read):
    samples, _ = read(batch=cycled("1", "2"), visit=cycled("0", "6"), patient=[f"{n:03d}" for n in range(20)], age="40")
    assert samples["batch"].tolist() == cycled("1", "2")
    assert samples["patient"].tolist()[:2] == ["000", "001"]
    assert samples["age"].tolist() == [40.0] * 20
    assert not is_number(samples["visit"])


def test_the_types_of_the_config_decide_where_values_cannot(read):
    samples, _ = read(centre=cycled("1", "2", "3"), types={"centre": "factor"}, design="disease + centre")
    assert samples["centre"].tolist() == cycled("1", "2", "3")
    assert "centre[2]" in model_matrix(samples, "disease + centre", "HC").columns
    samples, _ = read(centre=cycled("1", "2", "3"), types={"centre": "number"}, design="disease + centre")
    assert "centre" in model_matrix(samples, "disease + centre", "HC").columns


def test_a_name_that_means_missing_elsewhere_stays_a_name_of_a_person(read):
    samples, _ = read(patient=["NA", *NAMES[1:]], comment=cycled("=1+1", "'x", "-", "a\tb".replace("\t", " ")))
    assert samples["patient"].iloc[0] == "NA"
    assert samples["comment"].tolist()[:3] == ["=1+1", "'x", "-"]


def test_the_types_are_written_for_other_software_too(read, tmp_path):
    read(site=cycled("a", "b"), crp=cycled("1.5", "2"), note=NAMES)
    types = json.loads((tmp_path / "samples.types.json").read_text())
    assert types["site"] == {"type": "factor", "levels": ["a", "b"]}
    assert [types[name]["type"] for name in ("crp", "in_rna", "sample", "note")] == [
        "number",
        "boolean",
        "text",
        "text",
    ]


def test_samples_without_their_types_are_not_guessed_at(read, tmp_path):
    read()
    (tmp_path / "samples.types.json").rename(tmp_path / "elsewhere.json")
    with pytest.raises(MachineError, match=r"samples\.types\.json is missing; start the run again"):
        read_samples("samples.tsv")


def test_numbers_of_the_sheet_are_read_exactly(read, tmp_path):
    values = [repr(value) for value in np.random.default_rng(3).normal(size=20).tolist()]
    samples, _ = read(pc1=values)
    assert samples["pc1"].tolist() == [float(value) for value in values]
    first = (tmp_path / "samples.tsv").read_bytes()
    write_samples(samples, "samples.tsv")
    assert (tmp_path / "samples.tsv").read_bytes() == first


def test_ids_and_memberships_are_no_variables(read):
    assert covariates(read(crp=cycled("1", "2"))[0]) == ["disease", "crp"]


# --- what is refused ------------------------------------------------------------------------------------------------


def test_the_cell_that_is_no_number_is_named_and_not_the_good_ones(read):
    message = refusal(read, age=["40", "41", "52x", *["43"] * 17])
    assert "column age: found '52x' in sample S02 (line 4); expected a number from 0 to 120." in message
    message = refusal(read, crp=["1", "2", "3", "<LOD", *["4"] * 16])
    assert "column crp: found '<LOD' in sample S03 (line 5); expected numbers" in message
    assert "types: {crp: factor}" in message and "'4'" not in message


def test_the_config_can_say_that_a_column_of_numbers_and_words_is_a_factor(read):
    samples, _ = read(ward=["1", "2", "3", "B4", *["4"] * 16], types={"ward": "factor"})
    assert samples["ward"].tolist()[3] == "B4"
    assert "'B4' in sample S03" in refusal(read, ward=["1", "B4", "x", "B4"] * 5, types={"ward": "number"})


@pytest.mark.parametrize(
    "cells", [cycled("1", "2", "3"), cycled("-2", "-1", "1", "2"), [str(n % 12) for n in range(20)]]
)
def test_codes_that_may_be_amounts_are_asked_about_where_the_design_uses_them(read, cells):
    message = refusal(read, centre=cells, design="disease + centre")
    assert "types: {centre: number}" in message and "types: {centre: factor}" in message
    assert read(centre=cells)[0]["centre"].dtype == float


@pytest.mark.parametrize(
    "columns",
    [
        {"smoker": cycled("0", "1")},
        {"pc1": cycled("-1.5", "-0.5", "0.5", "1.5")},
        {"age": cycled("30", "40", "50")},
        {"many": [str(n % 13) for n in range(20)]},
    ],
)
def test_what_cannot_be_a_code_is_not_asked_about(read, columns):
    (name,) = columns
    assert is_number(read(**columns, design=f"disease + {name}")[0][name])


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ({"centres": "factor"}, "Did you mean `centre`?"),
        ({"weight": "number"}, "no such column in the sheet"),
        ({"age": "factor"}, "number, which age always is"),
        ({"disease": "number"}, "factor, which disease always is"),
    ],
)
def test_types_that_cannot_be_are_refused(read, types, expected):
    assert expected in refusal(read, centre=cycled("1", "2"), age="40", types=types)


def test_new_patients_sheets_are_typed_in_the_same_way(read):
    samples, _ = read(groups=ANY_GROUP, design="", crp=cycled("1", "-2"), types={"crp": "factor"})
    assert samples["crp"].tolist() == cycled("1", "-2")
    assert "'52x' in sample S00 (line 2)" in refusal(read, groups=ANY_GROUP, design="", age=["52x", *["50"] * 19])


# --- yes, no and not known ------------------------------------------------------------------------------------------


def test_every_word_for_yes_no_and_not_known_is_read_as_one_of_the_three(read):
    words = ["yes", "Y", "TRUE", "1", "no", "N", "false", "0", "none", "-", "placebo", "never", "unknown", "?", "",
             "", "NA", "anifrolumab", "not known", "no"]  # fmt: skip
    samples, notes = read(anti_ifn=words, hydroxychloroquine=cycled("1", "0", "unknown"), anti_ro=cycled("pos", "neg"))
    assert samples["anti_ifn"].tolist()[:12] == ["yes"] * 4 + ["no"] * 8
    assert samples["anti_ifn"].isna().tolist() == [False] * 12 + [True] * 5 + [False, True, False]
    assert samples["anti_ifn"].iloc[17] == "anifrolumab"
    assert set(samples["hydroxychloroquine"].dropna()) == {"yes", "no"}
    assert samples["anti_ro"].tolist() == cycled("yes", "no")
    said = notes[notes["view"] == "samples"].set_index(["item", "what"])["reason"]
    assert "placebo as no" in said["anti_ifn", "renamed"]
    assert said["anti_ifn", "missing"] == "?, not known, unknown read as not known, in 3 samples"
    assert said["anti_ifn", "not known"].startswith("in 6 of 20 samples")
    assert said["anti_ro", "renamed"] == "read neg as no, pos as yes"


def test_answers_that_are_our_words_leave_no_note(read):
    _, notes = read(anti_ifn=cycled("yes", "no"), anti_ro=cycled("yes", "no"))
    assert notes[notes["item"].isin(["anti_ifn", "anti_ro"])].empty


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("smoking", cycled("never", "former", "unknown")),
        ("arm", cycled("placebo", "drug")),
        ("anti_ro", cycled("12.5", "240", "0")),
        ("prednisone_mg", cycled("0", "1")),
        ("ssa", cycled("weak", "neg")),
    ],
)
def test_columns_that_ask_something_else_keep_their_words(read, name, cells):
    samples, _ = read(**{name: cells})
    assert [f"{cell:g}" if isinstance(cell, float) else cell for cell in samples[name]] == cells


def test_what_is_neither_answer_nor_name_is_refused(read):
    assert "'maybe' in sample S00" in refusal(read, hydroxychloroquine=["maybe", *["no"] * 19])
    assert "'2' in sample S00" in refusal(read, anti_ifn=["2", *["no"] * 19])


# --- what rests on it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", ["continuous", "four", "whole"])
def test_a_covariate_below_zero_gives_the_fit_of_the_same_covariate_above(read, values):
    rng = np.random.default_rng(5)
    levels = {"four": [-1.5, -0.5, 0.5, 1.5], "whole": [-2, -1, 1, 2]}
    pc1 = rng.normal(size=20) if values == "continuous" else rng.permutation(np.resize(levels[values], 20))
    size = 1 / 0.1
    mu = rng.lognormal(5, 1, 60) * np.exp2(np.outer(pc1, np.r_[[0.8] * 20, [0.0] * 40]))
    mu[:10, 10:30] *= 2
    counts = ad.AnnData(
        pd.DataFrame(rng.negative_binomial(size, size / (size + mu)), NAMES, [f"G{n:02d}" for n in range(60)])
    )

    def coefficients(column):
        cells = [repr(float(value)) for value in column]
        samples, _ = read(pc1=cells, design="disease + pc1", types={"pc1": "number"})
        design = model_matrix(samples, "disease + pc1", "HC")
        assert design.columns == ["Intercept", "disease[SLE]", "pc1"]
        every_gene = settings_of("normalization", min_count=0)
        view = normalize_view(counts, "rna", "counts", samples, every_gene, inference=BatchedInference()).data
        return fit_model(view, design, BatchedInference()).coefficients[:, 1:]

    below, above = coefficients(pc1), coefficients(pc1 + 10)
    assert np.isfinite(below).all()
    assert np.abs(below - above).max() < 1e-8


def test_patients_with_an_activity_below_zero_are_in_the_confounding_table(read):
    activity = [*map(str, range(-5, 5)), *[""] * 10]
    samples, _ = read(activity=activity)
    classes = samples[["sample", "disease"]].assign(score=np.arange(20.0))
    table = confounding_table(classes, samples, "HC").set_index("variable")
    assert table.loc["activity", "n"] == 10
    assert table.loc["activity", "effect"] == pytest.approx(1)
