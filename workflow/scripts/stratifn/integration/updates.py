"""The updates of mofapy2's Gaussian model, computed from sufficient statistics.

mofapy2 forms a samples x features product per factor and node, which costs ``N D K^2`` per iteration with several
passes over the data. The coordinate updates of Argelaguet et al. 2020 (doi:10.1186/s13059-020-02015-1, Additional
file 1) only need ``Z'Z`` (K x K), ``Y'Z`` (D x K), ``W' diag(tau) W`` (K x K) and ``Y diag(tau) W`` (N x K): two
passes over the data per iteration, in the same order of updates and with the same values up to rounding.

A sample without a view contributes nothing to that view's sums. A single missing value takes its own ``z z'`` out of
its feature's ``Z'Z`` (and its ``tau w w'`` out of its sample's ``W' diag(tau) W``), which is one sparse product and
costs K^2 per missing value.

The updates are set on the nodes of one built network; mofapy2's classes stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit


def install_sufficient_statistics(network: Any, train_options: dict[str, Any]) -> str | None:
    """Set the faster updates on the nodes of a built network.

    Parameters
    ----------
    network
        mofapy2's ``BayesNet`` after ``entry_point.build()``.
    train_options
        ``entry_point.train_opts``.

    Returns
    -------
    str or None
        Why the network keeps mofapy2's own updates; None when the faster ones are in place.
    """
    reason = _why_not(network, train_options)
    if reason is None:
        _Updates(network).install()
    return reason


def _why_not(network: Any, train_options: dict[str, Any]) -> str | None:
    nodes = network.nodes
    expected = {"Y": "Y_Node", "W": "SW_Node", "Tau": "TauD_Node"}
    if type(nodes["Z"]).__name__ != "Z_Node" or "AlphaZ" in nodes or "MuZ" in nodes:
        return "the factors have another prior than N(0, 1)"
    for name, node_type in expected.items():
        found = {type(node).__name__ for node in nodes[name].getNodes()}
        if found != {node_type}:
            return f"{name} is not Gaussian with sparse weights ({', '.join(sorted(found))})"
    if any(node.n_groups != 1 for node in nodes["Tau"].getNodes()):
        return "there is more than one group of samples"
    for option in ("stochastic", "weight_views", "gpu_mode"):
        if train_options.get(option):
            return f"training with {option}"
    if train_options["drop"]["min_r2"] is not None:
        return "factors are dropped during training"
    return None


@dataclass(frozen=True)
class FactorMoments:
    """Sums over the samples of a view of what the weights and the noise need from the factors.

    Attributes
    ----------
    cross
        ``Z'Y`` (K x D, so that a factor's row is contiguous), missing values as zero.
    gram
        ``Z'Z`` over the samples of the view (K x K).
    squares
        Sum of ``E[z^2]`` over the samples of the view (K).
    gram_missing, squares_missing
        The same over the missing samples of each incomplete feature (incomplete x K x K, incomplete x K).
    """

    cross: np.ndarray
    gram: np.ndarray
    squares: np.ndarray
    gram_missing: np.ndarray
    squares_missing: np.ndarray


class _ViewData:
    """What is fixed about one view: values, which are missing, sums of squares."""

    def __init__(self, values: np.ndarray, mask: np.ndarray):
        self.values = values
        self.observed_rows = np.asarray(~mask.all(axis=1))
        self.counts = (~mask).sum(axis=0).astype(float)
        self.sum_squares = np.einsum("nd,nd->d", values, values, dtype=float)
        single = mask & self.observed_rows[:, None]
        self.incomplete = np.flatnonzero(single.any(axis=0))
        self.missing = csr_matrix(single[:, self.incomplete].T, dtype=float)

    def moments(self, mean: np.ndarray, second: np.ndarray) -> FactorMoments:
        """Sum up factors (N x K): their means and second moments."""
        cross = mean.T.astype(self.values.dtype, copy=False) @ self.values
        observed = mean[self.observed_rows].astype(float)
        return FactorMoments(
            cross=cross.astype(float),
            gram=observed.T @ observed,
            squares=second[self.observed_rows].sum(axis=0, dtype=float),
            gram_missing=_outer_sums(self.missing, mean.astype(float)),
            squares_missing=self.missing @ second.astype(float),
        )

    def expected_squared_error(self, moments: FactorMoments, weights: dict[str, np.ndarray]) -> np.ndarray:
        """Return ``sum_n E[(y - z w)^2]`` over the observed values of each feature (D)."""
        w, w2 = weights["E"].astype(float), weights["E2"].astype(float)
        w_squared = np.square(w)
        error = self.sum_squares - 2.0 * np.einsum("dk,kd->d", w, moments.cross)
        error += np.einsum("dk,dk->d", w @ moments.gram, w)
        error += w2 @ moments.squares - w_squared @ np.diag(moments.gram)
        part, gram = self.incomplete, moments.gram_missing
        diagonal = np.einsum("dkk->dk", gram)
        error[part] -= np.einsum("dk,dkj,dj->d", w[part], gram, w[part], optimize=True)
        error[part] -= (w2[part] * moments.squares_missing - w_squared[part] * diagonal).sum(axis=1)
        # a feature that is predicted exactly (one of two copies) must not get a negative error by rounding
        return np.maximum(error, np.finfo(self.values.dtype).eps * self.sum_squares)


def _outer_sums(selector: csr_matrix, vectors: np.ndarray) -> np.ndarray:
    """Sum ``v v'`` over the vectors that each row of a sparse selector picks (rows x K x K)."""
    size = vectors.shape[1]
    first, second = np.triu_indices(size)
    pairs = selector @ (vectors[:, first] * vectors[:, second])
    sums = np.empty((selector.shape[0], size, size))
    sums[:, first, second] = pairs
    sums[:, second, first] = pairs
    return sums


class _Updates:
    """The updates of one network, and the sums that they share."""

    def __init__(self, network: Any):
        nodes = network.nodes
        self.factors = nodes["Z"]
        self.weights = nodes["W"].getNodes()
        self.noise = nodes["Tau"].getNodes()
        self.observations = nodes["Y"].getNodes()
        self.data = [_ViewData(node.value, node.mask) for node in self.observations]
        self.has_view = np.stack([view.observed_rows for view in self.data], axis=1).astype(float)
        self._moments: dict[int, FactorMoments] = {}

    def install(self) -> None:
        for m in range(len(self.data)):
            self.weights[m].updateParameters = partial(self.update_weights, m)
            self.noise[m].updateParameters = partial(self.update_noise, m)
            self.observations[m].calculateELBO = partial(self.likelihood, m)
        self.factors.updateParameters = self.update_factors

    def moments(self, m: int) -> FactorMoments:
        """Sum up the factors as they are; the noise and the weights that follow share the sums."""
        if m not in self._moments:
            expectations = self.factors.getExpectations()
            self._moments[m] = self.data[m].moments(expectations["E"], expectations["E2"])
        return self._moments[m]

    def update_weights(self, m: int, ix: Any = None, ro: float = 1.0) -> None:
        """Update the spike-and-slab weights of a view, factor by factor."""
        node, view, moments = self.weights[m], self.data[m], self.moments(m)
        tau = self.noise[m].Q.getExpectation()[0].astype(float)
        alpha = node.markov_blanket["AlphaW"].getExpectation().astype(float)
        theta = node.markov_blanket["ThetaW"].getExpectations()
        log_odds = theta["lnE"] - theta["lnEInv"]
        precision = tau * _less(moments.squares, moments.squares_missing, view) + alpha[:, None]
        prior_gain = log_odds[:, None] + 0.5 * np.log(alpha[:, None] / precision)
        current = np.ascontiguousarray(node.Q.getExpectations()["E"].T, dtype=float)
        mean, probability = np.empty_like(current), np.empty_like(current)
        for k in range(len(current)):
            difference = tau * (moments.cross[k] - _others(current, k, moments, view))
            mean[k] = difference / precision[k]
            probability[k] = expit(prior_gain[k] + 0.5 * difference * mean[k])
            current[k] = probability[k] * mean[k]
        parameters = node.Q.getParameters()
        parameters["mean_B1"][...] = mean.T
        parameters["var_B1"][...] = 1.0 / precision.T
        parameters["theta"][...] = probability.T
        parameters["var_B0"][...] = 1.0 / alpha
        parameters["mean_B0"] = np.zeros_like(parameters["mean_B1"])
        node.Q.setParameters(**parameters)

    def update_factors(self, ix: Any = None, ro: float = 1.0) -> None:
        """Update the factors of all samples, factor by factor."""
        parameters = self.factors.Q.getParameters()
        mean, variance = parameters["mean"], parameters["var"]
        prior = self.factors.P.getParameters()
        prior_precision = 1.0 / prior["var"].astype(float)
        precision = prior_precision.copy()
        linear = prior_precision * prior["mean"]
        coupling = np.zeros((*mean.shape, mean.shape[1]))
        for m in range(len(self.data)):
            self._add_view(m, precision, linear, coupling)
        current = mean.astype(float)
        for k in range(current.shape[1]):
            others = np.einsum("nj,nj->n", current, coupling[:, k, :]) - current[:, k] * coupling[:, k, k]
            current[:, k] = (linear[:, k] - others) / precision[:, k]
        mean[...] = current
        variance[...] = 1.0 / precision
        self.factors.Q.setParameters(mean=mean, var=variance)
        self._moments.clear()

    def _add_view(self, m: int, precision: np.ndarray, linear: np.ndarray, coupling: np.ndarray) -> None:
        """Add what one view says about its samples' factors."""
        view, expectations = self.data[m], self.weights[m].getExpectations()
        tau = self.noise[m].Q.getExpectation()[0].astype(float)[:, None]
        w, w2 = expectations["E"].astype(float), tau * expectations["E2"].astype(float)
        linear += view.values @ (tau * w).astype(view.values.dtype, copy=False)
        precision += self.has_view[:, m, None] * w2.sum(axis=0)
        coupling += self.has_view[:, m, None, None] * (w.T @ (tau * w))
        if view.incomplete.size:
            part = view.incomplete
            precision -= view.missing.T @ w2[part]
            coupling -= _outer_sums(view.missing.T.tocsr(), np.sqrt(tau[part]) * w[part])

    def update_noise(self, m: int, ix: Any = None, ro: float = 1.0) -> None:
        """Update the noise precision of each feature of a view."""
        node, view = self.noise[m], self.data[m]
        prior, parameters = node.P.getParameters(), node.Q.getParameters()
        error = view.expected_squared_error(self.moments(m), self.weights[m].getExpectations())
        parameters["a"][0] = prior["a"][0] + 0.5 * view.counts
        parameters["b"][0] = prior["b"][0] + 0.5 * error
        node.Q.setParameters(a=parameters["a"], b=parameters["b"])

    def likelihood(self, m: int) -> float:
        """Return the view's part of the ELBO."""
        node, view = self.observations[m], self.data[m]
        tau = self.noise[m].Q.getExpectations()
        error = view.expected_squared_error(self.moments(m), self.weights[m].getExpectations())
        terms = tau["lnE"][0].astype(float) * view.counts - tau["E"][0].astype(float) * error
        return float(node.likconst + 0.5 * terms.sum())


def _less(total: np.ndarray, missing: np.ndarray, view: _ViewData) -> np.ndarray:
    """Take from each incomplete feature's total (K) what its missing samples hold (K x D)."""
    rows = np.repeat(total[:, None], view.counts.size, axis=1)
    rows[:, view.incomplete] -= missing.T
    return rows


def _others(current: np.ndarray, k: int, moments: FactorMoments, view: _ViewData) -> np.ndarray:
    """Sum over samples of ``z_k`` times what the other factors predict, per feature (D), from weights (K x D)."""
    others = moments.gram[k] @ current - moments.gram[k, k] * current[k]
    if view.incomplete.size:
        part, missing = view.incomplete, moments.gram_missing[:, k]
        others[part] -= np.einsum("kd,dk->d", current[:, part], missing) - current[k, part] * missing[:, k]
    return others
