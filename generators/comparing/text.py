"""A comparison for the terminal: one table in three blocks, at most 80 columns wide."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from generators.comparing import words
from generators.comparing.contest import Part

if TYPE_CHECKING:
    from generators.comparing.contest import Contest

WIDTH = 80
LABEL = 21
"""Characters of a row's name."""

COST = (0, 1, 2, 3, 4, 6)
"""Cells of the cost that fit into 80 columns."""

STYLES = {Part.FLOOR: "dim", Part.BASELINE: "dim", Part.UNTRAINED: "dim", Part.ASKED: "bold"}


def render(contest: Contest, *, color: bool = False, unicode: bool = True) -> str:
    """Return the comparison as lines of text.

    Args:
        contest: The comparison.
        color: Whether to add the terminal's color codes.
        unicode: Whether the terminal shows more than ASCII.

    """
    file = io.StringIO()
    console = _console(file, color=color)
    console.print(words.short(words.summary(contest)))
    console.print()
    first = [words.fidelity(row.fidelity) for row in contest.rows]
    console.print(_block(contest, "how real", words.FIDELITY, first))
    console.print()
    kept = [words.kept(row.fidelity) for row in contest.rows]
    console.print(_block(contest, "what is kept", words.KEPT, kept))
    console.print()
    second = [[words.cost(row.cost)[place] for place in COST] for row in contest.rows]
    console.print(_block(contest, "what it costs", [words.COST[place] for place in COST], second))
    said = [f"{label}: {said}" for label, said in words.remarks(contest)]
    for part in (said, words.readings(contest)):
        if part:
            console.print()
        for line in part:
            console.print(line)
    console.print()
    console.print("AUC: 0.5 cannot be told from unseen real rows. Lower is better.", style="dim")
    lines = "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
    return lines if unicode else _ascii(lines)


def _block(contest: Contest, title: str, heads: Any, cells: list[list[str]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(Text(title), width=LABEL, no_wrap=True, overflow="ellipsis")
    for head in heads:
        table.add_column(Text(head), justify="right", no_wrap=True)
    for row, own in zip(contest.rows, cells, strict=True):
        label = Text(words.short(row.entry.label), style=STYLES[row.entry.part])
        table.add_row(label, *(Text(cell) for cell in own))
    return table


def _ascii(text: str) -> str:
    plain = text.replace("…", "~")
    return plain.encode("ascii", "backslashreplace").decode("ascii")


def _console(file: io.StringIO, *, color: bool) -> Any:
    """Return a console that writes to memory and guesses nothing from the environment."""
    from rich.console import Console

    return Console(
        file=file,
        width=WIDTH,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
