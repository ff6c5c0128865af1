"""The discriminator with features from elsewhere: found by name, blind to the sides, or a gap."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.discriminator import Discriminator
from detector.checks.indistinguishability import Indistinguishability
from detector.findings import Gap, Measurement, Reason
from detector.policy.load import read_policy


class Product:
    """One feature: the product of the first three columns, which no pair of them shows."""

    labels: ClassVar[tuple[str, ...]] = ("abc",)
    seen: ClassVar[list[np.ndarray]] = []

    def __init__(self, middle):
        self.middle = middle

    @classmethod
    def of(cls, rows):
        cls.seen[:] = [rows]
        return cls(rows.mean(axis=0))

    def features(self, rows):
        centered = (rows - self.middle)[:, :3]
        return centered.prod(axis=1, keepdims=True).astype(np.float64)


@pytest.fixture
def offered(monkeypatch):
    # Other libraries look for plug-ins of their own.
    found = [EntryPoint("product", f"{__name__}:Product", "detector.kernels")]

    def offer(*, group):
        return [entry for entry in found if entry.group == group]

    monkeypatch.setattr("importlib.metadata.entry_points", offer)


def ring(rows, *, seed, product):
    """Return three signs, any two independent, and columns of noise that hide them."""
    rng = np.random.default_rng(seed)
    a, b = rng.choice([-1.0, 1.0], (2, rows))
    c = np.where(rng.random(rows) < (1 + product) / 2, a * b, -a * b)
    noise = {f"n{k}": rng.standard_normal(rows) for k in range(15)}
    return pa.table({"a": a, "b": b + rng.standard_normal(rows) / 4, "c": c, **noise})


def run(*sides, features="product"):
    (finding,) = detector.measure(*sides, checks=[Discriminator(features=features)])
    return finding


@pytest.mark.usefixtures("offered")
def test_a_feature_that_tells_is_used_and_named():
    sides = ring(300, seed=0, product=0.0), ring(300, seed=1, product=0.9)
    plain, helped = run(*sides, features="none").outcome, run(*sides)
    assert isinstance(plain, Measurement)
    assert isinstance(helped.outcome, Measurement)
    assert helped.outcome.value > plain.value + 0.1
    assert helped.evidence["columns"][0]["name"] == "product abc"


@pytest.mark.usefixtures("offered")
def test_the_map_learns_from_both_sides_alike():
    run(ring(100, seed=0, product=0.0), ring(60, seed=1, product=0.0))
    assert len(Product.seen[0]) == 160


@pytest.mark.usefixtures("offered")
def test_other_checks_keep_their_own_fit():
    sides = ring(100, seed=0, product=0.0), ring(100, seed=1, product=0.9)
    alone = detector.measure(*sides, checks=[Indistinguishability()])
    checks = [Discriminator(features="product"), Indistinguishability()]
    assert detector.measure(*sides, checks=checks)[1:] == alone


def test_none_is_the_default():
    sides = ring(60, seed=0, product=0.0), ring(60, seed=1, product=0.0)
    one, other = (
        detector.measure(*sides, checks=[check])
        for check in (Discriminator(), Discriminator(features="none"))
    )
    assert one == other


def test_without_the_extra_there_is_a_gap_that_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("detector.checks._feature_maps.missing_packages", lambda _kind: ("cirq",))
    gap = run(*(ring(60, seed=k, product=0.0) for k in (0, 1)), features="quantum").outcome
    said = (
        "`quantum` needs cirq, not installed here. Run `pip install 'collapse-detector[quantum]'`."
    )
    assert gap == Gap(name="auc", reason=Reason.MISSING_EXTRA, detail=said)


def test_a_map_that_nobody_offers_is_refused(tmp_path):
    with pytest.raises(ValueError, match="features is `quantm`; there are: none, quantum"):
        Discriminator(features="quantm")
    path = tmp_path / "policy.toml"
    rule = '[[rule]]\nname = "r"\ncheck = "discriminator"\nkind = "significant"\n'
    path.write_text(f'[check.discriminator]\nfeatures = "quantum"\n{rule}', encoding="utf-8")
    assert read_policy(path).options == {"discriminator": {"features": "quantum"}}
