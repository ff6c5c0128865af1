"""A report as JUnit XML: one test case for each verdict, red exactly when the gate is.

| verdict | test case |
| --- | --- |
| PASS, WARN | passed; a warning's words are in `system-out` |
| FAIL | `failure` |
| UNKNOWN | `error` when the decision is UNDECIDED or REJECT, otherwise `skipped` |
| PASS or WARN on a gap | `skipped`, with the reason |

A refusal that no single verdict explains is a test case of its own, in error.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from detector.findings import Gap
from detector.formats import _view, _words
from detector.formats._escape import plain, visible
from detector.verdicts import Decision, Level

if TYPE_CHECKING:
    from detector.report import Report
    from detector.verdicts import Verdict


def render(report: Report) -> str:
    """Return the report as JUnit XML."""
    open_is_error = report.decision in {Decision.UNDECIDED, Decision.REJECT}
    suite = ET.Element("testsuite")
    _properties(suite, report)
    for verdict in report.verdicts:
        _case(suite, verdict, open_is_error=open_is_error)
    if report.decision is not Decision.ADMIT and not _is_red(suite):
        about = {"classname": "detector.gate", "name": "decision", "time": "0"}
        case = ET.SubElement(suite, "testcase", about)
        said = {"message": plain(report.headline), "type": report.decision.value}
        ET.SubElement(case, "error", said)
    suite.attrib |= {
        "name": "collapse-detector",
        "tests": str(len(suite.findall("testcase"))),
        **{f"{tag}s": str(len(suite.findall(f"testcase/{tag}"))) for tag in ("failure", "error")},
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "time": f"{sum(report.timings.values()):.3f}",
    }
    root = ET.Element("testsuites", {key: suite.attrib[key] for key in suite.attrib})
    root.append(suite)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _is_red(suite: ET.Element) -> bool:
    """Tell whether a test case failed or is in error."""
    return any(suite.find(f"testcase/{tag}") is not None for tag in ("failure", "error"))


def _properties(suite: ET.Element, report: Report) -> None:
    """Add what the whole report says."""
    values = {
        "decision": report.decision.value,
        "headline": plain(report.headline),
        "compared": _view.contest(report),
        "seed": str(report.seed),
        **{f"policy.{visible(key)}": visible(value) for key, value in report.policy.items()},
    }
    properties = ET.SubElement(suite, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", {"name": name, "value": value})


def _case(suite: ET.Element, verdict: Verdict, *, open_is_error: bool) -> None:
    """Add one verdict."""
    finding = verdict.finding
    measured = _words.measurement(finding.outcome.name)
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"detector.{visible(finding.check)}",
            "name": f"{_view.name(finding.subject)}: {measured} ({visible(verdict.rule)})",
            "time": "0",
        },
    )
    said = plain(verdict.message)
    if verdict.level is Level.FAIL:
        tag = "failure"
    elif verdict.level is Level.UNKNOWN:
        tag = "error" if open_is_error else "skipped"
    elif isinstance(finding.outcome, Gap):
        tag = "skipped"
    elif verdict.level is Level.WARN:
        ET.SubElement(case, "system-out").text = _details(verdict)
        return
    else:
        return
    about = {"message": said} if tag == "skipped" else {"message": said, "type": verdict.action}
    ET.SubElement(case, tag, about).text = _details(verdict)


def _details(verdict: Verdict) -> str:
    """Return what was seen, what excused it and what to do."""
    return "\n".join(filter(None, (plain(verdict.message), plain(verdict.advice))))
