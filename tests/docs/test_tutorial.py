"""The tutorial shows what its commands print, to the letter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from examples.tutorial_data import write_all
from tests.docs.console import run, steps

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    write_all(tmp_path)
    outputs = [(step, run(step.command, tmp_path)) for step in steps(PAGE)]
    assert len(outputs) >= 8
    if os.environ.get("REWRITE_TUTORIAL"):
        text = PAGE.read_text("utf-8")
        for step, output in outputs:
            old = f"$ {step.command}\n{step.shown}\n" if step.shown else f"$ {step.command}\n"
            new = f"$ {step.command}\n{output}\n" if output else f"$ {step.command}\n"
            text = text.replace(old, new, 1)
        PAGE.write_text(text, "utf-8")
        return
    for step, output in outputs:
        assert output == step.shown, f"`{step.command}` prints something else now"
