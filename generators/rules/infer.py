"""A first set of rules, read off a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.schema import NOMINAL, ORDERED, Kind, Role
from generators.cells import absent, one_array, read_numbers
from generators.codec import Codec
from generators.latent import NormalScores, correlations
from generators.nominal import Nominal
from generators.ranks import granularity
from generators.rules.model import ColumnRule, Constraint, Dependence, Rules, Shape
from generators.rules.shapes import values_at

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import ColumnSpec, Schema
    from generators.columns import ColumnCode

    Numbers = NDArray[np.float64]

FEW = 12
"""So many different numbers are a choice among them."""

QUANTILES = 41
CLOSE = 0.04
"""Largest distance from the data's distribution function at which a named one stands for it."""

WEAKEST = 0.1
"""Correlations below this are left out."""

MOST_DEPENDENCES = 500
MOST_LEVELS = 200
"""Levels that are listed; the rarest beyond that are left out."""

COMPARED = 40
"""Ordered columns of which every pair is looked at for an order."""

DIGITS = 6
LARGEST = 1e150
"""Values beyond this have no mean and spread worth writing down."""


def infer_rules(table: pa.Table, schema: Schema) -> Rules:
    """Return rules that describe a canonical table of at least one row.

    Args:
        table: The rows.
        schema: Its columns.

    """
    columns = tuple(_column(one_array(table[spec.name]), spec) for spec in schema.columns)
    return Rules(
        columns=columns,
        dependences=_dependences(table, schema, columns),
        constraints=_orders(table, schema),
    )


def _column(column: pa.Array, spec: ColumnSpec) -> ColumnRule:
    gone = absent(column)
    if spec.kind is Kind.TEXT or spec.role is Role.ID:
        shape = Shape(distribution="keys")
    elif spec.kind in NOMINAL:
        shape = _choice(column)
    elif gone.all():
        shape = Shape(distribution="constant", given={"value": 0.0})
    elif spec.kind is Kind.VECTOR:
        shape = _vector(read_numbers(column)[~gone])
    else:
        shape = _shape(read_numbers(column)[~gone, 0], spec.kind)
    return ColumnRule(
        name=spec.name,
        kind=spec.kind,
        role=spec.role,
        width=spec.width,
        missing=_round(float(gone.mean())),
        shape=shape,
    )


def _choice(column: pa.Array) -> Shape:
    """Return the levels with their shares, in the order that goes with the other columns'."""
    values, counts = np.unique(
        [value for value in column.to_pylist() if value is not None], return_counts=True
    )
    order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    if not len(order):
        return Shape(distribution="constant", given={"value": "missing"})
    return Shape(
        distribution="choice",
        given={
            "values": [str(value) for value in values[order]],
            "weights": [int(count) for count in counts[order]],
        },
    )


def _vector(values: Numbers) -> Shape:
    finite = np.where(np.isfinite(values), values, 0.0)
    limits = {"low": _round(float(finite.min())), "high": _round(float(finite.max()))}
    step, _ = granularity(np.unique(finite))
    mean = [_round(value) for value in finite.mean(axis=0).tolist()]
    spread = [_round(value) for value in finite.std(axis=0).tolist()]
    grain = {"step": step} if step else {}
    return Shape(distribution="normal", given={"mean": mean, "spread": spread, **limits, **grain})


def _shape(values: Numbers, kind: Kind) -> Shape:
    """Return the plainest distribution that fits a column's present values."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        finite = np.zeros(1)
    known, counts = np.unique(finite, return_counts=True)
    if len(known) == 1:
        return Shape(distribution="constant", given={"value": _whole(float(known[0]), kind)})
    if len(known) <= FEW and len(finite) > 2 * len(known):
        listed = [_whole(float(value), kind) for value in known]
        weights = [int(count) for count in counts]
        return Shape(distribution="choice", given={"values": listed, "weights": weights})
    step, _ = granularity(known)
    limits: dict[str, Any] = {"low": float(known[0]), "high": float(known[-1])}
    if step:
        limits["step"] = step
    for shape in _named(finite):
        bounded = Shape(distribution=shape.distribution, given={**shape.given, **limits})
        if _apart(bounded, finite) <= CLOSE:
            return _tidied(bounded, kind)
    quantiles = np.quantile(finite, np.linspace(0.0, 1.0, QUANTILES)).tolist()
    grain = {"step": step} if step else {}
    return _tidied(Shape(distribution="quantiles", given={"values": quantiles, **grain}), kind)


def _named(values: Numbers) -> list[Shape]:
    """Return the distributions that are tried, plain ones first."""
    if np.abs(values).max() > LARGEST:
        return []
    mean, spread = float(values.mean()), float(values.std())
    found = [
        Shape(distribution="uniform"),
        Shape(distribution="normal", given={"mean": mean, "spread": spread}),
    ]
    if values.min() >= 0:
        found.append(Shape(distribution="exponential", given={"mean": mean - float(values.min())}))
    if values.min() > 0:
        logs = np.log(values)
        given = {"mean": float(logs.mean()), "spread": float(logs.std())}
        found.append(Shape(distribution="lognormal", given=given))
    return found


def _apart(shape: Shape, values: Numbers) -> float:
    """Return the largest distance between two distribution functions, on a grid."""
    made = np.sort(values_at(shape, (np.arange(1_000) + 0.5) / 1_000, None))
    at = np.unique(np.quantile(values, np.linspace(0.0, 1.0, 201)))
    ours = np.searchsorted(made, at, side="right") / len(made)
    theirs = np.searchsorted(np.sort(values), at, side="right") / len(values)
    return float(np.abs(ours - theirs).max())


def _dependences(
    table: pa.Table, schema: Schema, columns: tuple[ColumnRule, ...]
) -> tuple[Dependence, ...]:
    """Return the correlations of normal scores that are not weak, strongest first.

    Levels are numbered as the rules list them, so the rules' own latent variables have these.
    """
    codec = _as_listed(Codec.learn(table, schema), columns)
    rows, known = codec.encode(table, np.random.default_rng(0))
    dimensions = codec.dimensions
    for place, one in enumerate(dimensions):  # rules make gaps apart from values
        known[:, place] &= ~absent(one_array(table[one.column]))
    matrix = correlations(NormalScores.of(dimensions), rows, known)
    single = [place for place, one in enumerate(dimensions) if one.label in {"value", "level"}]
    pairs = [(a, b) for i, a in enumerate(single) for b in single[i + 1 :]]
    strong = [pair for pair in pairs if abs(matrix[pair]) >= WEAKEST]
    strong.sort(key=lambda pair: -abs(matrix[pair]))
    return tuple(
        Dependence(
            columns=(dimensions[a].column, dimensions[b].column),
            correlation=round(float(np.clip(matrix[a, b], -0.999, 0.999)), 4),
        )
        for a, b in strong[:MOST_DEPENDENCES]
    )


def _as_listed(codec: Codec, columns: tuple[ColumnRule, ...]) -> Codec:
    """Return the codec with levels in the order in which the rules list them."""
    codes: list[ColumnCode] = []
    for code, rule in zip(codec.codes, columns, strict=True):
        listed = rule.shape.given.get("values", [])
        if isinstance(code, Nominal) and set(listed) == set(code.names) - {None}:
            places = {name: place for place, name in enumerate(code.names)}
            order = [places[name] for name in [*listed, *({None} & set(places))]]
            codes.append(code.in_order(np.array(order, np.int64)))
        else:
            codes.append(code)
    return Codec(schema=codec.schema, codes=tuple(codes))


def _orders(table: pa.Table, schema: Schema) -> tuple[Constraint, ...]:
    """Return the pairs of columns of which one is never above the other, and often near it."""
    names = [s.name for s in schema.columns if s.kind in ORDERED and s.role is not Role.ID]
    values = {name: read_numbers(one_array(table[name]))[:, 0] for name in names[:COMPARED]}
    found = []
    for left, low in values.items():
        for right, high in values.items():
            both = ~(np.isnan(low) | np.isnan(high))
            if left == right or both.sum() < 50 or not (low[both] <= high[both]).all():
                continue
            if (low[both] == high[both]).all() and left > right:
                continue
            if low[both].max() > high[both].min():  # or their ranges say it already
                found.append(Constraint(left=left, relation="<=", right=right))
    return tuple(found)


def _tidied(shape: Shape, kind: Kind) -> Shape:
    """Return the shape with numbers that a person can read."""
    given: dict[str, Any] = {}
    for name, value in shape.given.items():
        if isinstance(value, list):
            given[name] = [_whole(_round(one), kind) for one in value]
        elif name in {"low", "high"}:
            given[name] = _whole(value, kind)
        else:
            given[name] = _round(value)
    return Shape(distribution=shape.distribution, given=given)


def _whole(value: float, kind: Kind) -> float | int:
    """Return a whole number as one, where the column holds whole numbers."""
    whole = kind is Kind.INTEGER and np.isfinite(value) and value == int(value)
    return int(value) if whole else value


def _round(value: float) -> float:
    """Return a number to a few digits, but never a whole one changed."""
    return value if value == np.rint(value) else float(f"{value:.{DIGITS}g}")
