from __future__ import annotations

import pytest

from tests.checks.alibi import found, table


@pytest.mark.slow
def test_the_moved_column_is_named_with_its_direction():
    seen = found("alibi_spot_the_diff", table(600, seed=1), table(600, seed=2, shift=1.0))
    assert seen.outcome.p_value < 0.01
    assert seen.evidence["differences"][0]["name"] == "x"
    assert seen.evidence["differences"][0]["difference"] > 0


@pytest.mark.slow
def test_nothing_is_seen_where_nothing_is():
    same = found("alibi_spot_the_diff", table(400, seed=1), table(400, seed=2))
    assert same.outcome.p_value > 0.01
