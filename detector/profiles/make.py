"""Make a profile: fold every batch, merge the parts.

A reference is read twice: once to sample rows, which fixes the edges, and once to count
over them. Everything else is read once. Parts are merged in batch order, so the result
does not depend on which thread was faster.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from detector.data.dataset import BATCH_ROWS
from detector.data.schema import ORDERED, Schema
from detector.profiles import hashing
from detector.profiles.binning import Binner
from detector.profiles.fold import Decoded, decode, row_hashes, summarize
from detector.profiles.frame import Frame, freeze_edges, kept_columns
from detector.profiles.moments import fold_moments
from detector.profiles.order import Stretch, fold_order, join_order
from detector.profiles.parallel import ordered_map
from detector.profiles.parts import Part
from detector.profiles.profile import Profile, merge
from detector.profiles.sample import KEPT, SampleState, fold_rows, merge_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.dataset import Dataset
    from detector.data.schema import ColumnSpec

    Columns = tuple[ColumnSpec, ...]
    Progress = Callable[[str, float], None]

T = TypeVar("T")

ALL_PARTS = frozenset(Part)
CACHE_BYTES = 128 * 2**20
"""Batches of a reference's first pass are kept for the second one up to this size."""


def make_profile(
    dataset: Dataset,
    *,
    against: Profile | None = None,
    parts: frozenset[Part] = ALL_PARTS,
    salt: int = 0,
    progress: Progress | None = None,
) -> Profile:
    """Return the profile of a data set.

    Args:
        dataset: The rows.
        against: A profile whose frame to use; without it the data set is a reference
            and freezes a frame of its own.
        parts: The parts to compute; counts are always made.
        salt: Keeps the row samples of two data sets independent.
        progress: Called with a stage and the share of it done.

    """
    tell = progress or (lambda _stage, _done: None)
    if against is not None:
        return _fold(dataset, against.frame, parts=parts, salt=salt, tell=tell)
    columns = kept_columns(dataset.schema)
    batches = _Replay(dataset, [spec.name for spec in columns])
    sampler = _Sampler(salt)
    hashed = ordered_map(lambda batch: sampler.fold(batch, decode(batch, columns)), batches)
    multiset = sampler.collect(_told(hashed, dataset, tell, f"sample {dataset.name}"))
    frame = _freeze(dataset.schema, sampler.state, parts)
    counter = _Counter(dataset, frame, columns, parts)
    counted = ordered_map(lambda batch: counter.fold(decode(batch, columns)), batches)
    held = [*_told(counted, dataset, tell, f"count {dataset.name}")]
    return _whole(held, sampler, multiset, parts)


def _fold(
    dataset: Dataset, frame: Frame, *, parts: frozenset[Part], salt: int, tell: Progress
) -> Profile:
    """Return the profile of a data set over a given frame, in one pass."""
    columns = _shared(dataset.schema, frame.schema)
    batches = _batches(dataset, [spec.name for spec in columns])
    sampler = _Sampler(salt)
    counter = _Counter(dataset, frame, columns, parts)

    def work(batch: pa.RecordBatch) -> tuple[_Sampled, _Counted]:
        decoded = decode(batch, columns)
        return sampler.fold(batch, decoded), counter.fold(decoded)

    counted: list[_Counted] = []

    def sampled() -> Iterator[_Sampled]:
        results = _told(ordered_map(work, batches), dataset, tell, f"read {dataset.name}")
        for sample, part in results:
            counted.append(part)
            yield sample

    multiset = sampler.collect(sampled())
    return _whole(counted, sampler, multiset, parts)


def _whole(
    counted: list[_Counted], sampler: _Sampler, multiset: tuple[int, int], parts: frozenset[Part]
) -> Profile:
    """Return the profile of consecutive batches, with the order of their rows."""
    return replace(
        merge([part for part, _ in counted]),
        state=sampler.state if Part.SAMPLE in parts else None,
        multiset=multiset,
        order=join_order(order for _, order in counted) if Part.ORDER in parts else None,
    )


_Sampled = tuple[SampleState, int, int]
_Counted = tuple[Profile, dict[str, Stretch]]


def multiset(content: NDArray[np.uint64]) -> tuple[int, int]:
    """Return two order-free 64-bit sums over row hashes; those of parts add up."""
    first = np.add.reduce(hashing.mix(content + np.uint64(1)))
    second = np.add.reduce(hashing.mix(content ^ np.uint64(2**63 + 1)))
    return int(first), int(second)


class _Sampler:
    """Samples rows batch by batch; the bound falls as batches come in."""

    def __init__(self, salt: int) -> None:
        self._salt = salt
        self._bound: np.uint64 | None = None
        self._held: list[SampleState] = []

    @property
    def state(self) -> SampleState:
        return self._held[0]

    def fold(self, batch: pa.RecordBatch, decoded: Decoded) -> _Sampled:
        content = row_hashes(decoded)
        state = fold_rows(batch, content, salt=self._salt, bound=self._bound)
        return state, *multiset(content)

    def collect(self, results: Iterable[_Sampled]) -> tuple[int, int]:
        """Merge the samples of all batches; return the digest of all rows."""
        first = second = 0
        for state, one, two in results:
            first, second = (first + one) % 2**64, (second + two) % 2**64
            self._held.append(state)
            kept = sum(len(held.content) for held in self._held)
            if kept > 2 * KEPT or (self._bound is None and kept >= KEPT):
                self._compact()
        self._compact()
        return first, second

    def _compact(self) -> None:
        self._held = [merge_samples(self._held)]
        self._bound = self._held[0].threshold


class _Counter:
    """Counts batches over a frame; each batch becomes a profile of its own."""

    def __init__(
        self, dataset: Dataset, frame: Frame, columns: Columns, parts: frozenset[Part]
    ) -> None:
        compared = {spec.name for spec in frame.schema.compared}
        self._columns = tuple(spec for spec in columns if spec.name in compared)
        self._ordered = tuple(s.name for s in self._columns if s.kind in ORDERED)
        self._binners = {name: Binner.over(frame.edges[name]) for name in self._ordered}
        self._center = np.array([_middle(frame.edges[name]) for name in self._ordered])
        self._dataset, self._frame, self._parts = dataset, frame, parts

    def fold(self, decoded: Decoded) -> _Counted:
        ordered = fold_order(decoded, self._frame.edges) if Part.ORDER in self._parts else {}
        return self._count(decoded), ordered

    def _count(self, decoded: Decoded) -> Profile:
        moments = kernel = None
        if Part.MOMENTS in self._parts:
            moments = fold_moments(decoded.numbers, self._ordered, self._center)
        if Part.KERNEL in self._parts and self._frame.kernel is not None:
            from detector.profiles.kernel import fold_kernel

            kernel = fold_kernel(decoded, self._frame.kernel)
        return Profile(
            name=self._dataset.name,
            schema=self._dataset.schema,
            frame=self._frame,
            n_rows=decoded.rows,
            columns=summarize(decoded, self._columns, self._binners),
            state=None,
            moments=moments,
            kernel=kernel,
            multiset=(0, 0),
            metadata=self._dataset.metadata,
            source=self._dataset.source,
        )


class _Replay:
    """Batches that can be iterated twice; the second time from memory when they fit."""

    def __init__(self, dataset: Dataset, names: list[str]) -> None:
        self._dataset, self._names = dataset, names
        self._held: list[pa.RecordBatch] | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        if self._held is not None:
            yield from self._held
            return
        held: list[pa.RecordBatch] = []
        size = 0
        for batch in _batches(self._dataset, self._names):
            size += batch.nbytes
            if size <= CACHE_BYTES:
                held.append(batch)
            else:
                held.clear()
            yield batch
        self._held = held if size <= CACHE_BYTES else None


def _batches(dataset: Dataset, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Stream batches of at most `BATCH_ROWS` rows; one empty batch when there are no rows."""
    empty = True
    for batch in dataset.batches(names):
        for start in range(0, batch.num_rows, BATCH_ROWS):
            empty = False
            yield batch.slice(start, BATCH_ROWS)
    if empty:
        yield empty_batch(Schema(columns=tuple(dataset.schema[name] for name in names)))


def empty_batch(schema: Schema) -> pa.RecordBatch:
    """Return a batch of no rows with the canonical types of a schema."""
    import pyarrow as pa

    from detector.data.schema import NOMINAL, Kind

    def canonical(spec: ColumnSpec) -> pa.DataType:
        if spec.kind is Kind.INTEGER:
            return pa.int64()
        if spec.kind in ORDERED:
            return pa.float64()
        if spec.kind in NOMINAL:
            return pa.dictionary(pa.int32(), pa.string())
        return pa.string() if spec.kind is Kind.TEXT else pa.list_(pa.float32(), spec.width)

    fields = [pa.field(spec.name, canonical(spec)) for spec in schema.columns]
    arrays = [pa.array([], field.type) for field in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _freeze(schema: Schema, state: SampleState, parts: frozenset[Part]) -> Frame:
    sample = state.draw()
    frame = Frame(schema=schema, edges=freeze_edges(schema, sample))
    if Part.KERNEL not in parts:
        return frame
    from detector.profiles.kernel import freeze_kernel

    return replace(frame, kernel=freeze_kernel(schema, sample.table))


def _shared(own: Schema, frame: Schema) -> Columns:
    """Return the frame's kept columns that the data set has with the same kind and width."""
    return tuple(
        spec
        for spec in kept_columns(frame)
        if spec.name in own
        and own[spec.name].kind is spec.kind
        and own[spec.name].width == spec.width
    )


def _middle(edges: NDArray[np.float64]) -> float:
    return float(edges[len(edges) // 2]) if len(edges) else 0.0


def _told(results: Iterable[T], dataset: Dataset, tell: Progress, stage: str) -> Iterator[T]:
    """Pass results on and tell how far the pass has come."""
    total = -(-dataset.n_rows // BATCH_ROWS) if dataset.n_rows else 0
    for done, result in enumerate(results, start=1):
        yield result
        tell(stage, min(1.0, done / total) if total else 0.0)
