from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from detector.formats import markdown
from detector.verdicts import Decision
from tests.formats import reports

OURS = {"details", "summary", "sub"}
FROM_MARKDOWN = {"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "ol", "ul", "li"}
FROM_MARKDOWN |= {"strong"}


def rendered(text):
    """Return Markdown as HTML, raw HTML let through, as the hardest reader would."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.code = set(), "", []
        self._in_code = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "code":
            self._in_code, self.code = True, [*self.code, ""]

    def handle_endtag(self, tag):
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data):
        self.text += data
        if self._in_code:
            self.code[-1] += data


@pytest.mark.parametrize("kind", reports.ALL)
def test_only_our_own_elements_come_out(kind):
    page = Tags(rendered(markdown.render(reports.ALL[kind]())))
    assert page.tags <= OURS | FROM_MARKDOWN


def test_hostile_names_are_shown_as_they_are():
    page = Tags(rendered(markdown.render(reports.hostile())))
    for name in (
        "<script>alert(1)</script>",
        "@torvalds",
        "a|b|c",
        "`rm -rf`",
        "{{ 7*7 }}{% raw %}",
    ):
        assert name in page.code


def test_every_row_of_a_table_has_all_of_its_cells():
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown.render(reports.hostile()))
    rows, cells = [], 0
    for token in tokens:
        cells += token.type in {"td_open", "th_open"}
        if token.type == "tr_close":
            rows.append(cells)
            cells = 0
    assert set(rows) == {3, 7}


@given(st.text("ab@#<>&`|*_[]()!\\$~:/ .wGH-1\n", max_size=40))
def test_any_sentence_comes_out_as_it_went_in(raw):
    text = markdown.prose(f"x{raw}x")
    page = Tags(rendered(text))
    shown = re.sub(r"\s+", " ", page.text.strip())
    said = "".join(piece for _, piece in markdown.segments(f"x{raw}x"))
    assert shown == re.sub(r"\s+", " ", said)
    assert page.tags <= {"p", "code"}


@given(st.text("ab`| \\", min_size=1, max_size=20))
def test_any_name_comes_out_of_a_table_as_it_went_in(raw):
    cell = markdown.code(f"x{raw}x", in_table=True)
    page = Tags(rendered(f"| a | b |\n| --- | --- |\n| {cell} | c |\n"))
    assert page.code == [f"x{raw}x"] or "\\|" in f"x{raw}x"
    assert page.text.split()[-1] == "c"


@pytest.mark.parametrize("raw", ["@torvalds", "see #12", "GH-7", "https://evil.example", "www.x.y"])
def test_nobody_is_mentioned_and_nothing_is_linked(raw):
    assert raw not in markdown.prose(raw)


@pytest.mark.parametrize("columns", [50, 1_000])
def test_a_comment_is_never_too_long(columns):
    text = markdown.render(reports.wide(columns))
    assert len(text.encode()) < 65_536
    assert text.count("<details>") == text.count("</details>") == 1


def test_what_is_left_out_is_counted():
    assert re.search(r"[\d,]+ more are in the full report", markdown.render(reports.wide(1_000)))


def test_the_few_findings_that_matter_come_first():
    text = markdown.render(reports.rejected())
    assert text.startswith("## ❌ Reject: Do not train on this batch.\n")
    assert (
        text.index("dep_delay` moved by") < text.index("**What to do**") < text.index("<details>")
    )


def test_an_empty_report_is_short():
    assert len(markdown.render(reports.report(Decision.ADMIT, "Fine.", [])).splitlines()) < 12
