"""A finished self-test for the terminal and as Markdown. Nothing is computed here."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from detector.formats._escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from detector.trials.outcome import Planted, Rate, SelfTest, Tally

WIDTH = 80
LABEL = 21
"""Characters of a check's name."""

CELL = 7
"""Characters of one column of the table of checks."""

HEADS = {
    "synthetic": "synth.",
    "correlation": "corr.",
    "good batches": "good",
    "with margins": "with",
}
"""Names of cases that are too long for a column."""

SECOND = {"good batches": "batch", "with margins": "margin"}
"""The second line of a column's head, where it is no size."""


def text(found: SelfTest, *, margins: bool) -> str:
    """Return the self-test as lines of at most 80 characters.

    Args:
        found: What came out.
        margins: Whether to tell the margins, and what they cost.

    """
    lines: list[str] = [*_wrapped(_title(found)), ""]
    lines += _refusals(found)
    for block in _blocks(found):
        lines += ["", *block]
    if margins:
        lines += ["", *_margins(found)]
    for paragraph in _readings(found):
        lines += ["", *_wrapped(paragraph)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def markdown(found: SelfTest, *, margins: bool) -> str:
    """Return the self-test as Markdown; arguments as in `text`."""
    cases = _cases(found)
    lines = [f"# {_title(found)}", ""]
    lines += ["| planted | refused | 95 % interval | undecided | what was done |"]
    lines += ["| --- | ---: | --- | ---: | --- |"]
    for label, about, tally in cases:
        cells = [label, *_rates(tally), about] if tally else [label, "", "", "", about]
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    measured = [(label, tally) for label, _, tally in cases if tally is not None]
    lines += ["", "How often a rule of each check failed or warned:", ""]
    lines += [f"| check | {' | '.join(_cell(label) for label, _ in measured)} |"]
    lines += [f"| --- |{' ---: |' * len(measured)}"]
    for check in found.checks:
        spoke = [_share(tally, check) for _, tally in measured]
        lines.append(f"| {_cell(check)} | {' | '.join(spoke)} |")
    if margins:
        lines += ["", "```text", *_margins(found), "```"]
    for paragraph in _readings(found):
        lines += ["", paragraph]
    return "\n".join(lines) + "\n"


def _title(found: SelfTest) -> str:
    return (
        f"Self-test of {visible(found.data)}: {found.runs} runs of each fault, "
        f"{found.rows:,} rows on each side, policy {visible(found.policy['name'])}, "
        f"seed {found.seed}"
    )


def _cases(found: SelfTest) -> list[tuple[str, str, Tally | None]]:
    """Return every case with its name, what it is and what the gate said."""
    cases = [(case.fault, case.reason or case.about, case.tally) for case in found.planted]
    if found.batches is not None:
        about = f"each good batch by {visible(found.by)} against the rest"
        cases.insert(1, ("good batches", about, found.batches))
    if found.widened is not None:
        about = "the same, with margins made of the other batches"
        cases.insert(2, ("with margins", about, found.widened))
    return cases


def _refusals(found: SelfTest) -> Iterator[str]:
    """Yield the table of decisions."""
    yield f"{'planted':<16}{'refused':>8}  {'95 % interval':<14}{'undecided':>9}"
    for label, about, tally in _cases(found):
        if tally is None:
            yield f"{label:<16}{'-':>8}  could not be planted"
        else:
            refused, interval, undecided = _rates(tally)
            yield f"{label:<16}{refused:>8}  {interval:<14}{undecided:>9}"
        yield from (f"    {line}" for line in textwrap.wrap(about, WIDTH - 4))


def _blocks(found: SelfTest) -> Iterator[list[str]]:
    """Yield the table of checks, as many faults beside each other as fit."""
    cases = [(label, tally) for label, _, tally in _cases(found) if tally is not None]
    held = (WIDTH - LABEL) // CELL
    first, rest = cases[0], cases[1:]
    for start in range(0, max(len(rest), 1), held - 1):
        shown = [first, *rest[start : start + held - 1]]
        yield [
            "How often in % a rule of each check failed or warned",
            _line("", [HEADS.get(name := label.split("=")[0], name) for label, _ in shown]),
            _line("", [SECOND.get(label, label.partition("=")[2]) for label, _ in shown]),
            *(
                _line(check, [_percent(tally, check) for _, tally in shown])
                for check in found.checks
            ),
        ]


def _line(head: str, cells: Sequence[str]) -> str:
    return f"{visible(head, limit=LABEL - 1):<{LABEL}}" + "".join(f"{c:>{CELL}}" for c in cells)


def _rates(tally: Tally) -> tuple[str, str, str]:
    """Return how often rows were refused, with the interval, and how often nothing was decided."""
    low, high = tally.refused.interval
    interval = f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{100 * tally.refused.value:.0f} %", interval, f"{100 * tally.undecided.value:.0f} %"


def _percent(tally: Tally, check: str) -> str:
    """Return a rate in percent; a dot for never, a dash where nothing could be measured."""
    if check in tally.silent or check not in tally.spoke:
        return "-"
    count = tally.spoke[check]
    return f"{100 * count / tally.runs:.0f}" if count else "."


def _share(tally: Tally, check: str) -> str:
    """Return the same for a table that can be read on its own."""
    return {"-": "-", ".": "0 %"}.get(said := _percent(tally, check), f"{said} %")


def _readings(found: SelfTest) -> Iterator[str]:
    """Yield what the figures mean, in sentences."""
    nothing = found.planted[0].tally
    if nothing is not None:
        yield _bound("With nothing planted the gate refused", nothing.refused)
    seen: list[tuple[str, Callable[[Planted], bool]]] = [
        ("Refused in most runs", lambda case: bool(case.tally and case.tally.refused.value > 0.5)),
        ("Refused in half of the runs or fewer", lambda case: _seldom(case, least=1)),
        ("Never refused", lambda case: _seldom(case, least=0)),
    ]
    for words, holds in seen:
        if named := [case.fault for case in found.planted[1:] if holds(case)]:
            yield f"{words}: {', '.join(named)}."
    silent = {check for case in found.planted if case.tally for check in case.tally.silent}
    if silent:
        dashes = ", ".join(check for check in found.checks if check in silent)
        yield f"A dash: nothing to measure, for want of a holdout or a manifest, say: {dashes}."
    if found.batches is not None:
        small = f" {found.left_out} smaller ones are left out." if found.left_out else ""
        yield _bound("Of the good batches the gate refused", found.batches.refused) + small
    if found.widened is not None:
        yield _bound("With margins made of the other batches, it refused", found.widened.refused)
    yield (
        "The runs draw on the same rows, so the figures speak of this table, at this number of "
        "rows, and of faults like these; larger batches show smaller faults."
    )


def _margins(found: SelfTest) -> Iterator[str]:
    """Yield the sizes that were widened, and what they cost in refusals."""
    if not found.margins:
        yield "Margins: every size in the policy is wide enough for these good rows."
        return
    yield f"{'margin that has to grow':<46}{'was':>8}{'seen':>9}{'now':>9}"
    for margin in found.margins:
        was = "none" if margin.was is None else f"{margin.was:g}"
        name = visible(margin.rule, limit=44)
        yield f"  {name:<44}{was:>8}{margin.seen:>9.2g}{margin.now:>9g}"
    yield f"{'what they cost, in refusals':<46}{'policy':>8}{'':>9}{'margins':>9}"
    for case in found.planted:
        if case.tally is not None and case.widened is not None:
            own, wide = (100 * tally.refused.value for tally in (case.tally, case.widened))
            yield f"  {case.fault:<44}{f'{own:.0f} %':>8}{'':>9}{f'{wide:.0f} %':>9}"


def _seldom(case: Planted, *, least: int) -> bool:
    """Tell whether a fault was refused in at most half of the runs, `least` times or not at all."""
    if case.tally is None or case.tally.refused.value > 0.5:
        return False
    return case.tally.refused.count >= 1 if least else case.tally.refused.count == 0


def _bound(words: str, rate: Rate) -> str:
    """Return a count with the largest rate that it does not exclude."""
    return (
        f"{words} {rate.count} of {rate.total}: "
        f"the true rate is at most {100 * rate.most:.0f} %, sure at 95 %."
    )


def _wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _cell(words: str) -> str:
    return visible(words, limit=120).replace("|", "\\|")
