"""What the page's scripts know of people is what the tables say, and nothing where nobody may be shown."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stratifn.normalization import described
from stratifn.report import draw_figures, methods_text, pages_of, render, write_tables
from stratifn.report.gene_values import GeneValues
from stratifn.report.neighbours import nearest
from stratifn.report.page.markers import marker_path
from stratifn.report.profiles import people_data, rounded
from stratifn.running.installation import software_versions

from .test_report import DISEASE, MADE, METHODS, SAMPLES, TEMPLATES, example_tables, results

VENDOR = TEMPLATES / "vendor"
MANIFEST = yaml.safe_load((VENDOR / "manifest.yaml").read_text(encoding="utf-8"))
# ids that are part of no other word of a page
MARKED = {name: f"ZQX{number:02d}" for number, name in enumerate(SAMPLES)}


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    return example_tables()


def profile(all_results):
    return people_data(all_results)["profile"]


def test_the_profile_holds_the_numbers_of_the_tables(tables):
    found = profile(results(tables))
    assert found["score"]["values"] == [round(score, 3) for score in tables["classes"]["score"]]
    assert found["score"]["cutoff"] == [1.1, 0.9, 1.3]
    assert found["type"]["boundaries"] == [0.3, 0.2]
    assert found["type"]["parts"][0][0] == [2.0, 1.9, 2.1]
    assert found["factors"]["names"] == ["Factor1"], "factors that are not robust are nobody's"
    assert found["stratum"]["names"] == ["1 interferon"] * 5 + ["2 healthy-like"] * 7
    assert found["views"] == {"names": ["rna"], "measured": ["1"] * 12}
    assert found["sheet"]["names"] == ["sex", "age"]
    assert [values[0] for values in found["sheet"]["values"]] == ["F", "30"]


def test_a_profile_says_why_a_person_has_no_class_and_what_was_flagged(tables):
    tables["classes"].loc[0, ["ifn_class", "reason"]] = ["unscored", "too shallow a library"]
    remarks = profile(results(tables))["remarks"]
    assert remarks[0] == ["not classed: too shallow a library", "quality, rna: library"]
    assert remarks[1] == ["quality, rna: nearly identical to person-06", "rna, missing: not measured"]
    assert remarks[2] == []


def test_a_part_without_data_is_left_out(tables):
    tables["response_types"] = tables["response_types"].iloc[:0]
    tables["stability"] = tables["stability"].iloc[:1]
    tables["classes"]["score"] = np.nan
    tables["scores"] = tables["scores"][tables["scores"]["method"] == "zscore"]
    tables["robustness"]["robust"] = False
    found = profile(results(tables))
    assert set(found) == {"views", "sheet", "remarks"}


def test_everybody_who_is_drawn_on_a_page_has_a_line_and_profiles_are_on_the_overview(tables):
    overview = people_data(results(tables))
    assert list(overview["people"]) == SAMPLES
    assert overview["people"]["person-00"] == [0, "2", "high", "1 interferon"]
    assert [group[:2] for group in overview["groups"]][0] == ["SLE", "#d55e00"]
    of_disease = people_data(results(tables).of_disease("pSS"))
    assert list(of_disease["people"]) == [name for name, group in zip(SAMPLES, DISEASE, strict=True) if group != "SLE"]
    assert of_disease["profiles_at"] == "index.html" and "profile" not in of_disease


def test_genes_of_the_signature_are_compared_with_the_controls(tables):
    values = pd.DataFrame({"A": [7.0] + [0.0] * 7 + [1.0, 2.0, 3.0, 2.0], "other": 0.0}, index=SAMPLES)
    genes = profile(replace(results(tables), genes=GeneValues(values, ("A",))))["genes"]
    assert genes["names"] == ["A"]
    assert genes["values"][0] == [round((7 - 2) / np.std([1, 2, 3, 2], ddof=1), 1)]


def test_the_nearest_people_are_nearest_in_the_space_of_the_strata(tables):
    tables["factors"]["Factor1"] = [*np.arange(11) * 10.0, 1.0]
    tables["stratification_summary"] = pd.DataFrame({"item": ["factors"], "value": ["Factor1"]})
    tables["strata"]["informed"] = [True] * 2 + [False] + [True] * 9
    found = nearest(results(tables))
    assert found["person-00"][:2] == ["person-11", "person-01"]
    assert "person-02" not in found and not any("person-02" in names for names in found.values())
    assert all(name not in names and len(names) == 5 for name, names in found.items())


def test_a_factor_that_explains_more_counts_more(tables):
    tables["stratification_summary"] = pd.DataFrame({"item": ["factors"], "value": ["Factor1 Factor2"]})
    tables["factors"] = pd.DataFrame(
        {"sample": SAMPLES, "Factor1": [0.0] * 10 + [0, 1], "Factor2": [0.0] * 10 + [1, 0]}
    )
    found = nearest(results(tables))
    assert found["person-00"][-1] not in ("person-10", "person-11")
    assert found["person-11"][0] != "person-10"
    # 20 % against 5 %: who differs by the weaker factor is nearer
    assert found["person-10"][0] in SAMPLES[:10]


def test_what_is_not_known_is_null_in_json():
    assert rounded([1.23456, np.nan, np.inf], 2) == [1.23, None, None]


def test_a_marker_is_drawn_downwards_and_fills_its_box():
    assert marker_path("s") == "M-0.5 0.5L0.5 0.5L0.5 -0.5L-0.5 -0.5Z"
    assert marker_path("^").startswith("M0 -0.5"), "the tip is up"
    for name in ("o", "D", "v", "P", "p", "*", "X", "."):
        numbers = [float(number) for number in re.findall(r"-?\d*\.?\d+", marker_path(name))]
        assert max(map(abs, numbers)) == 0.5


def test_no_text_of_users_ends_the_block_of_data(tables):
    tables["notes"].loc[0, "reason"] = "</script><b>\u202e"
    html = render(pages_of(results(tables), METHODS, MADE)["index"], {}, Path())
    block = html.partition('id="people">')[2].partition("</script>")[0]
    data = json.loads(block)
    assert "rna, missing: </script><b>\N{REPLACEMENT CHARACTER}" in data["profile"]["remarks"][1]


def test_the_library_of_tables_is_only_in_pages_that_list_people(tables):
    for shown in (True, False):
        pages = pages_of(results(tables, sample_ids=shown), METHODS, MADE)
        assert all(("SpryMedia" in render(page, {}, Path())) is shown for page in pages.values())


def test_1600_people_fit_into_a_page(tables):
    one = people_data(results(tables))
    bytes_each = len(json.dumps(one)) / len(SAMPLES)
    assert 1600 * bytes_each < 2_000_000


@pytest.mark.parametrize("library", MANIFEST, ids=lambda each: each["package"])
def test_a_vendored_library_is_as_its_makers_published_it(library):
    text = (VENDOR / library["file"]).read_bytes()
    assert sha256(text).hexdigest() == library["sha256"]
    assert f" {library['version']} ".encode() in text[:100] or f" {library['version']}\n".encode() in text[:100]
    assert all((VENDOR / name).is_file() for name in (library["licence_file"], *library.get("also", ())))
    # what would end the script that holds it, or needs a wider policy
    assert not re.search(rb"</script|<!--.*<script[\s/>]|\beval\(|new Function\b", text, re.DOTALL)


def test_every_vendored_file_is_in_the_manifest():
    named = {name for each in MANIFEST for name in (each["file"], each["licence_file"], *each.get("also", ()))}
    assert {path.name for path in VENDOR.iterdir()} == named | {"manifest.yaml"}


def test_the_script_of_the_figures_is_small_and_ours_alone():
    assert (TEMPLATES / "report.js").stat().st_size < 10_000


# --- privacy ------------------------------------------------------------------------------------------------------------


def test_nothing_of_the_report_names_or_shows_a_person_where_ids_are_hidden(tables, tmp_path):
    renamed = {name: table.replace(MARKED) for name, table in tables.items()}
    renamed["quality"]["reason"] = renamed["quality"]["reason"].str.replace("person-06", MARKED["person-06"])
    named = found_in_report(renamed, tmp_path / "named", sample_ids=True)
    hidden = found_in_report(renamed, tmp_path / "hidden", sample_ids=False)
    assert named["ids"] == {"index.html", "SLE.html", "pSS.html", "patients.tsv", "flagged.tsv", "left-out.tsv"}
    assert named["points"] == {"index.html", "SLE.html", "pSS.html"}
    assert hidden == {"ids": set(), "points": set()}


def test_numbers_stand_for_ids_where_only_ids_are_hidden(tables, tmp_path):
    renamed = {name: table.replace(MARKED) for name, table in tables.items()}
    renamed["quality"]["reason"] = renamed["quality"]["reason"].str.replace("person-06", MARKED["person-06"])
    numbered = found_in_report(renamed, tmp_path, sample_ids=False, min_cell=0)
    assert numbered["ids"] == set()
    assert "index.html" in numbered["points"]


def found_in_report(tables: dict[str, pd.DataFrame], folder: Path, **report) -> dict[str, set[str]]:
    """Write a whole report; return the names of files with an id of a person, and of pages with a mark for one."""
    one = results(tables, **report)
    one = replace(one, samples=one.samples.replace(MARKED))
    for components in one.principal_components.values():
        components.coordinates.rename(index=MARKED, inplace=True)
    drawn = draw_figures(one, folder / "figures")
    methods = methods_text(one, software_versions(), described)
    pages = pages_of(one, methods, MADE)
    write_tables(pages.values(), folder / "tables")
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(render(page, drawn[name], folder / "figures"))
    (folder / "methods.md").write_text(methods)
    texts = {path: readable(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".png"}
    assert any("SLE" in text for path, text in texts.items() if path.suffix == ".pdf"), "text of PDF files is read"
    return {
        "ids": {path.name for path, text in texts.items() if any(name in text for name in MARKED.values())},
        "points": {path.name for path, text in texts.items() if "data-s=" in text or '"people":' in text},
    }


def readable(path: Path) -> str:
    """Return the text of a file; of a PDF its streams, letters of two bytes without the kerning between them."""
    if path.suffix != ".pdf":
        return path.read_text(encoding="utf-8")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.DOTALL)
    text = b"".join(zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"\x78")
    return re.sub(r"\)\s*-?[\d.]+\s*\(", "", text.decode("latin-1").replace("\0", ""))
