"""The joint check with a kernel from elsewhere: found by name, learned on a split, or a gap."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector import catalogue
from detector.checks.joint import Joint
from detector.findings import Gap, Measurement, Reason
from detector.policy.load import read_policy


class Plain:
    """A Gaussian kernel as somebody else might offer it."""

    scales: ClassVar[tuple[float, ...]] = (0.3, 1.0, 3.0)

    @classmethod
    def of(cls, _rows):
        return cls()

    def gram(self, rows, *, scale):
        apart = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
        return np.exp(-apart * scale**2 / 2)


@pytest.fixture
def offered(monkeypatch):
    """Offer `plain` and nothing else, as if no generators were installed."""
    # Other libraries look for plug-ins of their own.
    found = [EntryPoint("plain", f"{__name__}:Plain", "detector.kernels")]

    def offer(*, group):
        return [entry for entry in found if entry.group == group]

    monkeypatch.setattr("importlib.metadata.entry_points", offer)


def table(rows, *, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(rows) + shift
    group = np.array([f"g{k}" for k in range(rows // 5)]).repeat(5)
    level = rng.choice(list("ab"), rows)
    return pa.table({"x": x, "level": level, "group": [f"{seed}{name}" for name in group]})


def run(reference, candidate, *, group=False, **options):
    roles = {"group": "group" if group else "id"}
    check = Joint(kernel="plain", permutations=99, **options)
    (finding,) = detector.measure(reference, candidate, checks=[check], roles=roles)
    return finding


def test_without_the_extra_there_is_a_gap_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(
        "detector.checks._feature_maps.missing_packages", lambda _kind: ("cirq", "numba")
    )
    sides = table(60, seed=0), table(60, seed=1)
    (finding,) = detector.measure(*sides, checks=[Joint(kernel="quantum")])
    assert finding.outcome == Gap(
        name="mmd",
        reason=Reason.MISSING_EXTRA,
        detail=(
            "`quantum` needs cirq and numba, not installed here. "
            "Run `pip install 'collapse-detector[quantum]'`."
        ),
    )


def test_the_quantum_kernel_is_registered():
    assert "quantum" in catalogue.names("detector.kernels")


@pytest.mark.usefixtures("offered")
def test_without_the_package_that_offers_it_there_is_a_gap():
    sides = table(60, seed=0), table(60, seed=1)
    (finding,) = detector.measure(*sides, checks=[Joint(kernel="quantum")])
    assert isinstance(finding.outcome, Gap)
    assert finding.outcome.reason is Reason.MISSING_EXTRA
    assert "There is no kernel named `quantum`" in finding.outcome.detail


@pytest.mark.usefixtures("offered")
def test_a_kernel_that_nobody_offers_is_refused():
    with pytest.raises(ValueError, match="`quantm`; there are: gaussian, plain, quantum"):
        Joint(kernel="quantm")


@pytest.mark.usefixtures("offered")
def test_a_shift_is_found_and_the_split_is_told():
    finding = run(table(80, seed=0), table(60, seed=1, shift=3.0))
    assert isinstance(finding.outcome, Measurement)
    assert finding.outcome.p_value == 0.01
    assert (finding.n_reference, finding.n_candidate) == (60, 45)
    assert finding.evidence["kernel"] == "plain"
    assert finding.evidence["scale"] in Plain.scales
    assert finding.evidence["split_rows"] == 35


@pytest.mark.usefixtures("offered")
def test_the_same_seed_gives_the_same_finding():
    sides = table(80, seed=0), table(60, seed=1)
    assert run(*sides) == run(*sides)


@pytest.mark.usefixtures("offered")
def test_clustered_rows_are_split_and_relabeled_by_groups():
    finding = run(table(100, seed=0), table(100, seed=1, shift=3.0), group=True)
    assert isinstance(finding.outcome, Measurement)
    assert finding.outcome.p_value == 0.01
    assert finding.evidence["split_rows"] == 50


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize(("rows", "group"), [(19, False), (45, True)])
def test_twice_the_rows_and_groups_of_the_plain_test_are_needed(rows, group):
    finding = run(table(rows // 5 * 5 if group else 60, seed=0), _some(rows, group), group=group)
    assert isinstance(finding.outcome, Gap)
    assert finding.outcome.reason is (Reason.TOO_FEW_GROUPS if group else Reason.TOO_FEW_ROWS)
    said = "9 groups of 'group' on one side, 10 needed" if group else "20 needed to choose"
    assert said in finding.outcome.detail


def _some(rows, group):
    return table(rows, seed=1) if group else table(60, seed=1).slice(0, rows)


@pytest.mark.usefixtures("offered")
def test_equal_constant_rows_are_a_gap():
    same = pa.table({"x": [1.0] * 60, "group": list(map(str, range(60)))})
    finding = run(same, same)
    assert isinstance(finding.outcome, Gap)
    assert finding.outcome.reason is Reason.CONSTANT_COLUMN


def test_the_default_is_the_gaussian_ladder():
    sides = table(80, seed=0), table(60, seed=1, shift=0.5)
    plain, named = (
        detector.measure(*sides, checks=[check]) for check in (Joint(), Joint(kernel="gaussian"))
    )
    assert plain == named
    assert "kernel" not in plain[0].evidence
    assert (plain[0].n_reference, plain[0].n_candidate) == (80, 60)


def test_a_policy_may_ask_for_it(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY.format(kernel="quantum"), encoding="utf-8")
    read_policy(path)
    path.write_text(POLICY.format(kernel="quantm"), encoding="utf-8")
    with pytest.raises(detector.PolicyError, match="joint: kernel is `quantm`"):
        read_policy(path)


POLICY = """
[check.joint]
kernel = "{kernel}"

[[rule]]
name = "whole rows"
check = "joint"
kind = "significant"
"""
