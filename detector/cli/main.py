"""The command line: one lazy group. Its help imports no command and nothing heavy."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from detector.cli.terminal import complain
from detector.errors import DetectorError
from detector.verdicts import ExitCode

COMMANDS = {
    "gate": "Ask whether a batch may enter training.",
    "audit": "Ask whether a recipe collapses when it learns from itself.",
    "lineage": "Ask whether data sets drift away, generation by generation.",
    "profile": "Summarize a data set in one mergeable file.",
    "judge": "Judge a saved report again under another policy.",
    "render": "Draw a saved report in other formats.",
    "selftest": "Show what the gate can and cannot see in your rows.",
    "policy": "Write, check or show a policy.",
    "registry": "Collect fingerprints of known synthetic rows.",
    "doctor": "Show versions, extras and licenses.",
}
"""Each command is the module `detector.cli.<name>_command`, loaded when it is asked for."""

VERDICT_CODES = """\b
Exit codes:
  0   ADMIT       the batch may enter
  1   REJECT      it may not
  2   (usage)     a bad call, policy or file; one line says what to do
  3   UNDECIDED   too few rows, or something needed could not be measured
  4   QUARANTINE  the listed rows may not enter, the rest may
  5   CAP         it may enter up to the stated share
  70  (our bug)   an unexpected error; never a verdict
"""

AUDIT_CODES = """\b
Exit codes:
  0   ADMIT       no more than healthy loops lose
  1   REJECT      it collapses, or spreads out
  2   (usage)     a bad call, policy or file; one line says what to do
  3   UNDECIDED   too few rows or rounds to tell, or the recipe failed
  70  (our bug)   an unexpected error; never a verdict
"""

OTHER_CODES = """\b
Exit codes:
  0   done
  2   a bad call or file; one line says what to do
  70  (our bug) an unexpected error
"""

INTERRUPTED = 130


class LazyGroup(click.Group):
    """Lists commands by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"detector.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' one-line helps without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest a near one when the name is wrong."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"There is no command `{args[0]}`.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    epilog=VERDICT_CODES,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "DETECTOR",
        "max_content_width": 80,
    },
)
@click.version_option(package_name="collapse-detector", prog_name="detector")
def cli() -> None:
    """The gate that stands before training: may this batch enter?

    Any option can also be set by an environment variable: DETECTOR_GATE_SEED
    stands for `detector gate --seed`, and the option goes before it.

    \b
    Example:
      detector gate real.parquet batch.parquet --html report.html
    """  # noqa: D301 - \\b keeps click from joining the lines


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every way out is an exit code with one meaning."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; errors become one line on stderr."""
    settings = {"debug": bool(os.environ.get("DETECTOR_DEBUG"))}
    try:
        code: Any = cli.main(arguments, prog_name="detector", standalone_mode=False, obj=settings)
    except (click.exceptions.Abort, KeyboardInterrupt):
        complain("stopped.")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except DetectorError as error:
        for line in str(error).splitlines():
            complain(line)
        return int(ExitCode.USAGE)
    except Exception as error:  # noqa: BLE001 - a crash must never read as a verdict
        return _crashed(error, debug=settings["debug"])
    return int(code or 0)


def _crashed(error: Exception, *, debug: bool) -> int:
    """Say that this is our fault, and how to tell us."""
    if debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    said = f"{type(error).__name__}: {error}"
    complain(f"an unexpected error, which is no verdict: {said[:300]}")
    if not debug:
        complain("This is our bug. Please report it with what --verbose prints.")
    return int(ExitCode.INTERNAL)
