"""What an audit is asked to do, checked before any work is done."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from detector.errors import DetectorError

FEWEST_FRESH = 50
"""Rows of a generation that `fresh` needs at least when it chooses their number itself."""


class Regime(enum.StrEnum):
    """What the next generation is trained on."""

    REPLACE = "replace"
    ACCUMULATE = "accumulate"
    ACCUMULATE_SUBSAMPLE = "accumulate_subsample"
    FRESH = "fresh"
    FIXED = "fixed"


MIXED = frozenset({Regime.FRESH, Regime.FIXED})
"""Regimes that mix real rows with a share to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One recursive training.

    Attributes:
        regime: What the next generation is trained on.
        generations: Rounds of training, at least 1.
        replicates: Chains that start from the same real data, at least 1.
        rows: Rows of every generation; None for all real rows.
        real_share: With `fresh` and `fixed`, the share of real rows in each training.
        keep: The share of drawn rows that a verifier keeps, the most typical; 1 keeps all.
        temperature: Spread of sampling: 1 is the model's own, less draws nearer the middle.
        seed: Where all random choices come from.
        fit_timeout: Seconds that one fit and its sample may take; None for no limit.
        refits: Refits from which the band of healthy loops comes.

    """

    regime: Regime = Regime.REPLACE
    generations: int = 10
    replicates: int = 3
    rows: int | None = None
    real_share: float = 0.0
    keep: float = 1.0
    temperature: float = 1.0
    seed: int = 0
    fit_timeout: float | None = None
    refits: int = 40

    def __post_init__(self) -> None:
        """Refuse what makes no sense, in one sentence each."""
        for name in ("generations", "replicates", "refits"):
            _whole(name, getattr(self, name), least=20 if name == "refits" else 1)
        if self.rows is not None:
            _whole("rows", self.rows, least=2)
        _between("real_share", self.real_share, low=0.0, high=1.0)
        _between("keep", self.keep, low=0.01, high=1.0)
        _between("temperature", self.temperature, low=0.01, high=100.0)
        if self.fit_timeout is not None:
            _between("fit_timeout", self.fit_timeout, low=0.001, high=1e9)
        mixed = self.regime in MIXED
        if mixed and not self.real_share:
            raise DetectorError(
                f"the regime `{self.regime}` needs a real share above 0.",
                hint="Give one, for example 0.1; without real rows the regime is `replace`.",
            )
        if not mixed and self.real_share:
            raise DetectorError(
                f"the regime `{self.regime}` has no real share to set, and {self.real_share} "
                "was given.",
                hint="Use `fresh` (new real rows in every round) or `fixed` (the same ones).",
            )

    def sized(self, available: int) -> Plan:
        """Return the plan with its rows filled in.

        Args:
            available: Real rows there are.

        Raises:
            DetectorError: There are too few; says how many are missing.

        """
        from dataclasses import replace

        if available < 2:
            raise DetectorError(
                f"there {'is' if available == 1 else 'are'} {available} real "
                f"row{'s' if available != 1 else ''}; an audit needs 2 at least.",
                hint="Give more real rows.",
            )
        rows = self.rows
        if rows is None:
            rows = available
            if self.regime is Regime.FRESH:
                rows = math.floor(available / (1.0 + self.real_share * self.generations))
                rows = max(min(FEWEST_FRESH, available), rows)
        sized = replace(self, rows=rows)
        needed = sized.real_rows_needed
        if needed > available:
            rounds = f" + {self.generations - 1} x {sized.real_rows}" if sized.stock else ""
            raise DetectorError(
                f"`{self.regime}` needs {rows:,}{rounds} = {needed:,} real rows; there are "
                f"{available:,}, so {needed - available:,} are missing.",
                hint="Ask for fewer rows, generations or a smaller real share"
                + (", or use `fixed`." if self.regime is Regime.FRESH else "."),
            )
        return sized

    @property
    def real_rows(self) -> int:
        """Return the real rows in each training of a mixed regime; one at least."""
        if self.regime not in MIXED or self.rows is None:
            return 0
        return min(self.rows, max(1, round(self.real_share * self.rows)))

    @property
    def stock(self) -> int:
        """Return the real rows that are taken fresh over the whole run."""
        return self.real_rows * (self.generations - 1) if self.regime is Regime.FRESH else 0

    @property
    def real_rows_needed(self) -> int:
        """Return the real rows that the run uses up."""
        return (self.rows or 0) + self.stock


def keep_of(text: str) -> float:
    """Return the share in `best:0.8`.

    >>> keep_of("best:0.8")
    0.8
    """
    kind, _, share = text.partition(":")
    try:
        value = float(share)
    except ValueError:
        value = math.nan
    if kind != "best" or not 0.0 < value <= 1.0:
        raise DetectorError(
            f"`{text}` says nothing about which rows to keep.", hint="Write best:0.8, for example."
        )
    return value


def regime_of(name: str) -> Regime:
    """Return the regime of this name."""
    try:
        return Regime(name)
    except ValueError:
        raise DetectorError(
            f"there is no regime `{name}`.", hint=f"There are: {', '.join(Regime)}."
        ) from None


def _whole(name: str, value: object, *, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DetectorError(f"`{name}` is {value!r}.", hint=f"Give a whole number from {least}.")


def _between(name: str, value: object, *, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise DetectorError(f"`{name}` is {value!r}.", hint=f"Give a number from {low} to {high}.")
