"""Reading saved reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from detector.errors import ReportError

if TYPE_CHECKING:
    from detector.report import Report


def read_report(path: str) -> Report:
    """Return the report in a JSON file; `-` is stdin.

    Raises:
        ReportError: It cannot be read, or it is no report.

    """
    from detector.report import Report

    hint = "Give the file that `detector gate --json` wrote."
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise ReportError(f"Cannot read `{path}`: {error.strerror or error}.", hint=hint) from error
    except UnicodeDecodeError as error:
        raise ReportError(f"`{path}` is not UTF-8 text.", hint=hint) from error
    return Report.from_json(text)
