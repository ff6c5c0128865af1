from __future__ import annotations

import pytest

from detector import catalogue
from detector.errors import PolicyError
from detector.policy.load import built_in_policy, built_in_text, load_policy, read_policy
from detector.policy.policy import Policy

RULE = '[[rule]]\nname = "r"\ncheck = "schema"\nkind = "limit"\nat_most = 0\n'


def write(folder, name, text, *, encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_the_policy_named_goes_first_then_detector_toml_then_pyproject_then_the_built_in(tmp_path):
    found = []
    named = write(tmp_path, "mine.toml", 'name = "named"')
    found.append(load_policy(directory=tmp_path))
    write(tmp_path, "pyproject.toml", '[tool.detector]\nname = "project"')
    found.append(load_policy(directory=tmp_path))
    write(tmp_path, "detector.toml", 'name = "own"')
    found.append(load_policy(directory=tmp_path))
    found.append(load_policy(named, directory=tmp_path))
    found.append(load_policy(str(named)))
    assert [policy.name for policy in found] == ["built-in", "project", "own", "named", "named"]


def test_the_working_directory_is_looked_into(tmp_path, monkeypatch):
    write(tmp_path, "detector.toml", 'name = "own"')
    monkeypatch.chdir(tmp_path)
    policy = load_policy()
    assert (policy.name, policy.source) == ("own", "detector.toml")


def test_a_policy_is_taken_as_it_is():
    policy = Policy(name="x", rules=())
    assert load_policy(policy) is policy


def test_a_pyproject_about_other_things_is_passed_over(tmp_path):
    write(tmp_path, "pyproject.toml", "[tool.other]\nx = 1")
    assert load_policy(directory=tmp_path).name == "built-in"


def test_a_pyproject_that_cannot_be_read_might_hold_a_policy(tmp_path):
    write(tmp_path, "pyproject.toml", "[tool.detector\n")
    with pytest.raises(PolicyError, match=r"pyproject\.toml: this is not TOML: "):
        load_policy(directory=tmp_path)


def test_a_policy_without_rules_has_the_built_in_ones(tmp_path):
    path = write(tmp_path, "detector.toml", "alpha = 0.01")
    assert read_policy(path).rules == built_in_policy().rules
    path = write(tmp_path, "detector.toml", RULE)
    assert [rule.name for rule in read_policy(path).rules] == ["r"]


def test_a_byte_order_mark_does_no_harm(tmp_path):
    assert read_policy(write(tmp_path, "a.toml", 'name = "x"', encoding="utf-8-sig")).name == "x"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        PolicyError, match=r"nothing\.toml: the policy cannot be read: No such file"
    ):
        load_policy(tmp_path / "nothing.toml")
    with pytest.raises(PolicyError, match="the policy cannot be read: Is a directory"):
        load_policy(tmp_path)


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "a.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(PolicyError, match=r"a.toml: the policy is not UTF-8 text \(byte 8\)"):
        load_policy(tmp_path / "a.toml")


def test_the_built_in_policy_is_a_policy_of_known_checks():
    policy = built_in_policy()
    assert set(policy.checks) <= set(catalogue.names("detector.checks"))
    assert (policy.name, policy.alpha, policy.source) == ("built-in", 0.005, "built-in policy")
    assert policy.options == {}
    assert policy.waivers == ()


def test_what_policy_init_writes_is_the_built_in_policy(tmp_path):
    path = write(tmp_path, "detector.toml", built_in_text())
    assert read_policy(path).digest == built_in_policy().digest


def test_every_example_in_the_comments_is_valid(tmp_path):
    lines = built_in_text().splitlines()
    examples = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    starts = ("ignore", "kinds", "roles")
    text = "\n".join(line for line in examples if line.startswith(starts) and " = " in line)
    assert text.count("\n") == 2
    start = examples.index("[[waiver]]")
    waiver = "\n".join(examples[start : start + 5])
    policy = read_policy(write(tmp_path, "detector.toml", f"{text}\n{waiver}\n"))
    assert policy.waivers[0].rule in {rule.name for rule in policy.rules}
