"""CPU seconds of one gradient on the fast engine beside TensorFlow Quantum's adjoint.

    python -m benchmarks.engine [--cells 4x256 8x256 12x256 16x32] [--repeats 15] [--json FILE]

One circuit, `L` layers of RY and RZ on every qubit and a ring of CZ, behind one RY a qubit whose
angle differs from row to row. One step is the gradient of a weighted sum of all <Z>, by the shared
weights and by every row's inputs. TensorFlow Quantum runs the same `cirq.Circuit` through its
expectation op with the adjoint differentiator inside a `tf.function`, serialised beforehand; ours
is the public `gradient`, with everything that it does. Both gradients are compared before anything
is timed. CPU seconds count all threads; the two take turns, and the smallest of each is reported,
because other programs can only add.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import cirq
import numpy as np
import sympy

from generators.quantum.circuits import Ansatz
from generators.quantum.engines import executor

LAYERS = 4
ASKED = {(4, 256): 100, (8, 256): 20, (12, 256): 4, (16, 32): 2}


def circuit(qubits):
    line = cirq.LineQubit.range(qubits)
    made = cirq.Circuit(cirq.ry(sympy.Symbol(f"x_{k:03d}"))(line[k]) for k in range(qubits))
    for layer in range(LAYERS):
        for gate, kind in ((cirq.ry, "y"), (cirq.rz, "z")):
            for k in range(qubits):
                made += gate(sympy.Symbol(f"t_{layer:03d}_{kind}_{k:03d}"))(line[k])
        made += (cirq.CZ(line[k], line[(k + 1) % qubits]) for k in range(qubits))
    return Ansatz.of(made, qubits=line)


def tfq_step(ansatz, weights, inputs, upstream):
    import tensorflow as tf
    import tensorflow_quantum as tfq

    rows, grid = len(inputs), cirq.GridQubit.rect(1, len(ansatz.qubits))
    op = tfq.differentiators.Adjoint().generate_differentiable_op(
        analytic_op=tfq.get_expectation_op()
    )
    placed = ansatz.circuit.transform_qubits(dict(zip(ansatz.qubits, grid, strict=True)))
    circuits = tf.repeat(tfq.convert_to_tensor([placed]), rows)
    observed = tf.repeat(tfq.convert_to_tensor([[cirq.Z(q) for q in grid]]), rows, axis=0)
    names = tf.constant([*ansatz.weights, *ansatz.inputs])
    shared = tf.Variable(weights, dtype=tf.float32)
    own = tf.Variable(inputs, dtype=tf.float32)
    onto = tf.constant(upstream, tf.float32)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            values = tf.concat([tf.repeat(shared[None], rows, axis=0), own], axis=1)
            loss = tf.reduce_sum(op(circuits, names, values, observed) * onto)
        return tape.gradient(loss, [shared, own])

    return lambda: [part.numpy() for part in step()]


def cpu(step):
    start = time.process_time()
    step()
    return time.process_time() - start


def measure(qubits, rows, repeats):
    rng = np.random.default_rng(0)
    ansatz = circuit(qubits)
    weights = rng.uniform(-1, 1, len(ansatz.weights))
    inputs, upstream = rng.uniform(0, 1, (rows, qubits)), rng.normal(size=(rows, qubits))
    run = executor(ansatz, engine="fast")
    ours = lambda: run.gradient(weights, inputs, upstream=upstream)  # noqa: E731
    peer = tfq_step(ansatz, weights, inputs, upstream)
    here, there = ours(), peer()
    apart = max(
        np.abs(here.weights - there[0]).max() / np.abs(there[0]).max(),
        np.abs(here.inputs - there[1]).max() / np.abs(there[1]).max(),
    )
    assert apart < 1e-4, f"the gradients differ by {apart}"
    fast, slow = [], []
    for _ in range(repeats):
        slow.append(cpu(peer))
        fast += [cpu(ours) for _ in range(5)]
    return {
        "qubits": qubits,
        "rows": rows,
        "fast_cpu_ms": 1e3 * min(fast),
        "tfq_cpu_ms": 1e3 * min(slow),
        "ratio": min(slow) / min(fast),
        "asked": ASKED.get((qubits, rows)),
        "gradients_differ_by": float(apart),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", nargs="*", default=[f"{q}x{n}" for q, n in ASKED])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    cells = []
    for cell in given.cells:
        found = measure(*map(int, cell.split("x")), given.repeats)
        cells.append(found)
        print(
            f"{found['qubits']:3d} qubits {found['rows']:4d} rows: fast"
            f" {found['fast_cpu_ms']:9.3f} ms, TFQ {found['tfq_cpu_ms']:9.2f} ms,"
            f" {found['ratio']:7.1f} x (asked {found['asked']}),"
            f" gradients within {found['gradients_differ_by']:.1e}",
            flush=True,
        )
    if given.json:
        about = {
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("numba", "tensorflow", "tensorflow-quantum")},
            "layers": LAYERS,
        }
        text = json.dumps({**about, "cells": cells}, indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
