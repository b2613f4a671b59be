"""The report as a reader sees it: offline, complete, searchable."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from pages_in_browser import (
    CROWDED_TEXT,
    SCHEMES,
    check_every_way,
    cut_in_print,
    opened,
    overflow,
    sheets,
    violations,
)
from stratifn.shared.samples import read_samples
from stratifn.shared.tables import read_table

from .conftest import MICRO, clone_to, write_config

# where the references of the methods text are
REFERENCES = ("https://doi.org/", "https://pubmed.ncbi.nlm.nih.gov/")
# panel to the people of its points
POINTS = """() => {
  const panels = {};
  for (const mark of document.querySelectorAll("figure svg [data-s]")) {
    const panel = `${mark.closest("figure").id} ${mark.closest("g[id*='-axes_']").id}`;
    (panels[panel] ??= []).push(mark.dataset.s);
  }
  return panels;
}"""


class Links(HTMLParser):
    """Collect everything that a page could load or follow."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "action", "data") and value]


@pytest.fixture(scope="module")
def pages(demo_run):
    names = sorted((demo_run / "report").glob("*.html"))
    assert [path.stem for path in names] == ["DM", "SLE", "SSc", "index", "pSS"], "the control has no page"
    return {path: path.read_text(encoding="utf-8") for path in names}


def test_no_page_asks_anything_of_the_network(pages):
    for page in pages.values():
        # a reference is followed by its reader alone
        links = [link for link in found_in(page) if not link.startswith(REFERENCES)]
        assert [link for link in links if link.startswith(("http", "//", "file:", "/"))] == []
        assert "default-src 'none'" in page


def test_every_link_leads_to_a_file_that_is_there(pages):
    for path, page in pages.items():
        links = [link for link in found_in(page) if not link.startswith(("#", "data:image/png;base64,", *REFERENCES))]
        assert links
        assert [link for link in links if not (path.parent / link.partition("#")[0]).is_file()] == []
        assert {f"{other.name}" for other in pages if other != path} <= set(links)


def found_in(page: str) -> list[str]:
    links = Links()
    links.feed(page)
    return links.found


def test_every_page_says_what_it_is_not_for_and_that_the_data_are_made_up(pages):
    for page in pages.values():
        assert page.count("For research use, not for diagnosis") >= 2
        assert "These data are simulated" in page


def test_the_overview_and_the_pages_of_diseases_hold_each_figure_once(pages, demo_run):
    folder = demo_run / "report" / "figures"
    figures = sorted(path.relative_to(folder).with_suffix("") for path in folder.rglob("*.png"))
    assert len(figures) >= 12 + 4 * 5
    for figure in figures:
        shown = [path.stem for path, page in pages.items() if page.count(f"figures/{figure}.svg") == 1]
        assert set(shown) == {figure.parent.name or "index"}
        assert (folder / f"{figure}.svg").stat().st_size > 1000


def test_no_page_is_too_large_to_send(pages):
    assert all(len(page) < 5_000_000 for page in pages.values())


def test_a_disease_page_lists_the_people_with_the_disease_and_nobody_else(pages, demo_run):
    samples = read_samples(demo_run / "inputs" / "samples.tsv").set_index("sample")["disease"]
    for path, page in pages.items():
        rows = page[page.index('<section id="patients"') : page.index('<section id="methods"')]
        listed = {sample for sample in samples.index if f">{sample}</a></td>" in rows}
        assert listed == set(samples.index if path.stem == "index" else samples.index[samples == path.stem])


def test_the_methods_text_names_the_values_and_versions_used(demo_run):
    methods = (demo_run / "report" / "methods.md").read_text(encoding="utf-8")
    for part in (
        "disease + sex + age + batch",
        "RICE_CROW_6",
        "from 5 seeds (1, 2, 3, 4 and 5)",
        "PyDESeq2 0.5.4",
        "https://doi.org/10.1186/s13059-014-0550-8",
    ):
        assert part in methods


def test_numbers_of_the_methods_text_are_those_of_the_tables(demo_run):
    methods = (demo_run / "report" / "methods.md").read_text(encoding="utf-8")
    tables = {
        name: read_table(demo_run / f"{name}.tsv")
        for name in (
            "interferon/reference",
            "integration/features",
            "integration/robustness",
            "stratification/selection",
        )
    }
    selection = tables["stratification/selection"]
    tried, chosen = selection.loc[selection["k"] > 1, "k"], selection[selection["chosen"]].iloc[0]
    assert f"For {tried.min()} to {tried.max()} strata" in methods
    assert f"was taken: {chosen['k']} (Jaccard index {chosen['stability']:.3g}, BIC {chosen['bic']:.0f})" in methods
    reference = tables["interferon/reference"].set_index(["signature", "method"]).loc[("RICE_CROW_6", "zscore")]
    low, high = (f"{reference[name]:.3g}" for name in ("cutoff_low", "cutoff_high"))
    assert f"({reference['cutoff']:.3g}; 95 % bootstrap interval {low} to {high})" in methods
    assert f"The reference consisted of {int(reference['n_controls'])} healthy controls" in methods
    for row in tables["integration/features"].itertuples():
        assert f"{row.selected} of {row.view}" in methods
    robust = tables["integration/robustness"]["robust"]
    assert f"this applied to {robust.sum()} of {len(robust)} factors" in methods


@pytest.mark.parametrize("denied", [False, True])
def test_a_button_copies_the_methods_text_with_its_references(browser, demo_run, denied):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    tab, errors = context.new_page(), []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto((demo_run / "report" / "index.html").as_uri())
    if denied:
        tab.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject('denied'); }")
    tab.locator("button.copy").click()
    assert tab.get_by_role("button", name="Copied").count() == 1
    written = (demo_run / "report" / "methods.md").read_text(encoding="utf-8")
    paragraphs = [text for text in written.split("\n\n") if not text.startswith("#")]
    assert tab.evaluate("navigator.clipboard.readText()").strip().split("\n\n") == [
        *(text.strip() for text in paragraphs[:-1]),
        "References",
        paragraphs[-1].strip(),
    ]
    assert errors == []
    context.close()


@pytest.mark.parametrize(("name", "patients"), [("index", 120), ("SLE", 24), ("DM", 24)])
def test_a_page_opens_without_an_error_and_its_figures_link_every_person_of_its_table(
    browser, demo_run, name, patients
):
    with opened(browser, demo_run / "report" / f"{name}.html") as tab:
        assert "demo" in tab.title()
        listed = set(tab.locator("#patients tbody tr td:first-child").all_inner_texts())
        assert len(listed) == patients
        figures = tab.evaluate(POINTS)
        assert len(figures) >= 3
        assert listed <= {person for names in figures.values() for person in names}


def test_a_figure_holds_one_point_in_a_panel_for_each_person_with_a_value(browser, demo_run):
    samples = read_samples(demo_run / "inputs" / "samples.tsv").set_index("sample")
    scores = read_table(demo_run / "interferon" / "classes.tsv").set_index("sample")["score"]
    axes = read_table(demo_run / "interferon" / "axes.tsv").pivot(index="sample", columns="axis", values="score")
    with_value = [set(samples.index), set(scores.dropna().index)]
    with_value += [set(samples.index[samples[view]]) for view in samples if view.startswith("in_")]
    with_value += [set(axes[["ligand", "response"]].dropna().index)]
    with_value += [
        set(read_table(demo_run / "interferon" / f"{name}.tsv").dropna(subset=value)["sample"])
        for name, value in (("protein_ranks", "mean_rank"), ("methylation", "score"), ("response_types", "type_i"))
    ]
    with opened(browser, demo_run / "report" / "index.html") as tab:
        for panel, names in tab.evaluate(POINTS).items():
            assert set(names) in with_value, panel
            assert len(names) == len(set(names)), panel


def test_the_table_sorts_filters_counts_and_downloads_by_keyboard(browser, demo_run):
    from playwright.sync_api import expect

    classes = read_table(demo_run / "interferon" / "classes.tsv").set_index("sample")
    with opened(browser, demo_run / "report" / "index.html") as tab:
        rows, count = tab.locator("#patients tbody tr"), tab.locator("#patients .dt-info")
        order = tab.locator("#patients").get_by_role("button", name="score").first
        order.focus()
        for key, best in (("Enter", classes["score"].idxmin()), ("Enter", classes["score"].idxmax())):
            tab.keyboard.press(key)
            expect(rows.first.locator("td").first).to_have_text(best)
            last = rows.nth(-1).inner_text().split("\t")
            assert last[2] == "", "who has no score comes last in both directions"
        tab.get_by_label("Filter by disease").select_option("SLE")
        tab.get_by_label("Filter by score").fill("> 3")
        expected = classes[(classes["disease"] == "SLE") & (classes["score"] > 3)]
        expect(count).to_have_text(f"{len(expected)} of 120 rows")
        with tab.expect_download() as download:
            tab.get_by_role("button", name="Download").press("Enter")
        assert download.value.suggested_filename == "patients.tsv"
        header, *lines = download.value.path().read_text(encoding="utf-8").splitlines()
        assert header.split("\t")[:3] == ["sample", "disease", "score"]
        by_score = expected.sort_values("score", ascending=False)
        assert [line.split("\t")[0] for line in lines] == list(by_score.index)
        tab.get_by_label("Search").fill("no such sample")
        expect(count).to_have_text("0 of 120 rows")
        assert count.get_attribute("aria-live") == "polite"


def test_a_row_opens_the_profile_with_the_numbers_of_the_tables(browser, demo_run):
    classes = read_table(demo_run / "interferon" / "classes.tsv").set_index("sample")
    strata = read_table(demo_run / "stratification" / "strata.tsv").set_index("sample")
    with opened(browser, demo_run / "report" / "index.html") as tab:
        link = tab.locator("#patients").get_by_role("link", name="S010", exact=True)
        link.focus()
        tab.keyboard.press("Enter")
        profile = tab.get_by_role("dialog", name="S010")
        words = profile.inner_text()
        assert tab.url.endswith("#person-S010")
        assert f"{classes['score']['S010']:.3g} (RICE_CROW_6, zscore)" in words
        assert f"{strata['stratum']['S010']} {strata['label']['S010']}" in words
        assert f"Response: {classes['ifn_type']['S010']}" in words
        for name in ("IFI27", "SIGLEC1", "M5.12", "Factor1", "Nearest people", "Measured: rna", "hydroxychloroquine"):
            assert name in words
        assert sheets(tab) == 1, "a profile prints on one page"
        neighbour = profile.locator(".neighbours a").first
        other = neighbour.inner_text()
        neighbour.press("Enter")
        assert tab.get_by_role("dialog", name=other).is_visible()
        tab.go_back()
        assert profile.is_visible()
        tab.keyboard.press("Escape")
        assert not tab.locator("dialog").is_visible()
        assert "person" not in tab.url
    with opened(browser, demo_run / "report" / "SLE.html") as tab:
        tab.locator("#patients").get_by_role("link", name="S010", exact=True).click()
        # the overview holds the profiles
        tab.get_by_role("dialog", name="S010").wait_for()
    with opened(browser, demo_run / "report" / "index.html", part="#person-nobody") as tab:
        assert not tab.locator("dialog").is_visible()


def test_a_person_is_the_same_in_every_figure_and_groups_stand_out_by_keyboard(browser, demo_run):
    with opened(browser, demo_run / "report" / "index.html") as tab:
        figures = tab.get_by_role("application")
        figures.first.focus()
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowRight")
        status = tab.locator(".picked [role=status]")
        person = status.inner_text().split(":")[0]
        tab.keyboard.press("Enter")
        points = sum(names.count(person) for names in tab.evaluate(POINTS).values())
        assert tab.locator("svg .ring").count() == points > 5
        assert "is-picked" in tab.locator(f"#person-{person}").get_attribute("class")
        tab.get_by_role("button", name="pSS").press("Enter")
        assert tab.get_by_role("button", name="pSS").get_attribute("aria-pressed") == "true"
        samples = read_samples(demo_run / "inputs" / "samples.tsv").set_index("sample")["disease"]
        for name, off in tab.evaluate(
            "[...document.querySelectorAll('[data-s]')].map((mark) => [mark.dataset.s, mark.classList.contains('off')])"
        ):
            assert off == (samples[name] != "pSS")
        figures.first.focus()
        tab.keyboard.press("Escape")
        assert tab.locator("svg .ring").count() == 0
        mark = tab.locator(f"[data-s='{samples.index[samples == 'pSS'][0]}']").first
        mark.dispatch_event("click")
        assert tab.locator("svg .ring").count() > 5
        tab.locator(".picked").get_by_role("link", name="Profile").click()
        assert tab.get_by_role("dialog").is_visible()


def test_pages_lead_to_each_other_and_fit_a_phone(browser, demo_run):
    with opened(browser, demo_run / "report" / "index.html", width=390) as tab:
        for name in ("SLE", "pSS", "Overview"):
            tab.locator("nav.pages a", has_text=name).click()
            assert tab.locator("nav.pages [aria-current=page]").inner_text() == name
            assert overflow(tab) <= 0, "tables and figures scroll by themselves"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_overview_is_accessible_and_no_text_is_cut_or_covered(browser, demo_run, scheme):
    with opened(browser, demo_run / "report" / "index.html", scheme=scheme) as tab:
        assert violations(tab) == []
        assert tab.evaluate(CROWDED_TEXT) == []
    with opened(browser, demo_run / "report" / "index.html", scheme=scheme, part="#person-S010") as tab:
        assert violations(tab) == []


def test_nothing_is_cut_in_print(browser, demo_run):
    for name in ("index", "SLE"):
        with opened(browser, demo_run / "report" / f"{name}.html") as tab:
            assert cut_in_print(tab) == []


@pytest.mark.full
def test_every_page_of_the_demo_can_be_read_in_every_way(browser, demo_run):
    check_every_way(browser, sorted((demo_run / "report").glob("*.html")))


@pytest.mark.full
def test_pages_of_two_cohorts_and_of_1600_people_can_be_read_in_every_way(browser, tmp_path):
    clone = clone_to(tmp_path / "clone")
    large = {"patients": 390, "controls": 40, "genes": 500, "cpgs": 200, "seed": 5}
    small = {"patients": 4, "controls": 8, "genes": 300, "cpgs": 200, "seed": 3}
    cohorts = [{"name": "large", "simulate": large}, {"name": "small", "simulate": small}]
    config = write_config(clone.folder / "two.yaml", MICRO | {"cohorts": cohorts})
    run = clone.snakemake("--cores", "2", "--configfile", str(config))
    assert run.code == 0, run.text
    results = clone.folder / "results"
    pages = sorted((results / "large" / "report").glob("*.html"))
    assert sum(path.stat().st_size for path in pages) < 15_000_000
    check_every_way(browser, [*pages, *sorted((results / "small" / "report").glob("*.html"))])
