"""The page of new patients says who was placed, who is unlike the reference and why, and hides what it was asked to hide."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.report import draw_new_patients, page_of_new_patients, read_new_patients, render
from stratifn.report.figures.style import CONTROL_LOOK, OTHER_STRATUM_LOOKS, STRATUM_LOOKS, UNCERTAIN_LOOK
from stratifn.report.page.content import Made
from stratifn.report.sections.new_patients import (
    headline_of_new_patients,
    methods_of_new_patients,
    own_reasons,
    sections_of_new_patients,
)
from stratifn.shared.claims import EVERYBODY, Measured, judged, verdicts_table
from stratifn.shared.samples import write_samples
from stratifn.shared.tables import write_table
from stratifn.transfer.reference import VERDICTS, Reference, Source
from stratifn.transfer.verdicts import reference_verdicts, verdicts_part

TEMPLATES = Path(__file__).resolve().parents[2] / "workflow" / "report"
SOURCE = Source("lupus-2026", "2.1", {}, "whole_blood", "rnaseq")
SAMPLES = [f"person-{number:02d}" for number in range(12)]
STRATA = [
    {"stratum": 1, "label": "interferon", "jaccard": 0.9},
    {"stratum": 2, "label": "2", "jaccard": None},
]
SCORING = {
    "settings": {"signature": "RICE_CROW_6", "method": "zscore", "cutoff": "mean_2sd"},
    "n_controls": 24,
    "cutoffs": [
        {"signature": "RICE_CROW_6", "method": "singscore", "cutoff": 9.0},
        {
            "signature": "RICE_CROW_6",
            "method": "zscore",
            "mean": 0.0,
            "cutoff": 1.5,
            "cutoff_low": 1.2,
            "cutoff_high": None,
        },
    ],
}
FAR = "unlike the reference (p = 0.0012): cytokines is explained least (residuals 1.75 times as large)"


def example_tables() -> dict[str, pd.DataFrame]:
    return {
        "samples": pd.DataFrame({"sample": SAMPLES, "patient": SAMPLES, "disease": ["SLE"] * 8 + ["unknown"] * 4}),
        "patients": pd.DataFrame(
            {
                "sample": SAMPLES,
                "score": [*np.linspace(-1, 5, 11), np.nan],
                "probability_high": [*np.linspace(0, 1, 11), np.nan],
                "ifn_class": ["low"] * 3 + ["borderline"] + ["high"] * 7 + ["unscored"],
                "stratum": [2] * 5 + [1] * 7,
                "probability": 0.9,
                "out_of_reference": [True] + [False] * 11,
                "outlier_pvalue": [0.0012] + [0.5] * 11,
                "score_local": np.nan,
                "ifn_class_local": None,
                "views_used": ["rna"] * 11 + ["cytokines"],
                "reason": [f"rna: 10 of 12; {FAR}"] + ["rna: 10 of 12"] * 10 + ["rna: 10 of 12; score: no view rna given"],
            }
        ),
        "factors": pd.DataFrame({"sample": SAMPLES, "Factor1": 0.5, "sd_Factor1": 0.25}),
        "notes": pd.DataFrame(
            {
                "view": ["all", "all", "rna", "rna"],
                "item": ["specimen", "stratum 1", "20 of 300 features of the reference", "person-03"],
                "what": ["differs", "label", "missing", "missing"],
                "reason": ["here skin, in the reference blood", "interferon", "not measured here: <b>G1</b>", "not measured"],
            }
        ),
        "verdicts": judged("placement", EVERYBODY, [Measured("out_of_reference", 1 / 12)]),
        "provenance": pd.DataFrame(
            {"name": ["lupus-2026"], "contract": ["2.1"], "stratifn": ["0.1.0"], "specimen": ["whole_blood"],
             "platform": [None], "sha256": ["abc"]}
        ),
    }  # fmt: skip


def new_patients(folder: Path, tables: dict[str, pd.DataFrame] | None = None, **changes):
    """Read the tables as the script does: through files, so that their types are those of a run."""
    placed = folder / "transfer" / "visit-2027"
    files = {"samples": "inputs/samples.tsv", "provenance": "provenance/reference.tsv"}
    paths = {name: str(placed / files.get(name, f"{name}.tsv")) for name in example_tables()}
    for name, table in (tables or example_tables()).items():
        (write_samples if name == "samples" else write_table)(table, paths[name])
    shown = settings_of("report", **changes.pop("report", {}))
    given = {"control": None, "strata": STRATA, "scoring": SCORING, "level": 0.01} | changes
    frozen = {
        "strata": {"strata": given["strata"]},
        "interferon": {"reference": given["scoring"]},
        "limits": {"level": given["level"]},
    }
    return read_new_patients("visit-2027", shown, paths, frozen, given["control"])


def page(new, folder: Path) -> str:
    drawn = draw_new_patients(new, folder / "figures")
    made = Made(None, None, "0" * 64)
    return render(page_of_new_patients(new, made), drawn, folder / "figures")


def section(new, name: str) -> str:
    (found,) = [part for part in sections_of_new_patients(new) if part.id == name]
    words = [getattr(item, "text", getattr(item, "caption", "")) for item in found.content]
    return "\n".join([*words, *(item.frame.to_string() for item in found.content if hasattr(item, "frame"))])


def test_the_page_is_whole_and_asks_nothing_of_the_network(tmp_path):
    html = page(new_patients(tmp_path), tmp_path)
    assert html.count("For research use, not for diagnosis") >= 2
    assert "default-src 'none'" in html
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)"', html))
    links = set(re.findall(r'href="([^#"][^"]*)"', html))
    assert "../provenance/reference.tsv" in links
    assert all(
        re.fullmatch(
            r"\.\./provenance/[a-z-]+\.(tsv|yaml|json)|tables/[a-z-]+\.tsv|figures/[a-z_]+\.(svg|pdf|png)", link
        )
        for link in links
    )
    assert all(f'id="{part}"' in html for part in re.findall(r'href="#([^"]*)"', html))
    assert all(f"figures/{name}.svg" in html for name in ("interferon_scores", "strata"))
    assert "<b>G1</b>" not in html


def test_figures_and_page_come_out_with_the_same_bytes_twice(tmp_path):
    new = new_patients(tmp_path)
    assert page(new, tmp_path / "a") == page(new, tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a" / "figures").iterdir())
    assert files == [f"{name}.{suffix}" for name in ("interferon_scores", "strata") for suffix in ("pdf", "png", "svg")]
    for name in files:
        assert (tmp_path / "a" / "figures" / name).read_bytes() == (tmp_path / "b" / "figures" / name).read_bytes()


def test_the_headline_counts_who_was_placed_and_hides_small_groups(tmp_path):
    first, second, third = headline_of_new_patients(new_patients(tmp_path))
    assert first == "The reference fits these patients. Out of the reference: <5."
    assert second == "Patients: 12. Patients in a stratum and not out of the reference: hidden."
    # 12 patients less 7 that are high would leave 5 for four small classes
    assert third == (
        "ISG expression signature of the patients (RICE_CROW_6, zscore): high hidden, borderline hidden, low hidden, "
        "unscored hidden, not supported hidden."
    )
    first, second, third = headline_of_new_patients(new_patients(tmp_path, report={"min_cell": 0}))
    assert first.endswith("Out of the reference: 1.")
    assert second.endswith("not out of the reference: 11.")
    assert third.endswith("high 7, borderline 1, low 2, unscored 1, not supported 1.")


def test_a_small_disease_is_counted_with_the_others(tmp_path):
    # 8 patients with SLE of 12 would tell of the other 4
    new = new_patients(tmp_path)
    assert new.by_class.words.index.tolist() == ["all"]
    assert [new.with_score(name, count) for name, count in (("SLE", 8), ("unknown", 3))] == [">7", "<5"]
    shown = new_patients(tmp_path, report={"min_cell": 3})
    assert shown.by_class.words.index.tolist() == ["SLE", "unknown"]
    assert "see the table by disease" in headline_of_new_patients(shown)[2]


def test_who_is_out_of_the_reference_is_told_with_the_reason(tmp_path):
    words = section(new_patients(tmp_path, report={"min_cell": 0}), "placed")
    assert re.search(r"cytokines is explained least\s+1", words)
    assert re.search(r"person-00\s+unlike the reference \(p = 0.0012\): cytokines is explained least", words)
    assert re.search(r"rna: 10 of 12\s+12", words)
    assert re.search(r"score: no view rna given\s+1", words)
    assert re.search(r"rna\s+11", words), "views that placed them"
    tables = example_tables()
    tables["patients"] = tables["patients"].assign(out_of_reference=False, reason="rna: 10 of 12")
    assert "No patient is out of the reference." in section(new_patients(tmp_path, tables), "placed")


def test_what_is_said_of_everybody_is_not_repeated_for_each(tmp_path):
    own = own_reasons(pd.Series(["a; b", "a", "c; a"]))
    assert own.fillna("").tolist() == ["b", "", "c"]
    assert own_reasons(pd.Series(["a"])).tolist() == ["a"], "of one patient alone everything is said"


def test_the_reference_is_named_with_its_cut_off_and_what_differs(tmp_path):
    words = section(new_patients(tmp_path), "reference")
    assert "Cohort lupus-2026, frozen by stratifn 0.1.0. Specimen: whole blood; gene expression by not stated." in words
    assert "Specimen differs: here skin, in the reference blood." in words
    assert "Its 24 controls give the cut-off 1.50 (mean_2sd) of RICE_CROW_6, zscore." in words


def test_a_reference_that_scores_nobody_is_said_as_such(tmp_path):
    tables = example_tables()
    tables["patients"] = tables["patients"].assign(score=np.nan, probability_high=np.nan, ifn_class="unscored")
    new = new_patients(tmp_path, tables, scoring=None)
    assert "no patient gets a class" in section(new, "reference")
    assert "interferon_scores" not in draw_new_patients(new, tmp_path / "figures")


def test_a_reference_of_one_stratum_and_one_patient_alone_make_a_page(tmp_path):
    tables = {name: table.head(1) for name, table in example_tables().items()}
    tables["patients"] = tables["patients"].assign(stratum=1, probability=np.nan)
    new = new_patients(tmp_path, tables, strata=[{"stratum": 1, "label": "1", "jaccard": None}])
    assert "The reference has one stratum" in page(new, tmp_path)


def test_patients_without_a_factor_have_no_stratum(tmp_path):
    tables = example_tables()
    nothing = {"stratum": pd.array([pd.NA] * 12, dtype="Int64"), "probability": np.nan, "out_of_reference": pd.NA}
    tables["patients"] = tables["patients"].assign(views_used=None, **nothing)
    tables["factors"] = tables["factors"].assign(Factor1=np.nan, sd_Factor1=np.nan)
    html = page(new_patients(tmp_path, tables), tmp_path)
    assert "Patients in a stratum and not out of the reference: 0." in html


@pytest.mark.parametrize("show", [True, False])
def test_sample_ids_can_be_kept_out_of_the_page(tmp_path, show):
    html = page(new_patients(tmp_path, report={"sample_ids": show}), tmp_path)
    assert ("person-03" in html) is show
    assert ("People are not listed one by one" in html) is not show
    numbered = page(new_patients(tmp_path, report={"sample_ids": show, "min_cell": 0}), tmp_path)
    assert ("#04" in numbered) is not show


def test_every_patient_is_in_the_searchable_table(tmp_path):
    html = page(new_patients(tmp_path), tmp_path)
    rows = html[html.index('<section id="patients"') : html.index('<section id="notes"')]
    assert all(sample in rows for sample in SAMPLES)
    assert 'class="table people"' in rows
    assert "<a href" not in rows.partition("<table>")[2], "new patients have no profile"
    assert "<td>interferon</td>" in rows


def test_strata_have_the_colours_of_the_reference_whoever_is_in_them(tmp_path):
    tables = example_tables()
    tables["patients"] = tables["patients"].assign(stratum=2)
    assert new_patients(tmp_path, tables).stratum_looks == {
        "1 interferon": STRATUM_LOOKS["interferon"],
        "2": OTHER_STRATUM_LOOKS[0],
        "uncertain": UNCERTAIN_LOOK,
    }


def test_patients_without_a_stratum_are_counted_as_such(tmp_path):
    tables = example_tables()
    strata = tables["patients"]["stratum"].astype(object)
    tables["patients"] = tables["patients"].assign(stratum=strata.mask(np.arange(12) < 3, "uncertain"))
    new = new_patients(tmp_path, tables, report={"min_cell": 0})
    shown = new.by_stratum.counts.loc["all"]
    # the third is out of the reference
    assert shown["uncertain"] == 2 and shown["not supported"] == 1 and shown.sum() == 12
    assert int(new.in_stratum) == shown["1"] + shown["2"]
    assert re.search(r"uncertain +2 ", section(new, "strata"))


@pytest.mark.parametrize("stratum", ["1", "uncertain"])
def test_of_few_patients_it_does_not_show_whether_any_has_no_stratum(tmp_path, stratum):
    tables = example_tables()
    two = {name: tables[name].iloc[:2] for name in ("samples", "patients", "factors")}
    two["patients"] = two["patients"].assign(stratum=stratum)
    words = section(new_patients(tmp_path, tables | two, report={"min_cell": 5}), "strata")
    assert re.search(r"uncertain +hidden", words) and re.search(r"1 interferon +hidden", words)


@pytest.mark.parametrize(("share", "supported"), [(0.5, True), (0.75, False)])
def test_a_batch_out_of_reference_is_what_the_page_opens_with(tmp_path, share, supported):
    verdicts = judged("placement", EVERYBODY, [Measured("out_of_reference", share)])
    tables = example_tables() | {"verdicts": verdicts}
    tables["patients"]["out_of_reference"] = [True] * round(12 * share) + [False] * round(12 * (1 - share))
    first = headline_of_new_patients(new_patients(tmp_path, tables, report={"min_cell": 0}))[0]
    assert ("75 % of the patients are unlike the reference" in first) is not supported
    assert ("not supported" in first) is not supported
    hidden = headline_of_new_patients(new_patients(tmp_path, tables))[0]
    assert "75 %" not in hidden, "3 of 12 are like the reference"
    assert ("not supported" in hidden) is not supported


def test_no_class_or_stratum_of_a_batch_out_of_reference_is_told_as_if_it_were_supported(tmp_path):
    verdicts = judged("placement", EVERYBODY, [Measured("batch", 0.9, reason="all")])
    new = new_patients(tmp_path, example_tables() | {"verdicts": verdicts}, report={"min_cell": 0})
    words = " ".join(headline_of_new_patients(new))
    assert "high 0, borderline 0, low 0, unscored 1, not supported 11" in words
    assert "Patients in a stratum and not out of the reference: 0." in words
    table = section(new, "patients")
    assert table.count("high (not supported)") == 7
    assert len(re.findall(r"[12] \(not supported\)", table)) == 12
    assert re.search(r"SLE\s+0\s+0\s+0\s+0\s+8", section(new, "interferon"))
    assert "not supported, because they or the batch are out of the reference: 12" in section(new, "strata")


def test_a_patient_out_of_reference_has_a_class_and_a_stratum_that_are_not_supported(tmp_path):
    new = new_patients(tmp_path, report={"min_cell": 0})
    rows = section(new, "patients").splitlines()
    assert [row.split()[1] for row in rows if "low (not supported)" in row and "2 (not supported)" in row] == [
        "person-00"
    ]
    assert sum("not supported" in row for row in rows) == 1


def with_own_controls(tables: dict[str, pd.DataFrame], n_controls: float = 12) -> dict[str, pd.DataFrame]:
    classes = ["high"] * 6 + ["low"] * 6
    own = judged(
        "cutoff",
        "RICE_CROW_6, own controls",
        [Measured("controls", n_controls, 10), Measured("enough_controls", n_controls)],
    )
    patients = tables["patients"].assign(score_local=1.0, ifn_class_local=classes)
    return tables | {"patients": patients, "verdicts": verdicts_table([tables["verdicts"], own])}


def test_classes_against_own_controls_stand_beside_with_the_evidence_for_their_cut_off(tmp_path):
    new = new_patients(tmp_path, with_own_controls(example_tables()), control="unknown", report={"min_cell": 0})
    words = " ".join(headline_of_new_patients(new))
    assert "Patients against their own controls (unknown): high 6, borderline 0, low 2, unscored 0." in words
    assert "Patients: 8. Their own controls: 4. Patients in a stratum and not out of the reference: 7." in words
    assert "Evidence for this cut-off is weak: 12 controls are few" in words
    shown = section(new, "interferon")
    assert re.search(r"SLE\s+6\s+0\s+2\s+0", shown) and re.search(r"unknown\s+0\s+0\s+4\s+0", shown)
    assert "ifn_class_local" in section(new, "patients")
    plain = new_patients(tmp_path)
    assert "own controls" not in " ".join(headline_of_new_patients(plain)) + section(plain, "interferon")
    assert "ifn_class_local" not in section(plain, "patients")


def test_controls_are_grey_and_last(tmp_path):
    looks = new_patients(tmp_path, control="SLE").looks
    assert list(looks.items())[-1] == ("SLE", CONTROL_LOOK)
    assert CONTROL_LOOK not in new_patients(tmp_path, control="HC").looks.values(), "a control that is not among them"


OF_REFERENCE = {
    ("cutoff", "RICE_CROW_6"): {"controls": 24, "healthy_controls": 1},
    ("strata", EVERYBODY): {"null_pvalue": 0.005, "clear_null_pvalue": 0.005, "smallest_stratum": 8, "stability": 0.9},
    ("stratum_label", "1"): {"auc": 0.9, "margin": 0.2, "mostly_high": 0.8},
    ("factor", "Factor1"): {"seeds_matched": 1, "seed_correlation": 0.99},
}
SETTINGS = {"controls": 10, "null_pvalue": 0.05}


def with_reference(tables: dict[str, pd.DataFrame], **values: float) -> dict[str, pd.DataFrame]:
    """Add the reference's own claims, as transfer writes them; `claim__criterion=value` lowers one."""
    rows = [
        judged(
            claim,
            subject,
            [
                Measured(key, values.get(f"{claim}__{key}", value), SETTINGS.get(key), "the controls are other")
                for key, value in criteria.items()
            ],
        )
        for (claim, subject), criteria in OF_REFERENCE.items()
    ]
    kept = reference_verdicts(Reference(SOURCE, {VERDICTS: verdicts_part(verdicts_table(rows))}))
    return tables | {"verdicts": verdicts_table([tables["verdicts"], kept])}


@pytest.mark.parametrize(
    ("lowered", "words"),
    [
        (
            {"cutoff__healthy_controls": 0},
            "cut-off of the reference is weak: the controls are not healthy people",
        ),
        ({"strata__stability": 0.6}, "strata of the reference is weak: they may not be found again in another cohort"),
    ],
)
def test_what_the_reference_lacks_is_said_of_its_new_patients(tmp_path, lowered, words):
    whole = new_patients(tmp_path / "whole", with_reference(example_tables()))
    assert "Evidence for the" not in " ".join(headline_of_new_patients(whole)) + section(whole, "reference")
    lacking = new_patients(tmp_path / "lacking", with_reference(example_tables(), **lowered))
    assert words in " ".join(headline_of_new_patients(lacking))
    assert words in section(lacking, "reference")


def test_a_label_and_a_factor_carry_the_evidence_of_the_reference(tmp_path):
    lowered = with_reference(example_tables(), stratum_label__mostly_high=0.2, factor__seeds_matched=0.4)
    new = new_patients(tmp_path, lowered)
    assert "unsupported: share of the stratum's scored samples that are high: below 0.5" in section(new, "reference")
    assert "unsupported: 40 % of the seeds find it, 80 % are needed" in section(new, "strata")


def test_a_reference_of_one_stratum_says_why_it_has_no_more(tmp_path):
    tables = with_reference(example_tables(), strata__null_pvalue=0.4)
    tables["patients"] = tables["patients"].assign(stratum=1, probability=np.nan)
    new = new_patients(tmp_path, tables, strata=[{"stratum": 1, "label": "1", "jaccard": None}])
    assert "did not support more (p = 0.4 that data without structure would look like this" in section(new, "strata")


def test_the_methods_name_the_level_of_the_reference(tmp_path):
    words = " ".join(methods_of_new_patients(new_patients(tmp_path, level=0.05)))
    assert "a p value of at most 0.05" in words
    assert "0.01" not in words
