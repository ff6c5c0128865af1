"""Columns that follow from others: exact linear equations, and columns that one determines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int64]

_EXACT = 1e-6
_NEGLIGIBLE = 1e-4
_OWN_NOISE = 1e-3


class Equation(NamedTuple):
    """A column that is a sum of others, each times a number, plus a number.

    Attributes:
        column: Its place.
        terms: The places of the others.
        factors: What each is multiplied by.
        constant: What is added.

    """

    column: int
    terms: tuple[int, ...]
    factors: tuple[float, ...]
    constant: float

    def misses(self, values: Numbers) -> Numbers:
        """Return by how much each row misses it, in spreads of the column, shape (n,)."""
        told = values[:, list(self.terms)] @ np.array(self.factors) + self.constant
        own = values[:, self.column]
        return np.asarray(np.abs(own - told) / max(float(own.std()), 1e-300))


def equations(values: Numbers) -> list[Equation]:
    """Return a linear equation for each column that is exactly told by the columns kept.

    Columns are kept in the order of what they add (QR with pivoting), so that as many equations
    come back as there are columns too many.

    Args:
        values: Shape (n, d), finite; n well above d, or everything is told.

    Cost: O(n d^2).
    """
    from scipy.linalg import qr

    spread = values.std(axis=0)
    varying = np.flatnonzero(spread > 0)
    scaled = (values[:, varying] - values[:, varying].mean(axis=0)) / spread[varying]
    if scaled.shape[1] < 2:
        return []
    triangle, order = qr(scaled, mode="r", pivoting=True)
    sizes = np.abs(np.diag(triangle[: len(order)]))
    rank = int((sizes > _EXACT * sizes[0]).sum())
    kept, told = order[:rank], order[rank:]
    if not len(told):
        return []
    factors, *_ = np.linalg.lstsq(scaled[:, kept], scaled[:, told], rcond=None)
    found = []
    for place, of_kept in zip(told, factors.T, strict=True):
        used = np.abs(of_kept) > _NEGLIGIBLE
        terms = varying[kept[used]]
        own = spread[varying[place]] * of_kept[used] / spread[terms]
        constant = values[:, varying[place]].mean() - values[:, terms].mean(axis=0) @ own
        equation = Equation(
            int(varying[place]), tuple(terms.tolist()), tuple(own.tolist()), float(constant)
        )
        if equation.misses(values).max() <= 1e2 * _EXACT:
            found.append(equation)
    return found


def chance_of_equation(rows: int, columns: int) -> float:
    """Return a bound on the chance of an exact equation by accident.

    A column with noise of its own, a thousandth of its spread at least, comes within 1e-6
    spreads of what the others tell with a chance below 0.001, row by row.
    """
    free = max(rows - columns - 1, 0)
    return float(max(SMALLEST_P, _OWN_NOISE**free)) if free < 100 else SMALLEST_P


def determined(by: Codes, column: Codes) -> float | None:
    """Return the chance that a column follows another by accident, or None where it does not.

    Levels thrown at random fall together in every level of the other column with the chance
    that is returned: the product over levels b of the sum over a of share(a)^rows(b).

    Args:
        by: Codes of the other column, shape (n,), from 0.
        column: Codes of the column, shape (n,), from 0.

    >>> determined(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))
    0.25
    """
    width = int(column.max(initial=0)) + 1
    pairs = np.unique(by * width + column)
    rows = np.bincount(by)
    if len(pairs) > np.count_nonzero(rows):
        return None
    shares = np.bincount(column) / len(column)
    logs = np.log(shares[shares > 0])
    size, times = np.unique(rows[rows > 1], return_counts=True)
    together = np.logaddexp.reduce(size[:, None] * logs, axis=1)
    return float(max(np.exp(max(times @ together, -690.0)), SMALLEST_P))


def agreement(by: Codes, column: Codes) -> float:
    """Return the share of rows that have the commonest level for their level of another column."""
    width = int(column.max(initial=0)) + 1
    pairs, rows = np.unique(by * width + column, return_counts=True)
    most = np.zeros(int(by.max(initial=0)) + 1, np.int64)
    np.maximum.at(most, pairs // width, rows)
    return float(most.sum() / max(len(by), 1))


class Twins(NamedTuple):
    """Rows that are equal in several columns whose values hardly repeat.

    Attributes:
        rows: Rows with a twin.
        groups: Distinct rows that have a twin.
        without: The one column that was left out; -1 for none.
        p_value: The chance of so many pairs where columns are unrelated, for all ways to look.

    """

    rows: int
    groups: int
    without: int
    p_value: float


def twins(codes: Codes, *, without: int | None = None) -> Twins:
    """Count rows that are equal in all columns, or in all but one; the most telling way.

    Args:
        codes: A code for each value, shape (n, d), from 0, d >= 2.
        without: Look in this way only: the place of the column left out, or -1 for none.

    Cost: O(n d log n): rows are compared by sums of codes' hashes, from which one is taken off.
    """
    from scipy.stats import poisson

    rows, columns = codes.shape
    mixed = np.column_stack([_scattered(column, place) for place, column in enumerate(codes.T)])
    together = np.add.reduce(mixed, axis=1)
    pairs = rows * (rows - 1) / 2
    alike = np.array([_pairs(np.bincount(column)) for column in codes.T]) / max(pairs, 1.0)
    ways = range(-1, columns if columns > 2 else 0) if without is None else (without,)
    best: Twins | None = None
    for way in ways:
        left = together if way < 0 else together - mixed[:, way]
        _, held = np.unique(left, return_counts=True)
        expected = pairs * float(np.prod(np.delete(alike, way) if way >= 0 else alike))
        chance = float(poisson.sf(_pairs(held) - 1, expected)) if _pairs(held) else 1.0
        several = held[held > 1]
        found = Twins(
            int(several.sum()),
            len(several),
            way,
            min(1.0, max(len(ways) * chance, SMALLEST_P)),
        )
        if best is None or found.p_value < best.p_value:
            best = found
    return best if best is not None else Twins(0, 0, -1, 1.0)


def _scattered(codes: Codes, place: int) -> NDArray[np.uint64]:
    """Return a 64-bit number for each code; equal codes of one column have equal ones."""
    numbers = (codes.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    numbers += np.uint64((place + 1) * 0xD1B54A32D192ED03 % 2**64)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(numbers ^ (numbers >> np.uint64(31)), np.uint64)


def _pairs(held: NDArray[np.int64]) -> int:
    return int((held * (held - 1) // 2).sum())
