"""`rules`: distributions, dependencies and constraints that a person can read and edit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from detector.errors import DetectorError
from detector.recipes import Stop, TrainingLog
from generators.fitting import FittedRecipe, Lesson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from generators.model import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(FittedRecipe):
    """Draws rows by rules in TOML: distributions, correlations, conditions, constraints.

    Without a file the rules are inferred from the data; `generators rules infer` writes them
    down to be edited. With one, the data only have to have the columns that the rules name.

    Attributes:
        file: A TOML file of rules.

    Cost: O(n d^2) time to infer; drawing is O(d^2) a row, and more where constraints are tight.
    """

    name: ClassVar[str] = "rules"

    file: str = ""

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Read the rules, or infer them."""
        from generators.rules.draw import RuleRows
        from generators.rules.infer import infer_rules
        from generators.rules.text import read_rules, write_rules

        began = time.perf_counter(), time.process_time()
        schema = lesson.dataset.schema
        if self.file:
            text = _text(self.file)
            rules = read_rules(text, name=Path(self.file).name)
            _check_columns(rules.schema, schema)
        else:
            rules = infer_rules(lesson.table, schema)
            text = write_rules(rules)
        facts: dict[str, float | int | str] = {
            "dependences": len(rules.dependences),
            "conditions": len(rules.conditions),
            "constraints": len(rules.constraints),
        }
        log = TrainingLog(
            stop=Stop.CLOSED_FORM,
            seconds=round(time.perf_counter() - began[0], 3),
            cpu_seconds=round(time.process_time() - began[1], 3),
            facts=facts,
        )
        return RuleRows.by(read_rules(text, name="rules"), text), log

    def source_of(self, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Source:
        """Return the rules that were saved."""
        from generators.rules.draw import RuleRows
        from generators.rules.text import read_rules

        text = facts["rules"]
        return RuleRows.by(read_rules(text, name="the model's rules"), text)


def _text(path: str) -> str:
    """Return the content of a file of rules."""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise DetectorError(f"`{path}` cannot be read: {reason}.") from error


def _check_columns(ours: Schema, theirs: Schema) -> None:
    """Refuse rules for other columns than the data have."""
    for spec in theirs.columns:
        if spec.name not in ours:
            raise DetectorError(
                f"The rules have no column `{spec.name}`, and the data have.",
                hint="Add a [[column]], or leave it out of the data.",
            )
        if ours[spec.name].kind is not spec.kind:
            raise DetectorError(
                f"The rules have `{spec.name}` as {ours[spec.name].kind}, the data as {spec.kind}.",
                hint="Change the rule, or say `--kind` for the data.",
            )
    if ours.names != theirs.names:
        raise DetectorError(
            "The rules have other columns than the data, or in another order.",
            hint=f"The data have {', '.join(theirs.names[:8])}.",
        )
