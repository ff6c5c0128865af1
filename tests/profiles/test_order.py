"""The order of rows is counted beside a profile: the same for any batches, gone when merged."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detector
from detector.profiles.make import ALL_PARTS, make_profile
from detector.profiles.order import ColumnOrder
from detector.profiles.parts import Part
from detector.profiles.profile import Profile, merge
from detector.profiles.store import _sha256
from tests.profiles.tables import dataset, mixed_table

if TYPE_CHECKING:
    from pathlib import Path

TABLE = mixed_table(400, seed=0)
REFERENCE = make_profile(dataset(TABLE))


def test_changes_are_those_counted_by_hand() -> None:
    table = pa.table(
        {"x": [1.5, 1.5, 2.5, 4.0, 3.0, None], "level": ["b", "b", "a", None, "a", "a"]}
    )
    assert detector.profile(table).order == {
        # The cut is the third of four values: 3.0.
        "x": ColumnOrder(changes=2, above=2, rises=True, falls=True),
        "level": ColumnOrder(changes=3),
    }


@pytest.mark.parametrize(("values", "rises", "falls"), [
    ([1.0, 2.0, 2.0, 3.0], True, False), ([3.0, 2.0, 1.0, 1.0], False, True),
    ([2.0, 2.0, 2.0, 2.0], False, False), ([1.0, 3.0, 2.0, 4.0], True, True),
])  # fmt: skip
def test_sorted_columns_only_rise_or_fall(values: list[float], *, rises: bool, falls: bool) -> None:
    order = detector.profile({"x": np.repeat(values, 3000)}).order
    assert order is not None
    assert (order["x"].rises, order["x"].falls) == (rises, falls)


@settings(max_examples=25, deadline=None)
@given(batch_rows=st.integers(1, 500), seed=st.integers(0, 99))
def test_any_batches_have_the_same_order(batch_rows: int, seed: int) -> None:
    table = mixed_table(400, seed=seed)
    whole = make_profile(dataset(table), against=REFERENCE).order
    assert make_profile(dataset(table, batch_rows=batch_rows), against=REFERENCE).order == whole


def test_a_reference_has_the_order_that_a_candidate_of_its_rows_has() -> None:
    assert make_profile(dataset(TABLE, batch_rows=37), against=REFERENCE).order == REFERENCE.order


def test_order_changes_nothing_else() -> None:
    turned = make_profile(dataset(TABLE.take(np.arange(400)[::-1])), against=REFERENCE)
    assert turned.digest == REFERENCE.digest
    assert turned.frame.digest == REFERENCE.frame.digest


def test_a_merged_profile_has_no_order() -> None:
    parts = [make_profile(dataset(TABLE.slice(at, 200)), against=REFERENCE) for at in (0, 200)]
    assert merge(parts).order is None


def test_what_no_check_asks_for_is_not_counted() -> None:
    assert make_profile(dataset(TABLE), parts=ALL_PARTS - {Part.ORDER}).order is None


def test_a_saved_profile_keeps_its_order_and_an_older_one_has_none(tmp_path: Path) -> None:
    path = tmp_path / "a.profile"
    REFERENCE.save(str(path))
    assert Profile.load(str(path)).order == REFERENCE.order
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["profile.json"])
    del header["order"]
    members["profile.json"] = json.dumps(header).encode()
    members["profile.sha256"] = _sha256(members["profile.json"]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert Profile.load(str(path)).order is None
