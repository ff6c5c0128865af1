"""A report as SARIF 2.1.0, for code scanning: every verdict that is not PASS, at the policy file.

FAIL is an `error`; UNKNOWN and WARN are a `warning`; a waived verdict is suppressed.
Passing verdicts are left out: code scanning would show them as alerts.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from detector.formats import _view, _words
from detector.formats._escape import plain, visible
from detector.verdicts import Level

if TYPE_CHECKING:
    from detector.report import Report
    from detector.verdicts import Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
POLICY_FILE = "detector.toml"
"""Where results are located when the report does not say which file its policy came from."""

MOST_RESULTS = 5_000
"""Code scanning shows no more than these."""


def render(report: Report) -> str:
    """Return the report as SARIF 2.1.0."""
    shown = [verdict for verdict in report.verdicts if verdict.level is not Level.PASS]
    checks = list(dict.fromkeys(verdict.finding.check for verdict in shown))
    place = _location(report)
    run = {
        "tool": {
            "driver": {
                "name": "collapse-detector",
                "version": visible(report.versions.get("collapse-detector", "0")),
                "rules": [_rule(check) for check in checks],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(verdict, checks.index(verdict.finding.check), place)
            for verdict in shown[:MOST_RESULTS]
        ],
        "properties": {
            "decision": report.decision.value,
            "exitCode": int(report.decision.exit_code),
            "headline": plain(report.headline),
            "compared": _view.contest(report),
            "resultsLeftOut": max(0, len(shown) - MOST_RESULTS),
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1) + "\n"


def _rule(check: str) -> dict[str, Any]:
    """Return one check as a rule."""
    title, question = _words.CHECKS.get(check, (_words.check_title(check), ""))
    return {
        "id": visible(check),
        "name": title,
        "shortDescription": {"text": title},
        **({"fullDescription": {"text": question}} if question else {}),
    }


def _result(verdict: Verdict, rule_index: int, place: dict[str, Any]) -> dict[str, Any]:
    """Return one verdict as a result."""
    said = f"{plain(verdict.message)} {plain(verdict.advice)}".rstrip()
    result: dict[str, Any] = {
        "ruleId": visible(verdict.finding.check),
        "ruleIndex": rule_index,
        "level": "error" if verdict.level is Level.FAIL else "warning",
        "message": {"text": _unlinked(said)},
        "locations": [place],
        "partialFingerprints": {"subject/v1": _fingerprint(verdict)},
        "properties": {
            "rule": visible(verdict.rule),
            "subject": _view.name(verdict.finding.subject),
            "state": verdict.level.name.lower(),
        },
    }
    if verdict.waived is not None:
        reason = plain(verdict.waived)
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def _location(report: Report) -> dict[str, Any]:
    """Return the policy file as a place; code scanning refuses results without one."""
    file = visible(report.policy.get("source", POLICY_FILE), limit=200).lstrip("/")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 1},
        }
    }


def _fingerprint(verdict: Verdict) -> str:
    """Return what stays the same when the same rule trips over the same subject again."""
    address = "\x1f".join((verdict.rule, *verdict.finding.key))
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _unlinked(text: str) -> str:
    r"""Return text in which no bracket makes a link or a placeholder.

    >>> _unlinked("[x](1) {0}")
    '\\[x\\](1) {{0}}'
    """
    text = text.replace("[", "\\[").replace("]", "\\]")
    return text.replace("{", "{{").replace("}", "}}")
