"""Floors: the least work that answers a part of the question, as whole processes.

python -m benchmarks.floors sort REF CAND     exact KS by one sort a column, level counts
python -m benchmarks.floors scipy REF CAND    a bare scipy loop over the columns
python -m benchmarks.floors start             `python -c pass`
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def tagged(values: np.ndarray, label: int) -> np.ndarray:
    """Return order-preserving integers whose lowest bit is the sample's label."""
    bits = np.ascontiguousarray(values, np.float64).view(np.int64).copy()
    bits ^= (bits >> 63) & np.int64(2**63 - 1)
    return (bits & np.int64(-2)) | np.int64(label)


def ks(x: np.ndarray, y: np.ndarray) -> float:
    """Return the exact KS statistic from one sort of both samples."""
    ordered = np.concatenate([tagged(x, 0), tagged(y, 1)])
    ordered.sort()
    from_y = np.cumsum(ordered & 1, dtype=np.int32)
    last = np.flatnonzero(np.append(ordered[1:] >> 1 != ordered[:-1] >> 1, True))
    from_y = from_y[last]
    return float(np.abs((last + 1 - from_y) / len(x) - from_y / len(y)).max())


def level_counts(column: object) -> dict[str, int]:
    """Return the count of each level from dictionary codes."""
    total: dict[str, int] = {}
    for chunk in column.chunks:  # type: ignore[attr-defined]
        counts = np.bincount(chunk.indices.to_numpy(), minlength=len(chunk.dictionary))
        for level, count in zip(chunk.dictionary.to_pylist(), counts.tolist(), strict=True):
            total[level] = total.get(level, 0) + count
    return total


def sort_floor(reference: str, candidate: str) -> None:
    """Answer KS and total variation for every column with two threads."""
    import pyarrow.parquet as pq

    names = pq.read_schema(reference).names
    levels = [name for name in names if name.startswith("cat_")]
    known = [pq.read_metadata(path) for path in (reference, candidate)]

    def one(name: str) -> float:
        x, y = (
            pq.ParquetFile(path, metadata=metadata, read_dictionary=levels)
            .read([name], use_threads=False)
            .column(0)
            for path, metadata in zip((reference, candidate), known, strict=True)
        )
        if name not in levels:
            return ks(x.to_numpy(), y.to_numpy())
        a, b = level_counts(x), level_counts(y)
        return sum(abs(a.get(k, 0) / len(x) - b.get(k, 0) / len(y)) for k in {*a, *b}) / 2

    with ThreadPoolExecutor(2) as pool:
        print(max(pool.map(one, names)))


def scipy_loop(reference: str, candidate: str) -> None:
    """Loop over the columns with scipy's two-sample KS and chi-squared tests."""
    import pandas as pd
    from scipy import stats

    x, y = pd.read_parquet(reference), pd.read_parquet(candidate)
    smallest = 1.0
    for name in x.columns:
        if name.startswith("cat_"):
            counts = pd.crosstab(
                np.repeat([0, 1], [len(x), len(y)]),
                np.concatenate([x[name].astype(str), y[name].astype(str)]),
            )
            smallest = min(smallest, stats.chi2_contingency(counts.to_numpy()).pvalue)
        else:
            smallest = min(smallest, stats.ks_2samp(x[name], y[name]).pvalue)
    print(smallest)


def main() -> None:
    """Run the floor named on the command line."""
    match sys.argv[1:]:
        case ["sort", reference, candidate]:
            sort_floor(reference, candidate)
        case ["scipy", reference, candidate]:
            scipy_loop(reference, candidate)
        case ["start"]:
            return
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
