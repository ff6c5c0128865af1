"""Feature maps and their kernels that other packages offer, found by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from detector import catalogue
from detector.errors import DetectorError
from detector.findings import Gap, Reason
from detector.recipes import how_to_get, missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

GROUP = "detector.kernels"
"""The entry-point group: one class a name, with `of`, as `FeatureMap` says."""

QUANTUM = "quantum"
"""The name that `generators` registers: known even where nothing is installed."""


class FeatureMap(Protocol):
    """A map of rows that has learned the unit of each column from some rows.

    Two class attributes are optional: `needs`, names of packages that it imports late, and
    `extra`, the extra of this project that installs them.
    """

    scales: ClassVar[Sequence[float]]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> FeatureMap:
        """Return the map whose unit is the spread of these rows, shape (n, d)."""

    @property
    def labels(self) -> Sequence[str]:
        """Return the names of the features."""

    def gram(self, rows: NDArray[Any], *, scale: float) -> NDArray[Any]:
        """Return the kernel of every pair of rows, shape (r, r), from 0 to 1."""

    def features(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return features of rows, shape (r, number of labels)."""


def refuse_unknown(name: str, *, plain: str, check: str, option: str) -> None:
    """Refuse a name that nobody offers.

    Args:
        name: What the policy says.
        plain: The name of the default, which needs no map.
        check: Whose option it is.
        option: The option's name.

    Raises:
        ValueError: It is neither the default nor offered.

    """
    if name in {plain, QUANTUM}:
        return
    if name not in (known := catalogue.names(GROUP)):
        listed = ", ".join(sorted({plain, QUANTUM, *known}))
        raise ValueError(f"{check}: {option} is `{name}`; there are: {listed}")


def feature_map(name: str, *, measurement: str) -> Callable[[NDArray[Any]], FeatureMap] | Gap:
    """Return what learns a map from rows, or the gap where its packages are missing."""
    try:
        kind = catalogue.load(GROUP, name)
    except DetectorError as error:
        return Gap(name=measurement, reason=Reason.MISSING_EXTRA, detail=str(error))
    if missing := missing_packages(kind):
        detail = f"`{name}` needs {' and '.join(missing)}, not installed here. {how_to_get(kind)}"
        return Gap(name=measurement, reason=Reason.MISSING_EXTRA, detail=detail)
    learn: Callable[[NDArray[Any]], FeatureMap] = kind.of
    return learn
