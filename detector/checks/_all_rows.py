"""The kernel test on all rows of data too large to hold: means of all, chance from a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.profiles.fold import decode
from detector.profiles.kernel import project
from detector.stats.handfuls import relabel_handfuls
from detector.stats.mmd import judge
from detector.stats.mmd_distance import Means
from detector.stats.random_features import sum_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.profiles.kernel import KernelSpec
    from detector.profiles.profile import Profile
    from detector.stats.mmd import MmdTest

_SAMPLE = 8_192


def all_rows_test(
    comparison: Comparison, names: tuple[str, ...], *, permutations: int, rng: np.random.Generator
) -> MmdTest | None:
    """Test the mean features of all rows; None where the profiles have none to compare.

    Relabelings of sampled rows show how far two means of that many rows lie apart by
    chance; the law has the same shape at any number of rows, so it is rescaled.

    Args:
        comparison: The two profiles; both keep rows.
        names: The compared columns.
        permutations: Relabelings.
        rng: The stream to draw from.

    """
    one, two = comparison.reference.kernel, comparison.candidate.kernel
    if one is None or two is None or set(one.spec.scales) != set(names):
        return None
    spec = one.spec
    sides = [_projected(side, spec) for side in (comparison.reference, comparison.candidate)]
    kept, drawn = relabel_handfuls(len(sides[0]), len(sides[1]), permutations=permutations, rng=rng)
    rows = np.concatenate(sides)[kept]
    sums = sum_features(rows, drawn.unit, spec.ladder.bandwidths, None)
    means = Means(one.mean, two.mean, (one.n, two.n))
    return judge(sums, drawn, spec.ladder, means=means)


def _projected(side: Profile, spec: KernelSpec) -> NDArray[np.float32]:
    """Return the sampled rows of one side on the random frequencies."""
    if side.sample is None:
        return np.empty((0, spec.count), np.float32)
    columns = tuple(side.frame.schema[name] for name in spec.scales)
    batches = side.sample.head(_SAMPLE).table.combine_chunks().to_batches()
    return np.concatenate([project(decode(batch, columns), spec) for batch in batches])
