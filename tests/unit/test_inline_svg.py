"""A figure in a page: no style of its own, ids that meet no others, and points that know whom they stand for."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest

from stratifn.report.figures.marks import link, linked_people
from stratifn.report.figures.style import MARKERS, plotting
from stratifn.report.page.inline_svg import HREF, PERSON, SVG, inline_svg


def drawn(draw) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Let something draw into a panel; return the SVG and whom its groups stand for."""
    import matplotlib.pyplot as plt

    with plotting():
        figure, panel = plt.subplots(figsize=(3, 2))
        draw(panel)
        people, text = linked_people(figure), io.StringIO()
        figure.savefig(text, format="svg")
        plt.close(figure)
    return text.getvalue(), people


def inlined(draw, prefix: str = "one") -> ET.Element:
    text, people = drawn(draw)
    return ET.fromstring(inline_svg(text, prefix, "what is shown", people).svg)


def scatter(panel, marker: str = "o", people=("b", "a", "c"), x=(3.0, 1.0, 2.0)) -> None:
    link(panel.scatter(x, [1.0] * len(x), marker=marker), people)


def named(root: ET.Element) -> list[ET.Element]:
    return [part for part in root.iter() if part.get(PERSON)]


def test_styles_become_attributes_because_the_policy_allows_no_others():
    root = inlined(scatter)
    assert not [part for part in root.iter() if "style" in part.attrib or part.tag == f"{{{SVG}}}style"]
    assert any(part.get("fill") == "#ffffff" for part in root.iter(f"{{{SVG}}}path"))
    assert root.get("stroke-linejoin") == "round", "as matplotlib's own style says for the whole figure"


def test_ids_and_what_refers_to_them_have_the_prefix_of_the_figure():
    root = inlined(scatter, "figure-7")
    ids = {part.get("id") for part in root.iter() if part.get("id")}
    assert ids and all(name.startswith("figure-7-") for name in ids)
    targets = [part.get(HREF)[1:] for part in root.iter() if part.get(HREF)]
    targets += [value[5:-1] for part in root.iter() for value in part.attrib.values() if value.startswith("url(#")]
    assert len(targets) > 3 and set(targets) <= ids


def test_an_image_has_its_words_and_its_size_in_pixels():
    root = inlined(scatter)
    assert (root.get("role"), root.get("aria-label")) == ("img", "what is shown")
    assert (root.get("width"), root.get("height")) == ("288", "192")


@pytest.mark.parametrize("marker", [*MARKERS, "X", "."])
def test_points_get_their_people_in_the_order_in_which_they_were_drawn(marker):
    found = named(inlined(lambda panel: scatter(panel, marker)))
    assert [part.get(PERSON) for part in found] == ["b", "a", "c"]
    places = {part.get(PERSON): float(part.get("x") or part.get("d").split()[1]) for part in found}
    assert places["a"] < places["c"] < places["b"], "each point is at the place of its person"


def test_points_that_are_written_as_paths_of_their_own_are_named_as_well():
    def of_many_colours(panel):
        link(panel.scatter([3, 1], [1, 1], c=["red", "blue"], marker="s"), ["b", "a"])

    found = named(inlined(of_many_colours))
    assert {part.tag for part in found} == {f"{{{SVG}}}path"}, "matplotlib defines no shape for a few squares"
    assert [(part.get(PERSON), part.get("fill")) for part in found] == [("b", "#ff0000"), ("a", "#0000ff")]


def test_groups_do_not_mix_and_other_marks_name_nobody():
    def two(panel):
        panel.scatter([0], [0])
        panel.plot([0, 1], [0, 1])
        scatter(panel, "o", ["a", "b"], [1, 2])
        scatter(panel, "s", ["c"], [3])

    assert [part.get(PERSON) for part in named(inlined(two))] == ["a", "b", "c"]


@pytest.mark.parametrize("people", [["a", "b"], ["a", "b", "c", "d"]])
def test_a_point_too_many_or_too_few_is_an_error(people):
    with pytest.raises(ValueError, match=f"3 points for {len(people)} people"):
        inlined(lambda panel: scatter(panel, "o", people))


def test_a_point_outside_the_panel_does_not_shift_the_names():
    def cut(panel):
        panel.set_xlim(0, 1)
        scatter(panel, "o", ["a", "b", "c"], [0.5, 50.0, 0.7])

    places = {part.get(PERSON): float(part.get("x")) for part in named(inlined(cut))}
    assert places["a"] < places["c"] < places["b"]
