"""A page of the report as a browser shows it, and what can be wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AXE = Path(__file__).parent / "data" / "axe-4.14.1.min.js"
WIDTHS, SCHEMES = (1400, 800, 390), ("light", "dark")
# A4 less the margins, in pixels of 1/96 inch
PAPER = 718

# text of figures that is cut off or lies on other text; what is turned by other than a right angle is only looked at alone
CROWDED_TEXT = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("figure svg")) {
    const box = svg.getBoundingClientRect(), name = svg.closest("figure").id;
    if (box.width === 0) continue;
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim())
      .map((text) => ({ words: text.textContent, box: text.getBoundingClientRect(),
        turned: /rotate\\((-?[\\d.]+)/.exec(text.getAttribute("transform") ?? "")?.[1] ?? 0 }));
    for (const { words, box: own } of texts) {
      if (own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1 || own.bottom > box.bottom + 1)
        found.push(`${name}: cut off: ${words}`);
    }
    const level = texts.filter((text) => Math.abs(text.turned % 90) < 0.01);
    level.forEach((one, place) => level.slice(place + 1).forEach((other) => {
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      // boxes of text are taller than its letters
      if (across > 2 && down > 0.35 * Math.min(one.box.height, other.box.height))
        found.push(`${name}: ${one.words} on ${other.words}`);
    }));
  }
  return found;
}"""


@contextmanager
def opened(browser, path: Path, width: int = 1400, scheme: str = "light", part: str = "") -> Iterator:
    """Open a page; when it is closed it must have made no error and no request."""
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True)
    errors, requests = watched(tab)
    tab.goto(path.as_uri() + part)
    try:
        yield tab
        assert not errors, "\n".join(errors)
        asked = [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]
        assert not asked, "\n".join(asked)
    finally:
        tab.close()


def watched(tab) -> tuple[list[str], list[str]]:
    """Collect a tab's errors and requests."""
    errors, requests = [], []
    tab.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    return errors, requests


def violations(tab) -> list[str]:
    """List what axe finds: rule, how often, and the first place; the thousand marks inside a figure are no elements to it."""
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.evaluate("axe.run({ exclude: ['figure svg > *'] })")["violations"]
    return [f"{each['id']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:200]}" for each in found]


def overflow(tab) -> int:
    """Return by how many pixels the page is wider than its window."""
    return tab.evaluate("document.documentElement.scrollWidth - innerWidth")


def cut_in_print(tab) -> list[str]:
    """List what is wider than a sheet of A4, or has something to scroll to."""
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": PAPER, "height": 1000})
    found = tab.evaluate(
        """(width) => [...document.querySelectorAll(".table, table, svg, p, figure")]
          .filter((each) => each.getBoundingClientRect().width > 0 && !each.closest("svg svg"))
          .filter((each) => each.getBoundingClientRect().right > width + 1
            || (getComputedStyle(each).overflowX !== "visible" && each.tagName !== "svg" && each.scrollWidth > each.clientWidth + 1))
          .map((each) => each.closest("[id]")?.id ?? each.textContent.slice(0, 60))""",
        PAPER,
    )
    tab.emulate_media(media="screen")
    return found


def sheets(tab) -> int:
    """Return how many sheets of A4 the page prints on."""
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "10mm")
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", tab.pdf(format="A4", margin=margin)))


def check_every_way(browser, pages: list[Path]) -> None:
    """Open pages at each width in light and dark: no error, request, violation, cut or crowded text."""
    problems = []
    for path in pages:
        for width in WIDTHS:
            for scheme in SCHEMES:
                with opened(browser, path, width, scheme) as tab:
                    wider = overflow(tab)
                    found = [
                        *violations(tab),
                        *tab.evaluate(CROWDED_TEXT),
                        *([f"{wider} px too wide"] if wider > 0 else []),
                    ]
                    problems += [
                        f"{path.parent.parent.name}/{path.name}, {width} px, {scheme}: {each}" for each in found
                    ]
        with opened(browser, path) as tab:
            problems += [f"{path.parent.parent.name}/{path.name}, printed: {each}" for each in cut_in_print(tab)]
    assert not problems, "\n".join(problems)
