"""Type I and type II apart, by the response profiles of the registry.

The profiles were learnt on small airway epithelial cells under IFN-alpha, IFN-beta and IFN-gamma (GEO GSE161664, see
``benchmarks/response_profiles.py``). IFN-lambda has the profile of type I. A response that neither profile fits is
*other*: IL-1, TNF and IL-22 raise some of these genes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from stratifn.interferon.learning import FEWEST_PROFILE_GENES
from stratifn.interferon.reference import Reference
from stratifn.interferon.response import Response, fit_response, gene_resamples, response_type
from stratifn.interferon.scoring import NOT_MEASURED, People
from stratifn.shared.columns import columns_of
from stratifn.shared.vocabulary import NO_RESPONSE, OTHER_RESPONSE, TYPE_I, TYPE_I_II, TYPE_II, UNCERTAIN

TYPE_COLUMNS = columns_of("interferon/response_types.tsv")
TYPES = {(False, False): NO_RESPONSE, (True, False): TYPE_I, (False, True): TYPE_II, (True, True): TYPE_I_II}


@dataclass
class _Fitter:
    """Fits one person after another; people without a value of some gene have resamples of their own."""

    reference: Reference
    resamples: dict[int, np.ndarray] = field(default_factory=dict)

    def __call__(self, values: np.ndarray) -> Response:
        """Fit the values of the profiles' genes; NaN where not measured."""
        reference = self.reference
        members = reference.positions(reference.profiles)
        found = np.isfinite(values)
        n = int(found.sum())
        if n not in self.resamples:
            self.resamples[n] = gene_resamples(n, reference.settings.bootstraps, reference.settings.seed)
        return fit_response(
            reference.arrays["profiles"][:, found],
            reference.arrays["scale.zscore"][members][found],
            values[found] - reference.arrays["location.zscore"][members][found],
            reference.n_controls,
            self.resamples[n],
        )


def type_table(people: People, reference: Reference) -> pd.DataFrame:
    """Return the type of each person, with what was fitted: `response_types.tsv` without the disease.

    ``ifn_type`` is missing, with the reason, where too few genes were found or counted, or the controls are too few.
    """
    total, shallow = reference.profiles.total, people.too_shallow(reference.settings.signature)
    members = reference.positions(reference.profiles)
    fitter, cutoffs = _Fitter(reference), np.array(reference.type_cutoffs)
    rows = []
    for place, sample in enumerate(people.samples):
        values = people.genes[place, members]
        n = len(members) if reference.refusal else int(np.isfinite(values).sum())
        row = {"sample": sample, "ifn_type": None, "genes_found": n, "genes_total": total}
        reason = reference.refusal or shallow[place] or _not_enough(n, total)
        if reason:
            rows.append(row | {"reason": reason})
            continue
        response = fitter(values)
        called, words = _called(response, cutoffs)
        reason = "; ".join(filter(None, [words, f"type from {n} of {total} genes" if n < total else ""]))
        rows.append(row | _numbers(response) | {"ifn_type": called, "reason": reason})
    table = pd.DataFrame(rows, columns=[name for name in TYPE_COLUMNS if name != "disease"])
    table[["type_i_cutoff", "type_ii_cutoff"]] = cutoffs
    return table


def types_of_sheet(types: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Return `response_types.tsv`: `type_table` with one row per sample of the sheet."""
    sheet = samples.set_index("sample")
    table = types.set_index("sample").reindex(sheet.index).assign(disease=sheet["disease"])
    absent = ~table.index.isin(types["sample"])
    table.loc[absent, ["genes_found", "genes_total"]] = 0
    table.loc[absent, "reason"] = NOT_MEASURED
    return table.reset_index()[list(TYPE_COLUMNS)].sort_values("sample", ignore_index=True)


def _not_enough(found: int, total: int) -> str:
    """Return that the genes are too few; empty when they are not."""
    if found >= FEWEST_PROFILE_GENES:
        return ""
    return f"no type: {found} of {total} genes of the response profiles found, at least {FEWEST_PROFILE_GENES} needed"


def _called(response: Response, cutoffs: np.ndarray) -> tuple[str, str]:
    """Return the type, and for an uncertain one what is known and what is not."""
    found = response_type(response, cutoffs)
    if found is None:
        return OTHER_RESPONSE, ""
    if None not in found:
        return TYPES[bool(found[0]), bool(found[1])], ""
    if found == (None, None):
        return UNCERTAIN, "type uncertain"
    words = {None: "undecided", True: "present", False: "absent"}
    return UNCERTAIN, f"type uncertain: I {words[found[0]]}, II {words[found[1]]}"


def _numbers(response: Response) -> dict[str, float]:
    values = {"explained": response.explained}
    for place, name in enumerate(("type_i", "type_ii")):
        values |= {
            name: response.amounts[place],
            f"{name}_low": response.low[place],
            f"{name}_high": response.high[place],
        }
    return values
