"""The interferon methylation score: loss of methylation at CpGs of interferon-stimulated genes.

Minus the mean z of M-values against the controls, over the verified CpGs in IFI44L, RSAD2, PARP9, PLSCR1 and CMPK2
(PMC6688520 table 1; doi:10.3390/genes12121898); after the score of Imgenberg-Kreuz 2021
(doi:10.3389/fimmu.2021.702037). High means like high expression.
"""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd

from stratifn.interferon import expression
from stratifn.interferon.cells import PEOPLE_PER_COVARIATE, leading_components
from stratifn.registry.signatures import Registry
from stratifn.shared.columns import columns_of

METHYLATION_COLUMNS = columns_of("interferon/methylation.tsv")
# SD of M-values below which a CpG is held not to vary among the controls
SD_FLOOR = 0.1
FEWEST_CPGS = 3


def methylation_table(
    m_values: ad.AnnData,
    controls: list[str],
    refusal: str,
    registry: Registry,
    cells: ad.AnnData | None = None,
) -> pd.DataFrame:
    """Return `methylation.tsv`, one row per sample of the methylation view.

    Parameters
    ----------
    m_values
        M-values (samples x CpGs).
    controls
        Sample ids of the controls.
    refusal
        Why there is no reference (`controls.Controls.refusal`); empty when there is one.
    registry
        Names the CpGs.
    cells
        Centred log-ratios of cell proportions (samples x cell types), or None.

    Notes
    -----
    The adjusted score takes away what the leading components of cell composition explain *among the controls*, so that
    it too owes nothing to other patients. It is missing where cells are, and with fewer than ten controls with cells.
    """
    wanted = sorted(cpg.cpg for cpg in registry.cpgs if cpg.in_score)
    found = [cpg for cpg in wanted if cpg in m_values.var_names]
    missing = [cpg for cpg in wanted if cpg not in found]
    of_controls = [name for name in controls if name in m_values.obs_names]
    table = pd.DataFrame(
        {
            "sample": m_values.obs_names,
            "score": np.nan,
            "score_adjusted": np.nan,
            "cpgs_found": len(found),
            "cpgs_total": len(wanted),
            "status": "NA",
            "reason": _refusal(refusal, of_controls, len(found), len(wanted)),
        }
    )
    if table["reason"].any() or table.empty:
        return table.sort_values("sample", ignore_index=True)[list(METHYLATION_COLUMNS)]
    is_control = table["sample"].isin(of_controls).to_numpy()
    table["score"] = cpg_score(expression.dense(m_values[:, found]), is_control)
    adjusted, why = _adjusted(table, is_control, cells)
    table["score_adjusted"] = adjusted
    table["status"] = np.where(table["score"].notna(), "partial" if missing else "ok", "NA")
    absent = f"CpGs missing from the array: {' '.join(missing)}" if missing else ""
    table["reason"] = "; ".join(filter(None, [absent, why]))
    table.loc[table["score"].isna(), "reason"] = "the sample lacks values at these CpGs"
    return table.sort_values("sample", ignore_index=True)[list(METHYLATION_COLUMNS)]


def _refusal(refusal: str, controls: list[str], found: int, total: int) -> str:
    if refusal:
        return refusal
    if len(controls) < FEWEST_CPGS:
        return f"{len(controls)} controls with methylation data"
    return "" if found >= FEWEST_CPGS else f"{found} of {total} CpGs on the array"


def cpg_score(m_values: np.ndarray, is_control: np.ndarray) -> np.ndarray:
    """Return minus the mean z against the controls (samples); CpGs that a sample lacks are left out of its mean.

    Parameters
    ----------
    m_values
        Samples x CpGs, NaN where missing.
    is_control
        Boolean per sample.
    """
    mean = np.nanmean(m_values[is_control], axis=0)
    sd = np.maximum(np.nanstd(m_values[is_control], axis=0, ddof=1), SD_FLOOR)
    z = (m_values - mean) / sd
    measured = np.isfinite(z)
    enough = measured.sum(axis=1) >= max(FEWEST_CPGS, z.shape[1] / 2)
    total = np.where(measured, z, 0.0).sum(axis=1)
    return np.where(enough, -total / np.maximum(measured.sum(axis=1), 1), np.nan)


def _adjusted(table: pd.DataFrame, is_control: np.ndarray, cells: ad.AnnData | None) -> tuple[np.ndarray, str]:
    """Return scores less what composition explains among the controls, and why there are none."""
    nothing = np.full(len(table), np.nan)
    if cells is None:
        return nothing, "not adjusted: no cell proportions"
    ratios = pd.DataFrame(expression.dense(cells), index=cells.obs_names).reindex(table["sample"]).to_numpy()
    complete = np.isfinite(ratios).all(axis=1) & table["score"].notna().to_numpy()
    fitted_on = (is_control & complete)[complete]
    if fitted_on.sum() < PEOPLE_PER_COVARIATE:
        return nothing, f"not adjusted: {fitted_on.sum()} controls with cell proportions"
    components = leading_components(ratios[complete], fitted_on)
    score = table["score"].to_numpy()[complete]
    design = np.column_stack([np.ones(fitted_on.sum()), components[fitted_on]])
    effects = np.linalg.lstsq(design, score[fitted_on], rcond=None)[0]
    nothing[complete] = score - components @ effects[1:]
    return nothing, f"adjusted for {components.shape[1]} components of cell composition, fitted among the controls"
