"""Parquet to verdict, whole process, beside its floors and peers, in one run.

    python -m benchmarks.speed [--sizes 10k 1m] [--runs 3] [--peers PYTHON] [--json FILE]

Each command runs alone; the least wall time of its runs counts. `--peers` names a Python
that has alibi-detect (and whylogs): their rows are then measured too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.scenes import NOTHING, SPEED

SIZES = {"10k": (10_000, 20), "100k": (100_000, 50), "1m": (1_000_000, 50)}
LIMIT = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One command's cost: least wall seconds, its CPU seconds, its peak memory."""

    name: str
    wall: float
    cpu: float
    mib: float
    code: int


def timed(name: str, command: list[str], *, runs: int) -> Timing:
    """Run a command several times and keep its fastest run."""
    best: Timing | None = None
    for _ in range(runs):
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        run = Timing(
            name=name, wall=wall, cpu=cpu, mib=usage.ru_maxrss / 1024, code=child.returncode
        )
        best = run if best is None or run.wall < best.wall else best
    assert best is not None
    return best


def commands(folder: Path, peers: str | None) -> dict[str, list[str]]:
    """Return the commands that are compared on one pair of files."""
    python = sys.executable
    pair = [str(folder / "reference.parquet"), str(folder / "candidate.parquet")]
    saved = [str(folder / "reference.profile"), pair[1]]
    html = ["--html", str(folder / "report.html"), "--quiet"]
    gate = [python, "-m", "detector", "gate"]
    found = {
        "floor: sort": [python, "-m", "benchmarks.floors", "sort", *pair],
        "floor: scipy loop": [python, "-m", "benchmarks.floors", "scipy", *pair],
        "gate: marginals, HTML": [*gate, *pair, "--only", "marginals", *html],
        "gate: all checks, HTML": [*gate, *pair, *html],
        "profile the reference": [python, "-m", "detector", "profile", pair[0], "-o", saved[0]],
        "gate: all, saved profile": [*gate, *saved, *html],
    }
    if peers:
        for peer in ("alibi", "whylogs"):
            found[f"peer: {peer}"] = [peers, "-m", "benchmarks.peers", peer, *pair]
    return found


def main() -> None:
    """Measure every size and print one table for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["10k", "1m"], choices=SIZES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", help="a Python that has alibi-detect and whylogs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    record: dict[str, object] = {"machine": platform.machine(), "cores": os.cpu_count()}
    record |= {"python": platform.python_version()}
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            folder = Path(temporary) / size
            folder.mkdir()
            rows, columns = SIZES[size]
            for name, seed, scene in (("reference", 101, NOTHING), ("candidate", 202, SPEED)):
                # In a process of its own: a child's peak memory starts at its parent's.
                made = [str(folder / f"{name}.parquet"), str(rows), str(columns), str(seed)]
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.scenes", *made, scene.name], check=True
                )
            timings = []
            for name, command in commands(folder, options.peers).items():
                runs = 1 if name.startswith("peer") else options.runs
                timings.append(timed(name, command, runs=runs))
                print(f"  {timings[-1]}", file=sys.stderr, flush=True)
            record[size] = [asdict(timing) for timing in timings]
            show(size, timings)
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n")


def show(size: str, timings: list[Timing]) -> None:
    """Print one table with ratios to both floors."""
    by_name = {timing.name: timing for timing in timings}
    sort, loop = by_name["floor: sort"], by_name["floor: scipy loop"]
    print(f"\n## {size}\n\n| what | wall s | CPU s | MiB | x sort floor | x scipy loop | exit |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for t in timings:
        ratios = f"{t.wall / sort.wall:.2f} | {t.wall / loop.wall:.2f}"
        print(f"| {t.name} | {t.wall:.2f} | {t.cpu:.2f} | {t.mib:.0f} | {ratios} | {t.code} |")
    whole, saved = by_name["gate: all checks, HTML"], by_name["gate: all, saved profile"]
    print(f"\nsaved profile / raw reference: {saved.wall / whole.wall:.2f}")


if __name__ == "__main__":
    main()
