"""The label of each stratum, and the evidence for it.

`LABEL_RULES` is the one place that defines the rules. ``healthy-like`` is given first, by where the controls are. Each
other stratum gets the label whose evidence is strongest, if any is strong enough, and else its plain number. The
evidence is the AUC of a score in the stratum against all other samples: the chance that a patient of the stratum
scores higher than another one. Two strata may have the same label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from stratifn.shared.claims import CLAIMS, bound_of
from stratifn.shared.statistics import auc_of_ranks
from stratifn.shared.vocabulary import CLASSES, HEALTHY_LIKE, HIGH, INFLAMMATORY, INTERFERON, LYMPHOID

if TYPE_CHECKING:
    import anndata as ad

# fewer samples on either side give no AUC
MIN_SIDE = 3


@dataclass(frozen=True)
class Label:
    """The label of a stratum, and the evidence for it.

    Attributes
    ----------
    name
        The label, or the stratum's number where no label fits.
    evidence
        Value by criterion of the claim `stratum_label`; empty where no label fits the stratum.
    """

    name: str
    evidence: Mapping[str, float]


@dataclass(frozen=True)
class LabelRule:
    """One label: which features mark it, where they come from, and the rule in a sentence.

    Attributes
    ----------
    label
        The label.
    genes
        Gene symbols, looked up in every view.
    proteins
        Names of analytes, compared without case and punctuation.
    cells
        Names of cell types, compared in the same way; a feature counts if it starts with one of them.
    rule
        The rule for readers.
    source
        Where the genes come from.
    """

    label: str
    genes: tuple[str, ...]
    proteins: tuple[str, ...]
    cells: tuple[str, ...]
    rule: str
    source: str


# bounds in the words of the rules
_AUC, _HIGH = (f"{bound_of('stratum_label', key):g}" for key in ("auc", "mostly_high"))
_INSIDE, _ELSEWHERE = (f"{bound_of('stratum_label', key):g}" for key in ("controls_inside", "controls_enriched"))

LABEL_RULES: tuple[LabelRule, ...] = (
    LabelRule(
        label=HEALTHY_LIKE,
        genes=(),
        proteins=(),
        cells=(),
        rule=f"Contains a share of at least {_INSIDE} of the controls, and controls are at most {_ELSEWHERE} times as frequent "
        "elsewhere as in it. Without controls no stratum is called healthy-like.",
        source="the controls of the cohort",
    ),
    LabelRule(
        label=INTERFERON,
        genes=("IFI27", "IFI44L", "IFIT1", "ISG15", "RSAD2", "SIGLEC1"),
        proteins=(),
        cells=(),
        rule=f"AUC of the interferon score at least {_AUC} and, where there are classes, a share of at least {_HIGH} of the "
        f"scored samples high. Without scores: AUC of the mean of the genes at least {_AUC}.",
        source="six genes of Rice et al. 2017, doi:10.1007/s10875-016-0359-1",
    ),
    LabelRule(
        label=INFLAMMATORY,
        genes=tuple(
            "ADGRE3 ADGRG3 ALPL BASP1 C5AR1 CDA CHI3L1 CMTM2 CREB5 CSF3R CXCR1 CYP4F3 DGAT2 FCGR2A FCGR3A FCGR3B "
            "FFAR2 FPR1 FPR2 G0S2 GLT1D1 HCAR3 KCNJ15 KRT23 LIN7A LRG1 LRRC4 MANSC1 MGAM MME MSRB1 MXD1 NCF4 NFE2 "
            "NLRP12 ORM1 PFKFB4 PROK2 PTAFR PYGL REPS2 RGL4 RNF24 S100A12 S100A8 S100A9 S100P SLC22A4 ST6GALNAC2 "
            "STEAP4 TNFRSF10C TREM1 VNN2 VNN3".split()
        ),
        proteins=("IL1B", "IL6", "IL8", "CXCL8", "TNF", "TNFA", "CRP"),
        cells=("neutrophil", "granulocyte"),
        rule=f"AUC of neutrophil and inflammation markers at least {_AUC}.",
        source="blood transcription module M37.1 (neutrophils) and S100A8, S100A9, S100A12 of M11.0, Li et al. 2014, "
        "doi:10.1038/ni.2789, in current symbols; proteins and cells: common markers",
    ),
    LabelRule(
        label=LYMPHOID,
        genes=tuple(
            "BANK1 BCL11A BCL11B BLK BTLA CCL5 CD19 CD2 CD200 CD22 CD24 CD247 CD27 CD28 CD3D CD3E CD3G CD6 CD7 CD72 "
            "CD79A CD79B CD96 CR2 CXCR5 EBF1 EOMES ETS1 FCER2 FCRL1 FCRL2 FCRL5 FCRLA FLT3LG GATA3 GIMAP6 GIMAP7 "
            "GPR171 GZMK ICOS IGHD IGHM IL32 IL7R ITK ITM2A KLRB1 LAT LCK LEF1 MAL MS4A1 NELL2 NLRC3 P2RX5 PAX5 "
            "PNOC PRKCH PRKCQ RALGPS2 RASGRP1 RORA SIRPG SIT1 SPIB TCL1A TIGIT TRAC TRAT1 TRBC1 UBASH3A VPREB3 "
            "ZAP70".split()
        ),
        proteins=("CXCL13", "BAFF", "TNFSF13B", "IL2", "IL7", "IL21"),
        cells=("lymphocyte", "bcell", "tcell", "cd4", "cd8", "cd19", "cd3", "plasmablast", "plasmacell"),
        rule=f"AUC of lymphocyte markers (B and T cells) at least {_AUC}.",
        source="blood transcription modules M7.0 (T cells) and M47.0 (B cells) without NK and cytotoxic genes, Li et "
        "al. 2014, doi:10.1038/ni.2789; proteins and cells: common markers",
    ),
)


def name_strata(
    stratum: pd.Series,
    samples: pd.DataFrame,
    control: str | None,
    ifn: pd.DataFrame | None,
    views: Mapping[str, ad.AnnData],
) -> dict[int, Label]:
    """Find the label of every stratum.

    Parameters
    ----------
    stratum
        Stratum by sample.
    samples
        Columns sample, disease.
    control
        Label of the controls, or None.
    ifn
        Columns sample, score, ifn_class; None if there are no scores.
    views
        Normalised matrices (samples x features).

    Returns
    -------
    dict
        Label by stratum, in the order of the strata.
    """
    numbers = sorted(int(number) for number in stratum.unique())
    if len(numbers) == 1:
        return {numbers[0]: Label(str(numbers[0]), {})}
    scores = {rule.label: marker_score(rule, stratum.index, views) for rule in LABEL_RULES if rule.genes}
    classes = None
    if ifn is not None and ifn["score"].notna().any():
        by_sample = ifn.set_index("sample").reindex(stratum.index)
        scores[INTERFERON], classes = by_sample["score"], by_sample["ifn_class"]
    healthy, of_controls = _healthy_like(stratum, samples, control)
    return {
        number: Label(HEALTHY_LIKE, of_controls)
        if number == healthy
        else _marked(number, stratum == number, scores, classes)
        for number in numbers
    }


def _marked(number: int, inside: pd.Series, scores: Mapping[str, pd.Series], classes: pd.Series | None) -> Label:
    """Give a stratum the label whose score is highest in it, if it is high enough."""
    aucs = {name: auc(values, inside) for name, values in scores.items()}
    high = np.nan if classes is None else _share_high(classes[inside])
    if INTERFERON in aucs and high < bound_of("stratum_label", "mostly_high"):
        aucs.pop(INTERFERON)
    known = {name: value for name, value in aucs.items() if np.isfinite(value)}
    name = max(known, key=known.__getitem__, default="")
    if not name or known[name] < bound_of("stratum_label", "auc"):
        return Label(str(number), {})
    others = [value for other, value in known.items() if other != name]
    evidence = {"auc": known[name], "margin": known[name] - max(others) if others else np.nan}
    return Label(name, evidence | ({"mostly_high": high} if name == INTERFERON else {}))


def _healthy_like(
    stratum: pd.Series, samples: pd.DataFrame, control: str | None
) -> tuple[int | None, dict[str, float]]:
    """Return the stratum of the controls, if they mark one, and the share and enrichment of controls in it."""
    disease = samples.set_index("sample")["disease"].reindex(stratum.index)
    is_control = (disease == control).to_numpy() if control is not None else np.zeros(len(stratum), dtype=bool)
    if not is_control.any():
        return None, {}
    number = int(stratum[is_control].value_counts().sort_index().idxmax())
    inside = (stratum == number).to_numpy()
    evidence = {
        "controls_inside": float(is_control[inside].sum() / is_control.sum()),
        "controls_enriched": float(is_control[~inside].mean() / is_control[inside].mean()),
    }
    holds = all(CLAIMS["stratum_label"].criterion(key).holds(value) for key, value in evidence.items())
    return (number, evidence) if holds else (None, {})


def _share_high(classes: pd.Series) -> float:
    """Return the share of high samples among the scored ones; missing where none is scored."""
    scored = classes[classes.isin(CLASSES)]
    return float((scored == HIGH).mean()) if len(scored) else float("nan")


def marker_score(rule: LabelRule, index: pd.Index, views: Mapping[str, ad.AnnData]) -> pd.Series:
    """Mean z of a rule's features, averaged within each view and then over views; missing where none is measured."""
    genes = set(rule.genes)
    named = {_plain(name) for name in rule.proteins}
    cells = tuple(_plain(name) for name in rule.cells)
    of_view = []
    for name in sorted(views):
        view = views[name]
        symbols = view.var["gene_name"] if "gene_name" in view.var else pd.Series(view.var_names, view.var_names)
        plain = [_plain(feature) for feature in view.var_names]
        keep = [
            symbol in genes or feature in named or feature.startswith(cells)
            for symbol, feature in zip(symbols.astype(str), plain, strict=True)
        ]
        if any(keep):
            values = pd.DataFrame(np.asarray(view[:, np.array(keep)].X, dtype=float), index=view.obs_names)
            spread = values.std(ddof=0)
            of_view.append(((values - values.mean()) / spread.where(spread > 0)).mean(axis=1).reindex(index))
    if not of_view:
        return pd.Series(np.nan, index=index)
    return pd.concat(of_view, axis=1).mean(axis=1)


def _plain(name: str) -> str:
    return "".join(letter for letter in str(name).lower() if letter.isalnum())


def auc(values: pd.Series, inside: pd.Series) -> float:
    """Area under the ROC curve of inside against outside; missing with fewer than three known values on a side."""
    known = values.notna().to_numpy()
    here = inside.to_numpy()[known]
    n, m = int(here.sum()), int((~here).sum())
    if min(n, m) < MIN_SIDE:
        return float("nan")
    ranks = rankdata(values.to_numpy(float)[known])
    return float(auc_of_ranks(ranks[here].sum(), n, m))
