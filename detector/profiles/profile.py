"""A mergeable summary of one data set: what every check reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from detector.errors import InputError
from detector.profiles.merge import merge_columns
from detector.profiles.moments import Moments, merge_moments
from detector.profiles.sample import RowSample, SampleState, merge_samples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detector.data.schema import Schema
    from detector.profiles.aggregates import ColumnSummary
    from detector.profiles.frame import Frame
    from detector.profiles.kernel import KernelMeans
    from detector.profiles.order import ColumnOrder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """Exact counts, moments and a row sample of one data set, over a frozen frame.

    Attributes:
        name: What reports call the data set.
        schema: Its own columns (a candidate may differ from its reference).
        frame: What the reference froze: kinds, edges and scales.
        n_rows: Its number of rows.
        columns: The summary of each compared column that fits the frame.
        state: The mergeable state of its row sample; None when it keeps no rows.
        moments: Means and covariances of ordered columns; None when not asked for.
        kernel: Mean kernel features of all rows; None when not asked for.
        multiset: Order-free digest of all rows, as two 64-bit sums.
        metadata: Key-value text found in the file.
        source: The file it came from, if any; used to find its manifest.
        order: How neighbouring rows differ, column by column; None when not asked for, and in
            merged profiles.

    """

    name: str
    schema: Schema
    frame: Frame
    n_rows: int
    columns: Mapping[str, ColumnSummary]
    state: SampleState | None
    moments: Moments | None
    kernel: KernelMeans | None
    multiset: tuple[int, int]
    metadata: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    order: Mapping[str, ColumnOrder] | None = None
    _drawn: list[RowSample] = field(default_factory=list, init=False, repr=False)

    @property
    def sample(self) -> RowSample | None:
        """Return the uniform row sample, or None when the profile keeps no rows."""
        if self.state is None:
            return None
        if not self._drawn:
            self._drawn.append(self.state.draw())
        return self._drawn[0]

    @property
    def digest(self) -> str:
        """Return the order-free digest of the rows, 32 hexadecimal digits."""
        return f"{self.multiset[0]:016x}{self.multiset[1]:016x}"

    def without_rows(self) -> Profile:
        """Return the profile with no row in it, for sharing where rows may not go."""
        return replace(self, state=None)

    def save(self, path: str) -> None:
        """Write the profile as one file, atomically; see `detector.profiles.store`."""
        from detector.profiles.store import save

        save(self, path)

    @staticmethod
    def load(path: str) -> Profile:
        """Read a profile that `save` wrote; raise ReportError when it is damaged."""
        from detector.profiles.store import load

        return load(path)


def merge(parts: Sequence[Profile], *, name: str | None = None) -> Profile:
    """Return the profile of all parts together.

    Merging is associative and commutative: counts, extremes, samples and digests are
    the same for every split and order; moments agree to rounding. Which part's rows come first
    is not known, so the order of rows is dropped.

    Raises:
        InputError: The parts were not made over one frame.

    """
    first = parts[0]
    if any(part.frame.digest != first.frame.digest for part in parts):
        raise InputError(
            "these profiles were made over different frames.",
            hint="Profile every part with the same `against` profile, then merge.",
        )
    states = [part.state for part in parts]
    moments = [part.moments for part in parts]
    kernels = [part.kernel for part in parts]
    return replace(
        first,
        name=name or first.name,
        n_rows=sum(part.n_rows for part in parts),
        columns=merge_columns([part.columns for part in parts]),
        state=merge_samples([s for s in states if s]) if all(states) else None,
        moments=merge_moments([m for m in moments if m]) if all(moments) else None,
        kernel=_merge_kernels([k for k in kernels if k]) if all(kernels) else None,
        multiset=(
            sum(part.multiset[0] for part in parts) % 2**64,
            sum(part.multiset[1] for part in parts) % 2**64,
        ),
        order=None,
    )


def _merge_kernels(parts: Sequence[KernelMeans]) -> KernelMeans:
    from detector.profiles.kernel import merge_kernels

    return merge_kernels(parts)
