"""Learn the reference from the controls (`fit_reference`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import anndata as ad
import numpy as np

from stratifn.interferon import expression
from stratifn.interferon.controls import Controls, outlying
from stratifn.interferon.cutoffs import (
    RULES,
    Cutoff,
    plausible_cutoffs,
    plausible_reference,
    resample_controls,
    resampled_reference,
    summarise,
    widen,
)
from stratifn.interferon.methods import METHODS, ControlMethod, RankMethod, average_ranks, zscore
from stratifn.interferon.reference import PROFILES, GeneSet, Reference
from stratifn.interferon.response import control_cutoffs
from stratifn.interferon.settings import EXCLUDE, Settings
from stratifn.registry.knowledge import Knowledge
from stratifn.registry.signatures import AxisSet, Registry
from stratifn.shared.errors import InputError, Problem
from stratifn.shared.vocabulary import COUNTS

SMALLEST_FLOOR = 0.1
FLOOR_CENTILE = 20
# genes of similar mean: this many on either side in the order of the control means
NEIGHBOURS = 100
FEWEST_SIZE_FACTOR_GENES = 10
# below this share of its genes a set is not scored at all
FEWEST_GENES = 0.5
# of the response profiles, for a type
FEWEST_PROFILE_GENES = 20


def fit_reference(
    data: ad.AnnData, kind: str, controls: Controls, knowledge: Knowledge, settings: Settings
) -> tuple[Reference, tuple[str, ...]]:
    """Learn everything that scoring needs from the controls, and nothing from anybody else.

    Controls that stand far above the others are left out (`controls.outlying`, on the z-scores of the configured
    signature whatever the method, because an infection raises these genes on any scale); the reference with everybody
    is kept beside (`Reference.everybody`).

    Parameters
    ----------
    data
        Raw counts, or values on a log scale (samples x features); only the values of controls are read.
    kind
        ``counts`` or ``continuous``.
    controls
        From `controls.find_controls`.
    knowledge
        Signatures and therapeutic axes; its extra signatures are scored besides the default panel and
        ``settings.signature``.
    settings
        The config's section.

    Returns
    -------
    Reference
    tuple of str
        The outlying controls: left out, or kept where the settings say so.

    Raises
    ------
    InputError
        For an unknown signature, method or cut-off rule.
    """
    _check_names(settings)
    registry, axis_sets = knowledge.registry, knowledge.axis_sets
    names = sorted({*registry.default_panel, settings.signature, *knowledge.extra_signatures})
    values = expression.dense(data[list(controls.samples)])
    located = _locate(data, values, registry, names, axis_sets)
    genes = tuple(sorted(located.features))
    blank = Reference(
        settings=settings,
        kind=kind,
        n_controls=len(controls.samples),
        refusal=controls.refusal,
        universe=tuple(data.var_names),
        genes=genes,
        features=tuple(located.features[gene] for gene in genes),
        panel={name: _panel_set(registry, name, located) for name in names},
        axes={axis.set_id: _axis_set(axis, located) for axis in axis_sets},
        profiles=_profile_set(registry, located),
        background=float("nan"),
        arrays={},
        floored=(),
        cutoffs={},
        type_cutoffs=(float("nan"), float("nan")),
    )
    if not blank.refusal:
        blank = replace(blank, arrays={"profiles": profiles_of(registry, blank.profiles.genes)})
    return learnt(blank, values, controls)


def learnt(blank: Reference, values: np.ndarray, controls: Controls) -> tuple[Reference, tuple[str, ...]]:
    """Add what controls teach to a reference that only knows its genes; outlying controls as in `fit_reference`.

    Parameters
    ----------
    blank
        Settings, kind, genes, sets and response profiles; with a refusal it is returned as it is.
    values
        Of the controls (controls x its universe).
    controls
        Their names, in the order of the rows.
    """
    if blank.refusal:
        return blank, ()
    everybody = _with_controls(blank, values)
    found = _outlying(everybody, values)
    apart = tuple(controls.samples[position] for position in found)
    if not apart or blank.settings.outlying_controls != EXCLUDE:
        return everybody, apart
    kept = np.delete(np.arange(len(values)), found)
    without = _with_controls(replace(blank, n_controls=len(kept)), values[kept])
    return replace(without, excluded=len(found), everybody=everybody), apart


def _outlying(everybody: Reference, values: np.ndarray) -> np.ndarray:
    """Return the positions of the controls that stand far above the others."""
    gene_set = everybody.panel[everybody.settings.signature]
    if everybody.refusal or gene_set.coverage < FEWEST_GENES:
        return np.array([], dtype=int)
    members = everybody.positions(gene_set)
    genes = control_genes(everybody, values)[:, members]
    location, scale = (everybody.arrays[f"{what}.zscore"][members, None] for what in ("location", "scale"))
    return outlying(zscore(genes, location, scale, np.array(gene_set.weights), everybody.kind)[:, 0])


def control_genes(reference: Reference, values: np.ndarray) -> np.ndarray:
    """Return the log2 values of a reference's genes (controls x genes) from values of its whole universe."""
    column = {feature: position for position, feature in enumerate(reference.universe)}
    of_sets = np.array([column[feature] for feature in reference.features], dtype=int)
    factors = None
    if reference.kind == COUNTS:
        factors = expression.size_factors(values, reference.arrays["log_geometric_means"])
    return expression.log2_values(values[:, of_sets], reference.kind, factors)


def _check_names(settings: Settings) -> None:
    problems = [
        Problem("config", f"interferon: {key}", given, f"one of {', '.join(known)}", "Correct the name.", code="IN-183")
        for key, given, known in (("method", settings.method, METHODS), ("cutoff", settings.cutoff, RULES))
        if given not in known
    ]
    if problems:
        raise InputError(problems)


def _locate(
    data: ad.AnnData,
    control_values: np.ndarray,
    registry: Registry,
    names: Sequence[str],
    axis_sets: Sequence[AxisSet],
) -> expression.Located:
    """Find the genes of all sets among the features that every control has a value of."""
    wanted = {symbol: "" for axis in axis_sets for symbol in axis.symbols}
    wanted |= {gene.symbol: gene.ensembl_id for gene in registry.profiles}
    wanted |= expression.wanted_genes(registry, names)
    measured = np.isfinite(control_values).all(axis=0)
    located = expression.locate_genes(data.var, wanted, registry.aliases)
    usable = set(data.var_names[measured])
    features = {gene: feature for gene, feature in located.features.items() if feature in usable}
    unmeasured = {
        gene: f"{gene} has missing values among the controls" for gene in located.features if gene not in features
    }
    return expression.Located(features, dict(located.ambiguous) | unmeasured)


def _panel_set(registry: Registry, name: str, located: expression.Located) -> GeneSet:
    record = registry.signature(name)
    weights = {gene.symbol: gene.weight for gene in record.genes}
    return _gene_set(name, record.ifn_type, record.verified, weights, located)


def _axis_set(axis: AxisSet, located: expression.Located) -> GeneSet:
    return _gene_set(axis.set_id, "", axis.verified, dict.fromkeys(axis.symbols, 1.0), located)


def _profile_set(registry: Registry, located: expression.Located) -> GeneSet:
    return _gene_set(PROFILES, "", True, {gene.symbol: 1.0 for gene in registry.profiles}, located)


def profiles_of(registry: Registry, genes: Sequence[str]) -> np.ndarray:
    """Return the profiles of type I and type II (2 x genes), each with a mean of one over all genes of its table."""
    table = {gene.symbol: (gene.type_i, gene.type_ii) for gene in registry.profiles}
    every = np.array(list(table.values()))
    return (np.array([table[gene] for gene in genes]).reshape(-1, 2) / every.mean(axis=0)).T


def _gene_set(
    name: str, ifn_type: str, verified: bool, weights: Mapping[str, float], located: expression.Located
) -> GeneSet:
    found = tuple(gene for gene in sorted(weights) if gene in located.features)
    unclear = tuple(gene for gene in sorted(weights) if gene in located.ambiguous)
    return GeneSet(
        name=name,
        ifn_type=ifn_type,
        verified=verified,
        genes=found,
        weights=tuple(weights[gene] for gene in found),
        total=len(weights),
        missing=tuple(gene for gene in sorted(weights) if gene not in found and gene not in unclear),
        ambiguous=tuple(located.ambiguous[gene] for gene in unclear),
    )


def _with_controls(blank: Reference, values: np.ndarray) -> Reference:
    """Add locations, scales, cut-offs and type cut-offs to a reference that only knows its genes."""
    arrays = dict(blank.arrays)
    factors = None
    if blank.kind == COUNTS:
        log_means = expression.log_geometric_means(values)
        if np.isfinite(log_means).sum() < FEWEST_SIZE_FACTOR_GENES:
            few = f"fewer than {FEWEST_SIZE_FACTOR_GENES} genes were counted in every control: no size factors"
            return replace(blank, refusal=few)
        arrays["log_geometric_means"] = log_means
        factors = expression.size_factors(values, log_means)
    log2 = expression.log2_values(values, blank.kind, factors)
    column = {feature: position for position, feature in enumerate(blank.universe)}
    of_sets = np.array([column[feature] for feature in blank.features], dtype=int)
    floor = sd_floor(log2, of_sets)
    reference = replace(blank, background=expression.background(log2, blank.kind))
    genes = log2[:, of_sets]
    cutoffs: dict[tuple[str, str], Cutoff] = {}
    rows = resample_controls(len(values), blank.settings.bootstraps, blank.settings.seed)
    arrays["sd_floor"] = floor
    ranks = average_ranks(values)
    for method in METHODS.values():
        if isinstance(method, ControlMethod):
            cutoffs |= _fit_control_method(reference, method, genes, floor, rows, arrays)
        else:
            cutoffs |= _fit_rank_method(reference, method, ranks, column, rows, arrays)
    return replace(
        reference,
        arrays=arrays,
        floored=tuple(
            gene for gene, low in zip(reference.genes, genes.std(axis=0, ddof=1) < floor, strict=True) if low
        ),
        cutoffs=cutoffs,
        type_cutoffs=_type_cutoffs(reference, genes, arrays),
    )


def sd_floor(log2: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the smallest SD that a gene is given.

    The 20th centile of the control SDs of the 200 genes of nearest mean (fewer at the ends), and at least 0.1 log2:
    a gene that happens not to vary among the controls would otherwise rule the score.

    Parameters
    ----------
    log2
        Controls x genes.
    wanted
        Positions of the genes that need a floor.
    """
    mean, sd = log2.mean(axis=0), log2.std(axis=0, ddof=1)
    order = np.argsort(mean, kind="stable")
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    sorted_sd = sd[order]
    floor = np.full(len(wanted), SMALLEST_FLOOR)
    for number, gene in enumerate(wanted):
        near = sorted_sd[max(0, place[gene] - NEIGHBOURS) : place[gene] + NEIGHBOURS + 1]
        near = near[np.isfinite(near)]
        if len(near):
            floor[number] = max(SMALLEST_FLOOR, np.percentile(near, FLOOR_CENTILE))
    return floor


def _fit_control_method(
    reference: Reference,
    method: ControlMethod,
    genes: np.ndarray,
    floor: np.ndarray,
    rows: np.ndarray,
    arrays: dict[str, np.ndarray],
) -> dict[tuple[str, str], Cutoff]:
    """Add a method's location and scale to `arrays`; return its cut-offs."""
    prepared = method.prepare(genes, reference.background)
    location, scale = method.fit(prepared)
    scale = np.maximum(scale, floor) if method.floors_scale else scale
    arrays[f"location.{method.name}"], arrays[f"scale.{method.name}"] = location, scale
    widened = widen(prepared)
    boot_location, boot_scale = resampled_reference(method, widened, rows, floor)
    chosen = method.name == reference.settings.method
    true_location, true_scale = plausible_reference(location, scale, boot_location, boot_scale)
    if chosen:
        arrays["boot_location"], arrays["boot_scale"] = true_location, true_scale
    cutoffs = {}
    for gene_set in _with_cutoff(reference):
        members, weights = reference.positions(gene_set), np.array(gene_set.weights)
        here = (location[members, None], scale[members, None])
        rule = RULES[reference.settings.cutoff]
        scores = method.score(prepared[:, members], *here, weights, reference.kind)[:, 0]
        resampled = (boot_location[members], boot_scale[members])
        boot_scores = method.score(widened[:, members], *resampled, weights, reference.kind)
        boot = plausible_cutoffs(rule, scores, boot_scores, rows)
        on_run_scale = boot
        if method.even_profile:
            profile = method.even_profile(boot, true_location[members], true_scale[members]).T
            on_run_scale = method.score(profile, *here, weights, reference.kind)[:, 0]
        cutoffs[gene_set.name, method.name] = summarise(rule, scores, on_run_scale)
        if chosen:
            arrays[f"boot_cutoff.{gene_set.name}"] = boot
    return cutoffs


def _fit_rank_method(
    reference: Reference,
    method: RankMethod,
    ranks: np.ndarray,
    column: Mapping[str, int],
    rows: np.ndarray,
    arrays: dict[str, np.ndarray],
) -> dict[tuple[str, str], Cutoff]:
    """Return a rank method's cut-offs; its scores owe nothing to the controls."""
    feature = dict(zip(reference.genes, reference.features, strict=True))
    rule = RULES[reference.settings.cutoff]
    cutoffs = {}
    for gene_set in _with_cutoff(reference):
        scores = method.score(ranks, np.array([column[feature[gene]] for gene in gene_set.genes]))
        if not np.isfinite(scores).all():
            continue
        boot = plausible_cutoffs(rule, scores, widen(scores)[:, None], rows)
        cutoffs[gene_set.name, method.name] = summarise(rule, scores, boot)
        if method.name == reference.settings.method:
            arrays[f"boot_cutoff.{gene_set.name}"] = boot
    return cutoffs


def _with_cutoff(reference: Reference) -> list[GeneSet]:
    """Return the panel's sets that can have a cut-off: enough genes, and enough controls for the rule."""
    if reference.controls_found < RULES[reference.settings.cutoff].min_controls:
        return []
    return [gene_set for gene_set in reference.panel.values() if gene_set.coverage >= FEWEST_GENES]


def _type_cutoffs(reference: Reference, genes: np.ndarray, arrays: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Return the cut-offs of the amounts of type I and type II response, from the controls."""
    if len(reference.profiles.genes) < FEWEST_PROFILE_GENES:
        return float("nan"), float("nan")
    members = reference.positions(reference.profiles)
    one, two = control_cutoffs(arrays["profiles"], arrays["scale.zscore"][members], genes[:, members])
    return float(one), float(two)
