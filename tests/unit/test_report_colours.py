"""Groups that stand side by side in a figure keep their colours apart, with and without red or green cones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from stratifn.report.figures import style

# linear RGB of what full colour vision, and a person without red (protanopia) or green cones (deuteranopia), sees:
# Machado, Oliveira & Fernandes 2009 (doi:10.1109/TVCG.2009.113), severity 1.0
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
# of sRGB, white at D65
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
# CIE 1976 difference; about 2.3 is just seen side by side, and small marks apart on a page need several times that
LEAST_DIFFERENCE = 15

SIDE_BY_SIDE = {
    "diseases and controls": [*style.PALETTE, style.CONTROL_LOOK.colour],
    "strata, and people without one": [
        *(look.colour for look in (*style.STRATUM_LOOKS.values(), *style.OTHER_STRATUM_LOOKS)),
        style.UNCERTAIN_LOOK.colour,
    ],
    "classes, and people who are not shown": [*style.CLASS_COLOURS.values(), style.HIDDEN_COLOUR],
    "up, down, neither": [style.UP_COLOUR, style.DOWN_COLOUR, style.FAINT_COLOUR],
    "effects across diseases": [look.colour for look in style.EFFECT_LOOKS.values()],
}


def seen(colour: str, vision: np.ndarray) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    channels = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(vision @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def too_alike(colours: list[str], vision: np.ndarray) -> list[tuple[str, str]]:
    """Pairs of colours that are hard to tell apart."""
    return [
        pair
        for pair in combinations(colours, 2)
        if np.linalg.norm(seen(pair[0], vision) - seen(pair[1], vision)) < LEAST_DIFFERENCE
    ]


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("groups", SIDE_BY_SIDE)
def test_groups_side_by_side_are_told_apart(groups, vision):
    assert too_alike(SIDE_BY_SIDE[groups], VISION[vision]) == []


def test_red_and_green_are_one_to_a_person_without_green_cones():
    red, green = "#a05000", "#6b6b00"
    assert too_alike([red, green], VISION["full"]) == []
    assert too_alike([red, green], VISION["deuteranopia"]) == [(red, green)]


def test_a_disease_has_a_marker_of_its_own_beside_its_colour():
    looks = [*style.LOOKS, style.CONTROL_LOOK]
    assert len({look.marker for look in looks}) == len({look.colour for look in looks}) == len(looks)


def test_no_stratum_looks_like_a_disease():
    strata = {look.colour for look in (*style.STRATUM_LOOKS.values(), *style.OTHER_STRATUM_LOOKS)}
    assert strata.isdisjoint(style.PALETTE)
