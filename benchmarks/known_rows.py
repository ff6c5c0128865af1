"""How many rows are known again after what happens to files: `python benchmarks/known_rows.py`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from detector.data.fingerprints import Fingerprint
from detector.data.opening import open_data
from detector.data.row_cells import row_hashes

RESULTS = Path(__file__).parent / "results" / "known_rows.json"
ROWS = 20_000


def table(rng, columns):
    """Return normal numbers, a category, a small count and a truth value."""
    numbers = {f"x{place}": rng.standard_normal(ROWS) for place in range(columns)}
    return pa.table(
        {
            **numbers,
            "level": rng.choice(["a", "b", "c"], ROWS),
            "count": rng.integers(0, 50, ROWS),
            "flag": rng.random(ROWS) < 0.3,
        }
    )


def changed(rows, change):
    numbers = [name for name in rows.column_names if name.startswith("x")]
    columns = {name: rows[name] for name in rows.column_names}
    return pa.table(columns | {name: change(rows[name]) for name in numbers})


def as_csv(rows):
    sink = io.BytesIO()
    csv.write_csv(rows, sink)
    return csv.read_csv(io.BytesIO(sink.getvalue()))


def rounded(places):
    return lambda column: pa.array(np.round(np.asarray(column), places))


CHANGES = {
    "CSV, columns in another order": lambda rows: as_csv(rows).select(rows.column_names[::-1]),
    "float32": lambda rows: changed(rows, lambda column: column.cast(pa.float32())),
    "4 decimals": lambda rows: changed(rows, rounded(4)),
    "3 decimals": lambda rows: changed(rows, rounded(3)),
    "2 decimals": lambda rows: changed(rows, rounded(2)),
}


def known(fingerprint, rows):
    """Return the share of rows on each lattice that are in its sketch."""
    opened = open_data(rows)
    batches = pa.Table.from_batches(list(opened.batches()))
    shares = []
    for lattice in fingerprint.lattices:
        hashes = row_hashes(batches, fingerprint.columns, bits=lattice.bits)
        asked = hashes[hashes <= np.uint64(lattice.threshold)]
        shares.append(round(float(np.isin(asked, lattice.hashes).mean()), 3))
    return shares


def main():
    rng = np.random.default_rng(0)
    found = {}
    for columns in (2, 5, 20, 50):
        rows, others = table(rng, columns), table(rng, columns)
        fingerprint = Fingerprint.of(open_data(rows))
        shares = {name: known(fingerprint, change(rows)) for name, change in CHANGES.items()}
        found[columns] = shares | {"other rows of the same law": known(fingerprint, others)}
        print(columns, found[columns])
    RESULTS.write_text(json.dumps({"rows": ROWS, "known": found}, indent=1) + "\n")
    names = list(found[2])
    print("| what happened |" + "".join(f" {columns} numbers |" for columns in found))
    print("| --- |" + " --- |" * len(found))
    for name in names:
        cells = "".join(
            f" {100 * s[name][0]:.1f}, {100 * s[name][1]:.1f} % |" for s in found.values()
        )
        print(f"| {name} |{cells}")


if __name__ == "__main__":
    main()
