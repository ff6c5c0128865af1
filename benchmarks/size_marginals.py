"""How often the marginals check calls two samples of one law different: 1 in 20, it promises.

    python benchmarks/size_marginals.py [--runs 1000] [--json FILE]

Prints one row for each law and pair of sizes: rejections per 1000 at 0.05 and 0.01 beside
those of the usual choice (the Kolmogorov law; the chi-squared law; a chi-squared test that
takes the reference's frequencies for the truth), and the seconds per column.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy import stats

from detector.profiles.binning import Binner, choose_edges
from detector.stats.categorical import equal_shares
from detector.stats.ks import ks_test
from detector.stats.proportions import fisher_mid_p

SIZES = ((200, 200), (1000, 1000), (100, 1000), (1000, 100), (10_000, 3000))
NUMBERS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "normal, 1 decimal": lambda rng, n: rng.standard_normal(n).round(1),
    "Poisson(2)": lambda rng, n: rng.poisson(2, n).astype(float),
    "100 integers": lambda rng, n: rng.integers(0, 100, n).astype(float),
    "70 % zeros": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, rng.exponential(size=n)),
    "97 % zeros": lambda rng, n: np.where(rng.random(n) < 0.97, 0.0, rng.exponential(size=n)),
    "two values": lambda rng, n: (rng.random(n) < 0.3).astype(float),
}
LEVELS = (2, 4, 20, 100, 1000)
SHAPES = {"even": 0.0, "Zipf": 1.3}
COLUMNS = ("law", "n", "m", "ours_05", "ours_01", "usual_05", "frozen_05", "milliseconds")


def numbers(rng, name, n, m, runs):
    ours, usual, spent = [], [], 0.0
    for _ in range(runs):
        x, y = NUMBERS[name](rng, n), NUMBERS[name](rng, m)
        count = Binner.over(choose_edges(x)).counts
        before, after = count(x), count(y)
        start = time.perf_counter()
        statistic, p_value = ks_test(before, after)
        spent += time.perf_counter() - start
        ours.append(p_value)
        usual.append(stats.kstwobign.sf(statistic * np.sqrt(n * m / (n + m))))
    return row(name, n, m, ours, usual, [], spent)


def levels(rng, count, shape, n, m, runs):
    law = np.arange(1, count + 1.0) ** -SHAPES[shape]
    law /= law.sum()
    ours, usual, frozen, spent = [], [], [], 0.0
    for before, after in zip(
        rng.multinomial(n, law, runs), rng.multinomial(m, law, runs), strict=True
    ):
        start = time.perf_counter()
        ours.append(equal_shares(before, after))
        spent += time.perf_counter() - start
        held = before + after > 0
        table = np.array([before, after])[:, held]
        usual.append(stats.chi2_contingency(table, correction=False)[1])
        known = before > 0
        expected = before[known] / n * m
        statistic = ((after[known] - expected) ** 2 / expected).sum()
        new = after[~known].sum() > 0
        frozen.append(0.0 if new else stats.chi2.sf(statistic, known.sum() - 1))
    return row(f"{count} levels, {shape}", n, m, ours, usual, frozen, spent)


def missing(rng, share, n, m, runs):
    start = time.perf_counter()
    counts = zip(rng.binomial(n, share, runs), rng.binomial(m, share, runs), strict=True)
    ours = [fisher_mid_p(int(a), n, int(b), m) for a, b in counts]
    return row(f"{share:.0%} missing", n, m, ours, [], [], time.perf_counter() - start)


def row(law, n, m, ours, usual, frozen, spent):
    def per_thousand(p_values, level):
        return round(1000 * float(np.mean(np.array(p_values) <= level))) if p_values else None

    values = (
        law,
        n,
        m,
        per_thousand(ours, 0.05),
        per_thousand(ours, 0.01),
        per_thousand(usual, 0.05),
        per_thousand(frozen, 0.05),
        round(1000 * spent / len(ours), 3),
    )
    print(
        "".join(
            f"{'' if value is None else value!s:>{w}}"
            for value, w in zip(values, WIDTHS, strict=True)
        ),
        flush=True,
    )
    return dict(zip(COLUMNS, values, strict=True))


WIDTHS = (20, 8, 8, 9, 9, 10, 11, 14)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("".join(f"{name:>{width}}" for name, width in zip(COLUMNS, WIDTHS, strict=True)))
    rows = [numbers(rng, name, n, m, options.runs) for name in NUMBERS for n, m in SIZES]
    rows += [
        levels(rng, count, shape, n, m, options.runs)
        for count in LEVELS
        for shape in SHAPES
        for n, m in SIZES
    ]
    rows += [missing(rng, share, n, m, options.runs) for share in (0.02, 0.3) for n, m in SIZES]
    low, high = (round(1000 * bound) for bound in band(options.runs))
    outside = [r for r in rows if not low <= r["ours_05"] <= high]
    print(f"{len(outside)} of {len(rows)} rows outside {low} to {high} per 1000 (99.9 % band)")
    if options.json:
        options.json.write_text(json.dumps({"runs": options.runs, "rows": rows}, indent=1))


def band(runs):
    law = stats.binom(runs, 0.05)
    return law.ppf(0.0005) / runs, law.ppf(0.9995) / runs


if __name__ == "__main__":
    main()
