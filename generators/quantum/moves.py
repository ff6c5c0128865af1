# ruff: noqa: ANN001, ANN201, ANN202 - the types are the compiler's to find
# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""What one gate, or one layer, does to a block of amplitudes: the compiled inner loops.

A block holds `planes` planes (real parts, then imaginary parts; only the former for circuits whose
amplitudes are real) of 2^h groups of sixteen lanes. Either the lanes are sixteen rows of a batch
and h is the number of qubits, or the block is one row and the lanes are its last four qubits. A
qubit among the h is reached by its stride, counted in groups; one among the lanes by its bit.

Angles arrive as the cosine and the sine of their half. `turn` is exp(-i angle Y / 2), which is
real; `phase` is exp(-i angle Z / 2) of every qubit at once; `word` is the same of a product of Zs.
Each `undo` takes a gate off the state and off its adjoint, and returns or stores the derivative.
"""

from __future__ import annotations

from generators.quantum.lanes import compiled, fill, load, store, swap

ONES, HALVES, NONE = 4, 5, 6  # rows of the table of constants; rows 0 to 3 are the lanes' signs


@compiled
def turn_pair(a, size, wide, narrow, angles):
    """Turn two qubits, wide > narrow being their strides."""
    c1, s1, c2, s2 = angles
    for b in range(0, size, 2 * wide):
        for d in range(b, b + wide, 2 * narrow):
            for i in range(d, d + narrow):
                p, q = load(a, i), load(a, i + narrow)
                r, t = load(a, i + wide), load(a, i + wide + narrow)
                p, r = c1 * p - s1 * r, s1 * p + c1 * r
                q, t = c1 * q - s1 * t, s1 * q + c1 * t
                store(a, i, c2 * p - s2 * q)
                store(a, i + narrow, s2 * p + c2 * q)
                store(a, i + wide, c2 * r - s2 * t)
                store(a, i + wide + narrow, s2 * r + c2 * t)


@compiled
def turn_one(a, size, stride, c, s):
    """Turn one qubit."""
    for b in range(0, size, 2 * stride):
        for i in range(b, b + stride):
            x, y = load(a, i), load(a, i + stride)
            store(a, i, c * x - s * y)
            store(a, i + stride, s * x + c * y)


@compiled
def turn_lanes(a, size, c, s):
    """Turn the four qubits of the lanes; c and s hold four groups, s with the lanes' signs."""
    c8, c4, c2, c1 = load(c, 0), load(c, 1), load(c, 2), load(c, 3)
    s8, s4, s2, s1 = load(s, 0), load(s, 1), load(s, 2), load(s, 3)
    for i in range(size):
        x = load(a, i)
        x = c8 * x - s8 * swap(x, 8)
        x = c4 * x - s4 * swap(x, 4)
        x = c2 * x - s2 * swap(x, 2)
        store(a, i, c1 * x - s1 * swap(x, 1))


@compiled
def undo_pair(states, size, wide, narrow, angles, none):
    """Take two turns off both states; return the derivative by each angle."""
    a, e = states
    c1, s1, c2, s2 = angles
    g1, g2 = none, none
    for b in range(0, size, 2 * wide):
        for d in range(b, b + wide, 2 * narrow):
            for i in range(d, d + narrow):
                j, k = i + narrow, i + wide
                m = k + narrow
                p, q, r, t = load(a, i), load(a, j), load(a, k), load(a, m)
                u, v, w, x = load(e, i), load(e, j), load(e, k), load(e, m)
                g1 = g1 + (w * p - u * r) + (x * q - v * t)
                g2 = g2 + (v * p - u * q) + (x * r - w * t)
                p, r = c1 * p + s1 * r, c1 * r - s1 * p
                q, t = c1 * q + s1 * t, c1 * t - s1 * q
                u, w = c1 * u + s1 * w, c1 * w - s1 * u
                v, x = c1 * v + s1 * x, c1 * x - s1 * v
                store(a, i, c2 * p + s2 * q)
                store(a, j, c2 * q - s2 * p)
                store(a, k, c2 * r + s2 * t)
                store(a, m, c2 * t - s2 * r)
                store(e, i, c2 * u + s2 * v)
                store(e, j, c2 * v - s2 * u)
                store(e, k, c2 * w + s2 * x)
                store(e, m, c2 * x - s2 * w)
    return g1, g2


@compiled
def undo_one(states, size, stride, c, s, none):
    """Take one turn off both states; return the derivative by its angle."""
    a, e = states
    g = none
    for b in range(0, size, 2 * stride):
        for i in range(b, b + stride):
            j = i + stride
            x, y, u, v = load(a, i), load(a, j), load(e, i), load(e, j)
            g = g + (v * x - u * y)
            store(a, i, c * x + s * y)
            store(a, j, c * y - s * x)
            store(e, i, c * u + s * v)
            store(e, j, c * v - s * u)
    return g


@compiled
def undo_lanes(states, size, c, s, none):
    """Take the turns of the lanes off both states; return four derivatives short of their sign."""
    a, e = states
    c8, c4, c2, c1 = load(c, 0), load(c, 1), load(c, 2), load(c, 3)
    s8, s4, s2, s1 = load(s, 0), load(s, 1), load(s, 2), load(s, 3)
    g8, g4, g2, g1 = none, none, none, none
    for i in range(size):
        x, y = load(a, i), load(e, i)
        x8, x4, x2, x1 = swap(x, 8), swap(x, 4), swap(x, 2), swap(x, 1)
        g8, g4, g2, g1 = g8 + y * x8, g4 + y * x4, g2 + y * x2, g1 + y * x1
        x, y = c8 * x + s8 * x8, c8 * y + s8 * swap(y, 8)
        x, y = c4 * x + s4 * swap(x, 4), c4 * y + s4 * swap(y, 4)
        x, y = c2 * x + s2 * swap(x, 2), c2 * y + s2 * swap(y, 2)
        store(a, i, c1 * x + s1 * swap(x, 1))
        store(e, i, c1 * y + s1 * swap(y, 1))
    return g8, g4, g2, g1


@compiled
def phase(a, count, tables, signs, sign, by_lane):
    """Multiply by top x bottom, the phases of the first and of the other qubits of the strides.

    Args:
        a: The block, two planes of `count` groups.
        count: 2^h.
        tables: Top and bottom, each as real parts followed by imaginary parts.
        signs: The factors that CZs give each basis state.
        sign: Where in `signs` to start, in basis states; below zero for no factor.
        by_lane: Whether a basis state is a lane.

    """
    top, bottom = tables
    tops, bottoms = len(top) // 32, len(bottom) // 32
    i = 0
    for h in range(tops):
        hr, hi = load(top, h), load(top, tops + h)
        for k in range(bottoms):
            br, bi = load(bottom, k), load(bottom, bottoms + k)
            dr, di = hr * br - hi * bi, hr * bi + hi * br
            if sign >= 0:
                f = load(signs, sign // 16 + i) if by_lane else fill(signs[sign + i])
                dr, di = f * dr, f * di
            x, y = load(a, i), load(a, count + i)
            store(a, i, x * dr - y * di)
            store(a, count + i, x * di + y * dr)
            i += 1


@compiled
def undo_phase(states, count, tables, signs, sign, by_lane, sums, none):
    """Take the phases off both states; sum Im(conj(e) a) over the other qubits of each half."""
    a, e = states
    top, bottom = tables
    top_sums, bottom_sums = sums
    tops, bottoms = len(top) // 32, len(bottom) // 32
    for k in range(bottoms):
        store(bottom_sums, k, none)
    i = 0
    for h in range(tops):
        hr, hi = load(top, h), load(top, tops + h)
        total = none
        for k in range(bottoms):
            br, bi = load(bottom, k), load(bottom, bottoms + k)
            dr, di = hr * br - hi * bi, hr * bi + hi * br
            if sign >= 0:
                f = load(signs, sign // 16 + i) if by_lane else fill(signs[sign + i])
                dr, di = f * dr, f * di
            x, y, u, v = load(a, i), load(a, count + i), load(e, i), load(e, count + i)
            g = u * y - v * x
            total = total + g
            store(bottom_sums, k, load(bottom_sums, k) + g)
            store(a, i, x * dr + y * di)
            store(a, count + i, y * dr - x * di)
            store(e, i, u * dr + v * di)
            store(e, count + i, v * dr - u * di)
            i += 1
        store(top_sums, h, total)


@compiled
def flip(a, count, planes, signs, sign, by_lane):
    """Multiply by the factors of CZs alone."""
    for i in range(count):
        f = load(signs, sign // 16 + i) if by_lane else fill(signs[sign + i])
        for j in range(i, planes * count, count):
            store(a, j, f * load(a, j))


@compiled
def _odd(bits):
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    bits ^= bits >> 2
    return (bits ^ (bits >> 1)) & 1


@compiled
def word(a, count, mask, c, s, none):
    """Multiply by exp(-i angle W / 2), W being the word of Z with this mask over the strides."""
    minus = none - s
    for i in range(count):
        t = minus if _odd(i & mask) else s
        x, y = load(a, i), load(a, count + i)
        store(a, i, c * x + t * y)
        store(a, count + i, c * y - t * x)


@compiled
def undo_word(states, count, mask, c, s, none):
    """Take a word off both states; return the derivative short of the lanes' sign."""
    a, e = states
    minus, g = none - s, none
    for i in range(count):
        x, y, u, v = load(a, i), load(a, count + i), load(e, i), load(e, count + i)
        if _odd(i & mask):
            t = minus
            g = g - (u * y - v * x)
        else:
            t = s
            g = g + (u * y - v * x)
        store(a, i, c * x - t * y)
        store(a, count + i, c * y + t * x)
        store(e, i, c * u - t * v)
        store(e, count + i, c * v + t * u)
    return g
