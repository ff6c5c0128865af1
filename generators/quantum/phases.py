# ruff: noqa: ANN001, ANN201, ANN202 - the types are the compiler's to find
# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The phases of all qubits at once: 2^h of them from two tables of 2^(h/2), and back to angles."""

from __future__ import annotations

from generators.quantum.lanes import compiled, load, store
from generators.quantum.moves import NONE, ONES


@compiled
def _double(table, first, end, seed, trig):
    """Write the phases of some qubits, the last of them changing fastest."""
    size = len(table) // 32
    store(table, 0, seed[0])
    store(table, size, seed[1])
    done = 1
    for at in range(end - 1, first - 1, -1):
        c, s = load(trig[0], at), load(trig[1], at)
        for i in range(done):
            x, y = load(table, i), load(table, size + i)
            store(table, i, x * c + y * s)
            store(table, size + i, y * c - x * s)
            store(table, done + i, x * c - y * s)
            store(table, size + done + i, y * c + x * s)
        done *= 2


@compiled
def phase_tables(tables, first, shape, trig):
    """Write the phases of the first and of the other qubits of the strides.

    The qubits of the lanes go into the seed of the second table.
    """
    cosines, sines, constants = trig
    height, low, _ = shape
    one, none = load(constants, ONES), load(constants, NONE)
    re, im = one, none
    for k in range(low):
        c, s = load(cosines, first + height + k), load(sines, first + height + k)
        s = s * load(constants, k)
        re, im = re * c + im * s, im * c - re * s
    middle = first + height // 2
    _double(tables[0], first, middle, (one, none), trig)
    _double(tables[1], middle, first + height, (re, im), trig)


@compiled
def _halve(sums, first, end, grads, none):
    """Store each qubit's signed sum; return the sum of all."""
    size = len(sums) // 16
    for at in range(first, end):
        size //= 2
        g = none
        for i in range(size):
            x, y = load(sums, i), load(sums, size + i)
            g = g + (x - y)
            store(sums, i, x + y)
        store(grads, at, g)
    return load(sums, 0)


@compiled
def phase_gradients(sums, first, shape, constants, grads):
    """Store the derivative by the angle of every qubit of a layer."""
    height, low, _ = shape
    none = load(constants, NONE)
    middle = first + height // 2
    total = _halve(sums[0], first, middle, grads, none)
    _halve(sums[1], middle, first + height, grads, none)
    for k in range(low):
        store(grads, first + height + k, total * load(constants, k))
