"""The report as a reader sees it: offline, complete, searchable."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Links(HTMLParser):
    """Collect everything that a page could load or follow."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "action", "data") and value]


@pytest.fixture(scope="module")
def page(demo_run):
    return (demo_run / "report" / "index.html").read_text(encoding="utf-8")


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


def test_the_page_asks_nothing_of_the_network(page):
    links = Links()
    links.feed(page)
    assert [link for link in links.found if not link.startswith(("#", "data:image/png;base64,"))] == []
    assert "default-src 'none'" in page


def test_the_page_says_what_it_is_not_for_and_that_the_data_are_made_up(page):
    assert page.count("For research use, not for diagnosis") >= 2
    assert "These data are simulated" in page


def test_the_page_holds_every_figure_once(page, demo_run):
    figures = sorted(path.stem for path in (demo_run / "report" / "figures").glob("*.png"))
    assert len(figures) >= 12
    for figure in figures:
        assert page.count(f"figures/{figure}.svg") == 1
        assert (demo_run / "report" / "figures" / f"{figure}.svg").stat().st_size > 1000


def test_the_page_stays_small_enough_to_send(page):
    assert len(page) < 5_000_000


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


def test_the_page_opens_without_an_error_and_its_search_finds_a_sample(browser, demo_run):
    tab = browser.new_page()
    errors, requests = [], []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto((demo_run / "report" / "index.html").as_uri())
    assert "demo" in tab.title()
    rows = tab.locator("#patients tbody tr")
    assert rows.count() == 120
    tab.locator("#patients input.search").fill("S007")
    assert tab.locator("#patients tbody tr:visible").count() == 1
    tab.locator("#patients input.search").fill("no such sample")
    assert tab.locator("#patients tbody tr:visible").count() == 0
    widths = tab.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert min(widths) > 100
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
