"""How an audit sees a table: numbers, levels, and a few axes of spread, frozen by the real rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detector.data.arrays import as_indices, as_numbers, as_vectors
from detector.data.schema import NOMINAL, ORDERED, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.int32]

MOST_ENTRIES = 64
"""Entries of a vector that are looked at."""

MOST_AXES = 40
"""Axes that the spread is measured along."""

COMMON = 0.05
"""Levels of at least this share of the real rows have an axis of their own."""

KNEE, HEAVY_KNEE = 4.0, 2.0
"""Robust spreads beyond which a number counts by its logarithm; nearer for heavy tails."""

HEAVY = 0.002
"""The share of real rows beyond `KNEE` from which a column's tails are heavy."""

HUGE = 1e300

LARGEST = 1e150
"""Finite values stop here before they are squared."""

CLIP = 30.0
"""Scaled numbers stop here before distances are taken."""

FLOOR = 1e-12
"""Smallest share of the real variance along an axis that still counts."""

RIDGE = 0.02
"""Share of the real variance of a level's indicator that is left when no row has the level."""

MISSING = -1


class View(NamedTuple):
    """Rows as an audit sees them.

    Attributes:
        numbers: Shape (n, p), raw values, NaN where missing.
        codes: Shape (n, q), the place of each level among the real ones; -1 for missing,
            and the number of real levels for a level that no real row has.

    """

    numbers: Numbers
    codes: Codes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    def head(self, n: int) -> View:
        """Return the first n rows."""
        return View(self.numbers[:n], self.codes[:n])


class Moments(NamedTuple):
    """First and second moments of rows along axes: k means, k x k covariances with n."""

    mean: Numbers
    cov: Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lens:
    """What the real rows freeze.

    Attributes:
        columns: The p numeric columns (a vector's entries as `name[i]`) that vary.
        sources: For each of them the column and the entry.
        center: Their means, shape (p,).
        scale: Their standard deviations, shape (p,).
        middle: Their medians.
        spread: Their robust spreads.
        knee: Robust spreads beyond which a number counts by its logarithm.
        tails: Their 1 % and 99 % quantiles, shape (2, p).
        beyond: The share of real rows outside of these.
        nominal: The q category columns that vary.
        levels: Their levels, the most frequent first.
        shares: The share of each level among the present values.
        indicators: Levels (column, level) that have an axis of their own.
        ridge: What is added to covariances along the axes before their determinant is taken,
            shape (k, k): a level that dies out counts much and not without end; zero for numbers.
        basis: From the standardized numbers and indicators to the axes, shape (p + i, k).

    """

    columns: tuple[str, ...]
    sources: tuple[tuple[str, int], ...]
    center: Numbers
    scale: Numbers
    middle: Numbers
    spread: Numbers
    knee: Numbers
    tails: Numbers
    beyond: Numbers
    nominal: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    shares: tuple[Numbers, ...]
    indicators: tuple[tuple[int, int], ...]
    basis: Numbers
    ridge: Numbers

    @property
    def axes(self) -> int:
        """Return how many axes the spread is measured along."""
        return self.basis.shape[1]

    @property
    def plain(self) -> bool:
        """Tell whether the axes are the numeric columns themselves, all of them."""
        return not self.indicators and self.axes == len(self.columns) and _is_identity(self.basis)

    def view(self, table: pa.Table) -> View:
        """Return the rows of a canonical table."""
        return View(self._numbers(table), self._codes(table))

    def features(self, view: View) -> Numbers:
        """Return the rows along the axes, shape (n, k).

        Numbers beyond the knee grow on with their logarithm only: one huge value must not
        decide what the spread of a heavy-tailed column is.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = (view.numbers - self.middle) / self.spread
        scaled = np.clip(np.nan_to_num(scaled, nan=0.0, posinf=HUGE, neginf=-HUGE), -HUGE, HUGE)
        beyond = np.maximum(np.abs(scaled) - self.knee, 0.0)
        scaled = np.sign(scaled) * (np.minimum(np.abs(scaled), self.knee) + np.log1p(beyond))
        flags = [(view.codes[:, c] == level) for c, level in self.indicators]
        rows = np.column_stack([scaled, *flags]) if flags else scaled
        return rows if self.plain else rows @ self.basis

    def moments(self, view: View) -> Moments:
        """Return mean and covariance (with n) along the axes."""
        return moments(self.features(view))

    def log_det(self, cov: Numbers) -> float:
        """Return the log determinant of a covariance along the axes."""
        return log_det(cov + self.ridge)

    def distances(self, view: View) -> NDArray[np.float32]:
        """Return the rows on one robust scale for distances, shape (n, p + levels)."""
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = (view.numbers - self.middle) / self.spread
        scaled = np.clip(np.nan_to_num(scaled, nan=0.0, posinf=CLIP, neginf=-CLIP), -CLIP, CLIP)
        blocks = [scaled]
        for place, shares in enumerate(self.shares):
            top = min(len(shares), 16)
            apart = max(0.25, 1.0 - float(np.square(shares).sum()))
            block = view.codes[:, place, None] == np.arange(top)
            blocks.append(block / np.sqrt(apart))
        return np.hstack(blocks).astype(np.float32)

    def _numbers(self, table: pa.Table) -> Numbers:
        found = np.empty((table.num_rows, len(self.columns)))
        held: dict[str, Numbers] = {}
        for place, (name, entry) in enumerate(self.sources):
            if name not in held:
                held[name] = _cells(_whole(table[name]))
            found[:, place] = held[name][:, entry]
        return found

    def _codes(self, table: pa.Table) -> Codes:
        found = np.empty((table.num_rows, len(self.nominal)), np.int32)
        for place, name in enumerate(self.nominal):
            column = _whole(table[name])
            known = {level: code for code, level in enumerate(self.levels[place])}
            other = len(known)
            lookup = [known.get(level, other) for level in column.dictionary.to_pylist()]
            lookup.append(MISSING)
            found[:, place] = np.array(lookup, np.int32)[as_indices(column.indices)]
        return found


def lens_of(table: pa.Table, schema: Schema, *, rows: int) -> Lens:
    """Return what the real rows freeze.

    Args:
        table: All real rows, canonical.
        schema: Their columns.
        rows: Rows of a generation: there are at most a quarter as many axes.

    """
    sources = _ordered(schema)
    numbers = _stacked(table, sources)
    varied = [place for place in range(len(sources)) if _varies(numbers[:, place])]
    sources = [sources[place] for place in varied]
    numbers = numbers[:, varied]
    known = np.where(np.isfinite(numbers), numbers, np.nan)
    center, scale = _centers(known)
    low, q1, middle, q3, high = _quantiles(known)
    nominal, levels, shares = _levels(table, schema)
    indicators = tuple(
        (column, level)
        for column, share in enumerate(shares)
        for level in range(1, len(share))
        if share[level] >= COMMON
    )
    spread = np.where(q3 > q1, (q3 - q1) / 1.349, scale)
    with np.errstate(invalid="ignore"):
        beyond = np.nanmean((known < low) | (known > high), axis=0) if sources else np.empty(0)
    plain = Lens(
        columns=tuple(_named(name, entry, schema) for name, entry in sources),
        sources=tuple(sources),
        center=center,
        scale=scale,
        middle=middle,
        spread=spread,
        knee=_knees(known, middle, spread),
        tails=np.stack([low, high]),
        beyond=beyond,
        nominal=nominal,
        levels=levels,
        shares=shares,
        indicators=indicators,
        basis=np.eye(len(sources) + len(indicators)),
        ridge=np.zeros((0, 0)),
    )
    cov = plain.moments(plain.view(table)).cov
    basis = _basis(cov, most=max(1, min(MOST_AXES, rows // 4)))
    added = np.where(np.arange(len(cov)) >= len(sources), RIDGE * np.diag(cov), 0.0)
    return replace(plain, basis=basis, ridge=basis.T @ (added[:, None] * basis))


def moments(rows: Numbers) -> Moments:
    """Return mean and covariance (with n) of rows, shape (n, k)."""
    mean = rows.mean(axis=0)
    centered = rows - mean
    return Moments(mean, centered.T @ centered / len(rows))


def log_det(cov: Numbers) -> float:
    """Return the log determinant; directions without variance count as `FLOOR`."""
    if not cov.size:
        return 0.0
    values = np.linalg.eigvalsh(cov)
    return float(np.log(np.maximum(values, FLOOR)).sum())


def _basis(cov: Numbers, *, most: int) -> Numbers:
    """Return the columns to keep as axes, or the leading principal axes where they are many."""
    width = len(cov)
    left, kept = cov.copy(), list[int]()
    for _ in range(width):
        rest = np.diag(left).copy()
        rest[kept] = 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            rest = np.where(np.diag(cov) > 0, rest / np.diag(cov), 0.0)
        best = int(rest.argmax())
        if rest[best] < 1e-8:
            break
        kept.append(best)
        left = left - np.outer(left[:, best], left[best]) / left[best, best]
    if len(kept) <= most:
        return np.eye(width)[:, sorted(kept)]
    deviations = np.sqrt(np.diag(cov))
    safe = np.where(deviations > 0, deviations, 1.0)
    values, vectors = np.linalg.eigh(cov / np.outer(safe, safe))
    order = np.argsort(-values)[:most]
    axes = vectors[:, order]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    turned: Numbers = axes * np.where(largest < 0, -1.0, 1.0) / safe[:, None]
    return turned


def _is_identity(basis: Numbers) -> bool:
    return basis.shape[0] == basis.shape[1] and bool((basis == np.eye(len(basis))).all())


def _ordered(schema: Schema) -> list[tuple[str, int]]:
    return [
        (spec.name, entry)
        for spec in schema.compared
        if spec.kind in ORDERED or spec.kind is Kind.VECTOR
        for entry in range(min(spec.width, MOST_ENTRIES) if spec.kind is Kind.VECTOR else 1)
    ]


def _named(name: str, entry: int, schema: Schema) -> str:
    return f"{name}[{entry}]" if schema[name].kind is Kind.VECTOR else name


def _stacked(table: pa.Table, sources: Sequence[tuple[str, int]]) -> Numbers:
    held = {name: _cells(_whole(table[name])) for name in dict.fromkeys(n for n, _ in sources)}
    parts = [held[name][:, entry] for name, entry in sources]
    return np.column_stack(parts) if parts else np.empty((table.num_rows, 0))


def _centers(known: Numbers) -> tuple[Numbers, Numbers]:
    """Return means and standard deviations, without overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        center, scale = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    return np.where(np.isfinite(center), center, 0.0), scale


def _knees(known: Numbers, middle: Numbers, spread: Numbers) -> Numbers:
    """Return the knee of each column, shape (p,)."""
    far = np.abs(known - middle) > KNEE * spread
    heavy = far.mean(axis=0) > HEAVY
    return np.where(heavy, HEAVY_KNEE, KNEE)


def _quantiles(known: Numbers) -> Numbers:
    """Return five quantiles of each column, shape (5, p)."""
    if not known.shape[1]:
        return np.empty((5, 0))
    found: Numbers = np.nanquantile(known, [0.01, 0.25, 0.5, 0.75, 0.99], axis=0)
    return found


def _varies(values: Numbers) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 1 and bool((known != known[0]).any())


def _levels(
    table: pa.Table, schema: Schema
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[Numbers, ...]]:
    """Return the category columns that vary, their levels and their shares."""
    nominal, levels, shares = [], [], []
    for spec in schema.compared:
        if spec.kind not in NOMINAL:
            continue
        column = _whole(table[spec.name])
        codes = as_indices(column.indices)
        names = column.dictionary.to_pylist()
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        order = sorted(np.flatnonzero(counts).tolist(), key=lambda c: (-counts[c], names[c]))
        if len(order) > 1:
            nominal.append(spec.name)
            levels.append(tuple(names[code] for code in order))
            shares.append(counts[order] / counts.sum())
    return tuple(nominal), tuple(levels), tuple(shares)


def _cells(column: pa.Array) -> Numbers:
    import pyarrow as pa

    vectors = pa.types.is_fixed_size_list(column.type)
    found: Numbers = as_vectors(column) if vectors else as_numbers(column)[:, None]
    return np.where(np.isfinite(found), np.clip(found, -LARGEST, LARGEST), found)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
