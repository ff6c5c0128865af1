"""`detector policy`: write, check or show a policy."""

from __future__ import annotations

from pathlib import Path

import click

from detector.cli.main import OTHER_CODES
from detector.cli.terminal import emit
from detector.errors import DetectorError


@click.group("policy", epilog=OTHER_CODES)
def command() -> None:
    """Write, check or show a policy.

    \b
    Example:
      detector policy init detector.toml
    """  # noqa: D301


@command.command("init", epilog=OTHER_CODES)
@click.argument("file", default="detector.toml")
@click.option("--force", is_flag=True, help="Replace FILE when it exists.")
def init(file: str, *, force: bool) -> None:
    """Write the built-in policy, with comments, to FILE, to make it your own.

    FILE is detector.toml unless given, where `detector gate` finds it; - is stdout.

    \b
    Example:
      detector policy init
    """  # noqa: D301
    from detector.files import write_atomically
    from detector.policy.load import built_in_text

    if file == "-":
        emit(built_in_text().encode())
        return
    if Path(file).exists() and not force:
        raise DetectorError(f"`{file}` exists.", hint="Name another file, or add --force.")
    write_atomically(file, built_in_text())
    emit(f"Policy: {file}\n")


@command.command("check", epilog=OTHER_CODES)
@click.argument("file", required=False)
def check(file: str | None) -> None:
    """Name every fault of the policy in FILE, with its line; exit 2 if there is one.

    Without FILE it checks the policy that `detector gate` would use here.

    \b
    Example:
      detector policy check detector.toml
    """  # noqa: D301
    from detector.formats._words import count
    from detector.policy.load import load_policy

    policy = load_policy(file)
    emit(f"{policy.source}: {count(len(policy.rules), 'rule')}, no fault.\n")


@command.command("show", epilog=OTHER_CODES)
@click.argument("file", required=False)
def show(file: str | None) -> None:
    """Show the rules in FILE, else of the policy that `detector gate` would use here.

    \b
    Example:
      detector policy show
    """  # noqa: D301
    from detector.formats._escape import visible
    from detector.policy.load import load_policy

    policy = load_policy(file)
    lines = [f"{policy.name} ({policy.source}), alpha {policy.alpha:g}, {policy.correction}"]
    for rule in policy.rules:
        options = ", ".join(f"{key} {value}" for key, value in rule.options.items())
        about = f"{rule.check} {rule.measurement}: {rule.kind}"
        lines.append(f"  {rule.name}")
        lines.append(f"      {about}{f' ({options})' if options else ''}, else {rule.action}")
    emit("".join(f"{visible(line, limit=400)}\n" for line in lines))
