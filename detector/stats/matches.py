"""Rows found in a list of known rows, against how often chance alone finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import hypergeom

from detector.stats.proportions import SMALLEST_P, clopper_pearson, share_seen

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Counts of different rows, sampled by a hash of their content.

    Attributes:
        known: Candidate rows that are on the list and not in the reference.
        looked_at: Candidate rows that could be on the list.
        chance: Reference rows that are on the list, though they are real.
        real: Reference rows that could be on the list.

    """

    known: int
    looked_at: int
    chance: int
    real: int

    @property
    def share(self) -> float:
        """Return the share of candidate rows that are known; 0 where none was looked at."""
        return self.known / max(1, self.looked_at)

    @property
    def chance_share(self) -> float:
        """Return the share of real rows that are on the list by chance."""
        return self.chance / max(1, self.real)

    @property
    def interval(self) -> tuple[float, float]:
        """Return the exact 95 % interval of the share."""
        return clopper_pearson(self.known, self.looked_at) if self.looked_at else (0.0, 1.0)

    @property
    def p_value(self) -> float:
        """Return Fisher's exact one-sided p-value: are more rows known than chance knows?

        >>> round(Matches(known=1, looked_at=1, chance=0, real=9).p_value, 9)
        0.1
        """
        return float(self._tails(np.array([self.known]))[0])

    @property
    def detectable(self) -> float:
        """Return the share that is seen with 80 % power at the 0.05 level."""
        counts = np.arange(1, self.looked_at + 1)
        enough = counts[self._tails(counts) <= 0.05]
        return share_seen(int(enough[0]), self.looked_at) if len(enough) else 1.0

    def _tails(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the chance of at least so many known rows, given those on the list."""
        total = self.real + self.looked_at
        if not self.looked_at:
            return np.ones(len(counts))
        tails = hypergeom.sf(counts - 1, total, self.chance + counts, self.looked_at)
        clipped: NDArray[np.float64] = np.clip(tails, SMALLEST_P, 1.0)
        return clipped
