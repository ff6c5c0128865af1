from __future__ import annotations

from types import SimpleNamespace

import pytest

from detector.errors import PolicyError
from detector.policy.load import built_in_text


@pytest.fixture
def loaded(monkeypatch):
    rule = SimpleNamespace(
        name="no column\nmoved",
        check="marginals",
        measurement="wasserstein",
        kind="limit",
        options={"at_most": 0.1},
        action="reject",
    )
    policy = SimpleNamespace(
        name="ours", source="detector.toml", alpha=0.005, correction="holm", rules=(rule,)
    )
    monkeypatch.setattr("detector.policy.load.load_policy", lambda _: policy)


def test_init_writes_the_built_in_policy_where_gate_finds_it(call, tmp_path):
    code, out, err = call("policy", "init")
    assert (code, out, err) == (0, "Policy: detector.toml\n", "")
    assert (tmp_path / "detector.toml").read_text() == built_in_text()


def test_init_replaces_nothing_unless_forced(call, tmp_path):
    (tmp_path / "mine.toml").write_text("mine")
    code, _, err = call("policy", "init", "mine.toml")
    assert code == 2
    assert err == "detector: `mine.toml` exists. Name another file, or add --force.\n"
    assert (tmp_path / "mine.toml").read_text() == "mine"
    assert call("policy", "init", "mine.toml", "--force")[0] == 0


def test_init_writes_to_stdout(call):
    assert call("policy", "init", "-")[:2] == (0, built_in_text())


def test_init_into_no_folder_says_what_to_do(call):
    code, _, err = call("policy", "init", "no/where.toml")
    assert code == 2
    assert "Create the folder" in err


@pytest.mark.usefixtures("loaded")
def test_check_says_that_all_is_well(call):
    assert call("policy", "check")[:2] == (0, "detector.toml: 1 rule, no fault.\n")


def test_check_names_every_fault(call, monkeypatch):
    def broken(_):
        raise PolicyError(("line 3: no", "line 9: no"), source="p.toml")

    monkeypatch.setattr("detector.policy.load.load_policy", broken)
    code, out, err = call("policy", "check", "p.toml")
    assert (code, out) == (2, "")
    assert err.splitlines() == ["detector: p.toml: line 3: no", "detector: p.toml: line 9: no"]


@pytest.mark.usefixtures("loaded")
def test_show_names_every_rule_on_lines_of_its_own(call):
    code, out, _ = call("policy", "show")
    assert code == 0
    assert out.splitlines() == [
        "ours (detector.toml), alpha 0.005, holm",
        r"  no column\nmoved",
        "      marginals wasserstein: limit (at_most 0.1), else reject",
    ]
