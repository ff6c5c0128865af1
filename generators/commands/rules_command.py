"""`generators rules`: a first set of rules from data."""

from __future__ import annotations

import click

from generators.cli import EXIT_CODES, one_line


@click.group("rules", epilog=EXIT_CODES)
def command() -> None:
    """Work with rules: distributions, dependencies and constraints in TOML."""


@command.command("infer", epilog=EXIT_CODES)
@click.argument("data")
@click.option("--output", "-o", required=True, metavar="FILE", help="Where the rules go.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def infer(data: str, *, output: str, quiet: bool) -> None:
    """Write rules that describe DATA, to be read and edited.

    \b
    Example:
      generators rules infer real.parquet -o rules.toml
      generators fit real.parquet --recipe rules --option file=rules.toml -o model
    """  # noqa: D301 - \\b keeps click from joining the lines
    from detector.data.export import canonical_table
    from detector.data.opening import open_data
    from detector.errors import DetectorError
    from detector.files import write_atomically
    from generators.rules.infer import infer_rules
    from generators.rules.text import write_rules

    dataset = open_data(data)
    table = canonical_table(dataset)
    if not table.num_rows:
        raise DetectorError(f"`{dataset.name}` has no rows to infer rules from.")
    rules = infer_rules(table, dataset.schema)
    write_atomically(output, write_rules(rules))
    if not quiet:
        click.echo(
            f"{len(rules.columns):,} columns, {len(rules.dependences):,} dependences, "
            f"{len(rules.constraints):,} constraints: {one_line(output)}"
        )
