"""Does the batch carry marks of how it was made? Asked of the batch alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._marked import Marked
from detector.checks._options import at_least
from detector.checks._row_order import LOOKED_AT, in_order, order_gap
from detector.data.schema import Kind
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.profiles.parts import Part
from detector.stats import equations as eq
from detector.stats import lattice as lat
from detector.stats.proportions import upper_mid_p

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from detector.checks._marked import Numbers
    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

_MIN_ROWS = 100
_LEAST_DIGITS = 200
_SATURATED = 5
_LISTED = 10
_MOST_DETERMINED = 40
_HELD = 0.99

Mark = dict[str, object]
"""What is said of a marked column: its `name`, a `p_value`, and what the mark is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """Looks for lattices, level counts, piles, digits, equations, twins and order in the batch.

    A mark that the reference's own rows bear is listed as shared and does not count. Only
    `ordered_columns` depends on the order of rows.

    Attributes:
        rows: Sampled rows that are looked at, at most.

    """

    name: ClassVar[str] = "fingerprints"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE, Part.ORDER})
    measures: ClassVar[frozenset[str]] = frozenset(
        {
            "lattice_columns",
            "register_columns",
            "piled_columns",
            "even_digit_columns",
            "exact_equations",
            "determined_columns",
            "twin_rows",
            "support_bits",
            "ordered_columns",
        }
    )

    rows: int = 10_000

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=_MIN_ROWS)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Look for each mark in the candidate, then for the same in the reference."""
        sides = self._sides(comparison)
        if isinstance(sides, Gap):
            for name in sorted(self.measures):
                gap = Gap(name=name, reason=sides.reason, detail=sides.detail)
                yield self._finding(gap, comparison, {})
            return
        batch, trusted = sides
        marks: dict[str, Callable[[Marked], tuple[list[Mark], int]]] = {
            "lattice_columns": _lattices,
            "piled_columns": _piles,
            "even_digit_columns": _digits,
        }
        complete = comparison.candidate.sample is not None and (
            comparison.candidate.n_rows <= batch.rows
        )
        for name, look in marks.items():
            if name == "even_digit_columns" and not complete:
                detail = f"{batch.rows} of {comparison.candidate.n_rows} rows; a sample varies"
                gap = Gap(name=name, reason=Reason.NEEDS_ROWS, detail=detail)
                yield self._finding(gap, comparison, {})
                continue
            yield self._counted(name, look(batch), look(trusted)[0], comparison)
        yield self._registers(batch, trusted, comparison)
        yield self._equations(batch, trusted, comparison)
        yield self._determined(batch, trusted, comparison)
        yield self._twins(batch, trusted, comparison)
        yield self._support(batch, trusted, comparison)
        yield self._order(comparison)

    def _sides(self, comparison: Comparison) -> tuple[Marked, Marked] | Gap:
        """Return the rows of the candidate, then of the reference."""
        kinds = (kind for kind in Kind if kind not in (Kind.TEXT, Kind.VECTOR))
        names = comparison.columns(*kinds)
        if not names:
            return Gap(name="", reason=Reason.NO_COMMON_COLUMNS, detail="no column to look at")
        batch, trusted = comparison.candidate.sample, comparison.reference.sample
        if batch is None or trusted is None:
            return Gap(name="", reason=Reason.NEEDS_ROWS, detail="a profile keeps no rows")
        tables = batch.head(self.rows).table, trusted.head(self.rows).table
        if len(tables[0]) < _MIN_ROWS:
            detail = f"{len(tables[0])} rows, {_MIN_ROWS} needed"
            return Gap(name="", reason=Reason.TOO_FEW_ROWS, detail=detail)
        schema = comparison.reference.frame.schema
        return Marked.of(tables[0], schema, names), Marked.of(tables[1], schema, names)

    def _counted(
        self,
        name: str,
        found: tuple[list[Mark], int],
        of_reference: list[Mark],
        comparison: Comparison,
    ) -> Finding:
        """Count marked columns whose mark the reference does not bear."""
        marks, tested = found
        known = {mark["name"] for mark in of_reference}
        own = [mark for mark in marks if mark["name"] not in known]
        least = min((_p(mark) for mark in own), default=1.0)
        evidence = _evidence(own, [mark for mark in marks if mark["name"] in known], tested)
        return self._finding(
            _measured(name, float(len(own)), min(1.0, max(tested, 1) * least)),
            comparison,
            evidence,
        )

    def _registers(self, batch: Marked, trusted: Marked, comparison: Comparison) -> Finding:
        """Count columns of exactly 2^k levels, whole rows among them."""
        held, known = _level_counts(batch), _level_counts(trusted)
        powers = {name for name, count in held.items() if lat.power_of_two(count)}
        # Of a lattice's places some in the tails may not be seen.
        shared = {name for name in powers if abs(known.get(name, 0) / held[name] - 1) <= 0.1}
        tested = {name: count for name, count in held.items() if name not in shared}
        own = [{"name": name, "levels": held[name]} for name in held if name in powers - shared]
        p_value = lat.chance_of_powers(list(tested.values()), len(own)) if own else 1.0
        evidence = _evidence(own, [{"name": name} for name in held if name in shared], len(tested))
        outcome = _measured("register_columns", float(len(own)), p_value)
        return self._finding(outcome, comparison, evidence)

    def _equations(self, batch: Marked, trusted: Marked, comparison: Comparison) -> Finding:
        """Count exact linear equations between columns that the reference breaks."""
        name = "exact_equations"
        names = [column for column in batch.numbers if _varied(batch, column)]
        values = _complete(batch, names)
        if len(names) < 2 or len(values) < len(names) + _MIN_ROWS:
            detail = f"{len(names)} columns of numbers with {len(values)} complete rows"
            gap = Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=detail)
            return self._finding(gap, comparison, {})
        trusted_values = _complete(trusted, names)
        own: list[Mark] = []
        shared: list[Mark] = []
        for found in eq.equations(values):
            mark: Mark = {"name": names[found.column], "equation": _written(found, names)}
            kept = found.misses(trusted_values) <= 1e-4 if len(trusted_values) else np.zeros(1)
            (shared if float(np.mean(kept)) >= _HELD else own).append(mark)
        chance = eq.chance_of_equation(len(values), len(names)) if own else 1.0
        evidence = _evidence(own, shared, len(names))
        outcome = _measured(name, float(len(own)), chance)
        return self._finding(outcome, comparison, evidence)

    def _determined(self, batch: Marked, trusted: Marked, comparison: Comparison) -> Finding:
        """Count columns that another one determines, where the reference has exceptions."""
        names = [column for column in batch.codes if _repeats(batch, column)][:_MOST_DETERMINED]
        own: dict[str, Mark] = {}
        shared: dict[str, Mark] = {}
        for column in names:
            for by in names:
                chance = (
                    eq.determined(batch.codes[by], batch.codes[column]) if by != column else None
                )
                if chance is None:
                    continue
                mark: Mark = {"name": column, "by": by, "p_value": chance}
                known = eq.agreement(trusted.codes[by], trusted.codes[column]) >= _HELD
                kept = shared if known else own
                if column not in kept or _p(kept[column]) > chance:
                    kept[column] = mark
        pairs = max(1, len(names) * (len(names) - 1))
        least = min((_p(mark) for mark in own.values()), default=1.0)
        sure = [mark for mark in own.values() if pairs * _p(mark) <= 1e-6]
        evidence = _evidence(sure, list(shared.values()), len(names))
        outcome = _measured(
            "determined_columns",
            float(len(sure)),
            min(1.0, pairs * least),
        )
        return self._finding(outcome, comparison, evidence)

    def _twins(self, batch: Marked, trusted: Marked, comparison: Comparison) -> Finding:
        """Count rows that are equal in all columns whose values hardly repeat."""
        name, columns = "twin_rows", batch.continuous
        if len(columns) < 2:
            detail = f"{len(columns)} columns whose values hardly repeat, 2 needed"
            gap = Gap(name=name, reason=Reason.KIND_NOT_SUPPORTED, detail=detail)
            return self._finding(gap, comparison, {})
        found = eq.twins(np.column_stack([batch.codes[column] for column in columns]))
        known = eq.twins(
            np.column_stack([trusted.codes[column] for column in columns]), without=found.without
        )
        more = upper_mid_p(known.groups, max(trusted.rows, 1), found.groups, batch.rows)
        outcome = _measured(name, found.rows / batch.rows, max(found.p_value, more), unit="share")
        equal = [column for place, column in enumerate(columns) if place != found.without]
        evidence = {"looked_in": equal[:_LISTED], "of_reference": known.rows}
        return self._finding(outcome, comparison, evidence)

    def _support(self, batch: Marked, trusted: Marked, comparison: Comparison) -> Finding:
        """Say how many bits would number the distinct rows."""
        held, once = _distinct(batch)
        bits = math.log2(held)
        closed = lat.power_of_two(held) and once == 0 and batch.rows >= _SATURATED * held
        p_value = math.sqrt(2) / held if closed and _distinct(trusted)[0] != held else 1.0
        outcome = Measurement(
            name="support_bits",
            value=bits,
            worse=Worse.LOWER,
            unit="bits",
            null_value=math.log2(max(1, _distinct(trusted)[0])),
            p_value=p_value,
        )
        return self._finding(outcome, comparison, {"distinct": held, "once": once})

    def _order(self, comparison: Comparison) -> Finding:
        """Count columns whose neighbouring rows no shuffle leaves so: over all rows."""
        name, names = "ordered_columns", comparison.columns(*LOOKED_AT)
        if (gap := order_gap(name, comparison)) is not None:
            return self._finding(gap, comparison, {})
        found, (known, _) = (
            in_order(side, names) for side in (comparison.candidate, comparison.reference)
        )
        if not found[1]:
            detail = "no column has rows on two sides"
            gap = Gap(name=name, reason=Reason.CONSTANT_COLUMN, detail=detail)
            return self._finding(gap, comparison, {})
        rows = comparison.reference.n_rows, comparison.candidate.n_rows
        finding = self._counted(name, found, known, comparison)
        return replace(finding, n_reference=rows[0], n_candidate=rows[1])

    def _finding(
        self, outcome: Measurement | Gap, comparison: Comparison, evidence: dict[str, object]
    ) -> Finding:
        return Finding(
            check=self.name,
            subject=TABLE,
            outcome=outcome,
            n_reference=min(self.rows, comparison.reference.n_rows),
            n_candidate=min(self.rows, comparison.candidate.n_rows),
            evidence=evidence,
        )


def _lattices(side: Marked) -> tuple[list[Mark], int]:
    """Return columns on a lattice whose step is not round."""
    marks: list[Mark] = []
    for name in side.numbers:
        found = lat.lattice(np.unique(side.present(name)))
        if found is not None:
            marks.append(
                {
                    "name": name,
                    "step": found.step,
                    "places": found.places,
                    "p_value": found.p_value,
                }
            )
    return marks, len(side.numbers)


def _piles(side: Marked) -> tuple[list[Mark], int]:
    """Return columns whose values pile up at an edge."""
    marks: list[Mark] = []
    for name in side.numbers:
        for edge in lat.piled_edges(*np.unique(side.present(name), return_counts=True)):
            if edge.p_value * 2 * len(side.numbers) <= 1e-3:
                share = edge.rows / side.rows
                marks.append(
                    {"name": name, "at": edge.value, "share": share, "p_value": edge.p_value}
                )
    return marks, 2 * len(side.numbers)


def _digits(side: Marked) -> tuple[list[Mark], int]:
    """Return columns whose last digits are too even."""
    chances = {}
    for name in side.numbers:
        values = side.present(name)
        if len(values) >= _LEAST_DIGITS and (chance := lat.even_digits(values)) is not None:
            chances[name] = chance
    return [
        {"name": name, "p_value": chance}
        for name, chance in chances.items()
        if chance * len(chances) <= 1e-2
    ], len(chances)


def _level_counts(side: Marked) -> dict[str, int]:
    """Return the levels of each column of numbers that has shown all it has.

    On a lattice these are the places: some in the tails may have no row.
    """
    found = {}
    for name in side.numbers:
        levels, rows = np.unique(side.present(name), return_counts=True)
        if len(levels) < 6 or rows.sum() < _SATURATED * len(levels):
            continue
        even = lat.lattice(levels)
        if even is not None:
            found[name] = even.places
        elif rows.min() > 1:
            found[name] = len(levels)
    return found


def _distinct(side: Marked) -> tuple[int, int]:
    """Return how many distinct rows there are, and how many of them occur once."""
    codes = np.column_stack(list(side.codes.values()))
    if not len(codes):
        return 1, 0
    _, held = np.unique(codes, axis=0, return_counts=True)
    return len(held), int((held == 1).sum())


def _varied(side: Marked, name: str) -> bool:
    """Tell whether a column has values enough for an equation to mean anything."""
    values = side.present(name)
    return len(values) * 2 > side.rows and len(np.unique(values)) >= 20


def _repeats(side: Marked, name: str) -> bool:
    """Tell whether a column has levels that recur, and no level that nearly all rows have."""
    rows = np.bincount(side.codes[name])
    return 2 <= len(rows) <= side.rows / 4 and rows.max() <= 0.95 * side.rows


def _complete(side: Marked, names: list[str]) -> Numbers:
    values = np.column_stack([side.numbers[name] for name in names]) if names else np.empty((0, 0))
    return np.asarray(values[~np.isnan(values).any(axis=1)], np.float64)


def _written(found: eq.Equation, names: list[str]) -> str:
    terms = [
        f"{factor:+.4g} {names[place]}"
        for place, factor in zip(found.terms[:4], found.factors, strict=False)
    ]
    more = " ..." if len(found.terms) > 4 else ""
    return f"{names[found.column]} = {' '.join(terms)}{more} {found.constant:+.4g}"[:200]


def _p(mark: Mark) -> float:
    chance = mark.get("p_value", 1.0)
    return chance if isinstance(chance, float) else 1.0


def _evidence(own: list[Mark], shared: list[Mark], tested: int) -> dict[str, object]:
    return {
        "columns": own[:_LISTED],
        "shared": [str(mark["name"]) for mark in shared[:_LISTED]],
        "tested": tested,
    }


def _measured(name: str, value: float, p_value: float, *, unit: str = "1") -> Measurement:
    return Measurement(
        name=name,
        value=value,
        worse=Worse.HIGHER,
        unit=unit,
        null_value=0.0,
        p_value=p_value,
    )
