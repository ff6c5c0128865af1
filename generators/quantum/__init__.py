"""Quantum circuits, built in Cirq and run by any of three executors.

Importing this package, `engines`, `gradients`, `noise`, `observables`, `problems`, `sampling`,
`surrogate` or `optimisers` loads numpy, nothing heavier. `circuits` needs Cirq; the executors
are loaded by name.

    from generators.quantum.circuits import hardware_efficient, reuploading
    from generators.quantum.engines import executor

    ansatz = hardware_efficient(8, layers=4)       # Ansatz: circuit, qubits, weights, inputs
    run = executor(ansatz, engine="auto")          # "fast", "tfq", "cirq"; run.name says which
    p = run.probabilities(weights)                 # (n, 2^q), qubit 0 the most significant bit
    z = run.expectations(weights, inputs)          # (n, q): Z of each qubit
    e = run.expectations(weights, observables=o)   # (n, k), o of shape (k, 2^q)
    g = run.gradient(weights, inputs, upstream=u)  # g.weights (k,), g.inputs (n, m)
    p, pull = run.pullback(weights, inputs)        # pull(u) is the gradient, without a second run

`weights` follow `ansatz.weights` and are shared by all rows; column j of `inputs` is the value of
`ansatz.inputs[j]` in each row. Without inputs there is one row, or n for inputs of shape (n, 0).
The upstream derivative `u` is that of the loss by the probabilities, shape (n, 2^q), or by the
expectations of Z, shape (n, q). Losses that are not linear in the probabilities differentiate
themselves by them and hand the result down: no gate is ever shifted inside such a loss.

Options of `executor`: `gradient="adjoint" | "parameter_shift" | "finite_difference"`. The fast
engine and Cirq take `repetitions` (finite sampling), and `noise=Noise(...)` with `trajectories`;
both draw with `rng`. Cirq takes `noise` alone too, and is exact then. The fast engine takes
`precision` and `threads`.
"""

from __future__ import annotations
