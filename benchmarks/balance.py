"""What drawing rows independently costs: the same models with and without balanced columns.

    python -m benchmarks.balance [--seeds 5] [--json FILE]

A model that repeats the training half's columns exactly, and draws independent rows, is told from
unseen rows by the chance in those columns alone: the training half itself, drawn with replacement,
is far from 0.5. If instead the drawn sample is ranked and given the training half's quantiles one
by one, its columns are as even as a half without replacement, folds balance each other, and the
area falls, although nothing more was learned and rows are no longer independent. Models have to be
compared with the same kind of drawing. Recipes here draw independent rows; this benchmark makes
the balanced ones itself.

Rows: `real half`; `bootstrap`, the training half drawn with replacement; `copula`, the recipe
`gaussian_copula`; `whitened`, independent axes of the whitening, which is where the circuits start.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa

from benchmarks.generators import table
from detector.data.opening import open_data
from detector.rng import stream
from generators.codec import Codec
from generators.comparing.apart import Sample, told_apart
from generators.comparing.halves import halves
from generators.comparing.matrix import Coder
from generators.filling import filled
from generators.latent import NormalScores, correlations
from generators.whitening import Rematch, Whitening, of_scores

DATA = ("cancer6", "diabetes", "cancer")
CALIBRATING = 16_384


def one(name, seed):
    """Return the mean area of both classifiers for each way of drawing."""
    data = open_data(table(name), name=name)
    train, unseen = halves(data, stream(seed, "halves"))
    codec = Codec.learn(train.table, data.schema)
    rows, known = codec.encode(train.table, stream(seed, "codec"))
    rows = filled(rows, known, codec.dimensions, stream(seed, "filling"))
    both = pa.concat_tables([train.table, unseen.table]).unify_dictionaries()
    coder = Coder.learn(both.combine_chunks(), data.schema.compared)
    real, count = coder.numbers(unseen.table), unseen.table.num_rows

    def area(drawn):
        judge = stream(seed, "judge")
        return told_apart(Sample(rows=real), Sample(rows=drawn), judge).mean.value

    def decoded(positions, calibrating=None):
        rng = stream(seed, "decode")
        if calibrating is not None:
            positions = Rematch.learn(calibrating).apply(positions, rng)
        return coder.numbers(pa.Table.from_batches([codec.decode(positions, rng)]))

    again = train.table.take(stream(seed, "bootstrap").integers(0, train.table.num_rows, count))
    found = {
        "real half": area(coder.numbers(train.table)),
        "bootstrap": area(coder.numbers(again)),
    }
    for label, drawn in (
        ("copula", _copula(codec, rows, known, stream(seed, "copula"))),
        ("whitened", _whitened(rows, stream(seed, "whitened"))),
    ):
        some, others = drawn[:count], drawn[count:]
        found[f"{label}, independent"] = area(decoded(some, others))
        found[f"{label}, balanced"] = area(decoded(some, some))
    return found


def _copula(codec, rows, known, rng):
    root = np.linalg.cholesky(correlations(NormalScores.of(codec.dimensions), rows, known))
    return of_scores(rng.standard_normal((CALIBRATING, len(root))) @ root.T)


def _whitened(rows, rng):
    drawn = rng.uniform(-1.0, 1.0, (CALIBRATING, rows.shape[1])).astype(np.float32)
    return Whitening.learn(rows).backward(drawn)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    means = {}
    for name in DATA:
        runs = [one(name, seed) for seed in range(given.seeds)]
        means[name] = {label: float(np.mean([run[label] for run in runs])) for label in runs[0]}
        print(name, {label: round(value, 3) for label, value in means[name].items()}, flush=True)
        if given.json:
            plain = {
                "command": "python -m benchmarks.balance",
                "seeds": given.seeds,
                "means": means,
            }
            given.json.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
