"""The frozen reference and the placing of new patients: what a reader of the results may rely on."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import yaml

from defaults import default_origin, of_kind, settings_of
from stratifn.configuration.contract import entries
from stratifn.inference import BatchedInference
from stratifn.inputs import ANY_GROUP, GeneNames, Groups, any_group, read_cohort
from stratifn.integration import (
    factors_table,
    posterior_of_cohort,
    prepare_views,
    select_model,
    train_mofa,
    variance_table,
)
from stratifn.interferon import (
    Cohort,
    analyse_cohort,
    reference_of_cohort,
    score_by_own_controls,
    score_frozen,
    to_parts,
)
from stratifn.interferon.verdicts import interferon_verdicts
from stratifn.normalization import normalize_view, to_arrays, transform_frozen
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import load_registry
from stratifn.report.claim_words import CAVEATS, caveats
from stratifn.shared.claims import CLAIMS, EVERYBODY, UNSUPPORTED, WEAK, judged, standing, verdicts_table
from stratifn.shared.claims import Measured as Judged
from stratifn.shared.errors import InputError, Problem, gathered
from stratifn.shared.package_data import output_contract
from stratifn.shared.tables import write_anndata
from stratifn.simulation import simulate_cohort
from stratifn.stratification import find_strata, stratum_arrays, stratum_model
from stratifn.transfer import (
    FrozenView,
    LearntModel,
    Measured,
    Phases,
    Source,
    freeze_reference,
    load_interferon,
    load_reference,
    place_patients,
    reference_features,
    require_features,
    write_reference,
)
from stratifn.transfer.freezing import frozen_views
from stratifn.transfer.limits import LEVEL
from stratifn.transfer.matching import MatchedView, match_views
from stratifn.transfer.placement import PATIENT_COLUMNS
from stratifn.transfer.size_factors import with_lent_size_factors

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "resources" / "signatures")
SHEET_SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "samples.schema.yaml").read_text())
CONTRACT = output_contract()["version"]

DISEASES = ["SLE", "DM"]
INTERFERON = settings_of("interferon", bootstraps=200)
VIEWS = [
    {"name": "rna", "kind": "counts", "path": "rna.tsv.gz", "round": False},
    {"name": "methylation", "kind": "beta", "path": "methylation.parquet", "round": False},
    {"name": "cytokines", "kind": "concentration", "path": "cytokines.tsv", "round": False},
    {"name": "cells", "kind": "proportion", "path": "cells.tsv", "round": False},
]
# what phases that this file does not run could have judged
JUDGED = verdicts_table(
    [
        judged("calls", "SLE_vs_HC", [Judged("called", 12)]),
        judged("factor", "Factor1", [Judged("seeds_matched", 1.0), Judged("seed_correlation", 0.99)]),
        judged("strata", EVERYBODY, [Judged("smallest_stratum", 7), Judged("stability", 0.6)]),
        judged("stratum_label", "1", [Judged("auc", 0.9), Judged("mostly_high", 0.25)]),
    ]
)
PHASES = Phases(transform_frozen, score_frozen, stratum_model, score_by_own_controls)

LIKE_THE_REFERENCE = Measured("whole_blood", "rnaseq")


@dataclass(frozen=True)
class Run:
    """A cohort from its files to its frozen reference."""

    samples: pd.DataFrame
    views: dict[str, ad.AnnData]
    factors: pd.DataFrame
    strata: pd.DataFrame
    classes: pd.DataFrame
    folder: Path

    def place(self, views=None, samples=None, reference=None, measured=LIKE_THE_REFERENCE):
        reference = reference or load_reference(self.folder, CONTRACT)
        samples = self.samples if samples is None else samples
        return place_patients(reference, self.views if views is None else views, samples, PHASES, measured)

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
    size = settings_of("simulation", patients=24, controls=24, genes=300, cpgs=200, seed=5)
    simulate_cohort(size, DISEASES, "HC", REGISTRY, symbols, folder / "simulated", folder / "truth")
    paths = {view["name"]: str(folder / "simulated" / view["path"]) for view in VIEWS}
    paths["samples"] = str(folder / "simulated" / "samples.tsv")
    settings = {"columns": {}, "labels": {}, "types": {}, "views": VIEWS}
    groups = Groups(DISEASES, "HC")
    cohort = read_cohort(settings, paths, groups, GeneNames.of(REGISTRY), SHEET_SCHEMA, ())
    samples = cohort.samples
    normalized = {
        name: normalize_view(
            view,
            name,
            view.uns["kind"],
            samples,
            settings_of("normalization"),
            always_keep=set(REGISTRY.genes()),
            inference=BatchedInference(),
        )
        for name, view in cohort.views.items()
    }  # fmt: skip
    views = {name: view.data for name, view in normalized.items()}
    chosen = settings_of("integration", factors=6)
    model_input = prepare_views(views, samples, chosen)
    integration = select_model([train_mofa(model_input, chosen, 1, folder / "seed_1.hdf5")], chosen)
    factors = factors_table(integration).set_index("sample")
    posterior = posterior_of_cohort(integration.model, views, factors, "")
    strata = find_strata(
        posterior.mean, variance_table(integration, model_input), list(factors.columns), samples, "HC",
        settings_of("stratification", resamples=50), posterior,
    )  # fmt: skip
    rna = cohort.views["rna"]
    people = Cohort(samples, "HC", default_origin())
    scored = analyse_cohort(of_kind(rna, "counts"), people, Knowledge(REGISTRY, ()), INTERFERON)
    frozen = reference_of_cohort(rna, samples, "HC", Knowledge(REGISTRY), INTERFERON)
    stability = pd.DataFrame({"stratum": list(strata.jaccard), "jaccard": list(strata.jaccard.values()), "label": "x"})
    reference = freeze_reference(
        Source("simulated", CONTRACT, {"stratifn": "0"}, "whole_blood", "rnaseq"),
        {
            name: FrozenView.of(view.data.uns["kind"], to_arrays(view.transform), cohort.views[name])
            for name, view in normalized.items()
        },
        LearntModel(
            integration.model.views,
            integration.active,
            integration.model.samples,
            stratum_arrays(strata.model),
            stability,
        ),
        views,
        to_parts(frozen),
        [
            interferon_verdicts(
                scored, replace(people, origin=replace(people.origin, control_type="other")), INTERFERON
            ),
            JUDGED,
        ],
    )
    write_reference(reference, folder / "reference.json", folder / "arrays.npz")
    assert strata.number > 1, "without strata the tests below would show little"
    return Run(
        samples, cohort.views, factors, strata.table.set_index("sample"), scored.classes.set_index("sample"), folder
    )


@pytest.fixture(scope="module")
def placed(run):
    return run.place()


def test_training_patients_get_their_own_factors(run, placed):
    factors = placed.factors.set_index("sample").loc[run.factors.index]
    for factor in run.factors.columns:
        assert np.corrcoef(factors[factor], run.factors[factor])[0, 1] >= 0.9999


def test_training_patients_get_their_own_strata_and_confidence(run, placed):
    found, own = placed.patients.set_index("sample").loc[run.strata.index], run.strata
    assert found["stratum"].tolist() == own["stratum"].astype(str).mask(own["uncertain"], "uncertain").tolist()
    np.testing.assert_allclose(found["probability"], own["confidence"], rtol=0, atol=1e-9)


def test_training_patients_get_their_own_interferon_scores_and_classes(run, placed):
    patients = placed.patients.set_index("sample").loc[run.classes.index]
    np.testing.assert_allclose(patients["score"], run.classes["score"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(patients["probability_high"], run.classes["probability_high"], rtol=0, atol=1e-12)
    assert patients["ifn_class"].tolist() == run.classes["ifn_class"].tolist()
    assert patients["score"].notna().sum() > 40


def test_the_table_has_the_columns_of_the_contract_and_few_training_patients_are_outside(placed):
    assert list(placed.patients.columns) == PATIENT_COLUMNS
    assert placed.patients["sample"].is_monotonic_increasing
    # one in a hundred of those whom the model did not see is out: of those whom it saw hardly anybody
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
    assert placed.loc[rna.obs_names, "outlier_pvalue"].le(LEVEL).all()
    assert (
        placed.loc[rna.obs_names, "reason"]
        .str.contains(r"unlike the reference \(p = .*\): rna is explained least")
        .all()
    )


def test_views_of_another_name_or_kind_are_refused_at_once(run):
    cells = run.views["cells"].copy()
    cells.uns["kind"] = "continuous"
    with pytest.raises(InputError) as error:
        run.place({"rna": run.views["rna"], "cells": cells, "proteome": run.views["cytokines"]})
    message = str(error.value)
    assert "2 problems" in message
    assert "found kind continuous; expected kind proportion" in message
    assert "views.proteome: found a view that the reference does not have" in message


def with_ensembl_ids(rna: ad.AnnData, names: bool = True) -> ad.AnnData:
    """The same genes as a file with Ensembl ids has them, with or without their symbols."""
    other = rna.copy()
    other.var_names = [f"ENSG{number:011d}" for number in range(rna.n_vars)]
    other.var["gene_name"] = rna.var["gene_name"].to_numpy(str) if names else other.var_names.to_numpy(str)
    return other


def test_patients_with_ensembl_ids_get_what_they_get_with_symbols(run, placed):
    again = run.place(run.views | {"rna": with_ensembl_ids(run.views["rna"])})
    pd.testing.assert_frame_equal(again.patients, placed.patients)
    pd.testing.assert_frame_equal(again.factors, placed.factors)
    genes = run.views["rna"].n_vars
    (note,) = again.notes[again.notes["what"] == "matched by gene name"].itertuples()
    assert (note.view, note.item) == ("rna", f"{genes} of {genes} features of the reference")
    assert f"ENSG00000000000 as {run.views['rna'].var_names[0]}" in note.reason


def test_a_reference_with_ensembl_ids_takes_patients_with_symbols(run):
    reference = load_reference(run.folder, CONTRACT)
    views = reference.parts["views"]
    features = views.arrays["rna/features"]
    genes = run.views["rna"].var["gene_name"].loc[features].to_numpy(dtype=str)
    ids = np.array([f"ENSG{number:011d}" for number in range(len(genes))])
    renamed = replace(views, arrays=dict(views.arrays) | {"rna/features": ids, "rna/gene_names": genes})
    matched = match_views(frozen_views(replace(reference, parts=reference.parts | {"views": renamed})), run.views)[
        "rna"
    ]
    assert matched.data.var_names.tolist() == ids.tolist()
    assert matched.data.var["gene_name"].tolist() == genes.tolist()
    np.testing.assert_array_equal(matched.data.X, run.views["rna"][:, features].X)


def test_an_old_symbol_and_a_versioned_id_of_the_files_find_their_gene(run, placed, tmp_path):
    rna = run.views["rna"]
    # as a user writes them: an old symbol, and Ensembl ids with a version beside the symbols
    old = {current: old for old, current in REGISTRY.aliases.items()}
    renamed = [gene for gene in rna.var_names if gene in old and old[gene] not in rna.var_names]
    assert renamed
    sheet, matrix = tmp_path / "samples.tsv", tmp_path / "rna.tsv"
    pd.DataFrame({"sample": rna.obs_names}).to_csv(sheet, sep="\t", index=False)
    symbols = [old.get(gene, gene) if gene in renamed else gene for gene in rna.var_names]
    for ids, names in (
        (symbols, None),
        ([f"ENSG{number:011d}.{number % 9 + 1}" for number in range(rna.n_vars)], symbols),
    ):
        frame = pd.DataFrame(rna.X.T, index=pd.Index(ids, name="gene_id"), columns=rna.obs_names)
        if names:
            frame.insert(0, "gene_name", names)
        frame.to_csv(matrix, sep="\t")
        paths = {"samples": str(sheet), "rna": str(matrix)}
        settings = {"columns": {}, "labels": {}, "types": {}, "views": [VIEWS[0]]}
        new = read_cohort(settings, paths, ANY_GROUP, GeneNames.of(REGISTRY), SHEET_SCHEMA, ())
        again = run.place(new.views, new.samples).patients.set_index("sample")
        scores = placed.patients.set_index("sample").loc[again.index, "score"]
        np.testing.assert_allclose(again["score"], scores, rtol=0, atol=1e-12)


def test_a_gene_name_that_several_features_have_is_not_matched_and_said(run):
    rna = with_ensembl_ids(run.views["rna"])
    twice, once = rna.var["gene_name"].iloc[[3, 4]]
    rna.var.loc[rna.var_names[4], "gene_name"] = twice
    placed = run.place(run.views | {"rna": rna})
    notes = placed.notes[placed.notes["view"] == "rna"].set_index("what")
    assert notes.loc["ambiguous", "item"] == f"1 of {rna.n_vars} features of the reference"
    assert notes.loc["ambiguous", "reason"].endswith(f": {twice}")
    assert notes.loc["missing", "item"] == f"1 of {rna.n_vars} features of the reference"
    assert notes.loc["missing", "reason"].endswith(f": {once}")
    assert notes.loc["not used", "item"] == "2 features"


def test_an_id_wins_over_a_name(run):
    rna = run.views["rna"].copy()
    first, second = rna.var_names[:2]
    # the second gene claims the first one's name
    rna.var.loc[second, "gene_name"] = first
    matched = match_views(frozen_views(load_reference(run.folder, CONTRACT)), {"rna": rna})["rna"]
    assert matched.notes == []
    assert matched.data.var_names[:2].tolist() == [first, second]


def test_ids_that_the_reference_does_not_know_are_refused_with_the_file(run):
    known = reference_features(run.folder, CONTRACT, "transfer (later).views", [{"name": "rna", "kind": "counts"}])
    rna = with_ensembl_ids(run.views["rna"], names=False)
    with pytest.raises(InputError) as error:
        require_features(known, {"rna": rna}, {"rna": "new.tsv"})
    message = str(error.value)
    assert "new.tsv" in message
    assert f"0 of the {rna.n_vars} features of the reference (ids here: ENSG00000000000" in message
    assert "[IN-220]" in message
    assert "gene_name" in message


def test_counts_of_the_signature_genes_alone_are_refused_because_they_would_be_their_own_yardstick(run):
    rna = run.views["rna"]
    known = reference_features(run.folder, CONTRACT, "transfer (later).views", [{"name": "rna", "kind": "counts"}])
    few = rna[:, rna.var_names.isin(list(REGISTRY.genes()))][:, : rna.n_vars // 3].copy()
    assert 10 < few.n_vars < rna.n_vars / 2
    with pytest.raises(InputError, match=f"found {few.n_vars} of the {rna.n_vars} features"):
        require_features(known, {"rna": few}, {"rna": "new.tsv"})
    # values that need no size factor may be fewer
    few.uns["kind"] = "continuous"
    require_features(known, {"rna": few}, {"rna": "new.tsv"})


def test_a_view_in_which_the_only_patient_has_no_value_is_no_error(run):
    views, samples = run.only(["S001"])
    views["cytokines"] = views["cytokines"][[], []].copy()
    placed = run.place(views, samples)
    assert "cytokines" not in placed.patients["views_used"].item()
    assert ("cytokines", "missing") in set(zip(placed.notes["view"], placed.notes["what"], strict=True))


def test_another_specimen_is_said_with_every_patient_and_changes_no_number(run, placed):
    again = run.place(measured=Measured("skin", "microarray"))
    assert again.patients["reason"].str.startswith("specimen is skin, but whole_blood in the reference").all()
    pd.testing.assert_frame_equal(again.patients.drop(columns="reason"), placed.patients.drop(columns="reason"))
    notes = again.notes.set_index("item")
    assert notes.loc["specimen", "what"] == notes.loc["platform", "what"] == "differs"
    assert "here microarray, in the reference rnaseq" in notes.loc["platform", "reason"]


def test_a_specimen_that_is_not_said_is_noted_and_no_patients_reason(run, placed):
    again = run.place(measured=Measured())
    pd.testing.assert_frame_equal(again.patients, placed.patients)
    assert again.notes.set_index("item").loc[["specimen", "platform"], "what"].eq("not stated").all()
    assert not {"specimen", "platform"} & set(placed.notes["item"])


def test_two_other_specimens_are_not_known_to_be_the_same(run):
    reference = load_reference(run.folder, CONTRACT)
    other = replace(reference, source=replace(reference.source, specimen="other"))
    placed = run.place(reference=other, measured=Measured("other", "rnaseq"))
    assert placed.notes.set_index("item").loc["specimen", "what"] == "not stated"


def test_what_patients_were_placed_in_is_described_in_one_row(placed, run):
    (row,) = placed.reference.to_dict("records")
    digest = json.loads((run.folder / "reference.json").read_text())["sha256"]
    assert row == {
        "name": "simulated", "contract": CONTRACT, "stratifn": "0",
        "specimen": "whole_blood", "platform": "rnaseq", "sha256": digest,
    }  # fmt: skip


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
    assert placed.patients["stratum"].eq("1").all()
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
    assert "[IN-221]" in refusal(tmp_path)
    assert "results/<cohort>/reference" in refusal(tmp_path)


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "reference.json").write_text('{"format": "a model of somebody else"}')
    assert "a file of something else" in refusal(tmp_path)
    (tmp_path / "reference.json").write_text("[1, 2]")
    assert "a file of something else" in refusal(tmp_path)
    for content in ("no json", "[" * 100_000):
        (tmp_path / "reference.json").write_text(content)
        assert "no readable JSON" in refusal(tmp_path)
        assert "[IN-222]" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda values: values.update(format="another"), "IN-223"),
        (lambda values: values.pop("contract"), "IN-226"),
        (lambda values: values.update(contract="9" * 5000 + ".0"), "IN-226"),
        (lambda values: values.update(contract=["2.1"]), "IN-226"),
        (lambda values: values.update(contract="9.0"), "IN-227"),
        (lambda values: values.update(contract="1.9"), "IN-228"),
        (lambda values: values.pop("arrays"), "IN-225"),
        (lambda values: values.update(arrays=[1, 2]), "IN-014"),
        (lambda values: values.update(parts=["model"]), "IN-225"),
        (lambda values: values.update(parts=7), "IN-014"),
        (lambda values: values["parts"].update(limits="many"), "IN-225"),
    ],
)
def test_a_reference_with_parts_of_another_type_is_refused_in_words(copied, change, code):
    assert f"[{code}]" in refusal(edited(copied, change))


def test_damaged_values_and_arrays_are_refused(copied):
    text = (copied / "reference.json").read_text()
    (copied / "reference.json").write_text(text.replace('"n_controls": 2', '"n_controls": 3'))
    assert "values that differ from their checksum" in refusal(copied)
    assert "[IN-224]" in refusal(copied)
    (copied / "reference.json").write_text(text)
    data = bytearray((copied / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (copied / "arrays.npz").write_bytes(data)
    assert "content that differs from its checksum" in refusal(copied)
    (copied / "arrays.npz").unlink()
    assert "cannot be read" in refusal(copied)


def test_a_reference_of_a_newer_or_too_old_version_is_refused(copied):
    for version, words in (
        ("2.7", "newer than this code"),
        ("3.0", "newer than this code"),
        ("1.0", "Freeze it again"),
    ):
        assert words in refusal(edited(copied, lambda values, version=version: values.update(contract=version)))
    for version in ("1.1", "2.0", "2.1", "2.2"):
        found = refusal(edited(copied, lambda values, version=version: values.update(contract=version)))
        assert f"{version}, too old for this code" in found
        assert "Freeze it again" in found


def test_an_incomplete_reference_is_refused(copied):
    assert "no array model/rna/never" in refusal(
        edited(copied, lambda values: values["arrays"]["names"].append("model/rna/never"))
    )
    incomplete = refusal(edited(copied, lambda values: values["parts"].pop("limits")))
    assert "no part limits" in incomplete
    assert "Freeze it again" in incomplete


def test_what_the_cohort_could_claim_goes_with_the_reference(placed):
    def found(claim, subject):
        return standing(placed.verdicts, claim, subject)

    assert set(placed.verdicts["claim"]) == {"placement"} | {key for key, claim in CLAIMS.items() if claim.frozen}
    cutoff = found("cutoff", INTERFERON.signature)
    assert cutoff.verdict == WEAK
    assert caveats(cutoff) == "the controls are not healthy people"
    assert found("strata", EVERYBODY).verdict == WEAK
    assert "mean bootstrap Jaccard 0.6" in caveats(found("strata", EVERYBODY))
    assert found("stratum_label", "1").verdict == UNSUPPORTED


def test_no_number_of_people_leaves_with_the_verdicts(run, placed):
    rows = json.loads((run.folder / "reference.json").read_text())["parts"]["verdicts"]["rows"]
    of_people = {(c.key, one.key) for c in CLAIMS.values() for one in c.criteria if one.people}
    withheld = [row for row in rows if (row["claim"], row["criterion"]) in of_people]
    assert {row["criterion"] for row in withheld} == {
        *("controls", "enough_controls", "outlying_controls", "smallest_stratum", "mostly_high")
    }
    assert {row["value"] for row in withheld} == {None}
    assert not {"prevalence", "calls"} & {row["claim"] for row in rows}, "they describe the reference's own patients"
    failed = [row | {"value": np.nan} for row in withheld]
    assert not [row for row in failed if "nan" in CAVEATS[row["claim"], row["criterion"]](row).split()]
    words = "\n".join(str(row) for row in rows)
    assert not [sample for sample in run.samples["sample"] if sample in words]


def test_the_docs_name_the_level_of_the_limits():
    for page in ("methods.md", "outputs.md"):
        named = re.findall(r"`outlier_pvalue` is at most ([\d.]+\d)", (ROOT / "docs" / page).read_text())
        assert [float(level) for level in named] == [LEVEL], page


def test_a_pickle_in_the_arrays_is_never_loaded(copied):
    np.savez(copied / "arrays.npz", **{"model/rna/weights": np.array([{"a": 1}], dtype=object)})
    digest = hashlib.sha256((copied / "arrays.npz").read_bytes()).hexdigest()
    found = refusal(edited(copied, lambda values: values["arrays"].update(sha256=digest)))
    assert "arrays that cannot be read" in found
    assert "[IN-229]" in found


def test_new_patients_need_no_disease_and_no_control(tmp_path):
    sheet, matrix = tmp_path / "samples.tsv", tmp_path / "rna.tsv"
    sheet.write_text("sample\nB\nA\n")
    matrix.write_text("gene_id\tA\tB\nIFI44L\t3\t4\nG2\t5\t6\n")
    settings = {"columns": {}, "labels": {}, "types": {}, "views": [VIEWS[0]]}
    paths = {"samples": str(sheet), "rna": str(matrix)}
    new = read_cohort(settings, paths, ANY_GROUP, GeneNames.of(REGISTRY), SHEET_SCHEMA, ())
    assert new.samples["sample"].tolist() == ["A", "B"]
    assert new.samples["disease"].eq("unknown").all()
    sheet.write_text("sample\tdisease\nB\tRA\nA\t\n")
    new = read_cohort(settings, paths, ANY_GROUP, GeneNames.of(REGISTRY), SHEET_SCHEMA, ())
    assert new.samples["disease"].tolist() == ["unknown", "RA"]


def test_what_is_wrong_with_several_files_is_said_at_once():
    def wrong(name):
        raise InputError(Problem(name, "the file", "nothing there", "a table", "Correct the path."))

    with pytest.raises(InputError) as error:
        gathered(lambda: wrong("a.tsv"), lambda: 1, lambda: wrong("b.tsv"))
    assert [problem.source for problem in error.value.problems] == ["a.tsv", "b.tsv"]
    assert gathered(lambda: 1, lambda: 2) == [1, 2]


def test_a_cohorts_matrices_tell_before_any_fit_what_its_reference_will_know(run, tmp_path):
    write_anndata(run.views["rna"], tmp_path / "rna.h5ad")
    early = reference_features(None, CONTRACT, "views", [], [tmp_path / "rna.h5ad"])["rna"]
    views = [{"name": "rna", "kind": "counts"}]
    frozen = reference_features(run.folder, CONTRACT, "transfer (later).views", views)["rna"]
    assert early.ids.tolist() == frozen.ids.tolist()
    assert early.gene_names.tolist() == frozen.gene_names.tolist()


def test_every_file_of_new_patients_is_explained_in_the_docs():
    contract = yaml.safe_load((ROOT / "workflow" / "schemas" / "outputs.yaml").read_text())["transfer"]
    text = (ROOT / "docs" / "outputs.md").read_text().split("## New patients")[1].split("\n## ")[0]
    assert [entry["path"] for _, entry in entries(contract) if f"`{entry['path']}`" not in text] == []


OWN = replace(LIKE_THE_REFERENCE, control="HC")


def test_against_own_controls_the_references_own_people_get_their_own_scores(run):
    patients = run.place(measured=OWN).patients.set_index("sample")
    np.testing.assert_allclose(patients["score_local"], patients["score"], rtol=0, atol=1e-9)
    assert patients["ifn_class_local"].tolist() == patients["ifn_class"].tolist()


def test_what_shifts_controls_and_patients_alike_shifts_no_score_against_own_controls(run, placed):
    rna = run.views["rna"].copy()
    signature = rna.var_names.isin(REGISTRY.signature(INTERFERON.signature).symbols)
    rna.X = rna.X * np.where(signature, 40, np.random.default_rng(1).integers(2, 8, rna.n_vars))
    shifted = run.place(run.views | {"rna": rna}, measured=OWN)
    patients, before = shifted.patients.set_index("sample"), placed.patients.set_index("sample")
    scored = before["score"].notna()
    # counts become surer, which changes log2(x + 1) of rare genes a little
    assert np.corrcoef(patients.loc[scored, "score_local"], before.loc[scored, "score"])[0, 1] > 0.98
    assert (patients["ifn_class_local"] == before["ifn_class"]).mean() > 0.9
    assert (patients["score"] - before["score"]).abs().median() > 1, "against the reference they are shifted"
    assert standing(shifted.verdicts, "placement", EVERYBODY).verdict == UNSUPPORTED


def test_own_controls_that_are_too_few_leave_everybody_unscored_with_the_reason(run):
    controls = run.samples.loc[run.samples["disease"].eq("HC"), "sample"].tolist()
    views, samples = run.only(set(run.samples["sample"]) - set(controls[7:]))
    patients = run.place(views, samples, measured=OWN).patients
    assert patients["ifn_class_local"].eq("unscored").all() and patients["score_local"].isna().all()
    measured = patients["sample"].isin(views["rna"].obs_names)
    few = r"own controls: [67] controls with expression data, at least 10 needed"
    assert patients.loc[measured, "reason"].str.contains(few).all()
    assert patients.loc[~measured, "reason"].str.contains("own controls: not in the expression matrix").all()
    assert patients["ifn_class"].ne("unscored").any()


def test_an_own_control_far_above_the_others_is_left_out_and_named(run):
    rna, genes = run.views["rna"].copy(), list(REGISTRY.signature(INTERFERON.signature).symbols)
    ill = run.samples.loc[run.samples["disease"].eq("HC") & run.samples["sample"].isin(rna.obs_names), "sample"].iloc[0]
    frame = rna.to_df()
    frame.loc[ill, genes] *= 400
    rna.X = frame.to_numpy()
    placed = run.place(run.views | {"rna": rna}, measured=OWN)
    (note,) = placed.notes[placed.notes["item"] == ill].itertuples()
    assert note.what == "left out of the interferon reference"
    found = standing(placed.verdicts, "cutoff", f"{INTERFERON.signature}, own controls")
    assert found.rows["outlying_controls"]["value"] == 1
    classes = placed.patients.set_index("sample")
    assert classes.loc[ill, "ifn_class_local"] == "high"


def test_without_own_controls_nothing_is_said_of_them(placed):
    assert placed.patients["score_local"].isna().all() and placed.patients["ifn_class_local"].isna().all()
    assert not placed.verdicts["subject"].str.contains("own controls").any()


def test_a_control_that_is_named_must_be_among_the_new_patients(tmp_path):
    sheet, matrix = tmp_path / "samples.tsv", tmp_path / "rna.tsv"
    sheet.write_text("sample\tdisease\nB\tRA\nA\tHC\n")
    matrix.write_text("gene_id\tA\tB\nIFI44L\t3\t4\nG2\t5\t6\n")
    settings = {"columns": {}, "labels": {}, "types": {}, "views": [VIEWS[0]]}
    paths = {"samples": str(sheet), "rna": str(matrix)}
    given = (GeneNames.of(REGISTRY), SHEET_SCHEMA, ())
    assert read_cohort(settings, paths, any_group("HC"), *given).samples["disease"].tolist() == ["HC", "RA"]
    with pytest.raises(InputError, match="no sample with the control label `healthy`"):
        read_cohort(settings, paths, any_group("healthy"), *given)


def test_views_that_take_size_factors_get_those_of_the_frozen_lender():
    def counts(names, column):
        return ad.AnnData(pd.DataFrame(10, index=names, columns=[column]))

    def transform(frozen, view):
        result = view.copy()
        result.obs["size_factor"] = np.arange(1.0, view.n_obs + 1)
        return result

    rna = MatchedView(counts(["P1", "P2", "P3"], "G"), FrozenView("counts", {}), [])
    frozen = FrozenView("counts", {"lender": "rna"})
    te = MatchedView(counts(["P3", "P4", "P1"], "TE"), frozen, [("te", "x", "missing", "y")])
    lent = with_lent_size_factors({"te": te, "rna": rna}, transform)
    assert lent["te"].data.obs["size_factor"].to_dict() == {"P3": 3.0, "P1": 1.0} and lent["rna"] is rna
    assert lent["te"].notes[1][:3] == ("te", "P4", "left out") and "not measured in rna" in lent["te"].notes[1][3]
    assert set(with_lent_size_factors({"te": te}, transform)) == set(), "nobody has the lender"


def test_a_reference_without_expression_cannot_lend_its_controls(copied):
    assert load_interferon(copied, CONTRACT) is not None
    edited(copied, lambda values: values["parts"]["interferon"].update(reference=None))
    with pytest.raises(InputError, match="no interferon reference.*IN-232"):
        load_interferon(copied, CONTRACT)
