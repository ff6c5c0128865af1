"""The `generators` command: which recipes this environment can run."""

from __future__ import annotations

from importlib.metadata import entry_points

import click

GROUP = "detector.recipes"


@click.group()
@click.version_option(package_name="collapse-detector", prog_name="generators")
def main() -> None:
    """Fit recipes to real rows and draw synthetic rows from them.

    This version brings no recipe of its own. Any installed package can add one
    through the entry-point group `detector.recipes`.
    """


@main.command("list")
def list_recipes() -> None:
    """Print the recipes found, one a line, with the package that brings each."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    if not found:
        click.echo(f"No recipes are installed: no package offers the entry point {GROUP}.")
    for entry in found:
        click.echo(f"{entry.name}\t{entry.dist.name if entry.dist else entry.value}")
