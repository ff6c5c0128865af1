from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import pytest

from detector import catalogue
from detector.data.schema import Kind, Role
from detector.errors import DetectorError, PolicyError
from detector.findings import Reason
from detector.policy.parse import parse
from detector.policy.policy import Correction, Rule
from detector.verdicts import Action, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    name: ClassVar[str] = "joint"
    measures: ClassVar[frozenset[str]] = frozenset({"mmd"})
    permutations: int = 199
    share: float = 0.5
    exact: bool = False
    quantiles: tuple[float, ...] = ()
    column: str | None = None
    profile: Unknown = None  # noqa: F821 - a type that only the type checker sees

    def __post_init__(self):
        if self.permutations < 1:
            raise ValueError("permutations has to be at least 1")


@pytest.fixture(autouse=True)
def _two_checks(monkeypatch):
    names, load = catalogue.names, catalogue.load

    def fake_load(package, name):
        if package != "detector.checks":
            return load(package, name)
        if name == "joint":
            return Joint
        raise DetectorError("The check `heavy` cannot be loaded.", hint="Install it.")

    def fake_names(package):
        return ("heavy", "joint", "schema") if package == "detector.checks" else names(package)

    monkeypatch.setattr(catalogue, "names", fake_names)
    monkeypatch.setattr(catalogue, "load", fake_load)


RULE = """
[[rule]]
name = "r"
check = "schema"
kind = "limit"
at_most = 0
"""
WAIVER = """
[[waiver]]
rule = "r"
subject = "x"
reason = "known"
expires = 2027-01-31
"""


def faults(text, **more):
    with pytest.raises(PolicyError) as caught:
        parse(text, source="detector.toml", **more)
    return list(caught.value.faults)


def test_everything_that_can_be_said_is_read():
    policy = parse(
        """
        name = "mine"
        alpha = 0.01
        correction = "benjamini_hochberg"
        ignore = ["row"]
        kinds = { postcode = "category" }
        roles = { patient = "group" }
        [check.joint]
        permutations = 999
        quantiles = [1, 0.5]
        share = 1
        [[rule]]
        name = "apart"
        check = "joint"
        measurement = "mm*"
        columns = "a*"
        kind = "significant"
        negligible = 0.1
        action = "cap"
        cap = 0.25
        on_gap = { constant_column = "pass", otherwise = "fail" }
        [[rule]]
        name = "r"
        check = "schema"
        kind = "limit"
        at_most = 0
        action = "warn"
        on_gap = "warn"
        """
        + WAIVER,
        source="s",
    )
    assert (policy.name, policy.alpha, policy.source) == ("mine", 0.01, "s")
    assert policy.correction is Correction.BENJAMINI_HOCHBERG
    assert policy.ignore == ("row",)
    assert policy.kinds == {"postcode": Kind.CATEGORY}
    assert policy.roles == {"patient": Role.GROUP}
    assert policy.options == {
        "joint": {"permutations": 999, "quantiles": (1, 0.5), "share": 1},
    }
    assert policy.checks == ("joint", "schema")
    first, second = policy.rules
    assert first == Rule(
        name="apart",
        check="joint",
        measurement="mm*",
        columns="a*",
        kind="significant",
        options={"negligible": 0.1},
        action=Action.CAP,
        cap=0.25,
        on_gap=Level.FAIL,
        gaps={Reason.CONSTANT_COLUMN: Level.PASS},
    )
    assert (second.action, second.on_gap) == (Action.WARN, Level.WARN)
    assert (first.tested_in, second.tested_in) == ("joint", None)
    assert policy.waivers[0].expires == date(2027, 1, 31)


def test_what_is_not_said_has_a_careful_default():
    policy = parse(RULE, source="detector.toml")
    (rule,) = policy.rules
    assert (policy.name, policy.alpha, policy.correction) == (
        "detector.toml",
        0.005,
        Correction.HOLM,
    )
    assert (rule.action, rule.on_gap, rule.measurement, rule.columns) == (
        Action.REJECT,
        Level.UNKNOWN,
        "*",
        "*",
    )


def test_a_policy_without_rules_takes_those_it_is_given():
    given = parse(RULE, source="s").rules
    assert parse(WAIVER, source="s", rules=given).rules == given
    assert parse("", source="s", rules=given).waivers == ()


def test_a_section_of_a_larger_file_is_read():
    text = "[tool.other]\nx = 1\n[tool.detector]\nalpha = 2\n"
    assert faults(text, section=("tool", "detector")) == [
        "line 4: `alpha` is 2; it has to be a number between 0 and 1"
    ]
    assert faults("[tool]\ndetector = 3", section=("tool", "detector")) == [
        "line 2: `detector` is 3; it has to be a table, `[detector]`"
    ]


def test_all_faults_are_told_at_once_in_the_order_of_lines():
    text = """\
nam = "x"
alpha = 1.0
[[rule]]
name = "r"
check = "schma"
kind = "limit"
at_mots = 3
[[rule]]
name = "r"
check = "schema"
kind = "limt"
[[waiver]]
rule = "rr"
subject = "x"
"""
    assert faults(text) == [
        "line 1: a policy has no key `nam`; did you mean `name`?",
        "line 2: `alpha` is 1.0; it has to be a number between 0 and 1",
        "line 3: `limit` needs `at_most` or `at_least`",
        "line 5: there is no check `schma`; did you mean `schema`?",
        "line 7: a `limit` rule has no key `at_mots`; did you mean `at_most`?",
        "line 9: there is another rule named `r`",
        "line 11: there is no rule kind `limt`; did you mean `limit`?",
        "line 12: `reason` is missing",
        "line 12: `expires` is missing; no waiver holds for ever",
        "line 13: there is no rule `rr` to waive; did you mean `r`?",
    ]


def test_the_message_names_the_file_on_every_line():
    with pytest.raises(PolicyError) as caught:
        parse('alpha = 0\ncorrection = "x"', source="a/detector.toml")
    assert str(caught.value).splitlines() == [
        "a/detector.toml: line 1: `alpha` is 0; it has to be a number between 0 and 1",
        (
            'a/detector.toml: line 2: `correction` is "x"; '
            "there are `benjamini_hochberg`, `holm`, `none`"
        ),
    ]


def test_text_that_is_not_toml_says_where():
    (fault,) = faults("name = \n")
    assert fault.startswith("this is not TOML: Invalid value (at line 1, column 8)")
    assert faults("a = " + "[" * 100_000)[0].startswith("this is not TOML: ")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("alpha = true", "`alpha` is true; it has to be a number between 0 and 1"),
        ("alpha = nan", "`alpha` is nan; it has to be a number between 0 and 1"),
        ("name = ''", '`name` is ""; it has to be text that says something'),
        ("ignore = [1]", "`ignore` is [1]; it has to be an array of texts"),
        ("kinds = 3", "`kinds` is 3; it has to be a table, `[kinds]`"),
        ("kinds.a = 'nomeric'", '`a` is "nomeric"; did you mean `numeric`?'),
        ("roles.a = 'targt'", '`a` is "targt"; did you mean `target`?'),
        (
            "check.joint.permutation = 1",
            "the check `joint` has no option `permutation`; did you mean `permutations`?",
        ),
        ("check.joint.permutations = 1.5", "`permutations` is 1.5; it has to be a whole number"),
        ("check.joint.permutations = true", "`permutations` is true; it has to be a whole number"),
        ("check.joint.share = 'x'", '`share` is "x"; it has to be a number'),
        ("check.joint.exact = 1", "`exact` is 1; it has to be true or false"),
        ("check.joint.quantiles = ['x']", "`quantiles` is ['x']; it has to be an array of numbers"),
        ("check.joint.column = 1", "`column` is 1; it has to be text"),
        (
            "check.joint.permutations = 0",
            "the check `joint` does not take this: permutations has to be at least 1",
        ),
        ("check.heavy.x = 1", "The check `heavy` cannot be loaded. Install it."),
        ("check.jiont.x = 1", "there is no check `jiont`; did you mean `joint`?"),
        ("rule = 3", "`rule` has to be an array of tables, `[[rule]]`"),
        ("waiver = [1]", "`waiver` has to be an array of tables, `[[waiver]]`"),
    ],
)
def test_each_fault_of_the_whole_policy(line, fault):
    assert faults(line) == [f"line 1: {fault}"]


def test_an_option_of_unknown_type_is_left_to_the_check():
    assert parse("check.joint.profile = 1", source="s").options == {"joint": {"profile": 1}}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": None}, "line 1: `name` is missing"),
        ({"check": None}, "line 1: `check` is missing"),
        ({"kind": None}, "line 1: `kind` is missing"),
        ({"name": "3"}, "line 2: `name` is 3; it has to be text that says something"),
        ({"at_most": "'x'"}, 'line 5: `at_most` is "x"; it has to be a number'),
        ({"at_most": "nan"}, "line 5: `at_most` is nan; it has to be a finite number"),
        (
            {"check": "'joint'", "measurement": "'mdm'"},
            "line 6: `joint` measures no `mdm`; did you mean `mmd`?",
        ),
        ({"at_most": None}, "line 1: `limit` needs `at_most` or `at_least`"),
        ({"margin": "1"}, "line 6: a `limit` rule has no key `margin`; there are `action`, "),
        ({"kind": "'equivalent'"}, "line 1: a `equivalent` rule needs `margin`"),
        ({"action": "'stop'"}, 'line 6: `action` is "stop"; there are `cap`, '),
        ({"action": "'cap'"}, 'line 6: `action = "cap"` needs `cap`, the share that may enter'),
        ({"cap": "0.2"}, 'line 6: `cap` goes with `action = "cap"`'),
        ({"on_gap": "'ok'"}, 'line 6: `on_gap` is "ok"; there are `fail`, '),
        ({"on_gap": "{ crash = 'warn' }"}, "line 6: `on_gap` has no key `crash`; there are "),
        (
            {"on_gap": "{ check_failed = 'warn' }"},
            "line 6: a check that crashed can be `unknown` or `fail`, no less",
        ),
        ({"tolerate": "1"}, "line 6: `tolerate` is 1; it has to be a number between 0 and 1"),
        ({"adjusted": "1"}, "line 6: `adjusted` is 1; it has to be true or false"),
        ({"family": "''"}, 'line 6: `family` is ""; it has to be text that says something'),
    ],
)
def test_each_fault_of_a_rule(change, fault):
    keys = {"name": "'r'", "check": "'schema'", "kind": "'limit'", "at_most": "0"} | change
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    found = faults("\n".join(["[[rule]]", *lines]))
    assert found[0].startswith(fault)


def test_a_cap_lies_between_0_and_1():
    text = RULE.strip() + '\naction = "cap"\ncap = 2'
    assert faults(text) == ["line 7: `cap` is 2; it has to be a number between 0 and 1"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("reason = 'known'", "", "line 1: `reason` is missing"),
        (
            "reason = 'known'",
            "reason = ' '",
            'line 4: `reason` is " "; it has to be text that says something',
        ),
        ("expires = 2027-01-31", "", "line 1: `expires` is missing; no waiver holds for ever"),
        (
            "2027-01-31",
            "'2027-01-31'",
            'line 5: `expires` is "2027-01-31"; it has to be a day without quotes, 2027-01-31',
        ),
        ("subject = 'x'", "", "line 1: `subject` is missing"),
        ("reason", "raeson", "line 1: `reason` is missing"),
    ],
)
def test_each_fault_of_a_waiver(old, new, fault):
    text = WAIVER.strip().replace('"', "'").replace(old, new)
    assert faults(text + RULE)[0] == fault


def test_a_waiver_until_a_moment_holds_through_that_day():
    text = WAIVER.replace("2027-01-31", "2027-01-31T12:00:00Z")
    assert parse(text + RULE, source="s").waivers[0].expires == date(2027, 1, 31)


def test_an_expired_waiver_is_no_fault():
    text = WAIVER.replace("2027", "2007")
    assert parse(text + RULE, source="s").waivers[0].expires == date(2007, 1, 31)


@pytest.mark.parametrize(
    "change",
    [
        ("at_most = 0", "at_most = 1"),
        ("known", "unknown"),
        ("2027", "2028"),
        ('name = "r"', 'columns = "a"\nname = "r"'),
    ],
)
def test_the_digest_tells_policies_apart(change):
    before, after = (
        parse(text, source="s") for text in (RULE + WAIVER, (RULE + WAIVER).replace(*change))
    )
    assert before.digest != after.digest


def test_the_digest_does_not_depend_on_place_order_or_name():
    one = parse('name = "a"\nkinds = { a = "text", b = "text" }' + RULE, source="s")
    two = parse('name = "b"\nkinds = { b = "text", a = "text" }\n\n' + RULE, source="t")
    assert one.digest == two.digest
    assert one.summary == {"name": "a", "digest": one.digest}
    assert len(one.digest) == 32


def test_deep_nesting_is_a_fault_and_no_crash():
    with pytest.raises(PolicyError):
        parse("a." * 2000 + "b = 1", source="s")
    assert tomllib.loads("a = 1") == {"a": 1}
