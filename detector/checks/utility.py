"""Is the batch as good to learn from as the reference?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from detector.checks._clusters import group_codes
from detector.checks._options import at_least
from detector.data.encode import encode_codes
from detector.data.schema import NOMINAL, Kind, Role, Schema
from detector.findings import Finding, Gap, Measurement, Reason, Subject, SubjectKind, Worse
from detector.findings import column as column_subject
from detector.profiles.columns import as_codes, as_numbers
from detector.profiles.parts import Part
from detector.stats.auc import Z_95_ONE_SIDED
from detector.stats.paired import paired_change
from detector.stats.proportions import Z_80

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.profiles.profile import Profile
    from detector.rng import Streams
    from detector.stats.paired import Change

    Numbers = NDArray[np.float64]

_MIN_ROWS = 100
_LEAST_OF_CLASS = 10
_MOST_CLASSES = 20
_FEW_VALUES = 10
_LISTED = 20
_LARGEST = 1e150
_OF_CLASSES = ("rare_recall_change", "recall_change")
_OF_NUMBERS = ("error_change",)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """What is learned from, and what it is judged on.

    Attributes:
        rows: Encoded rows of the reference, the candidate and the holdout.
        targets: Their targets: places in `classes`, or numbers.
        classes: The names of the classes, the commonest first; none for numbers.
        categorical: Columns of codes.
        units: The cluster of each holdout row, or None.

    """

    rows: tuple[Numbers, Numbers, Numbers]
    targets: tuple[Numbers, Numbers, Numbers]
    classes: tuple[str, ...]
    categorical: NDArray[np.bool_]
    units: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Utility:
    """Trains on the candidate and on as many reference rows; tests both on the holdout.

    Attributes:
        rows: Sampled rows of each side, at most.
        refits: Bootstrap samples of each side that a model is fitted to.

    """

    name: ClassVar[str] = "utility"
    needs: ClassVar[frozenset[Part]] = frozenset({Part.SAMPLE})
    measures: ClassVar[frozenset[str]] = frozenset({*_OF_CLASSES, *_OF_NUMBERS})

    rows: int = 4_000
    refits: int = 4

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        at_least(self, rows=_MIN_ROWS, refits=2)

    def run(self, comparison: Comparison, streams: Streams) -> Iterator[Finding]:
        """Measure what models of the candidate lose against models of the reference."""
        task = self._task(comparison)
        if isinstance(task, Gap):
            names = [task.name] if task.name else sorted(self.measures)
            for name in names:
                gap = Gap(name=name, reason=task.reason, detail=task.detail)
                yield self._finding(gap, comparison, {})
            return
        from detector.classifiers.target import predictions

        said = [
            predictions(
                (task.rows[side], task.targets[side]),
                task.rows[2],
                categorical=task.categorical,
                classes=bool(task.classes),
                refits=self.refits,
                rng=streams("fit", name),
            )
            for side, name in enumerate(("reference", "candidate"))
        ]
        scored = self._recalls if task.classes else self._errors
        yield from scored(task, said, comparison, streams)

    def _task(self, comparison: Comparison) -> _Task | Gap:
        """Return the rows to learn from, or say what is missing."""
        target = comparison.reference.frame.schema.role(Role.TARGET)
        if target is None:
            return _gap(Reason.COLUMN_ABSENT, "no column has the role target")
        if comparison.holdout is None:
            return _gap(Reason.NEEDS_HOLDOUT, "no holdout was given")
        sides = (comparison.reference, comparison.candidate, comparison.holdout)
        names = _names(comparison, sides)
        if target not in names:
            return _gap(Reason.COLUMN_ABSENT, f"{target!r} is not on every side")
        if len(names) < 2:
            return _gap(Reason.NO_COMMON_COLUMNS, f"no column but {target!r} is on every side")
        tables = self._tables(sides, target)
        if isinstance(tables, Gap):
            return tables
        return _encoded(comparison, names, target, tables)

    def _tables(self, sides: tuple[Profile, ...], target: str) -> list[pa.Table] | Gap:
        """Return rows with a target: as many of the reference as of the candidate."""
        tables = []
        for side in sides:
            if side.sample is None:
                return _gap(Reason.NEEDS_ROWS, "a profile keeps no rows")
            table = side.sample.head(self.rows).table
            tables.append(_with_target(table, target))
        rows = min(len(tables[0]), len(tables[1]))
        fewest = min(rows, len(tables[2]))
        if fewest < _MIN_ROWS:
            detail = f"{fewest} rows with {target!r} on one side, {_MIN_ROWS} needed"
            return _gap(Reason.TOO_FEW_ROWS, detail)
        return [tables[0].slice(0, rows), tables[1].slice(0, rows), tables[2]]

    def _recalls(
        self, task: _Task, said: list[Numbers], comparison: Comparison, streams: Streams
    ) -> Iterator[Finding]:
        """Compare the recall of each class, the rarest first, and the mean of all."""
        truth, changes = task.targets[2], {}
        right = [own == truth for own in said]
        for place, label in reversed(list(enumerate(task.classes))):
            held = truth == place
            if held.sum() < _LEAST_OF_CLASS:
                continue
            changes[label] = paired_change(
                *(own[:, held].astype(float) for own in right),
                rng=streams("class", label),
                units=None if task.units is None else task.units[held],
            )
        if len(changes) < 2:
            detail = f"{len(changes)} classes with {_LEAST_OF_CLASS} holdout rows, 2 needed"
            for name in _OF_CLASSES:
                gap = Gap(name=name, reason=Reason.TOO_FEW_ROWS, detail=detail)
                yield self._finding(gap, comparison, {})
            return
        rarest = next(iter(changes))
        evidence = {"class": rarest[:80], "classes": _listed(changes)}
        yield self._finding(_lower("rare_recall_change", changes[rarest]), comparison, evidence)
        # Weights that make each class count alike turn the mean of rows into that of classes.
        weight = np.zeros(len(truth))
        for place, label in enumerate(task.classes):
            if label in changes:
                weight[truth == place] = len(truth) / ((truth == place).sum() * len(changes))
        whole = paired_change(
            *(own * weight for own in right), rng=streams("classes"), units=task.units
        )
        yield self._finding(_lower("recall_change", whole), comparison, {"classes": len(changes)})

    def _errors(
        self, task: _Task, said: list[Numbers], comparison: Comparison, streams: Streams
    ) -> Iterator[Finding]:
        """Compare mean absolute errors, as a share of the reference's."""
        truth = task.targets[2]
        missed = [np.abs(own - truth) for own in said]
        unit = float(missed[0].mean())
        if unit <= 0:
            gap = Gap(
                name="error_change",
                reason=Reason.CONSTANT_COLUMN,
                detail="models of the reference make no error",
            )
            yield self._finding(gap, comparison, {})
            return
        found = paired_change(
            *(own / unit for own in missed), rng=streams("errors"), units=task.units
        )
        outcome = Measurement(
            name="error_change",
            value=found.value,
            worse=Worse.HIGHER,
            unit="share",
            null_value=0.0,
            interval=found.interval,
            p_value=found.above,
            detectable=(Z_95_ONE_SIDED + Z_80) * found.error,
        )
        around = float(np.square(truth - truth.mean()).mean()) or 1.0
        fit = [1 - float(np.square(own.mean(axis=0) - truth).mean()) / around for own in said]
        evidence = {
            "mean_absolute_error": [unit, unit * found.candidate],
            "r_squared": [float(np.clip(each, -1e9, 1)) for each in fit],
        }
        yield self._finding(outcome, comparison, evidence)

    def _finding(
        self, outcome: Measurement | Gap, comparison: Comparison, evidence: Mapping[str, object]
    ) -> Finding:
        target = comparison.reference.frame.schema.role(Role.TARGET)
        return Finding(
            check=self.name,
            subject=Subject(kind=SubjectKind.TABLE) if target is None else column_subject(target),
            outcome=outcome,
            n_reference=min(self.rows, comparison.reference.n_rows),
            n_candidate=min(self.rows, comparison.candidate.n_rows),
            evidence=evidence,
        )


def _with_target(table: pa.Table, target: str) -> pa.Table:
    """Return the rows whose target is there, and finite."""
    import pyarrow as pa

    column = table[target].combine_chunks()
    usable = np.asarray(column.is_valid())
    if not pa.types.is_dictionary(column.type) and not pa.types.is_nested(column.type):
        usable &= np.abs(np.nan_to_num(as_numbers(column), nan=np.inf)) < _LARGEST
    return table.filter(pa.array(usable))


def _names(comparison: Comparison, sides: tuple[Profile, ...]) -> tuple[str, ...]:
    kinds = (kind for kind in Kind if kind is not Kind.TEXT)
    return tuple(
        name for name in comparison.columns(*kinds) if all(name in side.columns for side in sides)
    )


def _encoded(
    comparison: Comparison, names: tuple[str, ...], target: str, tables: list[pa.Table]
) -> _Task | Gap:
    import pyarrow as pa

    frame = comparison.reference.frame.schema
    if frame[target].kind is Kind.VECTOR:
        return _gap(Reason.KIND_NOT_SUPPORTED, f"{target!r} holds vectors")
    targets = _targets(tables, target, nominal=frame[target].kind in NOMINAL)
    if isinstance(targets, Gap):
        return targets
    values, classes = targets
    own = Schema(columns=tuple(frame[name] for name in names if name != target))
    both = [table.select(own.names) for table in tables]
    trained = pa.concat_tables(both[:2]).unify_dictionaries().combine_chunks()
    codes = encode_codes(trained, both[2], own)
    reference, candidate = np.split(codes.x, [len(tables[0])])
    group, units = comparison.group, None
    if group is not None and group in tables[2].column_names:
        units = group_codes(tables[2], tables[2].slice(0, 0), group)
    return _Task(
        rows=(reference, candidate, codes.y),
        targets=values,
        classes=classes,
        categorical=codes.categorical,
        units=units,
    )


def _targets(
    tables: list[pa.Table], target: str, *, nominal: bool
) -> tuple[tuple[Numbers, Numbers, Numbers], tuple[str, ...]] | Gap:
    """Return the targets of each side, and the classes, the reference's commonest first."""
    columns = [table[target].combine_chunks() for table in tables]
    if nominal:
        texts = [np.array([*levels, ""])[codes] for codes, levels in map(as_codes, columns)]
    else:
        numbers = [as_numbers(column) for column in columns]
        distinct = np.unique(numbers[0])
        if len(distinct) < 2:
            return _gap(Reason.CONSTANT_COLUMN, f"{target!r} has one value in the reference")
        if len(distinct) > _FEW_VALUES or (distinct != np.round(distinct)).any():
            return (numbers[0], numbers[1], numbers[2]), ()
        texts = [np.array([f"{value:g}" for value in own]) for own in numbers]
    levels, rows = np.unique(texts[0], return_counts=True)
    if len(levels) < 2:
        return _gap(Reason.CONSTANT_COLUMN, f"{target!r} has one class in the reference")
    order = np.lexsort((levels, -rows))[:_MOST_CLASSES]
    classes = tuple(str(level) for level in levels[order])
    # Classes past the commonest, and those that only the candidate has, are one more class.
    place = {label: number for number, label in enumerate(classes)}
    coded = [
        np.array([place.get(str(text), len(classes)) for text in own], np.float64) for own in texts
    ]
    return (coded[0], coded[1], coded[2]), classes


def _lower(name: str, found: Change) -> Measurement:
    return Measurement(
        name=name,
        value=found.value,
        worse=Worse.LOWER,
        unit="share",
        null_value=0.0,
        interval=found.interval,
        p_value=found.below,
        detectable=(Z_95_ONE_SIDED + Z_80) * found.error,
    )


def _listed(changes: dict[str, Change]) -> list[dict[str, object]]:
    return [
        {
            "class": label[:80],
            "reference_recall": found.reference,
            "candidate_recall": found.candidate,
            "interval": list(found.interval),
        }
        for label, found in list(changes.items())[:_LISTED]
    ]


def _gap(reason: Reason, detail: str) -> Gap:
    return Gap(name="", reason=reason, detail=detail)
