"""What is known of each disease: how often the interferon signature, which strata, which treatment.

Prevalences are published (whole blood, Higgs 2011, doi:10.1136/ard.2011.150326, table 1; primary Sjögren's syndrome:
monocytes, Brkic 2013, PMC3618683). That four strata cut across the diagnoses and most controls are healthy-like
follows PRECISESADS (Barturen 2021, doi:10.1002/art.41610); shares of strata per disease were not published and are
assumptions of this simulation, as are the treatment shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stratifn.shared.vocabulary import HEALTHY_LIKE, INFLAMMATORY, LYMPHOID

# of the patients with the signature, the share whose disease it dominates
INTERFERON_DOMINANT = 0.62


@dataclass(frozen=True)
class Profile:
    """One group of people.

    Attributes
    ----------
    prevalence
        Share with the type I interferon signature.
    other_strata
        Relative frequency of the strata besides the interferon stratum, whose share follows from the prevalence.
    type_ii
        Of those with the signature, the share with type II activity as well.
    isolated_type_ii
        Share with type II activity alone.
    ifn_alpha_log2
        Shift of the IFN-alpha protein (log2) at equal response (Huijser 2022: much in SLE, little in SSc; in DM
        the response follows IFN-beta).
    activity_weights
        What disease activity follows.
    hydroxychloroquine, glucocorticoid, anti_ifn
        Shares treated.
    antibodies
        Share positive without and with the signature, per antibody (ROSE trial for SLE, Kennedy 2015).
    """

    prevalence: float
    other_strata: Mapping[str, float]
    type_ii: float = 0.3
    isolated_type_ii: float = 0.0
    ifn_alpha_log2: float = 0.0
    activity_weights: Mapping[str, float] = field(default_factory=lambda: {"type_i_ifn": 0.3, "inflammation": 0.4})
    hydroxychloroquine: float = 0.2
    glucocorticoid: float = 0.4
    anti_ifn: float = 0.0
    antibodies: Mapping[str, tuple[float, float]] = field(default_factory=dict)


ANTIBODIES = ("anti_ro", "anti_dsdna", "anti_mda5", "anti_scl70")
CONTROL_PROFILE = Profile(
    prevalence=0.02,  # 0 % (Higgs 2011) to 4.5 % (Brkic 2013)
    other_strata={INFLAMMATORY: 0.08, LYMPHOID: 0.08, HEALTHY_LIKE: 0.84},
    hydroxychloroquine=0.0,
    glucocorticoid=0.0,
    antibodies={"anti_ro": (0.01, 0.01)},
)
# for a label that is not below; 0.5 lies between rheumatoid arthritis (0.33) and SLE (0.73)
DEFAULT_PROFILE = Profile(prevalence=0.50, other_strata={INFLAMMATORY: 0.32, LYMPHOID: 0.28, HEALTHY_LIKE: 0.40})
PROFILES = {
    "SLE": Profile(
        prevalence=0.73,
        other_strata={INFLAMMATORY: 0.38, LYMPHOID: 0.27, HEALTHY_LIKE: 0.35},
        type_ii=0.40,
        ifn_alpha_log2=4.0,
        hydroxychloroquine=0.75,
        glucocorticoid=0.55,
        anti_ifn=0.04,
        antibodies={"anti_ro": (0.19, 0.60), "anti_dsdna": (0.345, 0.709)},
    ),
    "DM": Profile(
        prevalence=0.66,
        other_strata={INFLAMMATORY: 0.43, LYMPHOID: 0.25, HEALTHY_LIKE: 0.32},
        type_ii=0.20,
        ifn_alpha_log2=1.0,
        activity_weights={"type_i_ifn": 1.2},  # the one disease where activity follows the score (Tabata 2023)
        hydroxychloroquine=0.25,
        glucocorticoid=0.60,
        antibodies={"anti_ro": (0.15, 0.25), "anti_mda5": (0.05, 0.35)},
    ),
    "SSc": Profile(
        prevalence=0.68,
        other_strata={INFLAMMATORY: 0.36, LYMPHOID: 0.28, HEALTHY_LIKE: 0.36},
        type_ii=0.25,
        ifn_alpha_log2=-3.0,
        hydroxychloroquine=0.10,
        glucocorticoid=0.25,
        antibodies={"anti_ro": (0.10, 0.20), "anti_scl70": (0.25, 0.35)},
    ),
    "pSS": Profile(
        prevalence=0.55,
        other_strata={INFLAMMATORY: 0.17, LYMPHOID: 0.45, HEALTHY_LIKE: 0.38},
        type_ii=0.70,  # 35 to 55 % of all patients have both (Bodewes 2018)
        isolated_type_ii=0.01,
        ifn_alpha_log2=4.5,
        hydroxychloroquine=0.40,
        glucocorticoid=0.15,
        antibodies={"anti_ro": (0.45, 0.90)},
    ),
    "PM": Profile(prevalence=0.61, other_strata={INFLAMMATORY: 0.45, LYMPHOID: 0.20, HEALTHY_LIKE: 0.35}),
    "RA": Profile(prevalence=0.33, other_strata={INFLAMMATORY: 0.45, LYMPHOID: 0.25, HEALTHY_LIKE: 0.30}),
}


def profile_of(group: str, control: str | None) -> Profile:
    """Return the profile of a group; a label without a published prevalence gets `DEFAULT_PROFILE`."""
    return CONTROL_PROFILE if group == control else PROFILES.get(group, DEFAULT_PROFILE)
