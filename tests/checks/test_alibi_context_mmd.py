from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from detector.findings import Reason
from tests.checks.alibi import found, table


def tied(rows, *, seed, context=0.0, broken=0.0):
    """Return rows whose x follows the context."""
    rng = np.random.default_rng(seed)
    c = rng.standard_normal(rows) + context
    return pa.table({"x": c + 0.3 * rng.standard_normal(rows) + broken, "c": c})


@pytest.mark.slow
def test_what_the_context_explains_is_no_difference_and_the_rest_is():
    options = {"context": ("c",)}
    real = tied(320, seed=1)
    explained = found("alibi_context_mmd", real, tied(320, seed=2, context=0.5), **options)
    beyond = found("alibi_context_mmd", real, tied(320, seed=2, broken=1.0), **options)
    assert explained.outcome.p_value > 0.01
    assert beyond.outcome.p_value == 1 / 100


def test_no_context_is_a_gap():
    gap = found("alibi_context_mmd", table(200, seed=1), table(200, seed=2)).outcome
    assert gap.reason is Reason.COLUMN_ABSENT
    assert gap.detail == "no column is named under `context`"


def test_a_context_that_is_not_there_is_a_gap():
    gap = found("alibi_context_mmd", table(200, seed=1), table(200, seed=2), context=("w",)).outcome
    assert gap.detail == "`w`, named under `context`, cannot be compared"


def test_nothing_beside_the_context_is_a_gap():
    only = [table(200, seed=seed).select(["x"]) for seed in (1, 2)]
    gap = found("alibi_context_mmd", *only, context=("x",)).outcome
    assert gap.reason is Reason.NO_COMMON_COLUMNS
