from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.formats._escape import plain, segments, visible
from tests.formats.reports import HOSTILE

anything = st.text(st.characters(), max_size=80)  # lone surrogates too


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("größe 日本 😀", "größe 日本 😀"),
        ("a\tb\n", r"a\tb\n"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("no\u00a0break", r"no\xa0break"),
        ("\ud800", r"\ud800"),
        ("\u3164", r"\u3164"),
        ("\U000e0041", r"\U000e0041"),
        (7, "7"),
        (None, "None"),
    ],
)
def test_what_the_eye_misses_is_spelled_out(raw, shown):
    assert visible(raw) == shown


@given(anything)
def test_shown_text_is_one_line_of_printable_utf8(raw):
    shown = visible(raw)
    shown.encode("utf-8")
    assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in shown)


@given(anything)
def test_making_visible_twice_changes_nothing_more(raw):
    once = visible(raw, limit=10_000)
    assert visible(once, limit=10_000) == once


@given(anything, st.integers(8, 40))
def test_no_more_than_the_limit_of_characters_is_kept(raw, limit):
    kept = raw if len(raw) <= limit else None
    shown = visible(raw, limit=limit)
    assert kept is not None or "…" in shown
    assert len(shown) <= 10 * limit


def test_two_long_names_that_differ_at_the_end_stay_apart():
    assert visible("x" * 90 + "a") != visible("x" * 90 + "b")


def test_backticks_mark_names():
    assert segments("`a` and `b c`.") == [
        (True, "a"),
        (False, " and "),
        (True, "b c"),
        (False, "."),
    ]


@pytest.mark.parametrize("raw", ["``", "`", "``a``", "```a```", "a ` b", "``a` b"])
def test_odd_backticks_mark_nothing(raw):
    assert segments(raw) == [(False, raw)]


@given(st.text("`a |\\", max_size=30))
def test_no_piece_is_lost_and_marked_ones_hold_no_backtick(raw):
    pieces = segments(raw)
    assert "".join(f"`{piece}`" if code else piece for code, piece in pieces) == visible(raw)
    assert not any("`" in piece for code, piece in pieces if code)


@pytest.mark.parametrize("name", HOSTILE)
def test_plain_prose_keeps_hostile_names_harmless(name):
    assert "\n" not in plain(f"`{name}` moved")
