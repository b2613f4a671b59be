"""The words that the whole pipeline shares, each stated once: marks, answers, names, kinds. Constants, no logic."""

from __future__ import annotations

import re

# --- cells ----------------------------------------------------------------------------------------------------------

# how our tables write a missing value
MISSING = "NA"
# what a user's sheet or matrix may write for one. A dash or `unknown` is not among them: outside `QUESTIONS` they may
# mean negative, zero or a level of its own
MISSING_MARKS = frozenset({"", MISSING, "na", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "NULL", "null", "."})

# --- answers --------------------------------------------------------------------------------------------------------

YES, NO = "yes", "no"
# in small letters
YES_WORDS = frozenset({YES, "y", "true", "1", "1.0", "positive", "pos", "+"})
NO_WORDS = frozenset(
    {NO, "n", "false", "0", "0.0", "negative", "neg", "-", "none", "nil", "never", "untreated", "placebo"}
    | {"not treated", "never treated", "no treatment", "no therapy", "no anti-ifn", "without", "absent", "off"}
    | {"standard of care", "soc"}
)
# what answers a question in a column of any name, where it is written in several ways
PLAIN_ANSWERS = frozenset({YES, "y", "true", "1", "1.0", NO, "n", "false", "0", "0.0"})
NOT_KNOWN_WORDS = frozenset(
    {
        "unknown",
        "unk",
        "?",
        "not known",
        "not stated",
        "not reported",
        "not available",
        "not done",
        "nd",
        "n.d.",
        "n/k",
        "nk",
    }
)
# columns that are questions where all their cells are answers; those of the sheet's schema say so themselves
AUTOANTIBODIES = re.compile(
    r"(anti[-_. ]?)?(ro(52|60)?|ssa|la|ssb|ds[-_]?dna|mda5|rnp|sm|ena)([-_. ]?positive)?", re.IGNORECASE
)
TREATMENTS = re.compile(
    r"hydroxychloroquine|hcq|glucocorticoid(_mg)?|prednisone(_mg)?|prednisolone(_mg)?", re.IGNORECASE
)
QUESTIONS = (AUTOANTIBODIES, TREATMENTS)

# --- names ----------------------------------------------------------------------------------------------------------

# ids, diseases, contrasts, views, cohorts; `$` would let a line end follow
ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
ID_PATTERN = re.compile(rf"^{ID}\Z")
# a new patient's disease where the sheet says none
NOT_STATED = "unknown"
# the column that says whether a sample was measured in a view is called `in_<view>`
IN_VIEW = "in_"
# in place of a stratum, where none has a probability of one half, and of a type of response: the data do not decide
UNCERTAIN = "uncertain"

# --- controls and the ISG expression signature ----------------------------------------------------------------------

# what notes call a control far above the others, as with an infection
LEFT_OUT_OF_REFERENCE = "left out of the interferon reference"
# who the controls are (`control_type`), where comparing with them is comparing with healthy people
HEALTHY = "healthy"
HIGH, BORDERLINE, LOW = "high", "borderline", "low"
# what a scored sample can be, in the order of tables and figures
CLASSES = (HIGH, BORDERLINE, LOW)
# a sample without a class
UNSCORED = "unscored"
# the first words of why a library has no score: sampling alone moves it too far
SHALLOW = "too shallow a library"
# which kind of interferon a response looks like
NO_RESPONSE, TYPE_I, TYPE_II, TYPE_I_II = "none", "I", "II", "I+II"
# neither kind of response looks like it
OTHER_RESPONSE = "other"
# in the order of tables and figures
RESPONSE_TYPES = (NO_RESPONSE, TYPE_I, TYPE_I_II, TYPE_II, UNCERTAIN, OTHER_RESPONSE)
# a part of the response counts only from this share of the other part
SHARE_OF_OTHER_TYPE = 0.25
# the three interferon modules of blood (Chiche 2014, doi:10.1002/art.38628), the method that scores them, and the share of
# its genes from which BloodGen3 draws a module
MODULES = ("CHAUSSABEL_M1.2", "CHAUSSABEL_M3.4", "CHAUSSABEL_M5.12")
MODULE_METHOD, MODULE_DRAWN_FROM = "module", 0.15

# the subject of a claim about a signature by the controls of the new patients' own batch
BY_OWN_CONTROLS = "{signature}, own controls"

# --- strata ---------------------------------------------------------------------------------------------------------

# what a stratum may be called
INTERFERON, INFLAMMATORY, LYMPHOID, HEALTHY_LIKE = STRATUM_LABELS = (
    "interferon",
    "inflammatory",
    "lymphoid",
    "healthy-like",
)

# --- new patients ---------------------------------------------------------------------------------------------------

# begins the part of a patient's reason that says why he or she is out of the reference
UNLIKE = "unlike the reference"

# --- effects across diseases ------------------------------------------------------------------------------------------

# classes of genes; what follows the colon names diseases
SHARED, OPPOSED, SUBSET, SPECIFIC = "shared", "opposed", "subset:", "specific:"
# an effect whose place, or whose size, the data do not determine
UNDETERMINED = "undetermined"

# --- views ----------------------------------------------------------------------------------------------------------

# the view that differential expression and the interferon scores use
RNA = "rna"
COUNTS, BETA, PROPORTION, CONCENTRATION, CONTINUOUS = "counts", "beta", "proportion", "concentration", "continuous"
# of views of counts: each takes its own size factors, or those of the view that `size_factors` names
SIZE_FACTORS, OWN_FACTORS = "size_factors", "own"
# whether the values are held to the scale that the kind of the view promises, or are taken as they are
SCALE, CHECKED, AS_GIVEN = "scale", "checked", "as_given"
# what notes call a scale that was taken as given although the check refuses it, and one that the check only suspects
SCALE_AS_GIVEN, SCALE_IN_DOUBT = "scale as given", "scale in doubt"
# how they are computed (`normalization.size_factors`): the default
MEDIAN_OF_RATIOS = "ratio"
# the column of a view of counts that holds them
SIZE_FACTOR = "size_factor"
VIEW_KINDS = (COUNTS, BETA, PROPORTION, CONCENTRATION, CONTINUOUS)
