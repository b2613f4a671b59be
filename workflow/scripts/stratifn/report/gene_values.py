"""Values of the interferon-stimulated genes that the report draws, against the controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stratifn.registry.knowledge import load_knowledge
from stratifn.registry.signatures import Registry
from stratifn.shared.vocabulary import TYPE_I

if TYPE_CHECKING:
    import anndata as ad

# of log2 expression: below it a gene hardly varies, and noise would look like a response
SMALLEST_SD = 0.1
# fewer say nothing of how a gene varies
FEWEST_FOR_SD = 3


@dataclass(frozen=True)
class GeneValues:
    """Normalised log2 expression of interferon-stimulated genes.

    Attributes
    ----------
    values
        Samples x symbols: the deciding signature, then the other genes of the published type I signatures.
    signature
        Symbols of the deciding signature that are among them.
    """

    values: pd.DataFrame = field(default_factory=pd.DataFrame)
    signature: tuple[str, ...] = ()

    def against(self, samples: Sequence[str]) -> pd.DataFrame:
        """Return z-scores: differences from the mean of some samples in units of their SD (at least `SMALLEST_SD`).

        Empty where these are too few.
        """
        chosen = self.values.reindex(list(samples)).dropna(how="all")
        if len(chosen) < FEWEST_FOR_SD:
            return self.values.iloc[:0]
        return (self.values - chosen.mean()) / chosen.std(ddof=1).clip(lower=SMALLEST_SD)

    def leading(self, z: pd.DataFrame, samples: Sequence[str], others: int, most: int) -> tuple[list[str], list[str]]:
        """Choose the genes to draw, each part with the strongest first.

        Parameters
        ----------
        z
            From `against`.
        samples
            Whose mean orders the genes.
        others
            How many genes beside the signature at most.
        most
            How many genes at most in all.

        Returns
        -------
        tuple
            Symbols of the signature, and others.
        """
        order = z.reindex(list(samples)).mean().sort_values(ascending=False, kind="stable").dropna().index
        own = [gene for gene in order if gene in self.signature][:most]
        return own, [gene for gene in order if gene not in self.signature][: min(others, most - len(own))]


def gene_values(data: ad.AnnData, settings: Mapping[str, Any]) -> GeneValues:
    """Take the genes out of the normalised view of expression.

    Parameters
    ----------
    data
        The view.
    settings
        The section ``interferon`` of the configuration.
    """
    registry = load_knowledge(settings["signature_files"]).registry
    wanted = _wanted(registry, settings["signature"])
    found = _located(data.var, wanted, registry)
    columns = data[:, list(found.values())].X
    dense = columns.toarray() if hasattr(columns, "toarray") else np.asarray(columns)
    values = pd.DataFrame(dense.astype(float), index=data.obs_names.astype(str), columns=list(found))
    signature = registry.signature(settings["signature"]).symbols
    return GeneValues(values, tuple(gene for gene in signature if gene in found))


def _wanted(registry: Registry, deciding: str) -> dict[str, str]:
    """Return symbol to Ensembl id, the deciding signature first."""
    type_i = [name for name in registry.default_panel if registry.signature(name).ifn_type == TYPE_I]
    return {gene.symbol: gene.ensembl_id for name in (deciding, *type_i) for gene in registry.signature(name).genes}


def _located(features: pd.DataFrame, wanted: Mapping[str, str], registry: Registry) -> dict[str, str]:
    """Return symbol to feature for the genes that one feature alone is: by its Ensembl id, else by its symbol."""
    names = features["gene_name"] if "gene_name" in features else pd.Series(features.index, features.index)
    symbols = pd.Series(registry.resolve(names.astype(str)).current, index=features.index)
    ids = features.index.str.replace(r"\.\d+$", "", regex=True)
    found = {}
    for symbol, ensembl in wanted.items():
        by_id = features.index[ids == ensembl] if ensembl else features.index[:0]
        rows = by_id if len(by_id) else features.index[(symbols == symbol).to_numpy()]
        if len(rows) == 1:
            found[symbol] = str(rows[0])
    return found
