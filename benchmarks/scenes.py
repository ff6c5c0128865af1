"""The tables that benchmarks compare: a mixed table whose dependence is known.

Seven in ten columns are numbers (normal, lognormal, Student t with 3 degrees of freedom,
exponential, Poisson counts, zero-inflated lognormal, uniform, in turn), the others are
levels (2, 4, 8, 20, 100, 1000 of them in turn, Zipf frequencies). One Gaussian latent with
correlation 0.6 inside blocks of four columns drives them all, so a shift, a moved mass or
a flipped correlation can be planted without touching anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.generic]

SHAPES = ("normal", "lognormal", "t3", "exponential", "poisson", "zero_inflated", "uniform")
CARDINALITIES = (2, 4, 8, 20, 100, 1000)
CORRELATION = 0.6
BLOCK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is planted in the candidate: latent shift, moved mass, flipped correlation."""

    name: str
    shift: float = 0.0
    mass: float = 0.0
    flipped: bool = False


NOTHING = Scene(name="nothing")
TINY = Scene(name="tiny", shift=0.05, mass=0.01)
PLAIN = Scene(name="plain", shift=0.5, mass=0.15)
FLIPPED = Scene(name="flipped", flipped=True)
SPEED = Scene(name="speed", shift=0.3, mass=0.05)
SCENES = (NOTHING, TINY, PLAIN, FLIPPED)


def table(rows: int, columns: int, *, seed: int, scene: Scene = NOTHING) -> pa.Table:
    """Return a table of a scene; every fifth column, from the second, carries its shift."""
    rng = np.random.default_rng(seed)
    latent = _latent(rng, rows, columns, flipped=scene.flipped)
    numeric = round(0.7 * columns)
    held: dict[str, pa.Array] = {}
    for place in range(columns):
        moved = place % 5 == 1
        values = latent[:, place]
        if place < numeric:
            shape = SHAPES[place % len(SHAPES)]
            values = values + scene.shift if moved else values
            held[f"num_{place:02d}_{shape}"] = pa.array(_number(shape, values))
        else:
            cardinality = CARDINALITIES[(place - numeric) % len(CARDINALITIES)]
            codes = _codes(cardinality, values, scene.mass if moved else 0.0)
            names = pa.array([f"v{level:04d}" for level in range(cardinality)])
            held[f"cat_{place - numeric:02d}_c{cardinality}"] = pa.DictionaryArray.from_arrays(
                pa.array(codes, pa.int32()), names
            )
    return pa.table(held)


def _latent(
    rng: np.random.Generator, rows: int, columns: int, *, flipped: bool
) -> NDArray[np.float64]:
    """Return equicorrelated blocks; flipped: odd members of a block change their sign."""
    latent = rng.standard_normal((rows, columns)) * np.sqrt(1 - CORRELATION)
    for start in range(0, columns, BLOCK):
        shared = rng.standard_normal(rows) * np.sqrt(CORRELATION)
        for place in range(start, min(start + BLOCK, columns)):
            latent[:, place] += -shared if flipped and place % 2 else shared
    return latent


def _number(shape: str, z: NDArray[np.float64]) -> Column:
    u = special.ndtr(z)
    inside = np.clip(u, 1e-12, 1 - 1e-12)
    if shape == "poisson":
        return np.searchsorted(special.pdtr(np.arange(40), 4.0), u).astype(np.int64)
    makers = {
        "normal": lambda: 50 + 10 * z,
        "lognormal": lambda: np.exp(1.0 + 0.9 * z),
        "t3": lambda: special.stdtrit(3.0, inside),
        "exponential": lambda: -20 * np.log1p(-inside),
        "zero_inflated": lambda: np.where(u < 0.4, 0.0, np.exp(2.0 + 1.2 * z)),
        "uniform": lambda: u * 100.0,
    }
    return np.asarray(makers[shape]())


def _codes(cardinality: int, z: NDArray[np.float64], mass: float) -> NDArray[np.int64]:
    """Return Zipf codes; `mass` moves from the most frequent level to all others evenly."""
    share = 1.0 / np.arange(1, cardinality + 1) ** 1.1
    share /= share.sum()
    moved = min(mass, 0.9 * share[0])
    share[0] -= moved
    share[1:] += moved / (cardinality - 1)
    codes = np.searchsorted(np.cumsum(share), special.ndtr(z))
    return np.minimum(codes, cardinality - 1)


def main() -> None:
    """Write one table: `python -m benchmarks.scenes FILE ROWS COLUMNS SEED SCENE`."""
    import sys

    from pyarrow import parquet

    path, rows, columns, seed, name = sys.argv[1:]
    scene = next(scene for scene in (*SCENES, SPEED) if scene.name == name)
    made = table(int(rows), int(columns), seed=int(seed), scene=scene)
    parquet.write_table(made, path, row_group_size=250_000)


if __name__ == "__main__":
    main()
