"""The fast engine's blocks, lanes, threads and precisions: the same numbers whichever is used."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from generators.quantum import engine_fast, lanes
from generators.quantum.circuits import hardware_efficient, ising_layers, reuploading
from generators.quantum.engine_fast import FastExecutor
from generators.quantum.layout import Layout
from tests.generators.quantum.circuits import plain, random_ansatz


def values(ansatz, rows):
    rng = np.random.default_rng(rows)
    return rng.normal(size=len(ansatz.weights)), rng.normal(size=(rows, len(ansatz.inputs)))


@pytest.mark.parametrize("rows", [1, 6, 7, 15, 16, 17, 33])
def test_a_row_does_not_depend_on_the_rows_beside_it(rows):
    ansatz = reuploading(6, layers=2)
    weights, inputs = values(ansatz, rows)
    run = FastExecutor(ansatz, precision="double")
    alone = [run.probabilities(weights, row[None])[0] for row in inputs]
    np.testing.assert_allclose(run.probabilities(weights, inputs), alone, atol=1e-14)


@pytest.mark.parametrize("qubits", [5, 6, 7, 9, 11])
@pytest.mark.parametrize("build", [hardware_efficient, reuploading, ising_layers])
def test_lanes_of_rows_and_lanes_of_qubits_agree(monkeypatch, build, qubits):
    ansatz = build(qubits, layers=2)
    weights, inputs = values(ansatz, 8)
    upstream = np.random.default_rng(0).normal(size=(8, qubits))
    found = []
    for border in (5, 99):
        monkeypatch.setattr(engine_fast, "_BY_ROW_FROM", border)
        run = FastExecutor(ansatz, precision="double")
        gradient = run.gradient(weights, inputs, upstream=upstream)
        found.append((run.probabilities(weights, inputs), gradient.weights, gradient.inputs))
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(here, there, atol=1e-12)


@pytest.mark.parametrize("qubits", [10, 13])
def test_large_circuits_agree_with_cirq(qubits):
    ansatz = random_ansatz(qubits, np.random.default_rng(qubits), gates=60)
    weights, inputs = values(ansatz, 2)
    found = FastExecutor(ansatz).probabilities(weights, inputs)
    expected = [plain(ansatz, weights, row) for row in inputs]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_threads_do_not_change_a_byte(monkeypatch):
    monkeypatch.setattr(engine_fast, "_WORTH_THREADS", 0)
    ansatz = reuploading(5, layers=2)
    weights, inputs = values(ansatz, 70)
    upstream = np.ones((70, 5))
    one, many = (FastExecutor(ansatz, threads=threads) for threads in (1, 3))
    assert one.probabilities(weights, inputs).tobytes() == (
        many.probabilities(weights, inputs).tobytes()
    )
    here, there = (run.gradient(weights, inputs, upstream=upstream) for run in (one, many))
    assert here.weights.tobytes() == there.weights.tobytes()


def test_two_processes_give_the_same_bytes():
    script = (
        "import numpy as np\n"
        "from generators.quantum.circuits import hardware_efficient\n"
        "from generators.quantum.engines import executor\n"
        "run = executor(hardware_efficient(7, layers=3))\n"
        "weights = np.random.default_rng(0).normal(size=len(run.ansatz.weights))\n"
        "p, pull = run.pullback(weights)\n"
        "print(p.tobytes().hex()[:4000], pull(np.log(p)).weights.tobytes().hex())"
    )
    first, second = (
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
        for _ in range(2)
    )
    assert first.stdout == second.stdout != ""


def test_single_precision_is_within_a_few_rounding_errors_of_double():
    ansatz = hardware_efficient(12, layers=12)
    weights, _ = values(ansatz, 1)
    single, double = (FastExecutor(ansatz, precision=p) for p in ("single", "double"))
    np.testing.assert_allclose(
        single.probabilities(weights), double.probabilities(weights), atol=1e-7
    )


def test_probabilities_sum_to_one():
    ansatz = ising_layers(9, layers=10)
    weights, inputs = values(ansatz, 20)
    total = FastExecutor(ansatz).probabilities(weights, inputs).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_inputs_arrive_read_only_and_stay_so():
    ansatz = reuploading(3, layers=1)
    weights, inputs = values(ansatz, 4)
    upstream = np.ones((4, 8))
    for given in (weights, inputs, upstream):
        given.setflags(write=False)
    run = FastExecutor(ansatz)
    run.gradient(weights, inputs, upstream=upstream)
    run.pullback(weights, inputs)[1](upstream)


def test_a_pullback_may_be_asked_twice():
    ansatz = hardware_efficient(4, layers=2)
    weights, inputs = values(ansatz, 20)
    _, pull = FastExecutor(ansatz).pullback(weights, inputs)
    upstream = np.random.default_rng(0).normal(size=(20, 16))
    np.testing.assert_array_equal(pull(upstream).weights, pull(upstream).weights)
    np.testing.assert_allclose(pull(2 * upstream).weights, 2 * pull(upstream).weights, rtol=1e-5)


@pytest.mark.parametrize("by_row", [False, True])
def test_unpacking_undoes_packing(by_row):
    layout = Layout(qubits=5, planes=2, by_row=by_row, dtype=np.dtype(np.float32))
    rows = np.arange(21 * 32, dtype=np.float32).reshape(21, 32)
    np.testing.assert_array_equal(layout.unpack(layout.pack(rows), 21), rows)


def test_a_folder_that_cannot_hold_the_cache_is_no_obstacle(monkeypatch):
    asked = []

    def refusing(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(lanes, "njit", refusing)
    assert lanes.entry(values) is values
    assert [options.get("cache") for options in asked] == [True, None]
