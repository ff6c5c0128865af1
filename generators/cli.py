"""The `generators` command: one lazy group. Its help imports no command and nothing heavy."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from detector.errors import DetectorError

COMMANDS = {
    "list": "Show the recipes, and what they need.",
    "fit": "Train a recipe on real rows.",
    "sample": "Draw rows from a trained model.",
    "show": "Show what a trained model is and how it was trained.",
    "compare": "Hold recipes side by side on one data set.",
    "rules": "Write a first set of rules from data.",
}
"""Each command is the module `generators.commands.<name>_command`, loaded when it is asked for."""

EXIT_CODES = """\b
Exit codes:
  0   done
  2   a bad call or file; one line says what to do
  70  (our bug) an unexpected error
"""

DONE, USAGE, INTERNAL, INTERRUPTED = 0, 2, 70, 130


class LazyGroup(click.Group):
    """Knows its commands by name, and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; suggest a near one when there is none of this name."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"There is no command `{cmd_name}`.{hint}")
        module = importlib.import_module(f"generators.commands.{cmd_name}_command")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line for each command, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "GENERATORS",
        "max_content_width": 80,
    },
)
@click.version_option(package_name="collapse-detector", prog_name="generators")
def cli() -> None:
    """Fit recipes to real rows and draw synthetic rows from them.

    \b
    Example:
      generators fit real.parquet --recipe gaussian_copula -o model
      generators sample model -n 10000 -o synthetic.parquet
    """  # noqa: D301 - \\b keeps click from joining the lines


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line on stderr."""
    try:
        cli.main(arguments, prog_name="generators", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        complain("stopped.")
        return INTERRUPTED
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except DetectorError as error:
        complain(str(error))
        return USAGE
    except Exception as error:
        if os.environ.get("GENERATORS_DEBUG"):
            raise
        complain(f"an unexpected error ({type(error).__name__}: {error}).")
        complain("This is our bug. Please report it with what GENERATORS_DEBUG=1 prints.")
        return INTERNAL
    return DONE


def complain(message: str) -> None:
    """Write one line to stderr."""
    click.echo(f"generators: {one_line(message)}", err=True)


def one_line(text: Any, *, limit: int = 1_000) -> str:
    """Return text with nothing in it that would move the cursor."""
    plain = "".join(mark if mark.isprintable() else " " for mark in str(text)[: limit + 1])
    return " ".join(plain.split()) if len(plain) <= limit else f"{plain[:limit]}…"
