"""A score of rows that treats calibrating rows and rows in question alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import cdist

from detector.classifiers.strangeness import Mixed, Strangeness, nearest, nearest_exactly
from detector.data.schema import ColumnSpec, Kind, Schema

SCHEMA = Schema(columns=tuple(ColumnSpec(name=name, kind=Kind.NUMERIC) for name in ("a", "b", "c")))


def rows(rng: np.random.Generator, count: int, *, broken: int = 0) -> pa.Table:
    """Return rows of which `a` and `b` go together, but in the last few."""
    values = rng.standard_normal((count, 3))
    values[: count - broken, 1] = values[: count - broken, 0] + 0.2 * values[: count - broken, 1]
    return pa.table({name: values[:, place] for place, name in enumerate("abc")})


def fit(trusted: pa.Table, mixed: pa.Table) -> tuple[Strangeness, np.ndarray]:
    """Return the fitted score, and that of each mixed row."""
    fold = np.arange(len(mixed)) % 2
    made = Strangeness.fit(
        trusted,
        Mixed(rows=mixed, count=np.ones(len(mixed), np.int64), fold=fold),
        SCHEMA,
    )
    assert made is not None
    encoded = made.frozen.encode(mixed)
    return made, made.score(encoded, made.views(encoded), fold)


def test_broken_rows_score_highest():
    rng = np.random.default_rng(0)
    mixed = rows(rng, 2000, broken=200)
    _, scores = fit(rows(rng, 2000), mixed)
    whole, broken = scores[:1800], scores[1800:]
    # The best score there is: how far `b` lies from `a`, in units of its noise.
    gap = np.abs(np.asarray(mixed["b"]) - np.asarray(mixed["a"]))
    oracle = (gap[1800:, None] > gap[:1800]).mean()
    assert (broken[:, None] > whole).mean() > oracle - 0.08


def test_the_misfit_names_the_two_columns():
    rng = np.random.default_rng(1)
    made, _ = fit(rows(rng, 2000), rows(rng, 500))
    strange = pa.table({"a": [2.0], "b": [-2.0], "c": [0.0]})
    misfits = made.misfits(made.frozen.encode(strange))[0]
    assert misfits[:2].min() > 3
    assert misfits[2] < 0.5


def test_one_row_far_out_scores_highest_although_trees_cannot_learn_from_one():
    rng = np.random.default_rng(2)
    lone = pa.table({"a": [9.0], "b": [-9.0], "c": [9.0]})
    _, scores = fit(rows(rng, 1000), pa.concat_tables([rows(rng, 600), lone]))
    assert scores.argmax() == 600


def test_rows_that_never_vary_have_no_score():
    table = pa.table({name: [1.0] * 50 for name in "abc"})
    mixed = Mixed(rows=table, count=np.ones(50, np.int64), fold=np.arange(50) % 2)
    assert Strangeness.fit(table, mixed, SCHEMA) is None


def test_the_crowd_is_where_mixed_rows_are_more_frequent():
    rng = np.random.default_rng(3)
    trusted = rows(rng, 3000)
    crowd = pa.table({"a": [0.0] * 400, "b": [0.0] * 400, "c": [1.5] * 400})
    made, _ = fit(trusted, pa.concat_tables([rows(rng, 1200), crowd]))
    encoded = made.frozen.encode(pa.table({"a": [0.0], "b": [0.0], "c": [1.5]}))
    excess = made.crowd.excess(encoded.codes)[0]
    # A quarter more in a cell that holds a sixteenth.
    assert excess[2] == pytest.approx(np.log((1 / 4 + 3 / 4 / 16) * 16), abs=0.3)


def test_the_nearest_anchor_is_found():
    rng = np.random.default_rng(4)
    points, anchors = rng.standard_normal((2, 60, 4)).astype(np.float32)
    oracle = cdist(points, anchors).min(axis=1) / 2
    assert nearest(points, anchors) == pytest.approx(oracle, abs=1e-3)
    assert nearest_exactly(points, anchors) == pytest.approx(oracle, abs=1e-6)
    assert (nearest_exactly(anchors, anchors) == 0).all()


def test_a_row_is_not_its_own_neighbor():
    anchors = np.array([[0.0], [3.0], [7.0]], np.float32)
    assert nearest(anchors, anchors, own=3).tolist() == pytest.approx([3, 3, 4])
