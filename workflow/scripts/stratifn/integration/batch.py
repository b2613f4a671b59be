"""A known batch taken out of a view before the model sees it, only on request.

A linear model of batch and of what must be kept (disease), fitted per feature on its observed values; the batch part
is subtracted, its effects summing to zero over the batches (limma's ``removeBatchEffect``, Ritchie et al. 2015,
doi:10.1093/nar/gkv007). Where batch and disease are confounded, the two parts cannot be told apart and the request is
refused. A sample of another batch cannot be corrected afterwards: a model on corrected views is for its own cohort.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stratifn.shared.errors import InputError, Problem, listed
from stratifn.shared.samples import is_number

if TYPE_CHECKING:
    import anndata as ad

# singular values below this share of the largest count as zero
RANK_TOLERANCE = 1e-8


def without_batch(
    views: Mapping[str, ad.AnnData], samples: pd.DataFrame, batch: str, protected: tuple[str, ...]
) -> dict[str, ad.AnnData]:
    """Return the views with a batch regressed out of each.

    Parameters
    ----------
    views
        View name to AnnData.
    samples
        The cohort, with the columns of the batch and of what is protected.
    batch, protected
        Names of columns.

    Raises
    ------
    InputError
        A column that is not there; see `regress_out`.
    """
    absent = [column for column in (batch, *protected) if column not in samples]
    if absent:
        raise InputError(
            f"integration: the sample sheet has no column {' or '.join(absent)} to regress out or protect."
        )
    sheet = samples.set_index("sample")
    corrected = {}
    for view, data in views.items():
        part = data[data.obs_names.isin(sheet.index)].copy()
        of_view = sheet.loc[part.obs_names]
        values = np.asarray(part.X.toarray() if hasattr(part.X, "toarray") else part.X, dtype=float)
        part.X = regress_out(values, of_view[batch], of_view[list(protected)])
        corrected[view] = part
    return corrected


def regress_out(values: np.ndarray, batch: pd.Series, protected: pd.DataFrame) -> np.ndarray:
    """Subtract the effects of a batch from a view.

    Parameters
    ----------
    values
        Samples x features, NaN where missing.
    batch
        The batch of each sample.
    protected
        What is kept, one column per variable: numbers, or labels as text.

    Returns
    -------
    numpy.ndarray
        Samples x features; samples without any value stay missing.

    Raises
    ------
    InputError
        The batch or a protected variable is missing for a sample, there is one batch only, or a batch cannot be told
        apart from what is protected.
    """
    _require_complete(batch, protected)
    corrected = values.copy()
    for columns, rows in _patterns(values):
        if not rows.any():
            continue
        kept, effects = _design(batch[rows], protected.loc[rows])
        design = np.hstack([kept, effects])
        _require_separable(design, batch, protected)
        coefficients = np.linalg.lstsq(design, values[np.ix_(rows, columns)], rcond=None)[0]
        corrected[np.ix_(rows, columns)] -= effects @ coefficients[kept.shape[1] :]
    return corrected


def require_separable_batches(batch: pd.Series, protected: pd.DataFrame) -> None:
    """Refuse a batch that cannot be regressed out of any view in which these samples are measured.

    Parameters
    ----------
    batch, protected
        As for `regress_out`.

    Raises
    ------
    InputError
        As `regress_out`.
    """
    _require_complete(batch, protected)
    _require_separable(np.hstack(_design(batch, protected)), batch, protected)


def require_separable_features(view: ad.AnnData, batch: pd.Series, protected: pd.DataFrame) -> None:
    """Refuse a batch that cannot be regressed out of some feature, which may be measured in few of the samples.

    Parameters
    ----------
    view
        Samples x features, NaN where missing.
    batch, protected
        As for `regress_out`, of the samples of the view.

    Raises
    ------
    InputError
        As `regress_out`; it names the first such features.
    """
    values = np.asarray(view.X)
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return
    for columns, rows in _patterns(values):
        if rows.any():
            names = listed(view.var_names[columns], 3)
            where = f" in the samples that have {names}"
            _require_separable(np.hstack(_design(batch[rows], protected.loc[rows])), batch, protected, where)


def _require_complete(batch: pd.Series, protected: pd.DataFrame) -> None:
    table = protected.assign(**{str(batch.name): batch})
    problems = [
        Problem(
            "samples",
            f"column {column}",
            f"{int(table[column].isna().sum())} missing values",
            "a value for every sample when a batch is regressed out",
            "Fill them in, or leave these samples out.",
            code="IN-204",
        )
        for column in table.columns
        if table[column].isna().any()
    ]
    if batch.nunique() < 2:
        problems.append(
            Problem(
                "samples", f"column {batch.name}", "one batch", "at least two", "Do not regress it out.", code="IN-205"
            )
        )
    if problems:
        raise InputError(problems)


def _patterns(values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Group the features that are observed in the same samples: (positions of features, mask of samples)."""
    observed = ~np.isnan(values)
    first, group = np.unique(np.packbits(observed, axis=0), axis=1, return_index=True, return_inverse=True)[1:]
    group = group.ravel()
    return [(np.flatnonzero(group == g), observed[:, position]) for g, position in enumerate(first)]


def _design(batch: pd.Series, protected: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return intercept with the protected variables, and the batch effects, which sum to zero."""
    kept = [np.ones((len(batch), 1))]
    for column in protected.columns:
        values = protected[column]
        if is_number(values):
            kept.append((values - values.mean()).to_numpy(dtype=float)[:, None])
        else:
            kept.append(pd.get_dummies(values.astype(str), drop_first=True).to_numpy(dtype=float))
    indicators = pd.get_dummies(batch.astype(str)).to_numpy(dtype=float)
    return np.hstack(kept), indicators[:, :-1] - indicators[:, [-1]]


def _require_separable(design: np.ndarray, batch: pd.Series, protected: pd.DataFrame, where: str = "") -> None:
    singular = np.linalg.svd(design, compute_uv=False)
    rank = int((singular > RANK_TOLERANCE * singular[0]).sum())
    if rank < design.shape[1]:
        remedy = "Remove these features, or do not" if where else "Do not"
        raise InputError(
            Problem(
                "samples",
                f"column {batch.name}",
                f"batches that cannot be told apart from {' and '.join(protected.columns)}{where}",
                "more than one disease in each batch, so that the two effects can be separated",
                f"{remedy} regress the batch out; interpret factors that follow it with care.",
                code="IN-206",
            )
        )
