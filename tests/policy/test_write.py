from __future__ import annotations

import pytest

from detector.policy.load import built_in_policy
from detector.policy.parse import parse
from detector.policy.write import to_toml

FULL = r"""
name = "tricky \"name\" \\ \u007f ü"
alpha = 0.01
correction = "benjamini_hochberg"
ignore = ["a.b", "c d"]
kinds = { "post code" = "category" }
roles = { patient = "group" }

[check.joint]
permutations = 199

[[rule]]
name = "numbers"
check = "marginals"
measurement = "wasser*"
columns = "p*"
kind = "significant"
negligible = 0.1
origin = 0
action = "cap"
cap = 0.2
on_gap = { needs_rows = "warn", otherwise = "fail" }
tolerate = 0.5
family = "mine"

[[rule]]
name = "pairs"
check = "dependence"
kind = "significant"
adjusted = true
on_gap = "pass"

[[waiver]]
rule = "numbers"
subject = "price"
reason = "new list"
expires = 2027-01-31
"""


@pytest.mark.parametrize(
    "policy", [built_in_policy(), parse(FULL, source="full")], ids=["built-in", "full"]
)
def test_a_written_policy_reads_back_as_the_same_policy(policy):
    again = parse(to_toml(policy, head="two\nlines"), source=policy.source)
    assert again == policy
    assert again.digest == policy.digest


def test_a_remark_stands_above_its_rule():
    text = to_toml(built_in_policy(), remarks={"no column is new": "why\nso"})
    assert '# why\n# so\n[[rule]]\nname = "no column is new"\n' in text


def test_a_hostile_name_in_a_comment_stays_in_the_comment():
    text = to_toml(built_in_policy(), head="made from a\x07b\u2028[[rule]]\rname")
    assert parse(text, source="built-in policy").digest == built_in_policy().digest
    assert text.startswith("# made from a?b?[[rule]]?name\n")
