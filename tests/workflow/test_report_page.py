"""The report as a reader sees it: offline, complete, searchable."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser

import pytest

from stratifn.shared.samples import read_samples

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Links(HTMLParser):
    """Collect everything that a page could load or follow."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "action", "data") and value]


@pytest.fixture
def browser():
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(demo_run):
    names = sorted((demo_run / "report").glob("*.html"))
    assert [path.stem for path in names] == ["DM", "SLE", "SSc", "index", "pSS"], "the control has no page"
    return {path: path.read_text(encoding="utf-8") for path in names}


def test_no_page_asks_anything_of_the_network(pages):
    for page in pages.values():
        assert [link for link in found_in(page) if link.startswith(("http", "//", "file:", "/"))] == []
        assert "default-src 'none'" in page


def test_every_link_leads_to_a_file_that_is_there(pages):
    for path, page in pages.items():
        links = [link for link in found_in(page) if not link.startswith(("#", "data:image/png;base64,"))]
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
        listed = {sample for sample in samples.index if f"<td>{sample}</td>" in rows}
        assert listed == set(samples.index if path.stem == "index" else samples.index[samples == path.stem])


def test_the_methods_text_names_the_values_and_versions_used(demo_run):
    methods = (demo_run / "report" / "methods.md").read_text(encoding="utf-8")
    for part in (
        "disease + sex + age + batch",
        "RICE_CROW_6",
        "seeds 1, 2, 3, 4, 5",
        "PyDESeq2 0.5.4",
        "doi:10.1186/s13059-014-0550-8",
    ):
        assert part in methods


@pytest.mark.parametrize(
    ("name", "patients", "sample"), [("index", 120, "S007"), ("SLE", 24, "S010"), ("DM", 24, "S001")]
)
def test_a_page_opens_without_an_error_and_its_search_finds_a_sample(browser, demo_run, name, patients, sample):
    tab = browser.new_page()
    errors, requests = watched(tab)
    tab.goto((demo_run / "report" / f"{name}.html").as_uri())
    assert "demo" in tab.title()
    rows = tab.locator("#patients tbody tr")
    assert rows.count() == patients
    tab.locator("#patients input.search").fill(sample)
    assert tab.locator("#patients tbody tr:visible").count() == 1
    tab.locator("#patients input.search").fill("no such sample")
    assert tab.locator("#patients tbody tr:visible").count() == 0
    widths = tab.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert min(widths) > 100
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def test_pages_lead_to_each_other_and_fit_a_phone(browser, demo_run):
    tab = browser.new_page(viewport={"width": 400, "height": 800})
    errors, _ = watched(tab)
    tab.goto((demo_run / "report" / "index.html").as_uri())
    for name in ("SLE", "pSS", "Overview"):
        tab.locator("nav.pages a", has_text=name).click()
        assert tab.locator("nav.pages [aria-current=page]").inner_text() == name
        assert tab.evaluate("document.documentElement.scrollWidth") <= 400, "tables and figures scroll by themselves"
    assert errors == []


def watched(tab) -> tuple[list[str], list[str]]:
    """Collect a tab's errors and requests."""
    errors, requests = [], []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    return errors, requests
