from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from detector.data.export import canonical_table
from detector.data.opening import open_data
from detector.data.schema import Role
from detector.errors import DetectorError
from detector.trials.faults import Bed, CannotPlant, Fault, chosen_faults

ROWS = 400


def rows(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(ROWS)
    return pa.table(
        {
            "x": x,
            "y": x + 0.5 * rng.standard_normal(ROWS),
            "n": rng.poisson(20, ROWS),
            "k": rng.choice(["a", "b", "c", "d"], ROWS, p=[0.6, 0.3, 0.09, 0.01]),
            "id": np.arange(ROWS) + 1_000 * seed,
        }
    )


def bed(one=None, two=None, **roles):
    roles = {name: Role(role) for name, role in roles.items()}
    sides = [open_data(side, roles=roles) for side in (one or rows(1), two or rows(2))]
    return Bed(reference=sides[0], batch=sides[1], recipe="gaussian_copula")


def planted(text, on=None, seed=0):
    fault = chosen_faults([text])[-1]
    return (on or bed(id="id")).plant(fault, np.random.default_rng(seed))


def sorted_rows(table):
    return sorted(map(str, table.to_pylist()))


def test_nothing_changes_nothing_but_the_order():
    made = planted("nothing")
    assert sorted_rows(made) == sorted_rows(canonical_table(open_data(rows(2))))


def test_half_of_the_rows_are_copies_and_keep_their_ids():
    made, reference = planted("copies=0.5"), set(rows(1)["x"].to_pylist())
    assert sum(x in reference for x in made["x"].to_pylist()) == 200
    assert sorted(made["id"].to_pylist()) == rows(2)["id"].to_pylist()


def test_a_tenth_of_the_rows_comes_from_a_generator():
    known = {*rows(1)["x"].to_pylist(), *rows(2)["x"].to_pylist()}
    made = planted("synthetic=0.1")
    assert made.num_rows == ROWS
    assert sum(x not in known for x in made["x"].to_pylist()) == 40


def test_both_ends_of_one_number_are_gone():
    made, was = planted("tails=0.1"), rows(2)
    assert made.num_rows in range(355, 385)  # whole numbers are tied at the ends
    shorter = [
        name
        for name in ("x", "y", "n")
        if min(made[name].to_pylist()) > min(was[name].to_pylist())
        and max(made[name].to_pylist()) < max(was[name].to_pylist())
    ]
    assert shorter


def test_one_level_is_gone_and_never_the_commonest_or_the_rarest():
    lost = {
        frozenset("abcd") - set(planted("level", seed=seed)["k"].to_pylist()) for seed in range(12)
    }
    assert lost == {frozenset("b"), frozenset("c")}


def test_without_categories_a_tenth_of_a_number_is_gone():
    made = planted("level", bed(*(rows(seed).select(["x", "y"]) for seed in (1, 2))))
    assert 355 <= made.num_rows <= 362


def test_a_shuffled_column_keeps_its_values_and_loses_its_tie():
    made = planted("correlation")
    for name in ("x", "y"):
        assert sorted(made[name].to_pylist()) == sorted(rows(2)[name].to_pylist())
    assert abs(np.corrcoef(made["x"], made["y"])[0, 1]) < 0.2


def test_a_moved_number_is_moved_by_its_spread():
    only = [rows(seed).select(["x"]) for seed in (1, 2)]
    made, was = np.array(planted("shift=0.5", bed(*only))["x"]), np.array(only[1]["x"])
    assert np.mean(made) - np.mean(was) == pytest.approx(0.5 * np.std(was))


def test_a_whole_number_stays_whole_and_moves_by_one_at_least():
    only = [rows(seed).select(["n"]) for seed in (1, 2)]
    made = planted("shift=0.01", bed(*only))
    assert made["n"].type == pa.int64()
    assert np.mean(made["n"]) - np.mean(only[1]["n"]) == 1.0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("correlation", "no two numbers have a rank correlation of 0.3 or more"),
        ("shift", "no column holds numbers that vary"),
        ("tails", "no column holds numbers that vary"),
    ],
)
def test_what_cannot_be_planted_says_why(fault, reason):
    levels = bed(*(rows(seed).select(["k"]) for seed in (1, 2)))
    with pytest.raises(CannotPlant, match=reason):
        planted(fault, levels)


def test_two_values_have_no_ends_to_lose():
    most = pa.table({"n": [0.5] * 200 + [1.5] * 200})
    with pytest.raises(CannotPlant, match="too many rows share one value"):
        planted("tails", bed(most, most))


def test_missing_values_survive_every_fault():
    gappy = rows(2).set_column(0, "x", pa.array([None, *rows(2)["x"].to_pylist()[1:]]))
    for name in ("copies", "tails", "correlation", "shift", "level"):
        assert planted(name, bed(two=gappy, id="id")).num_rows > 300


def test_the_usual_faults_come_after_nothing_and_each_once():
    labels = [fault.label for fault in chosen_faults(None)]
    assert labels[:3] == ["nothing", "synthetic=1", "synthetic=0.3"]
    assert len(labels) == len(set(labels)) == 8
    assert [f.label for f in chosen_faults(["nothing", "level", "level"])] == ["nothing", "level"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tials", r"there is no fault `tials`\. Did you mean `tails`\? There are: nothing, synth"),
        ("level=2", r"the fault `level` has no size\. Leave `=…` away\."),
        ("tails=7", r"the size of `tails` is `7`\. Give a number above 0, at most 1; for example"),
        ("shift=x", r"the size of `shift` is `x`\. Give a number above 0, at most 100;"),
        ("copies=nan", r"the size of `copies` is `nan`\."),
    ],
)
def test_a_wrong_fault_is_refused_with_what_to_do(text, said):
    with pytest.raises(DetectorError, match=said):
        chosen_faults([text])


def test_faults_are_a_list():
    with pytest.raises(DetectorError, match=r"`only` is the text 'tails'\. Give a list: \['tails"):
        chosen_faults("tails")


def test_a_size_is_read_in_percent_or_in_spreads():
    synthetic, shift = chosen_faults(["synthetic=0.3", "shift=0.5"])[1:]
    assert synthetic.sentence("gan") == "30 % of rows come from a fitted gan"
    assert shift.sentence("gan") == "one number is moved by 0.5 standard deviations"
    assert Fault(name="x", about="y").sentence("gan") == "y"
