"""When a patient is unlike the samples of the reference.

One score over all features of all views that a patient has: how much of it the factors leave unexplained. Each feature's
residual is divided by its spread (median absolute deviation) over samples that the model did not see, cut off at two of
these units so that heavy tails of single features do not decide, and averaged; the score is the logarithm. Factors explain
no more than they do within the reference: those of a patient far from its samples are drawn back to their range first, so
that the rest is left unexplained.

The p value comes from the scores of the reference's own samples, each by a model that did not see it (`folds`). Below
their 80th centile it is the share of samples with a higher score. Counting cannot give less than ``1 / (n + 1)``, so the
m scores above have an exponential tail; with its mean estimated from them, the chance of a new score that lies x above
the 80th centile is ``0.2 (1 + x / (m mean))^-m`` (x over mean has an F distribution with 2 and 2 m degrees of freedom).
It is learnt for every combination of views, since the score of fewer features varies more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from stratifn.shared.factor_model import ViewModel
from stratifn.shared.vocabulary import UNLIKE
from stratifn.transfer.folds import Values, fold_models, refitted, standardised, terms

# a sample of the reference's own kind is out of reference once in a hundred times
LEVEL = 0.01
# residuals beyond this many spreads count as this many
WINSOR = 2.0
# the spread of normal values by their median absolute deviation
MAD_TO_SD = 1.4826
SMALLEST_SPREAD = 1e-6
# centiles of the reference's scores that are kept; the tail begins at the last one
CENTILES = np.arange(10.0, 81.0, 10.0)
TAIL_SHARE = 1 - CENTILES[-1] / 100
# the tail of fewer samples is no measure
FEWEST_SAMPLES = 10
# with more views, only the combinations that occur, single views and all views together are learnt
ALL_COMBINATIONS = 6
# a view with a smaller share of its features says too little to be compared with the reference's
LEAST_FEATURES = 0.5
# factors are drawn back to this many times the 99th centile of the squared distances of the reference's samples
REACH, REACH_CENTILE = 2.0, 99.0
# keeps the covariance invertible where there are hardly more samples than factors
RIDGE = 1e-6


@dataclass(frozen=True)
class Tail:
    """The scores of the reference's samples for one combination of views.

    Attributes
    ----------
    views
        The combination.
    scores
        At `CENTILES`.
    excess, above
        Mean of the scores above the last of these, less it; and how many they are.
    """

    views: tuple[str, ...]
    scores: np.ndarray
    excess: float
    above: int

    @classmethod
    def of(cls, views: tuple[str, ...], scores: np.ndarray) -> Tail:
        """Learn it from the scores of samples."""
        kept = np.percentile(scores, CENTILES)
        higher = scores[scores > kept[-1]]
        return cls(views, kept, float(np.mean(higher - kept[-1])), len(higher))

    def pvalue(self, score: float) -> float:
        """Return the chance that a sample of the reference's kind has a score as high."""
        if score > self.scores[-1]:
            beyond = (score - self.scores[-1]) / (self.above * self.excess)
            return float(TAIL_SHARE * (1 + beyond) ** -self.above)
        return float(np.interp(score, self.scores, 1 - CENTILES / 100, left=1.0))


@dataclass(frozen=True)
class Reach:
    """How far the factors of the reference's samples lie from their mean.

    Attributes
    ----------
    mean, precision
        Mean (K) and inverse covariance (K x K) of the reported factors.
    distance
        Largest squared Mahalanobis distance within which factors are taken as they are.
    """

    mean: np.ndarray
    precision: np.ndarray
    distance: float

    @classmethod
    def of(cls, factors: np.ndarray) -> Reach:
        """Learn it from factors (samples x K)."""
        count, width = factors.shape
        mean = factors.mean(axis=0)
        scatter = (factors - mean).T @ (factors - mean) / max(count - 1, 1)
        scatter += RIDGE * max(np.trace(scatter) / max(width, 1), 1.0) * np.eye(width)
        precision = np.linalg.inv(scatter)
        squared = np.einsum("nk,kj,nj->n", factors - mean, precision, factors - mean)
        return cls(mean, precision, REACH * float(np.percentile(squared, REACH_CENTILE)))

    def squared_distance(self, factors: np.ndarray) -> float:
        """Return the squared Mahalanobis distance of one sample's factors (K)."""
        return float((factors - self.mean) @ self.precision @ (factors - self.mean))

    def drawn_back(self, factors: np.ndarray) -> np.ndarray:
        """Return one sample's factors (all of the model's), the reported ones drawn back to the range."""
        reported = factors[: len(self.mean)]
        distance = self.squared_distance(reported)
        if distance <= self.distance:
            return factors
        inside = self.mean + np.sqrt(self.distance / distance) * (reported - self.mean)
        return np.concatenate([inside, factors[len(self.mean) :]])


@dataclass(frozen=True)
class Judgement:
    """How one sample compares with the reference.

    Attributes
    ----------
    pvalue
        NaN where it cannot be said.
    reason
        What is unlike the reference, or why it cannot be said; empty otherwise.
    """

    pvalue: float
    reason: str


@dataclass(frozen=True)
class Limits:
    """Where the reference ends.

    Attributes
    ----------
    model
        The model that explains a patient here: the reference's own, refitted as those of the folds were, so that new
        patients and the samples of the reference are measured alike.
    spread
        By view: spread of each feature's residual (D), in the model's units.
    typical
        By view: median over the samples of their mean residual in spreads.
    reach
        Of the factors.
    tails
        By combination of views.
    level
        p value up to which a sample is out of the reference.
    """

    model: Sequence[ViewModel]
    spread: Mapping[str, np.ndarray]
    typical: Mapping[str, float]
    reach: Reach
    tails: Sequence[Tail]
    level: float

    def judge(self, values: Mapping[str, np.ndarray]) -> Judgement:
        """Compare one sample with the reference.

        Parameters
        ----------
        values
            View to the sample's values (D) on the scale of the model's input; NaN where not measured.
        """
        enough = [view for view in self.model if view.name in values and _enough(values[view.name])]
        size = {view.name: len(view.features) for view in enough}
        possible = [tail for tail in self.tails if size.keys() >= set(tail.views)]
        if not possible:
            return Judgement(np.nan, _why_not(list(size)))
        tail = max(possible, key=lambda each: sum(size[name] for name in each.views))
        chosen = [view for view in enough if view.name in tail.views]
        own = {view.name: values[view.name][None] for view in chosen}
        factors = terms(chosen, own).posterior(tail.views)[0][0]
        inside = self.reach.drawn_back(factors)[None]
        parts = {
            view.name: in_spreads(unexplained(view, own[view.name], inside), self.spread[view.name]) for view in chosen
        }
        pvalue = tail.pvalue(score(list(parts.values()))[0])
        if pvalue > self.level:
            return Judgement(pvalue, "")
        ratio = {name: float(total[0] / count[0]) / self.typical[name] for name, (total, count) in parts.items()}
        most = max(ratio, key=lambda name: ratio[name])
        far = self.reach.squared_distance(factors[: len(self.reach.mean)]) > self.reach.distance
        return Judgement(
            pvalue,
            f"{UNLIKE} (p = {pvalue:.2g}): {most} is explained least (residuals {ratio[most]:.2f} times as large)"
            + (", and the factors lie outside the reference's range" if far else ""),
        )


def _enough(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).mean() >= LEAST_FEATURES)


def _why_not(views: Sequence[str]) -> str:
    if not views:
        return f"not compared with the reference: in no view at least {LEAST_FEATURES:.0%} of the model's features"
    return f"not compared with the reference: fewer than {FEWEST_SAMPLES} of its samples have {' and '.join(views)}"


def fit_limits(views: Sequence[ViewModel], values: Mapping[str, pd.DataFrame], factors: int) -> Limits:
    """Learn the limits from the samples that the model was trained on, each by a model without it.

    Parameters
    ----------
    views
        The model.
    values
        View to the training samples' values (samples x features), on the scale of the model's input.
    factors
        How many of the model's factors are reported.
    """
    samples = sorted(set().union(*(values[view.name].index for view in views)))
    measured = {
        view.name: values[view.name].reindex(samples, columns=list(view.features)).to_numpy(float) for view in views
    }
    folds = [
        _Fold(model, {name: array[rows] for name, array in measured.items()})
        for rows, model in fold_models(views, measured)
    ]
    names = [view.name for view in views]
    reach = Reach.of(np.concatenate([fold.own_factors for fold in folds])[:, :factors])
    # a sample is no measure of itself: each is compared with the spread of the other folds
    others = [{name: _spread([o for o in folds if o is not fold], name) for name in names} for fold in folds]
    tails = []
    for combination in _combinations(measured):
        parts = [fold.scores(combination, own, reach) for fold, own in zip(folds, others, strict=True)]
        scores = np.concatenate(parts)
        if len(scores) >= FEWEST_SAMPLES:
            tails.append(Tail.of(combination, scores))
    typical = {
        name: float(np.median(np.concatenate([fold.means(name, own) for fold, own in zip(folds, others, strict=True)])))
        for name in names
    }
    spread = {name: _spread(folds, name) for name in names}
    return Limits(refitted(views, measured), spread, typical, reach, tails, LEVEL)


class _Fold:
    """The samples of a fold, and the model without them."""

    def __init__(self, model: Sequence[ViewModel], values: Values):
        self.model = {view.name: view for view in model}
        self.values = values
        self.has = {name: np.isfinite(array).any(axis=1) for name, array in values.items()}
        self.terms = terms(model, values)
        # a view that a sample lacks says nothing
        self.own_factors = self.terms.posterior(list(self.model))[0]
        # of the samples that have the view, by all of their views
        self.residuals = {
            name: unexplained(view, values[name][self.has[name]], self.own_factors[self.has[name]])
            for name, view in self.model.items()
        }

    def means(self, view: str, spread: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return each sample's mean residual in spreads."""
        total, count = in_spreads(self.residuals[view], spread[view])
        return total / count

    def scores(self, combination: Sequence[str], spread: Mapping[str, np.ndarray], reach: Reach) -> np.ndarray:
        """Return the scores by some views, of the samples that have all of these."""
        kept = np.logical_and.reduce([self.has[name] for name in combination])
        factors = self.terms.posterior(combination)[0][kept]
        for row in range(len(factors)):
            factors[row] = reach.drawn_back(factors[row])
        parts = [
            in_spreads(unexplained(self.model[name], self.values[name][kept], factors), spread[name])
            for name in combination
        ]
        return score(parts)


def unexplained(view: ViewModel, values: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return what the factors leave of values (samples x features), in the model's units."""
    return standardised(view, values) - factors @ view.weights.T


def in_spreads(residuals: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return per sample the sum of its residuals in spreads, each at most `WINSOR`, and how many there are."""
    in_units = np.minimum(np.abs(residuals) / spread, WINSOR)
    seen = np.isfinite(in_units)
    return np.where(seen, in_units, 0.0).sum(axis=1), seen.sum(axis=1)


def score(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the logarithm of the mean residual over the features of all views, per sample."""
    return np.log(sum(total for total, _ in parts) / sum(count for _, count in parts))


def _spread(folds: Sequence[_Fold], view: str) -> np.ndarray:
    of_view = np.concatenate([fold.residuals[view] for fold in folds])
    return np.maximum(MAD_TO_SD * _median(np.abs(of_view)), SMALLEST_SPREAD)


def _median(values: np.ndarray) -> np.ndarray:
    """Return the median of each column without its missing values; NaN where nothing is left."""
    in_order, counts = np.sort(values, axis=0), np.isfinite(values).sum(axis=0)
    low, high = (np.maximum(counts - 1, 0) // 2, counts // 2)
    columns = np.arange(values.shape[1])
    return np.where(counts > 0, (in_order[low, columns] + in_order[high, columns]) / 2, np.nan)


def _combinations(values: Values) -> list[tuple[str, ...]]:
    """Return the combinations of views that are learnt, in the order of the views."""
    names = list(values)
    if len(names) <= ALL_COMBINATIONS:
        return [chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size)]
    has = {name: np.isfinite(array).any(axis=1) for name, array in values.items()}
    rows = zip(*(has[name] for name in names), strict=True)
    occurring = {tuple(name for name, there in zip(names, row, strict=True) if there) for row in rows}
    return sorted({*((name,) for name in names), *occurring, tuple(names)} - {()})
