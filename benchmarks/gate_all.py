"""Every check at once: time, memory and what each costs, beside what is asked and the model.

    python -m benchmarks.gate_all [--rows 100000] [--columns 50] [--budget SECONDS] [--json FILE]

Asked: every check that needs no extra, at 100,000 rows of 50 columns on 2 cores, in 60 s and 2 GB.
The gate runs as a command of its own, from Parquet to HTML; seconds by check are the report's own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.scenes import NOTHING
from benchmarks.speed import timed
from detector import budget, catalogue

ASKED = {"wall": 60.0, "mib": 2_000.0}


def main() -> None:
    """Run the gate once, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--budget", type=float)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = measured(Path(temporary), options.rows, options.columns, options.budget)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def measured(folder: Path, rows: int, columns: int, seconds: float | None) -> dict[str, object]:
    """Return the cost of one gate with every check, and of each check in it."""
    roles = ("reference", "candidate", "holdout", "synthetic")
    for seed, role in enumerate(roles, start=101):
        made = [str(folder / f"{role}.parquet"), str(rows), str(columns), str(seed)]
        command = [sys.executable, "-m", "benchmarks.scenes", *made, NOTHING.name]
        subprocess.run(command, check=True)
    report = folder / "report.json"
    command = [sys.executable, "-m", "detector", "gate"]
    command += [str(folder / f"{role}.parquet") for role in roles[:2]]
    command += [f"--{role}={folder / role}.parquet" for role in roles[2:]]
    command += ["--json", str(report), "--html", str(folder / "report.html"), "--quiet"]
    command += ["--policy", str(policy(folder))]
    command += [] if seconds is None else ["--budget", str(seconds)]
    run = timed("gate", command, runs=1)
    plain = json.loads(report.read_text("utf-8"))
    sampled = max(source["sampled_rows"] for source in plain["inputs"][:2])
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": rows,
        "columns": columns,
        "budget": seconds,
        "asked": ASKED,
        "reached": {"wall": run.wall, "cpu": run.cpu, "mib": run.mib, "code": run.code},
        "seconds": plain["timings"],
        "model": {
            name: budget.seconds_of(plugin(name), rows=sampled, columns=columns)
            for name in names()
            if seconds is None
        },
    }


def names() -> list[str]:
    """Return the checks that need no extra."""
    known = catalogue.names("detector.checks")
    loaded = {name: catalogue.load("detector.checks", name) for name in known}
    return [name for name, check in loaded.items() if not hasattr(check, "extra")]


def plugin(name: str) -> object:
    """Return a check with the options it has by itself."""
    return catalogue.load("detector.checks", name)()


def policy(folder: Path) -> Path:
    """Write a policy that asks every check: a rule of the mildest kind for each."""
    rules = [
        f'[[rule]]\nname = "{name}"\ncheck = "{name}"\nkind = "significant"\n'
        'action = "warn"\non_gap = "pass"\n'
        for name in names()
    ]
    file = folder / "policy.toml"
    file.write_text("\n".join(rules), encoding="utf-8")
    return file


def show(found: dict[str, object]) -> None:
    """Print what was reached beside what is asked, and each check beside the model."""
    reached, model = found["reached"], found["model"]
    assert isinstance(reached, dict)
    assert isinstance(model, dict)
    print(f"{found['rows']:,} rows, {found['columns']} columns, budget {found['budget']}")
    print("\n| what | reached | asked |\n| --- | ---: | ---: |")
    for name, asked in ASKED.items():
        print(f"| {name} | {reached[name]:.1f} | {asked:.0f} |")
    print(f"| cpu | {reached['cpu']:.1f} | |")
    print("\n| stage | seconds | model |\n| --- | ---: | ---: |")
    seconds = found["seconds"]
    assert isinstance(seconds, dict)
    for name, value in sorted(seconds.items(), key=lambda item: -item[1]):
        own = f"{model[name]:.1f}" if name in model else ""
        print(f"| {name} | {value:.2f} | {own} |")


if __name__ == "__main__":
    main()
