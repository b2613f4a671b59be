"""The reference: everything that scoring one person needs, learnt from the controls alone and then frozen.

It holds summaries (means, SDs, cut-offs, their resamples), never a single control's values, and goes to disk as plain
values plus named arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stratifn.interferon.cutoffs import NO_CUTOFF, Cutoff
from stratifn.interferon.settings import Settings

# before the names of the arrays of the reference with everybody kept
EVERYBODY = "everybody."
# the name of the genes of the response profiles among the sets of a reference
PROFILES = "response profiles"


@dataclass(frozen=True)
class GeneSet:
    """A signature (or axis set) as this matrix can score it.

    Attributes
    ----------
    name, ifn_type, verified
        From the registry; ``ifn_type`` is empty for an axis set.
    genes, weights
        Symbols found and their weights.
    total
        Genes that the set has.
    missing, ambiguous
        Symbols that are not in the matrix, and sentences on those that are ambiguous.
    """

    name: str
    ifn_type: str
    verified: bool
    genes: tuple[str, ...]
    weights: tuple[float, ...]
    total: int
    missing: tuple[str, ...]
    ambiguous: tuple[str, ...]

    @property
    def coverage(self) -> float:
        """Share of the genes that were found."""
        return len(self.genes) / self.total


@dataclass(frozen=True)
class Reference:
    """Frozen knowledge about the controls.

    Attributes
    ----------
    settings, kind
        The config's section and the kind of the matrix (``counts`` or ``continuous``).
    n_controls, refusal
        Controls that the reference rests on, and why nothing is scored against them (empty when it is).
    universe
        Feature ids of the matrix, in order: what ranks and size factors are taken over.
    genes, features
        Symbols that any set uses, sorted, and their feature ids.
    panel, axes
        The sets that are scored, by name.
    profiles
        The genes of the response profiles.
    background
        log2 value below which a gene is not distinguished from background.
    arrays
        Named arrays: ``log_geometric_means`` (universe), ``sd_floor`` (genes), ``location.<method>`` and
        ``scale.<method>`` (genes), ``boot_location`` and ``boot_scale`` (genes x resamples, for the chosen method),
        ``boot_cutoff.<signature>`` (resamples), ``profiles`` (type I and type II x genes of `profiles`).
    floored
        Genes whose control SD was raised to the floor.
    cutoffs
        By (signature, method).
    type_cutoffs
        Of the amounts of type I and type II response; NaN where there is none.
    excluded
        How many outlying controls were left out.
    everybody
        The reference with them; None where nobody was left out.
    """

    settings: Settings
    kind: str
    n_controls: int
    refusal: str
    universe: tuple[str, ...]
    genes: tuple[str, ...]
    features: tuple[str, ...]
    panel: Mapping[str, GeneSet]
    axes: Mapping[str, GeneSet]
    profiles: GeneSet
    background: float
    arrays: Mapping[str, np.ndarray]
    floored: tuple[str, ...]
    cutoffs: Mapping[tuple[str, str], Cutoff]
    type_cutoffs: tuple[float, float]
    excluded: int = 0
    everybody: Reference | None = None

    @property
    def controls_found(self) -> int:
        """Size of the control group, with the controls that were left out."""
        return self.n_controls + self.excluded

    def positions(self, gene_set: GeneSet) -> np.ndarray:
        """Return where a set's genes lie in `genes`."""
        index = {gene: position for position, gene in enumerate(self.genes)}
        return np.array([index[gene] for gene in gene_set.genes], dtype=int)

    def cutoff(self, signature: str, method: str) -> Cutoff:
        """Return a cut-off; all NaN where there is none."""
        return self.cutoffs.get((signature, method), NO_CUTOFF)


def to_parts(reference: Reference) -> tuple[dict, dict[str, np.ndarray]]:
    """Split a reference into values for JSON and named arrays (for ``.npz``)."""
    arrays, everybody = dict(reference.arrays), None
    if reference.everybody is not None:
        everybody, with_everybody = to_parts(reference.everybody)
        arrays |= {f"{EVERYBODY}{name}": array for name, array in with_everybody.items()}
    values = {
        "settings": reference.settings.as_dict(),
        "kind": reference.kind,
        "n_controls": reference.n_controls,
        "refusal": reference.refusal,
        "universe": list(reference.universe),
        "genes": list(reference.genes),
        "features": list(reference.features),
        "panel": [vars(gene_set) for gene_set in reference.panel.values()],
        "axes": [vars(gene_set) for gene_set in reference.axes.values()],
        "profiles": vars(reference.profiles),
        "background": reference.background,
        "floored": list(reference.floored),
        "cutoffs": [
            {"signature": signature, "method": method} | vars(cutoff)
            for (signature, method), cutoff in reference.cutoffs.items()
        ],
        "type_cutoffs": list(reference.type_cutoffs),
        "excluded": reference.excluded,
        "everybody": everybody,
    }
    return {key: _jsonable(value) for key, value in values.items()}, arrays


def from_parts(values: Mapping, arrays: Mapping[str, np.ndarray]) -> Reference:
    """Put a reference together again from `to_parts`."""
    cutoffs = {
        (row["signature"], row["method"]): Cutoff(
            **{key: _number(row[key]) for key in ("mean", "sd", "cutoff", "cutoff_low", "cutoff_high")}
        )
        for row in values["cutoffs"]
    }
    own = {name: np.asarray(array) for name, array in arrays.items() if not name.startswith(EVERYBODY)}
    with_everybody = {
        name.removeprefix(EVERYBODY): array for name, array in arrays.items() if name.startswith(EVERYBODY)
    }
    reference = Reference(
        settings=Settings.from_config(values["settings"]),
        kind=values["kind"],
        n_controls=values["n_controls"],
        refusal=values["refusal"],
        universe=tuple(values["universe"]),
        genes=tuple(values["genes"]),
        features=tuple(values["features"]),
        panel={row["name"]: _gene_set(row) for row in values["panel"]},
        axes={row["name"]: _gene_set(row) for row in values["axes"]},
        profiles=_gene_set(values["profiles"]),
        background=_number(values["background"]),
        arrays=own,
        floored=tuple(values["floored"]),
        cutoffs=cutoffs,
        type_cutoffs=(_number(values["type_cutoffs"][0]), _number(values["type_cutoffs"][1])),
        excluded=int(values["excluded"]),
        everybody=from_parts(values["everybody"], with_everybody) if values["everybody"] else None,
    )
    _require_fit(reference)
    return reference


def _require_fit(reference: Reference) -> None:
    """Refuse arrays that are not of the genes beside them: the file is somebody else's."""
    sets = (*reference.panel.values(), *reference.axes.values(), reference.profiles)
    named = {gene for gene_set in sets for gene in gene_set.genes}
    if not named <= set(reference.genes) or not set(reference.features) <= set(reference.universe):
        raise ValueError("sets of genes that the reference does not have")
    genes = len(reference.genes)
    lengths = {"log_geometric_means": len(reference.universe), "profiles": 2}
    lengths |= dict.fromkeys(("sd_floor", "boot_location", "boot_scale"), genes)
    for name, array in reference.arrays.items():
        wanted = lengths.get(name, genes if name.startswith(("location.", "scale.")) else None)
        if array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or wanted not in (None, len(array)):
            raise ValueError(f"the array {name} is not one of numbers for each gene")


def _gene_set(row: Mapping) -> GeneSet:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return GeneSet(**fields)


def _jsonable(value: object) -> object:
    """Turn tuples into lists and NaN, which JSON does not know, into None."""
    if isinstance(value, Mapping):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
