"""Pairs of tables in which nothing differs, and what the checks that look at whole rows say.

Each null is one law for both sides: normal, heavy-tailed, mixed with levels that one side
alone has, tied, rows that occur many times, clusters, unequal sizes, many columns. Whatever
a check calls different here is a false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

import detector
from detector.checks.dependence import Dependence
from detector.checks.discriminator import Discriminator
from detector.checks.indistinguishability import Indistinguishability
from detector.checks.joint import Joint
from detector.findings import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Table = dict[str, object]
    Law = Callable[[np.random.Generator], Callable[[int], Table]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """One law for both sides.

    Attributes:
        name: What tables call it.
        law: Draws what both sides share, and returns what draws the rows of a side.
        rows: Rows of the reference and of the candidate; groups where rows are clustered.
        roles: Roles of columns.
        silent: Tests that have nothing to say about such tables.

    """

    name: str
    law: Law
    rows: tuple[int, int] = (200, 200)
    roles: Mapping[str, str] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()

    def tables(self, seed: int) -> tuple[pa.Table, pa.Table]:
        """Return a reference and a candidate."""
        rng = np.random.default_rng([seed, *self.rows, *self.name.encode()])
        draw = self.law(rng)
        one, other = (pa.table(draw(rows)) for rows in self.rows)
        return one, other


def p_values(null: Null, seed: int, *, quick: bool = False) -> dict[str, float]:
    """Return the p-value of each test on one pair of tables; of pairs the smallest.

    Args:
        null: The law.
        seed: Draws the tables, and is the seed of the run.
        quick: With few permutations, and only the plain way of the joint test.

    """
    own = {"permutations": 99} if quick else {}
    joints = {
        "joint": Joint(**own),
        "joint, random features": Joint(max_rows_exact=0),
        "joint, beyond max_rows": Joint(max_rows=100),
    }
    names = ["joint"] if quick else list(joints)
    checks = [
        Dependence(**own),
        *(joints[name] for name in names),
        Discriminator(probed_rows=10),
        Indistinguishability(),
    ]
    found: dict[str, float] = {}
    for finding in detector.measure(*null.tables(seed), checks=checks, seed=seed, roles=null.roles):
        name = names.pop(0) if finding.check == "joint" else finding.check
        if finding.subject.columns:
            name = f"{name}, any pair"
        if isinstance(finding.outcome, Measurement) and finding.outcome.p_value is not None:
            found[name] = min(found.get(name, 1.0), finding.outcome.p_value)
    return found


TESTS = (
    "dependence",
    "dependence, any pair",
    "joint",
    "joint, random features",
    "joint, beyond max_rows",
    "discriminator",
    "indistinguishability",
)
"""What `p_values` returns where nothing is silent."""

QUICK = frozenset(TESTS) - {"joint, random features", "joint, beyond max_rows"}
"""What it returns when it is quick."""


def _latent(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """Return normal columns with correlation 0.5."""
    return np.sqrt(0.5) * (rng.standard_normal((rows, columns)) + rng.standard_normal((rows, 1)))


def _named(columns: NDArray[np.float64]) -> Table:
    return {f"c{place}": values for place, values in enumerate(columns.T)}


def _zipf(rng: np.random.Generator, levels: int, rows: int) -> list[str]:
    law = np.arange(1.0, levels + 1) ** -1.2
    return [f"v{level}" for level in rng.choice(levels, rows, p=law / law.sum())]


def normal(rng):
    return lambda rows: _named(_latent(rng, rows, 4))


def heavy_tailed(rng):
    """One infinite scale for a whole row, and columns without mean or variance."""

    def draw(rows):
        z = _latent(rng, rows, 4)
        z[:, :2] /= np.abs(rng.standard_normal((rows, 1)))
        return _named(np.column_stack((z[:, :3], np.exp(3 * z[:, 3]), rng.pareto(0.7, rows))))

    return draw


def mixed(rng):
    """Two to 1000 levels, most of the rare ones on one side alone, and gaps that depend."""

    def draw(rows):
        z = _latent(rng, rows, 5)
        gaps = np.where(z[:, 0] + rng.standard_normal(rows) > 1.5, np.nan, z[:, 1])
        return {
            "x": z[:, 0],
            "gaps": pa.array(gaps, from_pandas=True),
            "skewed": np.exp(2 * z[:, 2]),
            "count": rng.poisson(np.exp(z[:, 3] / 2)).astype(float),
            "flag": [str(value) for value in z[:, 0] + z[:, 4] > 0.8],
            "k8": [f"v{level}" for level in np.digitize(z[:, 4], np.linspace(-2, 2, 7))],
            "k100": _zipf(rng, 100, rows),
            "k1000": _zipf(rng, 1000, rows),
        }

    return draw


def unseen(rng):
    """Levels that hardly ever occur twice."""

    def draw(rows):
        level = rng.integers(0, 900, rows)
        return {
            "k900": [f"v{value}" for value in level],
            "k300": [f"v{value}" for value in rng.integers(0, 300, rows)],
            "k40": [f"v{value}" for value in level % 40],
            "k6": [f"v{value}" for value in level % 6],
            "x": level % 7 + rng.standard_normal(rows),
        }

    return draw


def tied(rng):
    def draw(rows):
        z = _latent(rng, rows, 5)
        return _named(
            np.column_stack(
                (
                    z[:, 0].round(),
                    np.where(z[:, 1] < 0.5, 0.0, z[:, 1]),
                    (z[:, 2] > 1).astype(float),
                    rng.poisson(np.exp(z[:, 3] / 2)),
                    z[:, 4].round(1),
                )
            )
        )

    return draw


def repeated(rng):
    """Both sides draw their rows from one pool of 50."""
    pool, level = _latent(rng, 50, 3), rng.integers(0, 5, 50)

    def draw(rows):
        drawn = rng.integers(0, 50, rows)
        return {**_named(pool[drawn]), "k": [f"v{value}" for value in level[drawn]]}

    return draw


def flag(rng):
    """Nothing but one column of two values."""
    return lambda rows: {"flag": [str(value) for value in rng.random(rows) < 0.3]}


def many_columns(rng):
    def draw(rows):
        z = _latent(rng, rows, 60)
        z[:, 20:30] = np.exp(2 * z[:, 20:30])
        z[:, 30:40] = z[:, 30:40].round()
        held = _named(z[:, :40])
        for place in range(40, 60):
            edges = np.linspace(-2, 2, 1 + place % 9)
            held[f"k{place}"] = [f"v{level}" for level in np.digitize(z[:, place], edges)]
        return held

    return draw


def _clusters(rng, group):
    """Rows most of which is their group's."""
    _, place = np.unique(group, return_inverse=True)
    z = _latent(rng, place.max() + 1, 3)[place] + _latent(rng, len(group), 3) / 2
    level = np.digitize(z[:, 2], [-1, 0, 1])
    return {
        "group": [f"g{value}" for value in group],
        **_named(z[:, :2]),
        "k": [f"v{value}" for value in level],
    }


def clustered(rng, *, smallest=1):
    """Groups of up to 12 rows, each on one side."""
    start = 0

    def draw(groups):
        nonlocal start
        start += 10_000
        sizes = rng.integers(smallest, 13, groups)
        return _clusters(rng, start + np.repeat(np.arange(groups), sizes))

    return draw


def few_clustered(rng):
    """As few as the checks take, with as many rows as they need."""
    return clustered(rng, smallest=4)


def shared_groups(rng):
    """Groups of many sizes, rows of each on both sides."""
    size = rng.integers(1, 13, 30)
    effect = _latent(rng, 30, 2)

    def draw(rows):
        group = rng.choice(30, rows, p=size / size.sum())
        z = effect[group] + _latent(rng, rows, 2) / 2
        return {"group": [f"g{value}" for value in group], **_named(z)}

    return draw


_GROUP = {"group": "group"}
_PAIRS = frozenset({"dependence", "dependence, any pair"})
NULLS = tuple(
    Null(name=name, law=law, **options)
    for name, law, options in (
        ("normal", normal, {}),
        ("normal, 100 and 1000 rows", normal, {"rows": (100, 1000)}),
        ("normal, 1000 and 100 rows", normal, {"rows": (1000, 100)}),
        ("heavy-tailed", heavy_tailed, {}),
        ("mixed, 2 to 1000 levels", mixed, {}),
        ("mixed, 100 and 1000 rows", mixed, {"rows": (100, 1000)}),
        ("mixed, 1000 and 100 rows", mixed, {"rows": (1000, 100)}),
        ("unseen levels", unseen, {}),
        ("unseen levels, 200 and 1000 rows", unseen, {"rows": (200, 1000)}),
        ("tied", tied, {}),
        ("rows that repeat", repeated, {}),
        ("one column of two values", flag, {"silent": _PAIRS}),
        ("60 columns", many_columns, {}),
        ("clusters", clustered, {"rows": (25, 40), "roles": _GROUP}),
        ("few clusters", few_clustered, {"rows": (11, 11), "roles": _GROUP}),
        ("clusters on both sides", shared_groups, {"roles": _GROUP}),
    )
)
