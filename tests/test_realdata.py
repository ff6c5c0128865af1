"""The real tables are the ones that the tests and the docs talk about."""

from __future__ import annotations

import pytest

from tests import realdata


@pytest.mark.parametrize(
    ("load", "rows", "columns"),
    [
        (realdata.diamonds, 53_940, 10),
        (realdata.flights, 336_776, 19),
        (realdata.cps, 15_588, 5),
    ],
)
def test_the_tables_have_their_known_shapes(load, rows, columns):
    assert load().shape == (rows, columns)


def test_missing_values_arrive_as_nulls():
    table = realdata.flights()
    assert sum(column.null_count for column in table.columns) == 46_595


def test_the_placements_differ_in_column_order_only_by_name():
    real, synthetic = realdata.placements()
    assert real.num_rows == synthetic.num_rows == 215
    assert real.column_names != synthetic.column_names
    assert sorted(real.column_names) == sorted(synthetic.column_names)


def test_halves_are_disjoint_and_complete():
    table = realdata.cps()
    first, second = realdata.halves(table.append_column("row", [range(table.num_rows)]))
    rows = first["row"].to_pylist() + second["row"].to_pylist()
    assert sorted(rows) == list(range(table.num_rows))


def test_a_month_and_a_year_are_cut_out():
    assert realdata.flights_in(7).num_rows == 29_425
    assert realdata.cps_in(1992).num_rows + realdata.cps_in(2004).num_rows == 15_588
    assert "year" not in realdata.cps_in(2004).column_names
