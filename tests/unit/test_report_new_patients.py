"""The page of new patients says who was placed, who is unlike the reference and why, and hides what it was asked to hide."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from defaults import settings_of
from stratifn.report import draw_new_patients, read_new_patients, render_new_patients
from stratifn.report.new_patients_sections import (
    headline_of_new_patients,
    methods_of_new_patients,
    own_reasons,
    sections_of_new_patients,
)
from stratifn.report.style import STRATUM_COLOURS
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
FAR = "factors far from the reference's (distance 52.1, limit 31); cytokines not explained by the factors (error 9, limit 2)"


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
    given = {"strata": STRATA, "scoring": SCORING, "centile": 99.0} | changes
    frozen = {
        "strata": {"strata": given["strata"]},
        "interferon": {"reference": given["scoring"]},
        "limits": {"centile": given["centile"]},
    }
    return read_new_patients("visit-2027", shown, paths, frozen)


def page(new, folder: Path) -> str:
    drawn = draw_new_patients(new, folder / "figures")
    return render_new_patients(new, drawn, folder / "figures", TEMPLATES)


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
    assert all(re.fullmatch(r"\.\./provenance/[a-z-]+\.(tsv|yaml|json)", link) for link in links)
    assert all(f'id="{part}"' in html for part in re.findall(r'href="#([^"]*)"', html))
    assert all(f"figures/{name}.svg" in html for name in ("interferon_scores", "strata"))
    assert "<b>G1</b>" not in html


def test_figures_and_page_come_out_with_the_same_bytes_twice(tmp_path):
    new = new_patients(tmp_path)
    assert page(new, tmp_path / "a") == page(new, tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a" / "figures").iterdir())
    assert files == ["interferon_scores.png", "interferon_scores.svg", "strata.png", "strata.svg"]
    for name in files:
        assert (tmp_path / "a" / "figures" / name).read_bytes() == (tmp_path / "b" / "figures" / name).read_bytes()


def test_the_headline_counts_who_was_placed_and_hides_small_groups(tmp_path):
    first, second = headline_of_new_patients(new_patients(tmp_path))
    assert first == "Patients: 12. In a stratum of the reference: 12. Unlike anything in the reference: <5."
    assert second == "ISG expression signature (RICE_CROW_6, zscore): high 7, borderline <5, low <5, unscored <5."
    first, _ = headline_of_new_patients(new_patients(tmp_path, report={"min_cell": 0}))
    assert first.endswith("Unlike anything in the reference: 1.")


def test_who_is_out_of_the_reference_is_told_with_the_reason(tmp_path):
    words = section(new_patients(tmp_path, report={"min_cell": 0}), "placed")
    assert re.search(r"factors far from the reference's\s+1", words)
    assert re.search(r"cytokines not explained by the factors\s+1", words)
    assert re.search(r"person-00\s+factors far from the reference's \(distance 52.1, limit 31\)", words)
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
    assert "In a stratum of the reference: 0." in html


@pytest.mark.parametrize("show", [True, False])
def test_sample_ids_can_be_kept_out_of_the_page(tmp_path, show):
    html = page(new_patients(tmp_path, report={"sample_ids": show}), tmp_path)
    assert ("person-03" in html) is show
    assert ("#04" in html) is not show


def test_every_patient_is_in_the_searchable_table(tmp_path):
    html = page(new_patients(tmp_path), tmp_path)
    rows = html[html.index('<section id="patients"') : html.index('<section id="notes"')]
    assert all(sample in rows for sample in SAMPLES)
    assert 'type="search"' in rows
    assert "<td>interferon</td>" in rows


def test_strata_have_the_colours_of_the_reference_whoever_is_in_them(tmp_path):
    tables = example_tables()
    tables["patients"] = tables["patients"].assign(stratum=2)
    assert new_patients(tmp_path, tables).stratum_colours == {
        "1 interferon": STRATUM_COLOURS[0],
        "2": STRATUM_COLOURS[1],
    }


@pytest.mark.parametrize(("share", "supported"), [(0.5, True), (0.75, False)])
def test_a_batch_out_of_reference_is_what_the_page_opens_with(tmp_path, share, supported):
    verdicts = judged("placement", EVERYBODY, [Measured("out_of_reference", share)])
    first = headline_of_new_patients(new_patients(tmp_path, example_tables() | {"verdicts": verdicts}))[0]
    assert ("75 % of the patients are unlike the reference" in first) is not supported
    assert ("not supported" in first) is not supported


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
            "cut-off of the reference is weak: the controls are other, so the comparison",
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


def test_the_methods_name_the_centile_that_the_reference_learnt_its_limits_with(tmp_path):
    words = " ".join(methods_of_new_patients(new_patients(tmp_path, centile=95.0)))
    assert "beyond the 95th centile" in words
    assert "99th" not in words
