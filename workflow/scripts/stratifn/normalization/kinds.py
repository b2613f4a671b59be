"""The kinds of views and what normalization does to each: one record per kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anndata as ad
import pandas as pd

from stratifn.normalization.counts import CountsTransform, fit_counts
from stratifn.normalization.frozen import FrozenTransform
from stratifn.normalization.scales import (
    BetaTransform,
    ConcentrationTransform,
    ContinuousTransform,
    ProportionTransform,
    fit_beta,
    fit_concentration,
    fit_continuous,
    fit_proportion,
)
from stratifn.normalization.task import Task
from stratifn.shared.vocabulary import BETA, CONCENTRATION, CONTINUOUS, COUNTS, PROPORTION


@dataclass(frozen=True)
class ViewKind:
    """How one kind of view is normalised.

    Attributes
    ----------
    name
        The config's `kind`.
    what
        What is done, in the words of a methods section.
    reference
        Its sources.
    unit
        Unit of the transformed values, for axes.
    frozen
        Class of the transform.
    fit
        Learns the transform from the training samples and returns it with its notes.
    """

    name: str
    what: str
    reference: str
    unit: str
    frozen: type[FrozenTransform]
    fit: Callable[[ad.AnnData, Task], tuple[FrozenTransform, pd.DataFrame]]


KINDS: dict[str, ViewKind] = {
    kind.name: kind
    for kind in (
        ViewKind(
            COUNTS,
            "Size factors by DESeq2's median of ratios over all genes, then the variance stabilizing transformation "
            "with a dispersion trend that is blind to the design.",
            "Love, Huber & Anders 2014, doi:10.1186/s13059-014-0550-8; "
            "Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106",
            "VST (log2)",
            CountsTransform,
            fit_counts,
        ),
        ViewKind(
            BETA,
            "Methylation fractions were turned into M-values, log2(beta / (1 - beta)), after clipping to "
            "[0.001, 0.999].",
            "Du et al. 2010, doi:10.1186/1471-2105-11-587",
            "M-value",
            BetaTransform,
            fit_beta,
        ),
        ViewKind(
            PROPORTION,
            "Centred log-ratio (natural logarithm); a zero is replaced by half of the smallest positive value of the "
            "part in the training samples.",
            "Aitchison 1982, doi:10.1111/j.2517-6161.1982.tb01195.x; "
            "Martin-Fernandez et al. 2003, doi:10.1023/A:1023866030544",
            "centred log-ratio",
            ProportionTransform,
            fit_proportion,
        ),
        ViewKind(
            CONCENTRATION,
            "log2; values below the limit of detection are replaced by the limit over the square root of two, "
            "missing values stay missing.",
            "Hornung & Reed 1990, doi:10.1080/1047322X.1990.10389587",
            "log2 concentration",
            ConcentrationTransform,
            fit_concentration,
        ),
        ViewKind(
            CONTINUOUS,
            "Used as it is (already on a log or normal scale).",
            "none",
            "as given",
            ContinuousTransform,
            fit_continuous,
        ),
    )
}
