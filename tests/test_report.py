from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import GateRefused, ReportError
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Subject, SubjectKind, Worse
from detector.report import InputSummary, Report
from detector.verdicts import Action, Decision, ExitCode, Level, Verdict

SCHEMA = json.loads((Path(__file__).parents[1] / "docs/report.schema.json").read_text())
HINT = "Give the file that `detector gate --json` wrote."

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def outcomes(draw):
    if draw(st.booleans()):
        return Gap(name=draw(texts), reason=draw(st.sampled_from(Reason)), detail=draw(texts))
    low, high = sorted((draw(numbers), draw(numbers)))
    return Measurement(
        name=draw(texts),
        value=draw(numbers),
        worse=draw(st.sampled_from(Worse)),
        unit=draw(texts),
        null_value=draw(st.none() | numbers),
        interval=draw(st.sampled_from([None, (low, high)])),
        p_value=draw(st.none() | st.floats(0, 1, exclude_min=True)),
        detectable=draw(st.none() | numbers),
        rate=draw(st.floats(0.1, 1)),
    )


@st.composite
def reports(draw):
    count = draw(st.integers(0, 4))
    findings = tuple(
        Finding(
            check=f"check{place}",
            subject=Subject(
                kind=draw(st.sampled_from(SubjectKind)),
                columns=tuple(draw(st.lists(texts, max_size=2))),
            ),
            outcome=draw(outcomes()),
            n_reference=draw(st.integers(0, 10**12)),
            n_candidate=draw(st.integers(0, 10**12)),
            evidence=draw(st.dictionaries(texts, plain, max_size=2)),
        )
        for place in range(count)
    )
    verdicts = tuple(
        Verdict(
            rule=draw(texts),
            finding=draw(st.sampled_from(findings)),
            level=draw(st.sampled_from(Level)),
            action=draw(st.sampled_from(Action)),
            message=draw(texts),
            advice=draw(texts),
            corrected_p=draw(st.none() | st.floats(0, 1, exclude_min=True)),
            detectable=draw(st.none() | numbers),
            gap=draw(st.none() | st.sampled_from(Reason)),
            rows_needed=draw(st.none() | st.integers(1, 10**12)),
            cap=draw(st.none() | st.floats(0, 1)),
            waived=draw(st.none() | texts),
        )
        for _ in range(draw(st.integers(0, 4)) if count else 0)
    )
    return Report(
        decision=draw(st.sampled_from(Decision)),
        headline=draw(texts),
        verdicts=verdicts,
        findings=findings,
        inputs=(
            InputSummary(
                role="candidate",
                name=draw(texts),
                rows=draw(st.integers(0, 10**12)),
                digest=draw(texts),
                columns=({"name": draw(texts), "kind": "numeric", "role": "feature"},),
                provenance=draw(st.dictionaries(texts, plain, max_size=2)),
                sampled_rows=draw(st.integers(0, 10)),
            ),
        ),
        policy=draw(st.dictionaries(texts, texts, max_size=2)),
        seed=draw(st.integers(0, 2**64)),
        versions=draw(st.dictionaries(texts, texts, max_size=2)),
        timings=draw(st.dictionaries(texts, st.floats(0, 100), max_size=2)),
    )


def small(decision=Decision.ADMIT, **more):
    found = Finding(
        check="marginals",
        subject=TABLE,
        outcome=Measurement(name="x", value=0.1 + 0.2, worse=Worse.HIGHER),
        n_reference=1,
        n_candidate=1,
        evidence={"b": [1], "a": -0.0},
    )
    known = {
        "headline": "it is so.",
        "verdicts": (
            Verdict(
                rule="r",
                finding=found,
                level=Level.WARN,
                action=Action.REJECT,
                message="m",
                advice="Do something.",
            ),
        ),
        "findings": (found,),
        "inputs": (),
        "policy": {"name": "p", "digest": "d"},
        "seed": 1,
        "versions": {},
        "timings": {"joint": 0.25},
    }
    return Report(decision=decision, **{**known, **more})


@given(report=reports())
def test_the_json_form_is_exact(report):
    text = report.to_json()
    read = Report.from_json(text)
    assert read == report
    assert read.to_json() == text
    assert text.isascii()
    assert text.endswith("}\n")


@given(report=reports())
def test_the_json_form_is_the_documented_one(report):
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(report.to_json()))


def test_the_schema_is_one_and_knows_every_name():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    known = {"verdict": Verdict, "measurement": Measurement, "gap": Gap, "input": InputSummary}
    for name, cls in known.items():
        fields = {spec.name for spec in dataclasses.fields(cls)}
        assert set(SCHEMA["$defs"][name]["required"]) == fields
        assert set(SCHEMA["$defs"][name]["properties"]) == fields
    fields = {spec.name for spec in dataclasses.fields(Report)} | {"exit_code"}
    assert set(SCHEMA["properties"]) == fields
    assert set(SCHEMA["required"]) == fields - {"audit"}


@pytest.mark.parametrize(
    ("place", "members"),
    [
        (SCHEMA["properties"]["decision"], Decision),
        (SCHEMA["$defs"]["subject"]["properties"]["kind"], SubjectKind),
        (SCHEMA["$defs"]["measurement"]["properties"]["worse"], Worse),
        (SCHEMA["$defs"]["reason"], Reason),
        (SCHEMA["$defs"]["verdict"]["properties"]["action"], Action),
    ],
)
def test_the_schema_knows_every_member(place, members):
    assert set(place["enum"]) == {member.value for member in members}


def test_the_form_is_stable_to_the_byte():
    # A change of this text is a change of the format: raise SCHEMA_VERSION with it.
    assert (
        small().to_json()
        == """\
{
 "decision": "admit",
 "exit_code": 0,
 "findings": [
  {
   "check": "marginals",
   "evidence": {
    "a": -0.0,
    "b": [
     1
    ]
   },
   "measurement": {
    "detectable": null,
    "interval": null,
    "name": "x",
    "null_value": null,
    "p_value": null,
    "rate": 0.5,
    "unit": "1",
    "value": 0.30000000000000004,
    "worse": "higher"
   },
   "n_candidate": 1,
   "n_reference": 1,
   "subject": {
    "columns": [],
    "kind": "table"
   }
  }
 ],
 "headline": "it is so.",
 "inputs": [],
 "policy": {
  "digest": "d",
  "name": "p"
 },
 "schema_version": 1,
 "seed": 1,
 "timings": {
  "joint": 0.25
 },
 "verdicts": [
  {
   "action": "reject",
   "advice": "Do something.",
   "cap": null,
   "corrected_p": null,
   "detectable": null,
   "finding": 0,
   "gap": null,
   "level": "warn",
   "message": "m",
   "rows_needed": null,
   "rule": "r",
   "waived": null
  }
 ],
 "versions": {}
}
"""
    )


@given(report=reports(), timings=st.dictionaries(texts, st.floats(0, 9), max_size=2))
def test_equal_runs_differ_in_timings_only(report, timings):
    one, two = (
        json.loads(dataclasses.replace(report, timings=each).to_json())
        for each in (report.timings, timings)
    )
    one.pop("timings")
    two.pop("timings")
    assert one == two


def test_a_verdict_points_at_the_finding_itself():
    read = Report.from_json(small().to_json())
    assert read.verdicts[0].finding is read.findings[0]


@pytest.mark.parametrize("decision", Decision)
def test_the_exit_code_is_the_decisions(decision):
    report = small(decision)
    assert report.exit_code is ExitCode[decision.name]
    assert json.loads(report.to_json())["exit_code"] == report.exit_code


def test_a_report_is_no_condition():
    with pytest.raises(TypeError) as caught:
        bool(small())
    assert str(caught.value) == (
        "a report is neither true nor false; compare report.decision, "
        "or call report.raise_for_decision()"
    )


@pytest.mark.parametrize("decision", set(Decision) - {Decision.ADMIT})
def test_whatever_is_not_admitted_raises(decision):
    with pytest.raises(GateRefused) as caught:
        small(decision).raise_for_decision()
    assert str(caught.value) == "it is so. Do something."
    assert (caught.value.message, caught.value.hint) == ("it is so.", "Do something.")


def test_an_admitted_batch_raises_nothing():
    small().raise_for_decision()
    with pytest.raises(GateRefused, match=r"^it is so\.$"):
        small(Decision.REJECT, verdicts=()).raise_for_decision()


@pytest.mark.parametrize("evidence", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"x"}])
def test_evidence_that_is_no_plain_data_is_a_fault_of_the_check(evidence):
    report = small()
    found = dataclasses.replace(report.findings[0], evidence=evidence)
    with pytest.raises(TypeError, match="the evidence of marginals on table is not plain"):
        small(findings=(found,), verdicts=()).to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This is not a JSON report: Expecting value: line 1 column 1 (char 0)."),
        ("{", "This is not a JSON report: Expecting property name"),
        ("[" * 100_000, "This is not a JSON report: "),
        ('{"schema_version": NaN}', "This is not a JSON report: NaN is not a JSON number."),
        ("[]", "This is JSON, but not a report."),
        ('{"a": 1}', "This is JSON, but not a report."),
        ('{"schema_version": 1}', "The report is damaged (KeyError: 'findings')."),
    ],
)
def test_what_is_no_report_is_refused(text, message):
    with pytest.raises(ReportError) as caught:
        Report.from_json(text)
    assert caught.value.message.startswith(message)
    assert caught.value.hint == HINT


def test_another_version_says_which_program_reads_it():
    with pytest.raises(ReportError) as caught:
        Report.from_json('{"schema_version": 2}')
    assert str(caught.value) == (
        "The report has schema version 2; this program reads version 1. "
        "Use the version of collapse-detector that wrote it, or run the gate again."
    )


def paths(node, path=()):
    """Return the place of every value in a JSON document."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*path, key))


FREE = ("evidence", "provenance", "policy", "versions", "timings", "schema_version", "exit_code")
PLACES = [p for p in paths(json.loads(small().to_json())) if not set(p) & set(FREE)]


@pytest.mark.parametrize("path", PLACES, ids=str)
@pytest.mark.parametrize("junk", [[3], {"junk": 1}], ids=str)
def test_a_damaged_place_is_an_error_and_no_crash(path, junk):
    body = json.loads(small().to_json())
    *parents, last = path
    node: typing.Any = body
    for key in parents:
        node = node[key]
    node[last] = junk
    with pytest.raises(ReportError, match="The report is damaged"):
        Report.from_json(json.dumps(body))


def test_damage_is_named():
    body = json.loads(small().to_json())
    body["findings"][0]["n_candidate"] = "many"
    with pytest.raises(ReportError, match="TypeError: n_candidate is 'many', not int"):
        Report.from_json(json.dumps(body))
