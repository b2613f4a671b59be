"""The frozen reference and the placing of new patients: what a reader of the results may rely on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml

from stratifn.errors import InputError
from stratifn.inference import BatchedInference
from stratifn.inputs import ANY_GROUP, GeneNames, Groups, read_cohort
from stratifn.integration import (
    IntegrationSettings,
    factors_table,
    prepare_views,
    select_model,
    train_mofa,
    variance_table,
)
from stratifn.interferon import Origin, Settings, analyse_cohort, from_parts, reference_of_cohort, to_parts
from stratifn.interferon import place_patients as score_patients
from stratifn.normalization import KINDS, from_arrays, normalize_view, to_arrays
from stratifn.samples import typed_samples
from stratifn.signatures import load_registry
from stratifn.simulation import SimulationSettings, simulate_cohort
from stratifn.stratification import StratificationSettings, find_strata, stratum_arrays, stratum_model
from stratifn.transfer import (
    FrozenView,
    Phases,
    freeze_reference,
    load_reference,
    place_patients,
    write_reference,
)
from stratifn.transfer.limits import fit_limits
from stratifn.transfer.placement import PATIENT_COLUMNS

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "resources" / "signatures")
SHEET_SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
CONTRACT = "1.3"
DISEASES = ["SLE", "DM"]
INTERFERON = Settings(bootstraps=200)
VIEWS = [
    {"name": "rna", "kind": "counts", "path": "rna.tsv.gz", "round": False},
    {"name": "methylation", "kind": "beta", "path": "methylation.parquet", "round": False},
    {"name": "cytokines", "kind": "concentration", "path": "cytokines.tsv", "round": False},
    {"name": "cells", "kind": "proportion", "path": "cells.tsv", "round": False},
]
PHASES = Phases(
    transform=lambda frozen, view: from_arrays(KINDS[frozen.kind].frozen, frozen.fields).transform(view),
    score=lambda values, arrays, rna, samples: score_patients(
        rna, rna.uns["kind"], samples, from_parts(values, arrays)
    )[1],
    strata=stratum_model,
)


@dataclass(frozen=True)
class Run:
    """A cohort from its files to its frozen reference."""

    samples: pd.DataFrame
    views: dict[str, ad.AnnData]
    factors: pd.DataFrame
    stratum: pd.Series
    classes: pd.DataFrame
    folder: Path

    def place(self, views=None, samples=None, reference=None):
        reference = reference or load_reference(self.folder, CONTRACT)
        samples = self.samples if samples is None else samples
        return place_patients(reference, self.views if views is None else views, samples, PHASES)

    def only(self, names):
        names = set(names)
        views = {view: data[data.obs_names.isin(names)].copy() for view, data in self.views.items()}
        return {view: data for view, data in views.items() if data.n_obs}, self.samples[
            self.samples["sample"].isin(names)
        ]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("reference")
    symbols = pd.read_csv(ROOT / "resources" / "genes" / "human_protein_coding.tsv", sep="\t", keep_default_na=False)
    size = SimulationSettings(patients=24, controls=24, genes=300, cpgs=200, seed=5)
    simulate_cohort(size, DISEASES, "HC", REGISTRY, symbols, folder / "simulated", folder / "truth")
    paths = {view["name"]: str(folder / "simulated" / view["path"]) for view in VIEWS}
    paths["samples"] = str(folder / "simulated" / "samples.tsv")
    settings = {"columns": {}, "labels": {}, "views": VIEWS}
    groups = Groups(DISEASES, "HC")
    cohort = read_cohort(settings, paths, groups, GeneNames.of(REGISTRY), SHEET_SCHEMA, lambda samples: [])
    samples = typed_samples(cohort.samples)
    normalized = {
        name: normalize_view(view, name, view.uns["kind"], samples, always_keep=set(REGISTRY.genes()), inference=BatchedInference())
        for name, view in cohort.views.items()
    }  # fmt: skip
    views = {name: view.data for name, view in normalized.items()}
    chosen = IntegrationSettings(factors=6)
    model_input = prepare_views(views, samples, chosen)
    integration = select_model([train_mofa(model_input, chosen, 1, folder / "seed_1.hdf5")], chosen)
    factors = factors_table(integration).set_index("sample")
    strata = find_strata(
        factors, variance_table(integration, model_input), list(factors.columns), samples, "HC",
        StratificationSettings(resamples=50),
    )  # fmt: skip
    rna = cohort.views["rna"]
    scored = analyse_cohort(rna, "counts", samples, "HC", REGISTRY, (), INTERFERON, Origin())
    frozen = reference_of_cohort(rna, samples, "HC", REGISTRY, (), INTERFERON)
    stability = pd.DataFrame({"stratum": list(strata.jaccard), "jaccard": list(strata.jaccard.values()), "label": "x"})
    reference = freeze_reference(
        "simulated",
        CONTRACT,
        {"stratifn": "0"},
        {name: FrozenView(view.data.uns["kind"], to_arrays(view.transform)) for name, view in normalized.items()},
        integration.model.views,
        integration.active,
        views,
        integration.model.samples,
        stratum_arrays(strata.model),
        stability,
        to_parts(frozen),
    )
    write_reference(reference, folder / "reference.json", folder / "arrays.npz")
    assert strata.number > 1, "without strata the tests below would show little"
    return Run(samples, cohort.views, factors, strata.stratum, scored.classes.set_index("sample"), folder)


@pytest.fixture(scope="module")
def placed(run):
    return run.place()


def test_training_patients_get_their_own_factors(run, placed):
    factors = placed.factors.set_index("sample").loc[run.factors.index]
    for factor in run.factors.columns:
        assert np.corrcoef(factors[factor], run.factors[factor])[0, 1] >= 0.9999


def test_training_patients_get_their_own_strata(run, placed):
    found = placed.patients.set_index("sample")["stratum"].loc[run.stratum.index]
    assert (found == run.stratum).mean() >= 0.99


def test_training_patients_get_their_own_interferon_scores_and_classes(run, placed):
    patients = placed.patients.set_index("sample").loc[run.classes.index]
    np.testing.assert_allclose(patients["score"], run.classes["score"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(patients["probability_high"], run.classes["probability_high"], rtol=0, atol=1e-12)
    assert patients["ifn_class"].tolist() == run.classes["ifn_class"].tolist()
    assert patients["score"].notna().sum() > 40


def test_the_table_has_the_columns_of_the_contract_and_few_training_patients_are_outside(placed):
    assert list(placed.patients.columns) == PATIENT_COLUMNS
    assert placed.patients["sample"].is_monotonic_increasing
    # limits are 99th centiles of leave-one-out values: hardly anybody of the reference lies beyond
    assert placed.patients["out_of_reference"].mean() <= 0.05


def test_one_patient_alone_gets_what_it_gets_in_a_batch(run, placed):
    together, factors = placed.patients.set_index("sample"), placed.factors.set_index("sample")
    for sample in run.samples["sample"].iloc[[0, 17, 40]]:
        alone = run.place(*run.only([sample]))
        (row,) = alone.patients.set_index("sample").itertuples()
        expected = together.loc[sample]
        for name in ("score", "probability_high", "probability"):
            np.testing.assert_allclose(getattr(row, name), expected[name], rtol=0, atol=1e-12)
        for name in ("ifn_class", "stratum", "out_of_reference", "views_used", "reason"):
            assert getattr(row, name) == expected[name] or (getattr(row, name) is None and expected[name] is None)
        np.testing.assert_allclose(
            alone.factors.set_index("sample").loc[sample].astype(float), factors.loc[sample].astype(float), rtol=0, atol=1e-12
        )  # fmt: skip


def test_the_order_of_patients_and_features_does_not_matter(run, placed):
    rng = np.random.default_rng(1)
    shuffled = {
        name: data[rng.permutation(data.n_obs)][:, rng.permutation(data.n_vars)].copy()
        for name, data in run.views.items()
    }
    again = run.place(shuffled, run.samples.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(again.patients, placed.patients, check_exact=False, rtol=0, atol=1e-12)
    pd.testing.assert_frame_equal(again.factors, placed.factors, check_exact=False, rtol=0, atol=1e-12)


def test_a_missing_view_is_named_widens_the_factors_and_lowers_no_probability_silently(run, placed):
    without = run.place({name: data for name, data in run.views.items() if name == "rna"})
    rna = run.views["rna"].obs_names
    patients = without.patients.set_index("sample")
    assert patients.loc[rna, "views_used"].eq("rna").all()
    sds = [name for name in placed.factors.columns if name.startswith("sd_")]
    complete = placed.patients.set_index("sample")["views_used"].loc[rna].eq("rna+methylation+cytokines+cells")
    names = complete.index[complete]
    assert len(names) > 10
    narrow, wide = (table.factors.set_index("sample").loc[names, sds] for table in (placed, without))
    assert (wide >= narrow - 1e-12).all().all()
    assert wide.mean().mean() > 1.2 * narrow.mean().mean()
    missing = without.notes[without.notes["what"] == "missing"]
    assert set(missing["view"]) == {"methylation", "cytokines", "cells"}


def test_a_patient_with_nothing_in_the_model_is_listed_with_the_reason(run):
    views, samples = run.only(["S001"])
    absent = pd.DataFrame({"sample": ["nobody"], "disease": ["unknown"]})
    placed = run.place(views, pd.concat([samples, absent], ignore_index=True))
    row = placed.patients.set_index("sample").loc["nobody"]
    assert row["ifn_class"] == "unscored"
    assert pd.isna(row["stratum"]) and pd.isna(row["out_of_reference"]) and row["views_used"] is None
    assert "not in the expression matrix" in row["reason"]
    assert "nothing measured in the views of the model" in row["reason"]
    assert placed.factors.set_index("sample").loc["nobody"].isna().all()


def test_missing_genes_are_counted_and_the_rest_is_used(run, placed):
    rna = run.views["rna"]
    defining = set(REGISTRY.signature(INTERFERON.signature).symbols)
    lost = [gene for gene in rna.var_names if gene not in defining][::10]
    views = run.views | {"rna": rna[:, ~rna.var_names.isin(lost)].copy()}
    again = run.place(views)
    (note,) = again.notes[(again.notes["view"] == "rna") & (again.notes["what"] == "missing")].itertuples()
    assert note.item == f"{len(lost)} of {rna.n_vars} features of the reference"
    patients = again.patients.set_index("sample").loc[rna.obs_names]
    assert patients["reason"].str.contains(r"rna: \d+ of the model's \d+ features").all()
    a, b = (table.factors.set_index("sample").loc[rna.obs_names, "Factor1"] for table in (again, placed))
    assert np.corrcoef(a, b)[0, 1] > 0.99
    assert (patients["stratum"] == placed.patients.set_index("sample")["stratum"].loc[rna.obs_names]).mean() > 0.9


def test_a_missing_gene_of_the_signature_takes_the_class_away_with_a_reason(run):
    rna = run.views["rna"]
    again = run.place(run.views | {"rna": rna[:, rna.var_names != "SIGLEC1"].copy()})
    patients = again.patients.set_index("sample").loc[rna.obs_names]
    assert "SIGLEC1" in REGISTRY.signature(INTERFERON.signature).symbols
    assert patients["ifn_class"].eq("unscored").all()
    assert patients["reason"].str.contains("no value for some of the genes").all()


def test_a_sample_unlike_the_reference_is_said_to_be_so_with_the_reason(run):
    views, samples = run.only(run.samples["sample"].iloc[:12])
    rng = np.random.default_rng(2)
    rna = views["rna"].copy()
    # every gene has another gene's count: depth and distribution stay, the biology goes
    rna.X = rna.X[:, rng.permutation(rna.n_vars)]
    placed = run.place(views | {"rna": rna}, samples).patients.set_index("sample")
    assert placed.loc[rna.obs_names, "out_of_reference"].all()
    assert placed.loc[rna.obs_names, "reason"].str.contains("rna not explained by the factors").all()


def test_limits_are_leave_one_out_values_in_closed_form():
    rng = np.random.default_rng(3)
    z = pd.DataFrame(rng.normal(size=(40, 3)) * [1, 2, 3])
    errors = pd.DataFrame({"rna": rng.chisquare(50, 40) / 50})
    limits = fit_limits(z, errors)
    left_out = []
    for i in range(40):
        rest = z.drop(index=i)
        u = (z.loc[i] - rest.mean()).to_numpy()
        left_out.append(u @ np.linalg.solve(np.cov(rest.T), u))
    # the ridge of 1e-6 that keeps a covariance invertible is the only difference
    assert limits.distance == pytest.approx(np.percentile(left_out, 99), rel=1e-4)
    assert limits.errors["rna"] > np.percentile(errors["rna"], 99)


def test_a_view_of_another_name_kind_or_gene_ids_is_refused_at_once(run):
    rna, cells = run.views["rna"].copy(), run.views["cells"].copy()
    rna.var_names = [f"ENSG{number:011d}" for number in range(rna.n_vars)]
    cells.uns["kind"] = "continuous"
    with pytest.raises(InputError) as error:
        run.place({"rna": rna, "cells": cells, "proteome": run.views["cytokines"]})
    message = str(error.value)
    assert "no feature of the reference (ENSG" in message
    assert "found kind continuous; expected kind proportion" in message
    assert "view proteome: found a view that the reference does not have" in message


def test_a_reference_trained_on_corrected_views_gives_scores_but_no_factors(run):
    reference = load_reference(run.folder, CONTRACT)
    model = reference.parts["model"]
    refused = replace(model, values=model.values | {"refusal": "corrected for batch"})
    placed = run.place(reference=replace(reference, parts=reference.parts | {"model": refused}))
    assert placed.patients["stratum"].isna().all()
    assert placed.patients["score"].notna().any()
    assert placed.patients["reason"].str.contains("no factors: corrected for batch").all()


def test_a_reference_with_one_stratum_says_so(run):
    reference = load_reference(run.folder, CONTRACT)
    strata = replace(reference.parts["strata"], arrays=stratum_arrays(None))
    placed = run.place(reference=replace(reference, parts=reference.parts | {"strata": strata}))
    assert placed.patients["stratum"].eq(1).all()
    assert placed.patients["probability"].isna().all()
    assert placed.patients["reason"].str.contains("one stratum").all()


def test_a_single_patient_is_nowhere_in_the_reference(run):
    text = (run.folder / "reference.json").read_text()
    with np.load(run.folder / "arrays.npz", allow_pickle=False) as file:
        words = {str(word) for name in file.files if file[name].dtype.kind in "US" for word in np.ravel(file[name])}
        lengths = {length for name in file.files for length in file[name].shape}
    everyone = set(run.samples["sample"]) | set(run.samples["patient"])
    assert not everyone & set(re.findall(r"[A-Za-z0-9_.-]+", text))
    assert not everyone & words
    # no array has a row or a column per sample of the cohort, of a group or of a view
    groups = {len(run.samples), 24, 48, *(data.n_obs for data in run.views.values())}
    assert not groups & lengths


def test_the_same_reference_has_the_same_bytes(run, tmp_path):
    write_reference(load_reference(run.folder, CONTRACT), tmp_path / "reference.json", tmp_path / "arrays.npz")
    for name in ("reference.json", "arrays.npz"):
        assert (tmp_path / name).read_bytes() == (run.folder / name).read_bytes()


@pytest.fixture
def copied(run, tmp_path):
    for name in ("reference.json", "arrays.npz"):
        (tmp_path / name).write_bytes((run.folder / name).read_bytes())
    return tmp_path


def edited(folder: Path, change) -> Path:
    """Change the values of a reference and seal them again."""
    values = json.loads((folder / "reference.json").read_text())
    values.pop("sha256")
    change(values)
    from stratifn.transfer.reference import _digest

    (folder / "reference.json").write_text(json.dumps(values | {"sha256": _digest(values)}))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        load_reference(folder, CONTRACT)
    return str(error.value)


def test_a_missing_reference_is_refused_with_what_to_name(tmp_path):
    assert "nothing there" in refusal(tmp_path)
    assert "results/<cohort>/reference" in refusal(tmp_path)


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "reference.json").write_text('{"format": "a model of somebody else"}')
    assert "a file of something else" in refusal(tmp_path)
    (tmp_path / "reference.json").write_text("[1, 2]")
    assert "a file of something else" in refusal(tmp_path)
    (tmp_path / "reference.json").write_text("no json")
    assert "no readable JSON" in refusal(tmp_path)


def test_damaged_values_and_arrays_are_refused(copied):
    text = (copied / "reference.json").read_text()
    (copied / "reference.json").write_text(text.replace('"n_controls": 2', '"n_controls": 3'))
    assert "values that differ from their checksum" in refusal(copied)
    (copied / "reference.json").write_text(text)
    data = bytearray((copied / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (copied / "arrays.npz").write_bytes(data)
    assert "content that differs from its checksum" in refusal(copied)
    (copied / "arrays.npz").unlink()
    assert "cannot be read" in refusal(copied)


def test_a_reference_of_a_newer_or_too_old_version_is_refused(copied):
    for version, words in (("1.4", "newer than this code"), ("2.0", "newer than this code"), ("0.9", "too old")):
        assert words in refusal(edited(copied, lambda values, version=version: values.update(contract=version)))
    assert load_reference(edited(copied, lambda values: values.update(contract="1.0")), CONTRACT).contract == "1.0"


def test_an_incomplete_reference_is_refused(copied):
    assert "no array model/rna/never" in refusal(
        edited(copied, lambda values: values["arrays"]["names"].append("model/rna/never"))
    )
    assert "no part limits" in refusal(edited(copied, lambda values: values["parts"].pop("limits")))


def test_a_pickle_in_the_arrays_is_never_loaded(copied):
    import hashlib

    np.savez(copied / "arrays.npz", **{"model/rna/weights": np.array([{"a": 1}], dtype=object)})
    digest = hashlib.sha256((copied / "arrays.npz").read_bytes()).hexdigest()
    assert "arrays that cannot be read" in refusal(
        edited(copied, lambda values: values["arrays"].update(sha256=digest))
    )


def test_new_patients_need_no_disease_and_no_control(tmp_path):
    sheet, matrix = tmp_path / "samples.tsv", tmp_path / "rna.tsv"
    sheet.write_text("sample\nB\nA\n")
    matrix.write_text("gene_id\tA\tB\nIFI44L\t3\t4\nG2\t5\t6\n")
    settings = {"columns": {}, "labels": {}, "views": [VIEWS[0]]}
    paths = {"samples": str(sheet), "rna": str(matrix)}
    new = read_cohort(settings, paths, ANY_GROUP, GeneNames.of(REGISTRY), SHEET_SCHEMA, lambda samples: [])
    assert new.samples["sample"].tolist() == ["A", "B"]
    assert new.samples["disease"].eq("unknown").all()
    sheet.write_text("sample\tdisease\nB\tRA\nA\t\n")
    new = read_cohort(settings, paths, ANY_GROUP, GeneNames.of(REGISTRY), SHEET_SCHEMA, lambda samples: [])
    assert new.samples["disease"].tolist() == ["unknown", "RA"]
