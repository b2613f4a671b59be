"""A trained model as arrays: what the tables need, and what placing a new patient needs."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stratifn.shared.factor_model import ViewModel
from stratifn.shared.files import atomic_path, reading

if TYPE_CHECKING:
    import h5py

    from stratifn.integration.views import ModelInput

GROUP = "cohort"
OWN = "stratifn"


@dataclass(frozen=True)
class MofaModel:
    """A trained model.

    Attributes
    ----------
    samples
        Sample ids (N).
    factors
        ``E[z]`` (N x K), ordered by the variance that they explain, summed over the views.
    views
        One `ViewModel` per view.
    r2
        Percent of variance explained (views x K).
    elbo
        The evidence lower bound of the saved state.
    elbo_trace
        The bound before training and at every evaluation.
    iterations, converged, seed
        How the training went.
    options
        Every option of the training, and the versions.
    """

    samples: tuple[str, ...]
    factors: np.ndarray
    views: tuple[ViewModel, ...]
    r2: np.ndarray
    elbo: float
    elbo_trace: np.ndarray
    iterations: int
    converged: bool
    seed: int
    options: dict[str, Any]

    def view(self, name: str) -> ViewModel | None:
        """Return one view; None when it was left out because nothing in it varies."""
        return next((view for view in self.views if view.name == name), None)

    def active(self, min_r2: float) -> np.ndarray:
        """Which factors explain at least `min_r2` percent in some view (K booleans)."""
        return np.asarray((self.r2 >= min_r2).any(axis=0))

    def rearranged(self, order: np.ndarray, signs: np.ndarray) -> MofaModel:
        """Return the same model with its factors in another order, and then some of them with the sign turned.

        Parameters
        ----------
        order
            Positions of the factors.
        signs
            1 or -1 for each factor of the new order.
        """
        views = tuple(
            replace(
                view,
                weights=view.weights[:, order] * signs,
                weights_squared=view.weights_squared[:, order],
            )
            for view in self.views
        )
        return replace(self, factors=self.factors[:, order] * signs, views=views, r2=self.r2[:, order])


def write_own_group(file: h5py.File, model: MofaModel) -> None:
    """Add to mofapy2's file what it does not keep: ``E[w^2]``, tau, means, scales, ids, all options.

    No name in this group occurs among those by which R's ``load_model`` recognises its own.
    """
    group = file.create_group(OWN)
    group.attrs["options"] = json.dumps(model.options, sort_keys=True)
    group.attrs["iterations"] = model.iterations
    group.attrs["converged"] = model.converged
    group.attrs["seed"] = model.seed
    group.create_dataset("elbo_trace", data=model.elbo_trace)
    for number, view in enumerate(model.views):
        part = group.create_group(f"view{number}")
        part.attrs["name"] = view.name
        part.attrs["scale"] = view.scale
        part.create_dataset("feature_ids", data=[feature.encode() for feature in view.features])
        part.create_dataset("weights_squared", data=view.weights_squared.T, compression="gzip")
        part.create_dataset("noise_precision", data=view.tau)
        part.create_dataset("feature_means", data=view.means)


def read_model(path: str | os.PathLike) -> MofaModel:
    """Read a model that `stratifn.integration.train_mofa` wrote; a damaged one is a `MachineError`."""
    import h5py

    with reading(path), h5py.File(path, "r") as file:
        own = file[OWN]
        views = tuple(_read_view(file, own[f"view{number}"]) for number in range(len(file["views/views"])))
        trace = own["elbo_trace"][:]
        return MofaModel(
            samples=tuple(name.decode() for name in file[f"samples/{GROUP}"][:]),
            factors=file[f"expectations/Z/{GROUP}"][:].T.astype(float),
            views=views,
            r2=file[f"variance_explained/r2_per_factor/{GROUP}"][:],
            elbo=float(trace[-1]),
            elbo_trace=trace,
            iterations=int(own.attrs["iterations"]),
            converged=bool(own.attrs["converged"]),
            seed=int(own.attrs["seed"]),
            options=json.loads(own.attrs["options"]),
        )


def _read_view(file: h5py.File, part: h5py.Group) -> ViewModel:
    name = str(part.attrs["name"])
    return ViewModel(
        name=name,
        features=tuple(feature.decode() for feature in part["feature_ids"][:]),
        weights=file[f"expectations/W/{name}"][:].T.astype(float),
        weights_squared=part["weights_squared"][:].T.astype(float),
        tau=part["noise_precision"][:].astype(float),
        means=part["feature_means"][:],
        scale=float(part.attrs["scale"]),
    )


def write_model(
    model: MofaModel, trained: str | os.PathLike, path: str | os.PathLike, model_input: ModelInput | None = None
) -> None:
    """Write the chosen model in mofapy2's format, with the order and signs of its factors as in the tables.

    Parameters
    ----------
    model
        The chosen model, `MofaModel.rearranged`.
    trained
        The file of the seed that it comes from; everything but the factors' order and signs is taken from it.
    path
        Where to write.
    model_input
        What it was trained on, if the file is to hold it, as MOFA2's and mofax's plots of data need.
    """
    import h5py

    with atomic_path(path) as temporary:
        shutil.copyfile(Path(trained), temporary)
        with h5py.File(temporary, "r+") as file:
            overwrite_factors(file, model)
            if model_input is not None:
                _write_data(file, model_input)


def _write_data(file: h5py.File, model_input: ModelInput) -> None:
    """Add the centred and scaled values, and what restores the scaled ones, as mofapy2's ``saveData`` names them.

    mofapy2 keeps intercepts on the scale before scaling; MOFA2 adds them to the data, so here both have one scale.
    """
    for view in model_input.views:
        file.create_dataset(f"data/{view.name}/{GROUP}", data=view.values, compression="gzip")
        file.create_dataset(f"intercepts/{view.name}/{GROUP}", data=view.means / view.scale)


def overwrite_factors(file: h5py.File, model: MofaModel) -> None:
    """Put the model's factors into an open file, in the model's order and with its signs."""
    file[f"expectations/Z/{GROUP}"][...] = model.factors.T
    file[f"variance_explained/r2_per_factor/{GROUP}"][...] = model.r2
    for number, view in enumerate(model.views):
        file[f"expectations/W/{view.name}"][...] = view.weights.T
        file[f"{OWN}/view{number}/weights_squared"][...] = view.weights_squared.T
