"""A report for the terminal: one banner, the few findings that matter, what to do."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from detector.formats import _audit, _view, _words
from detector.formats._escape import PROSE, segments, visible
from detector.verdicts import Decision, Level

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from detector.report import Report

MOST_FINDINGS = 5
MOST_ACTIONS = 3

_COLORS = {
    Decision.ADMIT: "green",
    Decision.CAP: "yellow",
    Decision.QUARANTINE: "magenta",
    Decision.UNDECIDED: "blue",
    Decision.REJECT: "red",
    Level.PASS: "green",
    Level.WARN: "yellow",
    Level.UNKNOWN: "blue",
    Level.FAIL: "red",
}
_MARKS = {Level.PASS: "✔", Level.WARN: "!", Level.UNKNOWN: "?", Level.FAIL: "✖"}
_SIGNS = {
    Decision.ADMIT: "✔",
    Decision.CAP: "!",
    Decision.QUARANTINE: "!",
    Decision.UNDECIDED: "?",
    Decision.REJECT: "✖",
}
_ASCII = str.maketrans({"✔": "+", "✖": "x", "…": "...", "“": '"', "”": '"', "→": "->"})
_TALLY = {
    Level.FAIL: "failed",
    Level.UNKNOWN: "undecided",
    Level.WARN: "warned",
    Level.PASS: "passed",
}


def render(report: Report, *, width: int = 80, color: bool = False, unicode: bool = True) -> str:
    """Return the report as lines of text.

    Args:
        report: The finished report.
        width: The terminal's breadth in characters.
        color: Whether to add the terminal's color codes.
        unicode: Whether the terminal shows more than ASCII.

    """
    draw = _Pen(width=width, color=color, unicode=unicode)
    draw.banner(report)
    draw.generations(report)
    draw.findings(report)
    draw.actions(report)
    draw.close(report)
    return _without_commands(draw.text)


class _Pen:
    """Draws the parts of a report one below the other."""

    def __init__(self, *, width: int, color: bool, unicode: bool) -> None:
        self._unicode, self._color = unicode, color
        self._lines = io.StringIO()
        self._console = _console(self._lines, width=width, color=color)

    @property
    def text(self) -> str:
        """Return what was drawn, without spaces at the ends of lines."""
        lines = self._lines.getvalue().splitlines()
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def banner(self, report: Report) -> None:
        """Draw the decision, the headline and what was compared."""
        from rich import box
        from rich.panel import Panel
        from rich.text import Text

        color = _COLORS[report.decision]
        said = Text.assemble(
            (f"{self._plain(_SIGNS[report.decision])} ", f"bold {color}"),
            (report.decision.value.upper(), f"bold {color}"),
            ("  " + _view.meaning(report), "bold"),
            "\n",
            self._prose(_view.headline(report), limit=240),
        )
        if contest := _view.contest(report):
            said.append("\n" + self._plain(contest), "dim")
        shape = box.ROUNDED if self._unicode else box.ASCII
        self._console.print(Panel(said, box=shape, border_style=color, padding=(0, 1)))

    def generations(self, report: Report) -> None:
        """Draw what an audit found."""
        said = _audit.sentences(report)
        for sentence in said:
            self._paragraph("·" if self._unicode else "-", self._prose(sentence))
        if said:
            self._console.print()

    def findings(self, report: Report) -> None:
        """Draw the worst findings, one paragraph each."""
        topics = _view.topics(report, levels=(Level.FAIL, Level.UNKNOWN, Level.WARN))
        for topic in topics[:MOST_FINDINGS]:
            worst = topic.troubles[0]
            said = self._prose(worst.message)
            if more := len(topic.subjects) - 1:
                said.append(f" The same for {more:,} more.")
            self._paragraph(_MARKS[topic.level], said, style=_COLORS[topic.level])
        if (more := len(topics) - MOST_FINDINGS) > 0:
            self._paragraph("", self._prose(f"And {_words.count(more, 'more finding')}."))
        if topics:
            self._console.print()

    def actions(self, report: Report) -> None:
        """Draw what to do, and how sure all of this is."""
        actions = _view.actions(report)
        if actions:
            self._heading("What to do")
        for place, action in enumerate(actions[:MOST_ACTIONS], start=1):
            self._paragraph(f"{place}.", self._prose(action))
        self._heading("How sure")
        self._paragraph("", self._prose(_view.how_sure(report)))
        if report.decision is Decision.ADMIT and (unseen := _view.unseen(report)):
            self._paragraph("", self._prose(unseen))
        if spared := _view.budget(report):
            self._paragraph("", self._prose(spared, limit=2 * PROSE))

    def close(self, report: Report) -> None:
        """Draw the counts, and under which policy they came about."""
        counts = [f"{n:,} {_TALLY[level]}" for level, n in _view.tally(report).items() if n]
        if unmeasured := sum(len(gap.subjects) for gap in _view.gaps(report)):
            counts.append(f"{unmeasured:,} not measured")
        policy = visible(report.policy.get("name", "unnamed"))
        said = f"{', '.join(counts) or 'Nothing judged'}. Policy: {policy}. Seed: {report.seed}."
        self._console.print()
        self._console.print(self._prose(said), style="dim")

    def _heading(self, title: str) -> None:
        self._console.print(title, style="bold")

    def _paragraph(self, mark: str, said: Text, *, style: str = "none") -> None:
        """Draw text beside a mark, its further lines below the first."""
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=2, justify="right")
        grid.add_column()
        grid.add_row(Text(self._plain(mark), style=f"bold {style}"), said)
        self._console.print(grid)

    def _prose(self, sentence: str, *, limit: int = PROSE) -> Text:
        """Return a sentence with its names set off, by weight or by backticks."""
        from rich.text import Text

        said = Text()
        for code, piece in segments(sentence, limit=limit):
            quote = "`" if code and not self._color else ""
            said.append(f"{quote}{self._plain(piece)}{quote}", "bold" if code else "")
        return said

    def _plain(self, text: str) -> str:
        """Return text that the terminal can show."""
        if self._unicode:
            return text
        return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def _console(file: io.StringIO, *, width: int, color: bool) -> Console:
    """Return a console that writes to memory and guesses nothing from the environment."""
    from rich.console import Console

    return Console(
        file=file,
        width=width,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        _environ={},
    )


def _without_commands(text: str) -> str:
    r"""Return text in which no line is a command to the program that runs the job.

    GitHub's runner obeys lines that begin with `::` and any `##[`, wherever a name came from.

    >>> _without_commands("  ::error::gotcha, ##[debug]")
    '  :\\:error::gotcha, #\\#[debug]'
    """
    return re.sub(r"(?m)^(\s*):(?=:)", r"\1:\\", text).replace("##[", "#\\#[")
