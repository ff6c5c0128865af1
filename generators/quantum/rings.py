# ruff: noqa: ANN001, ANN201, ANN202 - the types are the compiler's to find
# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The compiled step of simulated quantum annealing; `annealing.py` has the same in plain numpy.

Both make the same sums in the same order, so that they draw the same spins.
"""

from __future__ import annotations

from generators.quantum.lanes import compiled, entry


@entry
def draw_ring(up, link, uniform, drawn, weights):
    """Draw rings of spins exactly; `annealing.plain_ring` says what the arguments are.

    Args:
        up: Shape (slices, chains).
        link: Of the type of `up`.
        uniform: Shape (slices, chains).
        drawn: Where the spins go, shape (slices, chains).
        weights: Room for (slices, 4, chains) numbers of the type of `up`.

    """
    one = up.dtype.type(1)
    slices, chains = up.shape
    for c in range(chains):
        weights[0, 0, c] = one
        weights[0, 1, c] = weights[0, 2, c] = link if slices > 1 else one - one
        weights[0, 3, c] = one
    for k in range(slices - 1, 0, -1):
        _pull(up[k], link, weights[0], weights[k], one)
    _first(up[0], uniform[0], weights[0], drawn[0], one)
    for k in range(1, slices):
        _next(uniform[k], link, weights[k], drawn, k)


@compiled
def _pull(up, link, after, weights, one):
    """Put the weights of a slice's spin in front of what comes after it."""
    for c in range(len(up)):
        rise, fall = up[c], one - up[c]
        x0, x1 = rise * after[0, c], rise * after[1, c]
        y0, y1 = fall * after[2, c], fall * after[3, c]
        weights[0, c], weights[1, c], weights[2, c], weights[3, c] = x0, x1, y0, y1
        after[0, c], after[1, c] = x0 + link * y0, x1 + link * y1
        after[2, c], after[3, c] = link * x0 + y0, link * x1 + y1


@compiled
def _first(up, uniform, after, drawn, one):
    for c in range(len(up)):
        rise, fall = up[c] * after[0, c], (one - up[c]) * after[3, c]
        drawn[c] = uniform[c] * (rise + fall) < rise


@compiled
def _next(uniform, link, weights, drawn, k):
    for c in range(len(uniform)):
        x = weights[0, c] if drawn[0, c] else weights[1, c]
        y = weights[2, c] if drawn[0, c] else weights[3, c]
        x, y = (x, link * y) if drawn[k - 1, c] else (link * x, y)
        drawn[k, c] = uniform[c] * (x + y) < x
