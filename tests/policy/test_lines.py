from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.policy.lines import Lines

TEXT = '''\
# name = "not this"
name = "x" # [rule]
text = """
name = 1
[rule]
"""
array = [
  "]", # ]
  { a = 1 },
]
[check."a.b"]
x.y = 3
'quoted key' = { inline = true }

[[rule]]
name = 1
  [[rule]]  # indented
on_gap = { otherwise = "pass" }
[rule.more]
z = 1
[[rule]]
[[rule.deep]]
q = 1
[[rule.deep]]
q = \'\'\'
[[rule]]\'\'\'
last = 1'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 2),
        (("text",), 3),
        (("array",), 7),
        (("array", 1, "a"), 7),
        (("check",), 11),
        (("check", "a.b"), 11),
        (("check", "a.b", "x"), 12),
        (("check", "a.b", "x", "y"), 12),
        (("check", "a.b", "quoted key"), 13),
        (("check", "a.b", "quoted key", "inline"), 13),
        (("rule",), 15),
        (("rule", 0), 15),
        (("rule", 0, "name"), 16),
        (("rule", 1), 17),
        (("rule", 1, "on_gap", "otherwise"), 18),
        (("rule", 1, "missing"), 17),
        (("rule", 1, "more", "z"), 20),
        (("rule", 2), 21),
        (("rule", 2, "deep", 0, "q"), 23),
        (("rule", 2, "deep", 1, "q"), 25),
        (("rule", 2, "deep", 1, "last"), 27),
        (("nothing",), 1),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_place_has_its_line(path, line, ending):
    tomllib.loads(TEXT)
    assert Lines(TEXT.replace("\n", ending)).find(path) == line


KEYS = st.text("ab.\"' \\]#=", min_size=1, max_size=5)


@given(keys=st.lists(KEYS, min_size=1, max_size=5, unique=True))
def test_quoted_keys_of_any_shape_are_found(keys):
    quoted = ['"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys]
    text = "".join(f"{key} = '[[x]]'\n" for key in quoted)
    assert list(tomllib.loads(text)) == keys
    lines = Lines(text)
    assert [lines.find((key,)) for key in keys] == list(range(1, len(keys) + 1))


def test_an_empty_text_has_one_line():
    assert Lines("").find(("x",)) == 1
