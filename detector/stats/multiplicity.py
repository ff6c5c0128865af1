"""Adjusted p-values: what many tests at once are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return Holm's adjusted p-values, in the order given.

    Calling those at or below alpha real makes even one false call with probability at
    most alpha, whatever the tests' dependence.

    Args:
        p_values: k p-values, each in (0, 1].

    Returns:
        Shape (k,), each at least as large as its p-value, at most 1.

    Raises:
        ValueError: A p-value lies outside (0, 1].

    Source: Holm (1979), Scandinavian Journal of Statistics 6.

    >>> holm([0.01, 0.04, 0.03]).round(9).tolist()
    [0.03, 0.06, 0.06]

    """
    given, order = _ordered(p_values)
    times = len(given) - np.arange(len(given))
    return _restored(np.minimum(np.maximum.accumulate(given[order] * times), 1.0), order)


def benjamini_hochberg(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return Benjamini and Hochberg's adjusted p-values, in the order given.

    Of those at or below q, a share of at most q is expected to be false calls, when the
    tests are independent or positively dependent.

    Args:
        p_values: k p-values, each in (0, 1].

    Returns:
        Shape (k,), each at least as large as its p-value, at most 1.

    Raises:
        ValueError: A p-value lies outside (0, 1].

    Source: Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(9).tolist()
    [0.03, 0.04, 0.04]

    """
    given, order = _ordered(p_values)
    scaled = given[order] * (len(given) / np.arange(1, len(given) + 1))
    falling = np.minimum.accumulate(scaled[::-1])[::-1]
    return _restored(np.minimum(falling, 1.0), order)


def _ordered(p_values: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    given = np.asarray(p_values, np.float64)
    if given.ndim != 1 or not np.all((given > 0) & (given <= 1)):
        raise ValueError("p-values lie in (0, 1], in one dimension")
    return given, np.argsort(given, kind="stable")


def _restored(ordered: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    result = np.empty_like(ordered)
    result[order] = ordered
    return result
