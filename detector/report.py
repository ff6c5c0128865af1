"""A finished report: plain data, with an exact JSON form."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from detector import catalogue
from detector.errors import GateRefused, ReportError
from detector.findings import Finding, Gap, Measurement, Reason, Subject, SubjectKind, Worse
from detector.verdicts import Action, Decision, Level, Verdict

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    import pyarrow as pa

    from detector.verdicts import ExitCode

SCHEMA_VERSION = 1

SUFFIXES = {
    ".html": "html",
    ".json": "json",
    ".md": "markdown",
    ".sarif": "sarif",
    ".txt": "text",
    ".xml": "junit",
}
"""The format that `Report.write` draws for each suffix."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSummary:
    """One input as the report names it.

    Attributes:
        role: `reference`, `candidate`, `holdout`, `synthetic` or, in a lineage, `generation`.
        name: The data set's name.
        rows: Its number of rows.
        digest: The order-free digest of its rows, hexadecimal.
        columns: Name, kind and role of each column.
        provenance: What its manifest says, or an empty mapping.
        sampled_rows: Rows kept in the sample that row-level checks used.

    """

    role: str
    name: str
    rows: int
    digest: str
    columns: tuple[Mapping[str, str], ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)
    sampled_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When the loop of an audit first passes a threshold.

    Attributes:
        interval: The generations between which it does with 90 % probability; the second is
            None where it lies beyond the horizon. All from 1 on where there is no forecast.
        median: The median generation, or None.
        threshold: The variance ratio to generation 0 that is passed.
        horizon: Generations that were looked ahead.
        share: Share of simulated chains that pass within the horizon, or None.
        abstains: Whether there is no forecast.
        because: Why not; empty where there is one.

    """

    interval: tuple[int, int | None]
    median: int | None
    threshold: float
    horizon: int
    share: float | None
    abstains: bool
    because: str


_TOLD = ("median", "threshold", "horizon", "share", "abstains", "because")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured, what the policy said of it, and the decision.

    Attributes:
        decision: The gate's answer.
        headline: One sentence for a person.
        verdicts: Worst first, then in policy order.
        findings: Everything measured, in check order.
        inputs: The data sets compared.
        policy: The policy's name and digest.
        seed: The run's seed.
        versions: Package versions that the numbers depend on.
        timings: Seconds by stage; the only part that differs between equal runs.
        audit: What an audit or a lineage adds, as JSON data (docs/audit.md); None in a gate.
        schema_version: The version of the JSON form.

    """

    decision: Decision
    headline: str
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    inputs: tuple[InputSummary, ...]
    policy: Mapping[str, str]
    seed: int
    versions: Mapping[str, str]
    timings: Mapping[str, float] = field(default_factory=dict)
    audit: Mapping[str, Any] | None = None
    schema_version: int = SCHEMA_VERSION

    def __bool__(self) -> NoReturn:
        """Refuse to be a condition: `if gate(...)` would be true for a REJECT."""
        raise TypeError(
            "a report is neither true nor false; compare report.decision, "
            "or call report.raise_for_decision()"
        )

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code that the command line ends with."""
        return self.decision.exit_code

    @property
    def trajectory(self) -> pa.Table:
        """Return an audit's measures: columns `replicate`, `generation`, `measure`, `value`.

        Raises:
            ReportError: This is not the report of an audit or a lineage.

        """
        import pyarrow as pa

        fields = {
            "replicate": pa.int64(),
            "generation": pa.int64(),
            "measure": pa.string(),
            "value": pa.float64(),
        }
        columns = self._audited["trajectory"]
        arrays = [pa.array(columns[name], kind) for name, kind in fields.items()]
        return pa.Table.from_arrays(arrays, names=list(fields))

    @property
    def alarm_generation(self) -> int | None:
        """Return the first generation outside of the null band; None where there is none.

        Raises:
            ReportError: This is not the report of an audit or a lineage.

        """
        alarm = self._audited["alarm"]
        return None if alarm is None else alarm["generation"]

    @property
    def forecast(self) -> Forecast:
        """Return when an audit's loop passes the threshold, or why that cannot be told.

        Raises:
            ReportError: This is not the report of an audit or a lineage.

        """
        told = self._audited["forecast"]
        low, high = told["interval"]
        return Forecast(interval=(low, high), **{name: told[name] for name in _TOLD})

    @property
    def _audited(self) -> Mapping[str, Any]:
        if self.audit is None:
            raise ReportError(
                "this is the report of a gate; it has no generations.",
                hint="Run `detector audit` or `detector lineage`.",
            )
        return self.audit

    def raise_for_decision(self) -> None:
        """Raise unless the whole batch may enter training.

        Raises:
            GateRefused: The decision is anything but ADMIT.

        """
        if self.decision is not Decision.ADMIT:
            advice = next((verdict.advice for verdict in self.verdicts if verdict.advice), "")
            raise GateRefused(self.headline, hint=advice)

    def to_json(self) -> str:
        """Return the report as JSON text (docs/report.schema.json).

        Equal reports give equal bytes: keys are sorted, floats are written so that they
        read back exactly, and everything outside ASCII is escaped.

        Raises:
            TypeError: A finding's evidence holds something that is not plain data.

        """
        places = {finding.key: place for place, finding in enumerate(self.findings)}
        body = _plain(self) | {
            "exit_code": int(self.exit_code),
            "inputs": [_plain(summary) for summary in self.inputs],
            "findings": [_plain_finding(finding) for finding in self.findings],
            "verdicts": [_plain_verdict(verdict, places) for verdict in self.verdicts],
        }
        if self.audit is None:
            del body["audit"]
        try:
            return json.dumps(body, indent=1, sort_keys=True, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise TypeError(f"{_culprit(self.findings)} is not plain finite data") from error

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the report in the format that the suffix names, whole or not at all.

        Args:
            path: Ends in .html, .json, .md, .txt, .sarif or .xml (JUnit).

        Raises:
            DetectorError: The suffix names no format, or the file cannot be written.

        """
        from detector.files import write_atomically

        suffix = Path(path).suffix.lower()
        if suffix not in SUFFIXES:
            raise ReportError(
                f"`{Path(path).name}` names no format.", hint=f"End it in {', '.join(SUFFIXES)}."
            )
        write_atomically(path, self._drawn(SUFFIXES[suffix]))

    def _repr_html_(self) -> str:
        """Draw itself in a notebook."""
        notebook: str = import_module("detector.formats.html").notebook(self)
        return notebook

    def _repr_markdown_(self) -> str:
        """Draw itself where a notebook shows no HTML."""
        return self._drawn("markdown")

    def _drawn(self, name: str) -> str:
        drawn: str = catalogue.load("detector.formats", name)(self)
        return drawn

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read a report back; the result equals the report that was written.

        Raises:
            ReportError: The text is not a report of this version.

        """
        try:
            body = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ReportError(f"This is not a JSON report: {error}.", hint=_HINT) from error
        if not isinstance(body, dict) or "schema_version" not in body:
            raise ReportError("This is JSON, but not a report.", hint=_HINT)
        if body["schema_version"] != SCHEMA_VERSION:
            raise ReportError(
                f"The report has schema version {body['schema_version']!r}; "
                f"this program reads version {SCHEMA_VERSION}.",
                hint="Use the version of collapse-detector that wrote it, or run the gate again.",
            )
        try:
            return _report(body)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise ReportError(
                f"The report is damaged ({type(error).__name__}: {error}).", hint=_HINT
            ) from error


_HINT = "Give the file that `detector gate --json` wrote."


def _plain(record: Any) -> dict[str, Any]:
    """Return a dataclass as a dictionary, one level deep."""
    return {spec.name: getattr(record, spec.name) for spec in dataclasses.fields(record)}


def _plain_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain data, its outcome under `measurement` or `gap`."""
    plain = _plain(finding) | {"subject": _plain(finding.subject)}
    name = "gap" if isinstance(finding.outcome, Gap) else "measurement"
    plain[name] = _plain(plain.pop("outcome"))
    return plain


def _plain_verdict(verdict: Verdict, places: Mapping[tuple[str, str, str], int]) -> dict[str, Any]:
    """Return a verdict as plain data, its finding as a place in the list of findings."""
    return _plain(verdict) | {
        "finding": places[verdict.finding.key],
        "level": verdict.level.name.lower(),
    }


def _culprit(findings: Iterable[Finding]) -> str:
    """Return what it is in a report that JSON cannot hold."""
    for finding in findings:
        try:
            json.dumps(finding.evidence, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError):
            return f"the evidence of {finding.check} on {finding.subject}"
    return "the report"


def _report(plain: dict[str, Any]) -> Report:
    """Build the report."""
    body = {name: value for name, value in plain.items() if name != "exit_code"}
    body["findings"] = tuple(_finding(item) for item in _list(body["findings"]))

    def verdict(item: dict[str, Any]) -> Verdict:
        finding = body["findings"].__getitem__
        return _build(Verdict, item, finding=finding, level=_level, action=Action, gap=Reason)

    def summary(item: dict[str, Any]) -> InputSummary:
        return _build(InputSummary, item, columns=_tuple(dict))

    return _build(
        Report,
        body,
        decision=Decision,
        findings=tuple,
        inputs=lambda items: tuple(map(summary, _list(items))),
        verdicts=lambda items: tuple(map(verdict, _list(items))),
    )


def _finding(plain: dict[str, Any]) -> Finding:
    """Build one finding."""
    body = dict(plain)
    measured = "measurement" in body
    body["outcome"] = body.pop("measurement" if measured else "gap")
    return _build(
        Finding,
        body,
        subject=lambda item: _build(Subject, item, kind=SubjectKind, columns=_tuple(str)),
        outcome=(
            (lambda item: _build(Measurement, item, worse=Worse, interval=tuple))
            if measured
            else (lambda item: _build(Gap, item, reason=Reason))
        ),
    )


def _build(cls: type[_T], plain: dict[str, Any], **readers: Callable[[Any], Any]) -> _T:
    """Build a dataclass; named values go through their readers, the rest must have its type."""
    values = dict(plain)
    for spec in dataclasses.fields(cls):  # type: ignore[arg-type]
        if spec.name not in values:
            continue
        value = values[spec.name]
        if value is not None and spec.name in readers:
            values[spec.name] = readers[spec.name](value)
        elif not _is(value, str(spec.type)):
            raise TypeError(f"{spec.name} is {value!r}, not {spec.type}")
    return cls(**values)


_TYPES: dict[str, Any] = {"str": str, "int": int, "float": int | float, "Mapping": dict}


def _is(value: object, written: str) -> bool:
    """Tell whether a value has the type that a field's annotation writes."""
    if value is None:
        return written.endswith("| None")
    return isinstance(value, _TYPES[written.removesuffix(" | None").partition("[")[0]])


def _list(items: object) -> list[Any]:
    """Return a JSON array; refuse anything else."""
    if not isinstance(items, list):
        raise TypeError(f"{items!r} is not an array")
    return items


def _tuple(kind: type) -> Callable[[object], tuple[Any, ...]]:
    """Return a reader of JSON arrays of one type."""

    def read(items: object) -> tuple[Any, ...]:
        if not all(isinstance(item, kind) for item in _list(items)):
            raise TypeError(f"{items!r} is not an array of {kind.__name__}")
        return tuple(_list(items))

    return read


def _level(name: str) -> Level:
    """Return the level of this name."""
    return Level[str(name).upper()]


def _refuse_constant(name: str) -> NoReturn:
    """Refuse the NaN and infinity that Python's reader would let through."""
    raise ValueError(f"{name} is not a JSON number")
