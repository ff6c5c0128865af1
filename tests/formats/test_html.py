"""The page: safe, self-contained, readable without eyes, mouse, color or network."""

from __future__ import annotations

import html as stdlib_html
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from detector.formats import html
from detector.verdicts import Decision, Level
from tests.formats import reports

VOID = {"meta", "path", "rect", "circle", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """The elements of a page, each with its attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attrs": dict(attrs), "text": "", "inside": list(self._open)}
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        while self._open and self._open[-1]["tag"] != tag:
            assert self._open[-1]["tag"] in {"th", "td", "tr", "dt", "dd"}, self._open[-1]
            self._open.pop()
        self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]

    def with_attribute(self, name):
        return [element["attrs"][name] for element in self.elements if name in element["attrs"]]


@cache
def page_of(kind):
    return Page(html.render(reports.ALL[kind]()))


@pytest.fixture(params=reports.ALL)
def page(request):
    return page_of(request.param)


@pytest.fixture(scope="module")
def rejected():
    return page_of("rejected")


def test_the_page_holds_no_script_frame_or_form(page):
    forbidden = {"script", "iframe", "object", "embed", "form", "link", "img", "base", "a:href"}
    assert not forbidden & {element["tag"] for element in page.elements}
    assert not [n for e in page.elements for n in e["attrs"] if n.startswith("on")]


def test_the_page_refers_to_nothing_outside_itself(page):
    links = [*page.with_attribute("href"), *page.with_attribute("xlink:href")]
    assert all(link.startswith("#") for link in links)
    assert not page.with_attribute("src")


def test_styles_load_nothing_but_inline_pictures():
    (style,) = Page(html.render(reports.rejected())).all("style")
    assert all(
        url.startswith('"data:image/svg+xml,') for url in re.findall(r"url\((.*?)\)", style["text"])
    )
    assert "@import" not in style["text"]


def test_the_policy_of_the_page_forbids_loading_anything(page):
    policies = [
        element["attrs"]["content"]
        for element in page.all("meta")
        if element["attrs"].get("http-equiv") == "Content-Security-Policy"
    ]
    (policy,) = policies
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_hostile_names_add_no_element_and_no_attribute():
    def vocabulary(report):
        page = Page(html.render(report))
        return {(e["tag"], name) for e in page.elements for name in e["attrs"] or {"": ""}}

    kind = vocabulary(reports.rejected()) | vocabulary(reports.undecided())
    assert vocabulary(reports.hostile()) <= kind | vocabulary(reports.admitted())


def test_hostile_names_are_shown_as_they_are():
    shown = Page(html.render(reports.hostile())).all("main")[0]["text"]
    for name in ("<script>alert(1)</script>", "{{ 7*7 }}{% raw %}", "@torvalds", "a|b|c"):
        assert name in shown


def test_a_reader_can_skip_to_the_findings(page):
    first = page.all("a")[0]
    assert first["attrs"]["href"] == "#main"
    assert page.all("main")[0]["attrs"]["id"] == "main"


def test_the_page_names_its_language_and_title(page):
    assert page.all("html")[0]["attrs"]["lang"] == "en"
    assert page.all("title")[0]["text"].strip()


def test_the_landmarks_are_there_once(page):
    assert [len(page.all(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5


def test_headings_skip_no_level(page):
    levels = [int(e["tag"][1]) for e in page.elements if re.fullmatch(r"h[1-6]", e["tag"])]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_reference_has_its_target(page):
    ids = page.with_attribute("id")
    assert len(ids) == len(set(ids))
    wanted = {link[1:] for link in page.with_attribute("href")}
    assert wanted | set(page.with_attribute("aria-labelledby")) <= set(ids)


def test_every_chart_has_a_role_a_title_a_description_and_a_table(rejected):
    charts = rejected.all("svg")
    assert len(charts) == 5
    for chart in charts:
        assert chart["attrs"]["role"] == "img"
        inside = {e["tag"]: e["text"] for e in rejected.elements if chart in e["inside"]}
        assert inside["title"].strip()
        assert inside["desc"].strip()
    for figure in rejected.all("figure"):
        assert [t for t in rejected.all("table") if figure in t["inside"]]


def test_every_header_cell_says_what_it_heads(page):
    assert {element["attrs"].get("scope") for element in page.all("th")} <= {"col", "row"}


def test_what_scrolls_can_be_reached_and_is_named(page):
    for element in page.elements:
        if element["attrs"].get("class", "").startswith("scroll"):
            assert element["attrs"]["tabindex"] == "0"
            assert element["attrs"]["role"] == "region"
            assert {"aria-label", "aria-labelledby"} & set(element["attrs"])


def test_a_state_is_a_word_and_a_shape_never_a_color_alone(page):
    words = {"pass": "Pass", "warn": "Warning", "unknown": "Undecided", "fail": "Fail"}
    words |= {"none": "No rule"} | {
        decision.value: decision.value.capitalize() for decision in Decision
    }
    (style,) = page.all("style")
    for element in page.elements:
        classes = element["attrs"].get("class", "").split()
        if "state" in classes:
            assert element["text"].startswith(words[classes[1]])
    shapes = re.findall(r"--mark: url\((.*?)\) }", style["text"])
    assert len(set(shapes)) == len(shapes) == 6


def test_the_worst_finding_is_told_first_with_its_chart(rejected):
    first = rejected.all("article")[0]
    assert "dep_delay" in first["text"]
    assert "moved by 0.51 spreads" in first["text"]
    assert [svg for svg in rejected.all("svg") if first in svg["inside"]]


def test_when_nothing_is_wrong_the_closest_calls_are_shown():
    page = Page(html.render(reports.admitted()))
    assert len(page.all("article")) == html.MOST_CLOSE_CALLS
    assert "Nothing in this batch asks for attention" in page.all("main")[0]["text"]


def test_gaps_are_listed_with_their_reasons(rejected):
    text = rejected.all("main")[0]["text"]
    assert "Needs a holdout: pass --holdout with real rows" in text
    assert "none of them counts as a pass" in text


def test_measurements_that_no_rule_judges_are_in_the_table():
    unjudged = reports.finding("joint", reports.TABLE, reports.measured("mmd", 0.0042))
    page = Page(html.render(reports.report(Decision.ADMIT, "Fine.", [], [unjudged])))
    assert "1 measured, judged by no rule" in page.all("main")[0]["text"]


def test_a_waiver_is_told_with_its_reason():
    one = reports.verdict(
        reports.finding("joint", reports.TABLE, reports.measured()),
        Level.WARN,
        message="Moved. Waived until 2027-03-31: known until March.",
        waived="known until March",
    )
    page = html.render(reports.report(Decision.ADMIT, "", [one]))
    assert page.count("known until March") == 1


@pytest.mark.parametrize(
    ("columns", "bytes_allowed"), [(50, 200_000), (1_000, 1_000_000), (5_000, 1_000_000)]
)
def test_the_page_stays_small(columns, bytes_allowed):
    assert len(html.render(reports.wide(columns)).encode()) < bytes_allowed


def test_the_table_says_how_much_it_leaves_out():
    assert "2,500 more rows, the mildest, are in the JSON report" in html.render(
        reports.wide(1_000)
    )


def test_a_notebook_gets_the_page_in_a_frame_of_its_own():
    report = reports.hostile()
    (frame,) = Page(html.notebook(report)).all("iframe")
    assert frame["attrs"]["sandbox"] in {"", None}
    assert stdlib_html.unescape(frame["attrs"]["srcdoc"]) == stdlib_html.unescape(
        html.render(report)
    )


def _palettes():
    (style,) = Page(html.render(reports.rejected())).all("style")
    light, dark = re.findall(r":root \{(.*?)\}", style["text"], re.DOTALL)
    read = lambda text: dict(re.findall(r"--([\w-]+): (#\w+);", text))  # noqa: E731
    return {"light": read(light), "dark": read(light) | read(dark)}


def _luminance(color):
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_contrast_of_black_and_white_is_21():
    assert _contrast("#fff", "#000000") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_color_has_a_contrast_of_four_and_a_half(scheme):
    palette = _palettes()[scheme]
    inks = set(palette) - {"paper", "wash", "line", "grey"}
    assert len(inks) == 12
    for ground in ("paper", "wash"):
        weak = {ink for ink in inks if _contrast(palette[ink], palette[ground]) < 4.5}
        assert not weak, f"too faint on {ground}: {weak}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_two_sides_of_a_chart_differ_in_brightness_too(scheme):
    palette = _palettes()[scheme]
    for decision in Decision:
        assert _contrast(palette[decision.value], palette["grey"]) > 1.5
