from __future__ import annotations

import json

import jsonschema
import pytest

from detector.formats import sarif
from detector.verdicts import Decision, Level
from tests.formats import reports
from tests.formats.reports import TABLE, finding, measured, verdict

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
LOG = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "properties": {"type": "object"},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "name": {"type": "string"},
                                                "shortDescription": TEXT,
                                                "fullDescription": TEXT,
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": TEXT,
                                "properties": {"type": "object"},
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                                "suppressions": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["kind"],
                                        "properties": {
                                            "kind": {"enum": ["inSource", "external"]},
                                            "justification": {"type": "string"},
                                        },
                                    },
                                },
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "required": ["uri"],
                                                        "properties": {
                                                            "uri": {
                                                                "type": "string",
                                                                "pattern": '^[^/ <>"]+$',
                                                            }
                                                        },
                                                    }
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run_of(report):
    log = json.loads(sarif.render(report))
    jsonschema.validate(log, LOG)
    return log["runs"][0]


@pytest.mark.parametrize("kind", reports.ALL)
def test_the_log_has_the_shape_that_sarif_2_1_0_asks_for(kind):
    run = run_of(reports.ALL[kind]())
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]


def test_everything_but_a_pass_is_a_result():
    report = reports.rejected()
    results = run_of(report)["results"]
    assert len(results) == sum(verdict.level > Level.PASS for verdict in report.verdicts) == 6
    assert [result["level"] for result in results] == ["error"] * 4 + ["warning"] * 2


def test_results_are_found_at_the_policy_file():
    report = reports.report(
        Decision.REJECT,
        "",
        [verdict(finding("joint", TABLE, measured()), Level.FAIL)],
        policy={"name": "ours", "digest": "0", "source": "gates/data policy.toml"},
    )
    log = json.loads(sarif.render(report))
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "gates/data%20policy.toml"
    assert place["region"] == {"startLine": 1}


def test_a_waived_verdict_is_suppressed_with_its_reason():
    waived = verdict(finding("joint", TABLE, measured()), Level.WARN, waived="known until March")
    (result,) = run_of(reports.report(Decision.ADMIT, "", [waived]))["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "known until March"}]


def test_the_same_rule_on_the_same_subject_has_the_same_fingerprint_whatever_the_number():
    def prints(value):
        report = reports.report(
            Decision.REJECT,
            "",
            [verdict(finding("joint", TABLE, measured(value=value)), Level.FAIL)],
        )
        return run_of(report)["results"][0]["partialFingerprints"]

    assert prints(0.5) == prints(0.6)
    every = [str(result["partialFingerprints"]) for result in run_of(reports.wide(50))["results"]]
    assert len(every) == len(set(every))


def test_a_bracket_in_a_name_makes_no_link():
    found = verdict(finding("joint", TABLE, measured()), Level.FAIL, message="[x](1) {0}")
    (result,) = run_of(reports.report(Decision.REJECT, "", [found]))["results"]
    assert result["message"]["text"] == r"\[x\](1) {{0}}"


def test_code_scanning_gets_no_more_than_it_takes():
    report = reports.report(
        Decision.REJECT,
        "",
        [verdict(finding("joint", TABLE, measured()), Level.FAIL)] * (sarif.MOST_RESULTS + 7),
        [],
    )
    run = run_of(report)
    assert len(run["results"]) == sarif.MOST_RESULTS
    assert run["properties"]["resultsLeftOut"] == 7
