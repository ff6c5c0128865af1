# ruff: noqa: ANN001, ANN201, ANN202 - the types are the compiler's to find
# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""Whole circuits over blocks of amplitudes: forwards, and backwards with every derivative.

The program comes from `compiled.py` as rows of four integers: what to do, the first slot (angle),
the slot after the last, and one more number. The inner loops are in `moves.py`.
"""

from __future__ import annotations

from generators.quantum.lanes import compiled, entry, load, store
from generators.quantum.moves import (
    HALVES,
    NONE,
    ONES,
    flip,
    phase,
    turn_lanes,
    turn_one,
    turn_pair,
    undo_lanes,
    undo_one,
    undo_pair,
    undo_phase,
    undo_word,
    word,
)
from generators.quantum.phases import phase_gradients, phase_tables

START, TURN, PHASE, FLIP, WORD = range(5)


@compiled
def _start(a, first, shape, trig):
    """Turn every qubit of |0...0>, where the result is a product."""
    cosines, sines, constants = trig
    height, low, planes = shape
    seed = load(constants, ONES)
    for k in range(low):
        c, s = load(cosines, first + height + k), load(sines, first + height + k)
        seed = seed * load(constants, HALVES) * (c + s + load(constants, k) * (c - s))
    store(a, 0, seed)
    done = 1
    for k in range(height - 1, -1, -1):
        c, s = load(cosines, first + k), load(sines, first + k)
        for i in range(done):
            x = load(a, i)
            store(a, i, c * x)
            store(a, done + i, s * x)
        done *= 2
    for i in range(done, planes * done):
        store(a, i, load(constants, NONE))


@compiled
def _lane_turns(slots, targets, height, trig, lane_trig):
    """Collect the turns among the lanes' qubits; return whether there are any."""
    cosines, sines, constants = trig
    c, s = lane_trig
    for k in range(4):
        store(c, k, load(constants, ONES))
        store(s, k, load(constants, NONE))
    for at in range(slots[0], slots[1]):
        k = targets[at] - height
        if k >= 0:
            store(c, k, load(cosines, at))
            store(s, k, load(sines, at) * load(constants, k))
    return slots[0] < slots[1] and targets[slots[1] - 1] >= height


@compiled
def _pair(at, targets, height, trig):
    wide, narrow = 1 << (height - 1 - targets[at]), 1 << (height - 1 - targets[at + 1])
    c1, s1 = load(trig[0], at), load(trig[1], at)
    return wide, narrow, (c1, s1, load(trig[0], at + 1), load(trig[1], at + 1))


@compiled
def _turns(a, slots, targets, shape, trig, lane_trig):
    height, size = shape[0], shape[2] << shape[0]
    at, end = slots
    while at < end and targets[at] < height:
        if at + 1 < end and targets[at + 1] < height:
            wide, narrow, angles = _pair(at, targets, height, trig)
            turn_pair(a, size, wide, narrow, angles)
            at += 2
        else:
            stride = 1 << (height - 1 - targets[at])
            turn_one(a, size, stride, load(trig[0], at), load(trig[1], at))
            at += 1
    if _lane_turns(slots, targets, height, trig, lane_trig):
        turn_lanes(a, size, lane_trig[0], lane_trig[1])


@compiled
def _undo_turns(states, slots, targets, shape, trig, lane_trig, grads):
    height, size = shape[0], shape[2] << shape[0]
    none = load(trig[2], NONE)
    at, end = slots
    while at < end and targets[at] < height:
        if at + 1 < end and targets[at + 1] < height:
            wide, narrow, angles = _pair(at, targets, height, trig)
            g1, g2 = undo_pair(states, size, wide, narrow, angles, none)
            store(grads, at, g1)
            store(grads, at + 1, g2)
            at += 2
        else:
            stride = 1 << (height - 1 - targets[at])
            g = undo_one(states, size, stride, load(trig[0], at), load(trig[1], at), none)
            store(grads, at, g)
            at += 1
    if _lane_turns(slots, targets, height, trig, lane_trig):
        g8, g4, g2, g1 = undo_lanes(states, size, lane_trig[0], lane_trig[1], none)
        while at < end:
            k = targets[at] - height
            g = g8 if k == 0 else g4 if k == 1 else g2 if k == 2 else g1
            store(grads, at, none - g * load(trig[2], k))
            at += 1


@compiled
def _lane_sign(mask, low, constants):
    sign = load(constants, ONES)
    for k in range(low):
        if mask & (1 << (low - 1 - k)):
            sign = sign * load(constants, k)
    return sign


@compiled
def _forward(a, circuit, trig, space):
    """Run the circuit on one block."""
    ops, targets, shape, signs = circuit
    tables, lane_trig = space[2], space[4]
    height, low, planes = shape
    for op in range(len(ops)):
        kind, first, end, extra = ops[op]
        if kind == START:
            _start(a, first, shape, trig)
        elif kind == TURN:
            _turns(a, (first, end), targets, shape, trig, lane_trig)
        elif kind == PHASE:
            phase_tables(tables, first, shape, trig)
            phase(a, 1 << height, tables, signs, extra, low > 0)
        elif kind == FLIP:
            flip(a, 1 << height, planes, signs, extra, low > 0)
        else:
            s = load(trig[1], first) * _lane_sign(extra, low, trig[2])
            word(a, 1 << height, extra >> low, load(trig[0], first), s, load(trig[2], NONE))


@compiled
def _backward(circuit, trig, space, grads):
    """Run the circuit back on a state and its adjoint; store the derivative by every angle."""
    ops, targets, shape, signs = circuit
    a, e, tables, sums, lane_trig = space
    height, low, planes = shape
    none = load(trig[2], NONE)
    for op in range(len(ops) - 1, -1, -1):
        kind, first, end, extra = ops[op]
        if kind <= TURN:
            _undo_turns((a, e), (first, end), targets, shape, trig, lane_trig, grads)
        elif kind == PHASE:
            phase_tables(tables, first, shape, trig)
            undo_phase((a, e), 1 << height, tables, signs, extra, low > 0, sums, none)
            phase_gradients(sums, first, shape, trig[2], grads)
        elif kind == FLIP:
            flip(a, 1 << height, planes, signs, extra, low > 0)
            flip(e, 1 << height, planes, signs, extra, low > 0)
        else:
            z = _lane_sign(extra, low, trig[2])
            c, s = load(trig[0], first), load(trig[1], first) * z
            g = undo_word((a, e), 1 << height, extra >> low, c, s, none)
            store(grads, first, g * z)


@compiled
def _observe(a, e, upstream, shape):
    """Make the adjoint: the state times the upstream derivative of each basis state."""
    count = 1 << shape[0]
    for i in range(count):
        x = load(upstream, i)
        for j in range(i, shape[2] * count, count):
            store(e, j, x * load(a, j))


@entry
def run_forward(blocks, circuit, angles, space, states):
    """Write the states of a range of blocks; the arguments are those of `run_backward`."""
    shape = circuit[2]
    slots, size = len(circuit[1]) * 16, (shape[2] << shape[0]) * 16
    for b in range(blocks[0], blocks[1]):
        here = slice(b * slots, (b + 1) * slots)
        trig = (angles[0][here], angles[1][here], angles[2])
        _forward(states[b * size : (b + 1) * size], circuit, trig, space)


@entry
def run_backward(blocks, circuit, angles, space, states, upstream, grads):
    """Write the derivatives of a range of blocks; without states, run forwards first.

    Args:
        blocks: The first block and the one after the last.
        circuit: Operations; the qubit that each slot turns; how many qubits lie among the
            strides, how many among the lanes, and planes; the factors that CZs give.
        angles: Cosines and sines of half the angles, slots x lanes for each block; then the
            lanes' constants.
        space: Working memory of this thread.
        states: What `run_forward` wrote, or an empty array.
        upstream: The loss's derivative by each probability.
        grads: The loss's derivative by each slot: the result.

    """
    shape = circuit[2]
    slots, count = len(circuit[1]) * 16, 16 << shape[0]
    size = count * shape[2]
    for b in range(blocks[0], blocks[1]):
        here = slice(b * slots, (b + 1) * slots)
        trig = (angles[0][here], angles[1][here], angles[2])
        if len(states):
            space[0][:] = states[b * size : (b + 1) * size]
        else:
            _forward(space[0], circuit, trig, space)
        _observe(space[0], space[1], upstream[b * count : (b + 1) * count], shape)
        _backward(circuit, trig, space, grads[here])
