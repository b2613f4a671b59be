"""One MOFA model from one seed, in the calling process.

mofapy2 prints errors and leaves with exit status 0, says "finished" when it ran out of iterations, and writes its file
in place. Here a training either ends in a checked file or in an exception.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from stratifn.integration.model import GROUP, MofaModel, overwrite_factors, read_model, write_own_group
from stratifn.integration.settings import CONVERGENCE_PERCENT, Settings
from stratifn.integration.updates import install_sufficient_statistics
from stratifn.integration.variance import variance_explained
from stratifn.integration.views import ModelInput
from stratifn.running.progress import Progress
from stratifn.shared.factor_model import ViewModel
from stratifn.shared.files import atomic_path

logger = logging.getLogger("stratifn.integration")

ELBO_EVERY = 5
# stops when the change was small this often in a row (mofapy2's `assess_convergence`)
SMALL_CHANGES = 2
# a bound that falls by more than this, relative to its size, is no rounding
ELBO_SLACK = {True: 1e-5, False: 1e-9}


class TrainingError(RuntimeError):
    """mofapy2 failed, or what it wrote is no usable model."""


def train_mofa(
    model_input: ModelInput,
    settings: Settings,
    seed: int,
    path: str | os.PathLike,
    *,
    stock_updates: bool = False,
) -> MofaModel:
    """Train a model from one seed and write it in mofapy2's format.

    BLAS runs on one thread, so the same input and seed give the same bytes on any number of cores. mofapy2 keeps
    precision and random state per process: train one model at a time in a process.

    Parameters
    ----------
    model_input
        From `stratifn.integration.prepare_views`.
    settings
        See `Settings`.
    seed
        Of the start.
    path
        ``.hdf5`` file to write; it appears when it is whole and checked. The training data are not in it (they are
        most of its size and time); R's ``load_model`` then makes placeholders for them.
    stock_updates
        Keep mofapy2's own updates, for comparison.

    Returns
    -------
    MofaModel
        What `read_model(path)` returns.

    Raises
    ------
    TrainingError
        mofapy2 stopped, or the model is not finite, or its bound did not rise.
    """
    with threadpool_limits(1), _mofapy2_to_log():
        _say_fewer_factors(model_input, settings)
        entry = _build(model_input, settings, seed)
        _perturb_start(entry.model, settings, seed)
        reason = "requested" if stock_updates else install_sufficient_statistics(entry.model, entry.train_opts)
        updates = "sufficient statistics" if reason is None else f"mofapy2's own ({reason})"
        logger.info("seed %d: updates: %s", seed, updates)
        trace = _run(entry, settings)
        model = _as_model(entry, model_input, settings, seed, trace, updates)
        _check(model)
        with atomic_path(path) as temporary:
            _save(entry, model_input, model, os.fspath(temporary))
            written = read_model(temporary)
            _check(written)
    _warn(written, settings)
    return written


@contextlib.contextmanager
def _mofapy2_to_log() -> Iterator[None]:
    """Send what mofapy2 prints to the log; turn its exits into errors; keep its warning filter to itself."""
    printed = io.StringIO()
    with warnings.catch_warnings():
        # its import silences every warning of the process
        importlib.import_module("mofapy2.run.entry_point")
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.filterwarnings("ignore", module="mofapy2")
            yield
    except SystemExit as stop:
        said = printed.getvalue().strip().splitlines()
        raise TrainingError(f"mofapy2 stopped: {said[-1].strip() if said else 'without a reason'}") from stop
    finally:
        for line in printed.getvalue().splitlines():
            if line.strip(" #"):
                logger.debug("mofapy2: %s", line.rstrip())


def number_of_factors(model_input: ModelInput, settings: Settings) -> int:
    """Return how many factors to start with: at most half the samples, and not more than features."""
    features = sum(len(view.features) for view in model_input.views)
    return max(1, min(settings.factors, len(model_input.samples) // 2, features))


def _say_fewer_factors(model_input: ModelInput, settings: Settings) -> None:
    count = number_of_factors(model_input, settings)
    if count < settings.factors:
        logger.warning("%d factors instead of %d: too few samples or features", count, settings.factors)


def _build(model_input: ModelInput, settings: Settings, seed: int) -> Any:
    """Set every option and build the network."""
    from mofapy2.run.entry_point import entry_point

    views = model_input.views
    entry = entry_point()
    # the views are centred and scaled already, in double precision
    entry.set_data_options(scale_views=False, scale_groups=False, center_groups=False, use_float32=settings.float32)
    entry.set_data_matrix(
        [[view.values.copy()] for view in views],
        likelihoods=["gaussian"] * len(views),
        views_names=[view.name for view in views],
        groups_names=[GROUP],
        samples_names=[list(model_input.samples)],
        features_names=[list(view.model_names) for view in views],
    )
    entry.set_model_options(
        factors=number_of_factors(model_input, settings),
        spikeslab_factors=False,
        spikeslab_weights=True,
        ard_factors=False,
        ard_weights=True,
    )
    entry.set_train_options(
        iter=settings.max_iterations,
        startELBO=1,
        freqELBO=ELBO_EVERY,
        startSparsity=50,
        convergence_mode=settings.convergence,
        startDrop=1,
        freqDrop=1,
        dropR2=None,
        nostop=False,
        verbose=False,
        quiet=True,
        seed=seed,
        schedule=None,
        gpu_mode=False,
        gpu_device=None,
        weight_views=False,
        outfile=None,
        save_interrupted=False,
    )
    entry.build()
    entry.model.setTrainOptions(entry.train_opts)
    return entry


def _perturb_start(network: Any, settings: Settings, seed: int) -> None:
    """Move the start of the factors, so that seeds are different starts.

    mofapy2 starts from principal components, exact for small data: without this every seed would give one model,
    and agreement between seeds would say nothing.
    """
    if settings.start_noise == 0:
        return
    posterior = network.nodes["Z"].Q
    mean = posterior.params["mean"]
    noise = np.random.default_rng(seed).normal(scale=settings.start_noise, size=mean.shape)
    posterior.params["mean"] = (mean + noise).astype(mean.dtype)
    posterior.updateExpectations()


def _run(entry: Any, settings: Settings) -> np.ndarray:
    """Train, and return the bound before training and at every evaluation, the last one included."""
    network = entry.model
    trace: list[float] = []
    iterations = Progress("MOFA iterations", settings.max_iterations)
    evaluate = network.calculateELBO

    def recorded(*nodes: str) -> Any:
        bound = evaluate(*nodes)
        trace.append(float(bound["total"]))
        iterations.reached(_iterations(len(trace)))
        return bound

    network.calculateELBO = recorded
    try:
        # without mofapy2's decorator, which turns a TypeError into an exit with status 0
        type(entry).run.__wrapped__(entry)
    except (TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise TrainingError(f"mofapy2 failed while training: {error}") from error
    if not network.trained:
        raise KeyboardInterrupt
    return np.array(trace)


def _iterations(evaluations: int) -> int:
    """Return the iteration of the last of so many evaluations of the bound, of which the first is before training."""
    return 1 + ELBO_EVERY * (evaluations - 2) if evaluations > 1 else 0


def _progress(trace: np.ndarray, settings: Settings) -> tuple[int, bool]:
    """Return iterations and whether the bound had settled, by mofapy2's own rule."""
    changes = 100.0 * np.abs(np.diff(trace[1:]) / trace[0])
    small = changes < CONVERGENCE_PERCENT[settings.convergence]
    converged = len(small) >= SMALL_CHANGES and bool(small[-SMALL_CHANGES:].all())
    return (_iterations(len(trace)) if converged else settings.max_iterations - 1), converged


def _as_model(
    entry: Any,
    model_input: ModelInput,
    settings: Settings,
    seed: int,
    trace: np.ndarray,
    updates: str,
) -> MofaModel:
    network = entry.model
    factors = np.asarray(network.nodes["Z"].getExpectation(), dtype=float)
    expectations = network.nodes["W"].getExpectations()
    noise = [node.Q.getExpectation()[0] for node in network.nodes["Tau"].getNodes()]
    views = tuple(
        ViewModel(
            name=view.name,
            features=view.features,
            weights=np.asarray(weights["E"], dtype=float),
            weights_squared=np.asarray(weights["E2"], dtype=float),
            tau=np.asarray(tau, dtype=float),
            means=view.means,
            scale=view.scale,
        )
        for view, weights, tau in zip(model_input.views, expectations, noise, strict=True)
    )
    r2 = 100.0 * np.stack(
        [
            variance_explained(view.values, factors, trained.weights)[0]
            for view, trained in zip(model_input.views, views, strict=True)
        ]
    )
    iterations, converged = _progress(trace, settings)
    model = MofaModel(
        samples=model_input.samples,
        factors=factors,
        views=views,
        r2=r2,
        elbo=float(trace[-1]),
        elbo_trace=trace,
        iterations=iterations,
        converged=converged,
        seed=seed,
        options=_options(entry, settings, updates),
    )
    return model.rearranged(np.argsort(-r2.sum(axis=0), kind="stable"), np.ones(r2.shape[1]))


def _options(entry: Any, settings: Settings, updates: str) -> dict[str, Any]:
    data = ("scale_views", "scale_groups", "center_groups")
    return {
        "settings": asdict(settings),
        "data": {name: entry.data_opts[name] for name in data},
        "model": dict(entry.model_opts),
        "training": {name: value for name, value in entry.train_opts.items() if name != "outfile"},
        "updates": updates,
        "mofapy2": importlib.metadata.version("mofapy2"),
    }


def _check(model: MofaModel) -> None:
    """Refuse what is not a model.

    Raises
    ------
    TrainingError
        With what is wrong.
    """
    arrays = [model.factors, model.r2, model.elbo_trace]
    arrays += [part for view in model.views for part in (view.weights, view.weights_squared, view.tau, view.means)]
    if model.factors.shape[1] == 0:
        raise TrainingError(f"seed {model.seed}: the model has no factors")
    if not all(np.isfinite(array).all() for array in arrays):
        raise TrainingError(f"seed {model.seed}: the model holds values that are not finite")
    trace = model.elbo_trace
    if len(trace) < 2 or trace[-1] <= trace[0]:
        raise TrainingError(f"seed {model.seed}: the evidence lower bound did not rise")


def _warn(model: MofaModel, settings: Settings) -> None:
    """Say what a usable model may still be distrusted for."""
    if not model.converged:
        logger.warning("seed %d: not converged after %d iterations", model.seed, model.iterations)
    falls = np.diff(model.elbo_trace[1:]) < -ELBO_SLACK[settings.float32] * np.abs(model.elbo_trace[0])
    if falls.any():
        logger.warning("seed %d: the evidence lower bound fell %d time(s) on its way up", model.seed, falls.sum())


def _save(entry: Any, model_input: ModelInput, model: MofaModel, path: str) -> None:
    """Write mofapy2's file, its factors in our order, and our group in it."""
    import h5py

    # wall-clock times would make two runs differ
    entry.model.train_stats["time"] = np.zeros_like(entry.model.train_stats["time"])
    together = [
        variance_explained(view.values, model.factors, trained.weights)[1]
        for view, trained in zip(model_input.views, model.views, strict=True)
    ]
    # mofapy2's own takes a product of samples x features per factor; the factors' order is put right below
    per_factor = [model.r2 / 100.0]
    in_total = [np.array(together)]
    entry.model.calculate_variance_explained = lambda total=False: in_total if total else per_factor
    entry.save(outfile=path, save_data=False, save_parameters=False, expectations=["W", "Z"])
    with h5py.File(path, "r+") as file:
        write_own_group(file, model)
        overwrite_factors(file, model)
