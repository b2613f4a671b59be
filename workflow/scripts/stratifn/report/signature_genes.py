"""The genes of the deciding signature in each person, compared with the controls."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import anndata as ad
import numpy as np
import pandas as pd

# an SD of a gene over the controls that says something
FEWEST_CONTROLS = 3


def signature_expression(data: ad.AnnData, genes: Sequence[str]) -> pd.DataFrame:
    """Return the normalised values of some genes: samples x genes found.

    Parameters
    ----------
    data
        The normalised view of gene expression; ``var["gene_name"]`` holds current symbols.
    genes
        Current symbols; one that no row of the matrix has, or several have, is left out.
    """
    names = data.var["gene_name"].astype(str).to_numpy() if "gene_name" in data.var else data.var_names.to_numpy()
    columns = {gene: rows[0] for gene in genes if len(rows := np.flatnonzero(names == gene)) == 1}
    values = data.X[:, list(columns.values())] if columns else np.empty((data.n_obs, 0))
    dense = values.toarray() if hasattr(values, "toarray") else values
    return pd.DataFrame(np.asarray(dense, dtype=float), index=data.obs_names, columns=list(columns))


def against_controls(expression: pd.DataFrame, controls: Collection[str]) -> pd.DataFrame:
    """Return each gene as its distance from the controls' mean in SDs of the controls.

    Parameters
    ----------
    expression
        Samples x genes.
    controls
        Samples; without `FEWEST_CONTROLS` of them there are no columns, and a gene that is the same in all of them
        has none.
    """
    of_controls = expression.loc[expression.index.isin(list(controls))]
    if len(of_controls) < FEWEST_CONTROLS:
        return expression.iloc[:, :0]
    sd = of_controls.std(ddof=1)
    kept = sd.index[sd > 0]
    return (expression[kept] - of_controls[kept].mean()) / sd[kept]
