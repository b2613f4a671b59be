"""Whether the run's controls are enough for a reference, decided before anything is scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

# a control is outlying from this many SDs (of a new score, given the others) above the other controls
OUTLYING_SD = 5.0
MOST_OUTLYING = 3
# an SD of fewer scores says too little to call another score outlying
FEWEST_OTHERS = 7
CENTRE_COLUMNS = ("batch", "centre", "center", "site")


@dataclass(frozen=True)
class Controls:
    """The control group.

    Attributes
    ----------
    samples
        Sample ids of the controls that are in the matrix, in its order.
    refusal
        Why no reference is made of them; empty when one is.
    warnings
        What the reader must know about them.
    """

    samples: tuple[str, ...]
    refusal: str
    warnings: tuple[str, ...]


def find_controls(samples: pd.DataFrame, measured: pd.Index, control: str | None, min_controls: int) -> Controls:
    """Choose the controls and judge them.

    Parameters
    ----------
    samples
        The cohort's sheet with ``sample`` and ``disease``.
    measured
        Samples in the expression matrix.
    control
        Label of the control group, or None.
    min_controls
        Fewest controls that make a reference.
    """
    if control is None:
        return Controls((), "this run has no controls", ())
    sheet = samples.set_index("sample")
    sheet = sheet.loc[[name for name in measured if name in sheet.index]]
    names = tuple(sheet.index[sheet["disease"] == control])
    if len(names) < min_controls:
        found = f"{len(names)} control{'s' if len(names) != 1 else ''} with expression data"
        return Controls(names, f"{found}, at least {min_controls} needed", ())
    refusal, warnings = "", []
    for column in CENTRE_COLUMNS:
        if column in sheet:
            shared, alone = _confounded(sheet[column], sheet["disease"] == control)
            if not shared:
                refusal = (
                    f"no {column} has both controls and patients, so a technical difference would look like interferon"
                )
            elif alone:
                warnings.append(
                    f"no control comes from {column} {', '.join(alone)}: the scores of patients from there include "
                    "any technical difference"
                )
    return Controls(names, refusal, tuple(warnings))


def outlying(scores: np.ndarray) -> np.ndarray:
    """Return the positions of scores that stand far above the others, in order; none where no score does.

    For three, then two, then one: the highest are outlying when the lowest of them lies more than five SDs above the
    mean of the others, the SD being that of a new score, ``SD of the others * sqrt(1 + 1 / number of the others)``.
    Of normal scores hardly any cohort has one (below 0.5 %), of exponential scores a fifth.

    Parameters
    ----------
    scores
        Of the controls.
    """
    order = np.argsort(scores, kind="stable")
    for number in range(MOST_OUTLYING, 0, -1):
        others, lowest = scores[order[:-number]], scores[order[-number:]][:1]
        if len(others) < FEWEST_OTHERS:
            continue
        spread = others.std(ddof=1) * np.sqrt(1 + 1 / len(others))
        if spread > 0 and (lowest - others.mean()).item() > OUTLYING_SD * spread:
            return np.sort(order[-number:])
    return np.array([], dtype=int)


def _confounded(groups: pd.Series, is_control: pd.Series) -> tuple[bool, list[str]]:
    """Return whether patients and controls share any group, and the groups of patients without a control."""
    groups = groups.astype("string")
    of_patients = set(groups[~is_control].dropna())
    of_controls = set(groups[is_control].dropna())
    shared = not of_patients or not of_controls or bool(of_patients & of_controls)
    return shared, sorted(of_patients - of_controls)
