"""The phase as its two scripts run it, on small and incomplete cohorts, and its model file as others read it.

R's MOFA2 is not among the dependencies. What its ``load_model`` and what mofax read is written down here; the comments
say which function of theirs asks for it.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.integration import (
    Integration,
    ModelInput,
    Settings,
    choose_model,
    integration_tables,
    prepare_views,
    read_model,
    train_mofa,
    write_model,
)
from stratifn.integration.selection import match_factors
from stratifn.running.manifests import write_manifest
from stratifn.shared.samples import write_samples
from stratifn.shared.tables import write_anndata

# in an order that is not the alphabet's: HDF5 lists names by the alphabet
KINDS = {"rna": "counts", "methylation": "beta", "cytokines": "concentration", "cells": "proportion"}
FOUR = {"rna": 150, "methylation": 100, "cytokines": 30, "cells": 12}
SIGNATURE = ("SIGNATURE", [f"rna_{number}" for number in range(8)])


def cohort(patients: int = 60, features=FOUR, factors: int = 3, seed: int = 0):
    """Views that share factors, their sheet, and the factors."""
    rng = np.random.default_rng(seed)
    samples = [f"{number:03d}" for number in range(patients)]
    z = rng.normal(size=(patients, factors))
    views = {}
    for name, count in features.items():
        weights = rng.normal(size=(factors, count)) * (rng.random((factors, count)) < 0.4)
        values = 5.0 + z @ weights + 0.5 * rng.normal(size=(patients, count))
        view = ad.AnnData(pd.DataFrame(values, samples, [f"{name}_{number}" for number in range(count)]))
        view.var["gene_name"] = view.var_names
        view.uns["kind"] = KINDS[name]
        views[name] = view
    return views, pd.DataFrame({"sample": samples, "disease": np.resize(["SLE", "HC"], patients)}), z


@dataclass(frozen=True)
class Done:
    """What the phase made of a cohort."""

    model_input: ModelInput
    integration: Integration
    tables: dict[str, pd.DataFrame]
    path: Path
    seeds: list[Path]


def integrate(folder: Path, views, samples, z, settings: Settings, seeds=(1, 2)) -> Done:
    """Do what `mofa.py` does for every seed, and then what `integration.py` does."""
    model_input = prepare_views(views, samples, settings)
    paths = [folder / f"seed_{seed}.hdf5" for seed in seeds]
    for seed, path in zip(seeds, paths, strict=True):
        train_mofa(model_input, settings, seed, path)
    score = pd.Series(z[:, 0], samples["sample"])
    integration, trained = choose_model(paths, settings, score)
    write_model(integration.model, trained, folder / "model.hdf5")
    sets = {"set": SIGNATURE[1]}
    tables = integration_tables(integration, model_input, settings, samples, views, score, SIGNATURE, sets)
    return Done(model_input, integration, tables, folder / "model.hdf5", paths)


def without_half_of(view: str, views):
    return {**views, view: views[view][views[view].n_obs // 2 :].copy()}


def with_holes_in(view: str, views):
    holed = views[view].copy()
    holed.X[np.random.default_rng(1).random(holed.shape) < 0.1] = np.nan
    return {**views, view: holed}


COHORTS = {
    "one view": {"features": {"rna": 150}},
    "two views": {"features": {"rna": 150, "cells": 12}},
    "four views, one of them of 12 features": {},
    "20 patients": {"patients": 20},
    "a view missing for half of the patients": {"change": lambda views: without_half_of("methylation", views)},
    "single missing cytokines": {"change": lambda views: with_holes_in("cytokines", views)},
}


@pytest.fixture(scope="module", params=COHORTS)
def done(request, tmp_path_factory):
    options = dict(COHORTS[request.param])
    change = options.pop("change", lambda views: views)
    views, samples, z = cohort(**options)
    folder = tmp_path_factory.mktemp("integration")
    return integrate(folder, change(views), samples, z, settings_of("integration", factors=6)), samples, z


def test_every_patient_gets_the_true_factors_and_every_feature_its_weights(done):
    made, samples, z = done
    factors = made.tables["factors"]
    assert factors["sample"].tolist() == samples["sample"].tolist()
    assert match_factors(z, factors.drop(columns="sample").to_numpy()).min() > 0.95
    assert np.isfinite(factors.drop(columns="sample")).all(axis=None)
    for view in made.model_input.views:
        weights = made.tables[f"weights_{view.name}"]
        assert weights["feature"].tolist() == list(view.features)
        assert weights.columns[1:].tolist() == factors.columns[1:].tolist()


def test_every_view_has_its_variance_explained_and_the_fast_updates_were_used(done):
    made, _, _ = done
    variance = made.tables["variance_explained"]
    assert variance["view"].unique().tolist() == [view.name for view in made.model_input.views]
    assert (variance.loc[variance["factor"] == "total", "r2"] > 50).all()
    assert made.integration.model.options["updates"] == "sufficient statistics"
    assert made.tables["seeds"]["converged"].all()
    assert "not converged" not in set(made.tables["notes"]["what"])


# --------------------------------------------------------------------------------------------------- the model file


def text(dataset: h5py.Dataset) -> list[str]:
    # .quality_control (R/QC.R) stops at names of samples and features that are not ASCII
    return [name.decode("ascii") for name in dataset[:]]


def listing(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visit(found.append)
    return found


def test_load_model_and_mofax_find_the_names_in_the_order_of_the_arrays(done):
    made, _, _ = done
    for path in (made.path, *made.seeds):
        with h5py.File(path) as file:
            # load_model (R/load_model.R): h5read(file, "views")[[1]], "groups", "features", "samples"
            assert list(file["views"]) == ["views"]
            assert text(file["views/views"]) == [view.name for view in made.model_input.views]
            assert text(file["groups/groups"]) == ["cohort"]
            assert text(file["samples/cohort"]) == list(made.model_input.samples)
            # mofa_model.__init__ (mofax/core.py) takes every entry of both groups
            assert set(file["features"]) == set(text(file["views/views"]))
            assert list(file["samples"]) == ["cohort"]
            for view in made.model_input.views:
                assert text(file[f"features/{view.name}"]) == list(view.model_names)


def test_no_other_name_in_the_file_means_something_to_load_model(done):
    made, _, _ = done
    with h5py.File(made.path) as file:
        names = listing(file)
        last = [name.split("/")[-1] for name in names]
        # load_model asks h5ls(file)$name, wherever in the file it is: data that are not there would be read
        assert not {"data", "covariates", "samples_metadata", "features_metadata"} & set(last)
        # ... and h5ls(file)$group for covariates
        assert not [name for name in names if "cov_samples" in name]
        assert last.count("views") == 2 and last.count("variance_explained") == 1
        # what is ours has names of its own, and every expectation is one that load_model knows
        assert set(file["expectations"]) == {"W", "Z"}
        assert set(file) == {
            "expectations", "features", "groups", "model_options", "samples", "stratifn", "training_opts",
            "training_stats", "variance_explained", "views",
        }  # fmt: skip


def test_load_model_and_mofax_find_the_factors_weights_and_variance_of_the_tables(done):
    made, _, _ = done
    reported = made.integration.factor_names
    with h5py.File(made.path) as file:
        # load_model: expectations$Z and $W, samples x K and features x K once R has turned the dimensions round;
        # `samples_names<-` and `features_names<-` (R/set_methods.R) stop when lengths differ; mofax: get_factors,
        # get_weights
        z = file["expectations/Z/cohort"][:].T
        started = z.shape[1]
        assert z.shape == (len(made.model_input.samples), started)
        factors = made.tables["factors"].drop(columns="sample")
        np.testing.assert_allclose(z[:, : len(reported)], factors, rtol=1e-6)
        # load_model: variance_explained/r2_per_factor and /r2_total of the group; mofax: get_variance_explained, views
        # in the order of views/views
        each = file["variance_explained/r2_per_factor/cohort"][:]
        total = file["variance_explained/r2_total/cohort"][:]
        assert (each.shape, total.shape) == ((len(made.model_input.views), started), (len(made.model_input.views),))
        variance = made.tables["variance_explained"].pivot(index="view", columns="factor", values="r2")
        for number, view in enumerate(made.model_input.views):
            w = file[f"expectations/W/{view.name}"][:].T
            assert w.shape == (len(view.features), started)
            weights = made.tables[f"weights_{view.name}"].drop(columns="feature")
            np.testing.assert_allclose(w[:, : len(reported)], weights, rtol=1e-6)
            np.testing.assert_allclose(each[number, : len(reported)], variance.loc[view.name, reported], rtol=1e-9)
            # of all factors that the model started with, where the table has those that are reported
            assert total[number] == pytest.approx(variance.loc[view.name, "total"], abs=0.5)


def test_load_model_keeps_the_reported_factors_in_the_order_of_the_tables(done):
    made, _, _ = done
    with h5py.File(made.path) as file:
        each = file["variance_explained/r2_per_factor/cohort"][:][:, : made.integration.active]
        total = file["variance_explained/r2_total/cohort"][:]
    # load_model sorts by the sum over views (sort_factors), drops factors below 0.0001 % (remove_inactive_factors)
    assert (np.diff(each.sum(axis=0)) <= 0).all()
    assert (each.sum(axis=0) >= 0.0001).all()
    # ... and takes numbers that are all below 1 for fractions
    assert total.max() > 1


def test_load_model_and_mofax_find_the_options_in_their_types(done):
    made, _, _ = done
    with h5py.File(made.path) as file:
        # load_model turns the words True and False into logicals; `views_names<-` names one likelihood per view
        options = {name: dataset[()] for name, dataset in file["model_options"].items()}
        assert options.pop("likelihoods").tolist() == [b"gaussian"] * len(made.model_input.views)
        assert options == {
            "ard_factors": b"False", "ard_weights": b"True", "spikeslab_factors": b"False", "spikeslab_weights": b"True",
        }  # fmt: skip
        # load_model: numbers with the attribute `names`; mofa_model.__init__: the first is the number of iterations
        assert file["training_opts"][0] == settings_of("integration").max_iterations
        assert file["training_opts"].attrs["names"][[0, -1]].tolist() == [b"maxiter", b"seed"]
        # get_elbo (R/get_methods.R) takes the largest; it is written before the last evaluation
        stats = {name: dataset[:] for name, dataset in file["training_stats"].items()}
        assert set(stats) == {"elbo", "number_factors", "time"}
        assert np.nanmax(stats["elbo"]) == pytest.approx(made.integration.model.elbo, rel=1e-4)
        # wall-clock times would make two runs differ
        assert not stats["time"].any()


def test_names_that_hdf5_or_r_cannot_hold_are_changed_in_the_file_alone(tmp_path):
    views, samples, z = cohort(patients=30, features={"rna": 40, "cytokines": 10})
    views["cytokines"].var_names = ["IFN-α", "a/b", "rna_1", *[f"c{number}" for number in range(7)]]
    made = integrate(tmp_path, views, samples, z, settings_of("integration", factors=3), seeds=(1,))
    with h5py.File(made.path) as file:
        names = {view: text(file[f"features/{view}"]) for view in ("rna", "cytokines")}
    # .quality_control: no name twice, in whatever view; `/` is HDF5's own
    assert len(set(names["rna"] + names["cytokines"])) == 50
    assert names["cytokines"][:3] == ["IFN-alpha", "a_b", "rna_1_cytokines"]
    assert made.tables["weights_cytokines"]["feature"][:3].tolist() == ["IFN-α", "a/b", "rna_1"]


def test_a_single_factor_and_a_view_of_a_single_feature_keep_two_dimensions(tmp_path):
    views, samples, z = cohort(patients=20, features={"rna": 60, "cells": 1}, factors=1)
    made = integrate(tmp_path, views, samples, z, settings_of("integration", factors=1), seeds=(1,))
    with h5py.File(made.path) as file:
        # .quality_control stops where an expectation is not a matrix
        assert file["expectations/Z/cohort"].shape == (1, 20)
        assert file["expectations/W/cells"].shape == (1, 1)
        assert file["variance_explained/r2_per_factor/cohort"].shape == (2, 1)


# -------------------------------------------------------------------------------------------------- what goes wrong


def test_seeds_that_did_not_converge_and_fewer_factors_are_named_in_the_notes(tmp_path, caplog):
    settings = settings_of("integration", max_iterations=12)
    made = integrate(tmp_path, *cohort(patients=20), settings)
    assert made.tables["seeds"]["converged"].tolist() == [False, False]
    assert not read_model(made.path).converged
    notes = made.tables["notes"]
    assert notes.loc[notes["what"] == "not converged", "item"].tolist() == ["seed 1", "seed 2"]
    reasons = notes.loc[notes["what"] == "not converged", "reason"]
    assert reasons.str.contains("after 11 iterations").all()
    assert reasons.str.contains("(the chosen model)", regex=False).sum() == 1
    assert notes.loc[notes["what"] == "fewer at the start", "reason"].item().startswith("10 instead of 15")
    assert "seed 1: not converged after 11 iterations" in caplog.text


def test_mofax_reads_what_the_tables_say(done):
    made, _, _ = done
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mofax
    model = mofax.mofa_model(made.path)
    reported = made.integration.factor_names
    factors = made.tables["factors"].set_index("sample")
    pd.testing.assert_frame_equal(
        model.get_factors(df=True)[reported], factors, check_names=False, check_dtype=False, rtol=1e-6
    )
    r2 = model.get_variance_explained().pivot(index="View", columns="Factor", values="R2")
    variance = made.tables["variance_explained"].pivot(index="view", columns="factor", values="r2")
    for view in made.model_input.views:
        weights = made.tables[f"weights_{view.name}"].drop(columns="feature")
        found = model.get_weights(views=view.name, df=True)
        assert found.index.tolist() == list(view.model_names)
        np.testing.assert_allclose(found[reported], weights, rtol=1e-6)
        np.testing.assert_allclose(r2.loc[view.name, reported], variance.loc[view.name, reported], rtol=1e-9)
    model.close()


@pytest.mark.filterwarnings("ignore")
def test_with_its_data_the_model_file_serves_plots_of_data(done, tmp_path, monkeypatch):
    made, _, _ = done
    monkeypatch.setenv("MPLBACKEND", "Agg")
    import matplotlib.pyplot as plt
    import mofax

    chosen = made.integration.model
    trained = next(path for path in made.seeds if read_model(path).seed == chosen.seed)
    with_data = tmp_path / "with_data.hdf5"
    write_model(chosen, trained, with_data, made.model_input)
    assert "data" not in h5py.File(made.path) and "data" in h5py.File(with_data)
    assert read_model(with_data).factors.tolist() == read_model(made.path).factors.tolist()
    model = mofax.mofa_model(with_data)
    mofax.plot_data_overview(model)
    plt.close("all")
    view = made.model_input.views[0]
    found = model.get_data(views=view.name, df=True)
    assert found.columns.tolist() == list(view.model_names) and found.index.tolist() == list(chosen.samples)
    np.testing.assert_array_equal(found, view.values)
    # mofax' own variance explained, from the data in the file
    r2 = model.calculate_variance_explained(views=view.name, factors=[0])
    np.testing.assert_allclose(r2["R2"], chosen.r2[0, 0], rtol=1e-5)
    model.close()


def test_data_and_intercepts_restore_the_input(done, tmp_path):
    made, _, _ = done
    write_model(made.integration.model, made.seeds[0], tmp_path / "model.hdf5", made.model_input)
    with h5py.File(tmp_path / "model.hdf5") as file:
        for view in made.model_input.views:
            scaled = file[f"data/{view.name}/cohort"][:] + file[f"intercepts/{view.name}/cohort"][:]
            np.testing.assert_allclose(scaled * view.scale, view.values * view.scale + view.means, rtol=1e-9)


JOB = """
from types import SimpleNamespace
import mofa
from defaults import SCHEMA
from jobs import Files
from stratifn.configuration.schema import default_section
from stratifn.running.entry_point import run
from stratifn.integration import training

build = training._build

def that_drops_every_factor(*arguments):
    entry = build(*arguments)
    entry.train_opts["drop"]["min_r2"] = 2.0
    entry.model.setTrainOptions(entry.train_opts)
    return entry

training._build = that_drops_every_factor
job = SimpleNamespace(
    input=Files(views=["rna.h5ad"], samples="samples.tsv", manifests=["files.tsv"]),
    output=Files(model="model.hdf5", manifest="model_files.tsv"),
    params=SimpleNamespace(settings=default_section(SCHEMA, "integration") | {"factors": 2}),
    wildcards=SimpleNamespace(seed="1"),
    log=Files(log="job.log"),
    rule="mofa",
)
run(mofa.main, job)
"""


def test_mofapy2s_exit_with_status_0_is_a_failed_job_that_says_why_and_leaves_no_model(root, tmp_path):
    views, samples, _ = cohort(patients=20, features={"rna": 40})
    write_anndata(views["rna"], tmp_path / "rna.h5ad")
    write_samples(samples, tmp_path / "samples.tsv")
    write_manifest([tmp_path / name for name in ("rna.h5ad", "samples.tsv")], tmp_path / "files.tsv")
    environment = {"PYTHONPATH": f"{root / 'workflow' / 'scripts'}:{root / 'tests'}", "PATH": "/usr/bin:/bin"}
    job = subprocess.run(
        [sys.executable, "-c", JOB], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert job.returncode == 1
    assert "TrainingError: mofapy2 stopped: All factors shut down, no structure found in the data." in job.stderr
    assert "Traceback" not in job.stderr
    assert "Traceback" in (tmp_path / "job.log").read_text()
    assert not list(tmp_path.glob("*.hdf5*"))
