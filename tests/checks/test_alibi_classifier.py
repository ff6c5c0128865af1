from __future__ import annotations

import pytest

from tests.checks.alibi import found, table


@pytest.mark.slow
def test_a_moved_column_is_seen_and_the_same_seed_gives_the_same_numbers():
    sides = table(400, seed=1), table(400, seed=2, shift=1.5)
    one, two = (found("alibi_classifier", *sides) for _ in range(2))
    assert one.outcome.p_value < 0.05
    assert (one.outcome, one.evidence) == (two.outcome, two.evidence)


@pytest.mark.slow
def test_nothing_is_seen_where_nothing_is():
    assert found("alibi_classifier", table(400, seed=1), table(400, seed=2)).outcome.p_value > 0.01
