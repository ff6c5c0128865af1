from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import cirq
import numpy as np
import pyarrow.parquet as pq
import pytest

from generators.cli import run
from generators.drawing import circuits_of, laid_out, svg
from generators.quantum.circuits import hardware_efficient
from generators.running import DRAWN_MOMENTS, circuit_bytes, drawing
from tests.generators.tables import numbers

NAMESPACE = "{http://www.w3.org/2000/svg}"


def gate(kind, *qubits, **options):
    places = [{"cirq_type": "LineQubit", "x": qubit} for qubit in qubits]
    own = {"cirq_type": kind, **options}
    return {"cirq_type": "GateOperation", "gate": own, "qubits": places}


def circuit(*moments):
    listed = [{"cirq_type": "Moment", "operations": list(ops)} for ops in moments]
    return json.dumps({"cirq_type": "Circuit", "moments": listed})


TURN = {"rads": {"cirq_type": "sympy.Symbol", "name": "t_000_y_000"}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(numbers(300), "real.parquet")
    pq.write_table(numbers(300, seed=1), "unseen.parquet")
    line = ["fit", "real.parquet", "--recipe", "rbm", "--option", "steps=20", "-o", "model", "-q"]
    assert run(line) == 0
    return tmp_path


def test_gates_are_placed_by_moment_and_wire():
    columns, wires = laid_out(circuit([gate("Ry", 0, **TURN)], [gate("CZPowGate", 0, 10)]))
    assert wires == ["0", "10"]
    assert [[(one.name, one.qubits) for one in column] for column in columns] == [
        [("Ry", (0,))],
        [("CZPowGate", (0, 1))],
    ]
    assert columns[0][0].angle == "t_000_y_000"


def test_lines_that_would_cross_get_columns_of_their_own():
    crossing = [gate("CZPowGate", 0, 2), gate("CZPowGate", 1, 3), gate("Ry", 4)]
    columns, _ = laid_out(circuit(crossing))
    assert [len(column) for column in columns] == [2, 1]


def test_the_drawing_is_one_well_formed_file():
    text = circuit([gate("Ry", 0, **TURN), gate("H", 1)], [gate("CZPowGate", 0, 1)])
    drawn = ET.fromstring(svg("a <b>", {"circuit": text}, {"loss": [3.0, 2.0, np.nan, 1.0]}))
    kinds = [node.tag.removeprefix(NAMESPACE) for node in drawn.iter()]
    assert kinds.count("rect") == 2
    assert kinds.count("circle") == 2
    assert kinds.count("polyline") == 1
    said = [node.text for node in drawn.iter(f"{NAMESPACE}title")]
    assert said[0] == "a <b>"
    assert "Ry t_000_y_000" in said


def test_a_very_long_circuit_is_cut_and_says_so():
    moments = [[gate("Ry", 0)] for _ in range(405)]
    assert "5 more columns are not drawn" in svg("x", {"circuit": circuit(*moments)}, {})


def test_a_curve_of_one_point_or_none_is_left_out():
    assert "polyline" not in svg("x", {}, {"loss": [1.0], "other": []})


def test_circuits_are_found_where_a_core_holds_some():
    held = {"circuit": np.frombuffer(b"{}", np.uint8), "encoder": np.empty(0, np.uint8)}
    assert circuits_of(SimpleNamespace(arrays=lambda: held)) == {"circuit": "{}"}
    assert circuits_of(None) == {}


@pytest.mark.usefixtures("folder")
def test_show_draws_the_curve_of_a_model_without_a_circuit(folder, capsys):
    assert run(["show", "model", "--svg", "m.svg"]) == 0
    assert "Written: m.svg" in capsys.readouterr().out
    drawn = ET.parse(folder / "m.svg").getroot()
    assert drawn.findall(f"{NAMESPACE}polyline")


@pytest.mark.usefixtures("folder")
def test_show_measures_drawn_rows_against_real_ones(capsys):
    assert run(["show", "model", "--against", "unseen.parquet"]) == 0
    out = capsys.readouterr().out
    assert "300 drawn rows against 300 of unseen.parquet" in out
    assert "trained on these rows" not in out
    for check in ("discriminator", "joint", "dependence", "marginals"):
        assert f"\n{check}" in out


@pytest.mark.usefixtures("folder")
def test_show_says_when_it_measures_against_the_training_rows(capsys):
    assert run(["show", "model", "--against", "real.parquet"]) == 0
    assert "the model was trained on these rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--svg", "no/m.svg"], "no place for a file"),
        (["--svg", "model"], "already uses"),
        (["--against", "none.parquet"], "none.parquet"),
        (["--json", "--svg", "m.svg"], "--json prints the manifest"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_one_line_and_exit_code_two(capsys, line, said):
    assert run(["show", "model", *line]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") <= 4


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("layout", ["ring", "qaoa"])
def test_a_page_with_a_wide_circuit_fits_eighty_columns(capsys, layout):
    options = ["--option", "steps=0", "--option", f"layout={layout}"]
    line = ["fit", "real.parquet", "--recipe", "qcbm", "-q", *options]
    assert run([*line, "-o", layout]) == 0
    capsys.readouterr()
    assert run(["show", layout]) == 0
    page = capsys.readouterr().out
    assert max(map(len, page.splitlines())) <= 80
    assert page.count("13: ───") == page.count("\n0: ────") > 1  # every block has every wire


def test_blocks_of_a_drawing_hold_all_its_gates_once():
    ansatz = hardware_efficient(3, layers=1)
    drawn = drawing(circuit_bytes(ansatz))
    shown = ansatz.circuit[:DRAWN_MOMENTS].all_operations()
    named = [str(symbol) for op in shown for symbol in cirq.parameter_names(op)]
    assert sorted(re.findall(r"R[yz]\((\w+)\)", drawn)) == sorted(named)
