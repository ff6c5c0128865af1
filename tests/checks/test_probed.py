"""The rows on which columns are shuffled have both sides, however uneven these are."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import detector
from detector.checks.discriminator import Discriminator, _probed


def probed(block: list[int], candidate: list[bool], *, most: int) -> np.ndarray:
    """Return the probed rows where blocks of both sides were scored."""
    blocks, side = np.array(block), np.array(candidate)
    scored = [b for b in set(block) - {0} if len({*side[blocks == b].tolist()}) == 2]
    placement = np.where(np.isin(blocks, scored), 0.5, np.nan)
    found = SimpleNamespace(block=blocks, candidate=side, placement=placement)
    return _probed(SimpleNamespace(found=found), most, np.random.default_rng(0))  # type: ignore[arg-type]


def test_half_of_the_probed_rows_are_of_each_side() -> None:
    held = probed([4] * 1000, [False] * 10 + [True] * 990, most=200)
    assert held[:10].tolist() == list(range(10))
    assert len(held) == 110
    assert (np.diff(held) > 0).all()


def test_a_last_block_of_one_side_is_passed_over() -> None:
    """Few groups may leave a block that has one side only: no model has scored it."""
    held = probed([0, 3, 3, 4, 4], [True, True, False, True, True], most=10)
    assert held.tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_forty_rows_beside_thousands_still_name_the_column(seed: int) -> None:
    rng = np.random.default_rng(seed)
    few = pa.table({"x": rng.standard_normal(40), "noise": rng.standard_normal(40)})
    many = pa.table({"x": rng.standard_normal(6000) + 2, "noise": rng.standard_normal(6000)})
    check = Discriminator(probed_rows=100)
    for pair in ((few, many), (many, few)):
        (found,) = detector.measure(*pair, checks=[check], seed=seed)
        columns = found.evidence["columns"]
        assert isinstance(columns, list)
        assert [own["name"] for own in columns] == ["x"]
