"""Fit recipes to one half of real rows, and hold what they draw against the other half."""

from __future__ import annotations

import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from detector.data.export import canonical_table
from detector.data.schema import Role
from detector.errors import DetectorError
from detector.recipes import option_names, recipe, recipe_class, row_hashes
from detector.rng import stream
from detector.stats.proportions import clopper_pearson
from generators.comparing.apart import Sample, told_apart
from generators.comparing.chance import Side
from generators.comparing.contest import REAL, Contest, Cost, Entry, Fidelity, Part, Row
from generators.comparing.halves import as_dataset, halves
from generators.comparing.kept import levels_kept, modes_kept, tails_kept
from generators.comparing.matrix import Coder, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from detector.data.dataset import Dataset
    from detector.recipes import Model
    from generators.comparing.halves import Half

    Tell = Callable[[str, float], None]

TIMED = 4_096
"""Rows that are drawn at least, so that the speed of drawing means something."""

LEAST_DRAWN = 20

PACKAGES = ("collapse-detector", "numpy", "scipy", "scikit-learn", "cirq-core", "tensorflow")


def compare(
    data: Dataset,
    entries: Sequence[Entry],
    *,
    rows: int | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> Contest:
    """Compare recipes on one data set.

    Args:
        data: Real rows; a column with the role `group` keeps its groups whole.
        entries: What to compare, as `generators.comparing.contest.entries` lists it. One that
            fails gets a row with the reason.
        rows: Rows that each recipe draws; as many as there are unseen ones when None.
        seed: Decides the halves, the fits, the rows and the trees.
        tell: Called with a few words and the share done.

    Raises:
        DetectorError: There are too few rows, or nothing to compare.

    """
    tell = tell or (lambda _words, _done: None)
    if rows is not None and rows < LEAST_DRAWN:
        raise DetectorError(f"{rows} rows cannot be judged; {LEAST_DRAWN} can.")
    train, unseen = halves(data, stream(seed, "halves"))
    arena = _Arena.of(data, train, unseen, rows=rows or unseen.table.num_rows, seed=seed)
    tell(REAL, 0.0)
    found, warm = [arena.floor()], set[str]()
    for place, entry in enumerate(entries):
        tell(entry.label, (place + 1) / (len(entries) + 1))
        if entry.recipe not in warm:
            arena.warm(entry)
        warm.add(entry.recipe)
        found.append(arena.row(entry, _within(tell, entry.label, place + 1, len(entries) + 1)))
    return Contest(
        data=data.name,
        columns=len(arena.coder.columns),
        trained_on=train.table.num_rows,
        unseen=unseen.table.num_rows,
        drawn=arena.rows,
        group=data.schema.role(Role.GROUP),
        seed=seed,
        rows=tuple(found),
        versions=_versions(),
    )


def _within(tell: Tell, label: str, place: int, places: int) -> Tell:
    """Return what tells of one fit as a part of the whole."""
    return lambda words, done: tell(f"{label}: {words}", (place + 0.9 * done) / places)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Arena:
    """Both halves, ready for any number of recipes."""

    train: Half
    unseen: Half
    coder: Coder
    known: NDArray[np.uint64]
    rows: int
    seed: int

    @staticmethod
    def of(data: Dataset, train: Half, unseen: Half, *, rows: int, seed: int) -> _Arena:
        both = pa.concat_tables([train.table, unseen.table]).unify_dictionaries()
        coder = Coder.learn(both.combine_chunks(), data.schema.compared)
        known = np.unique(row_hashes(train.rows))
        return _Arena(train=train, unseen=unseen, coder=coder, known=known, rows=rows, seed=seed)

    def floor(self) -> Row:
        """Return what real rows get: the training half, and the copies of the unseen half."""
        entry = Entry(label=REAL, recipe="", part=Part.FLOOR)
        return Row(entry=entry, fidelity=self._fidelity(self.train, self.unseen.rows))

    def warm(self, entry: Entry) -> None:
        """Take one step and forget it: what is loaded and compiled once is nobody's cost."""
        if "steps" not in option_names(recipe_class(entry.recipe)):
            return
        with suppress(Exception):  # the fit itself will fail again, and say why
            made = recipe(entry.recipe, **{**entry.options, "steps": 1})
            made.fit(self.train.rows, stream(self.seed, "warm"))

    def row(self, entry: Entry, tell: Tell) -> Row:
        """Fit, draw, look; whatever goes wrong is the row's reason."""
        try:
            made: Any = recipe(entry.recipe, **entry.options)
            takes = {"progress": tell} if "progress" in signature(made.fit).parameters else {}
            began, rng = time.process_time(), stream(self.seed, "fit", entry.of or entry.label)
            model = made.fit(self.train.rows, rng, **takes)
            fitted = time.process_time() - began
            drawn, speed = self._drawn(model, entry)
            half = _as_half(drawn, self.train)
            fidelity = self._fidelity(half, drawn)
        except DetectorError as error:
            return Row(entry=entry, reason=str(error))
        except Exception as error:  # noqa: BLE001 - any recipe of any package, one row of many
            return Row(entry=entry, reason=f"an unexpected {type(error).__name__}: {error}")
        cost = _cost(model, fitted, speed)
        return Row(entry=entry, fidelity=fidelity, cost=cost, notes=tuple(model.log.notes))

    def _drawn(self, model: Model, entry: Entry) -> tuple[Dataset, float]:
        """Return the drawn rows, and how many a second of processor time gives."""
        count = max(self.rows, TIMED)
        began = time.process_time()
        many = model.sample(count, stream(self.seed, "sample", entry.of or entry.label))
        took = max(time.process_time() - began, 1e-6)
        table = canonical_table(many).slice(0, self.rows)
        return as_dataset(table, many), count / took

    def _fidelity(self, half: Half, copied: Dataset) -> Fidelity:
        """Hold one half against the unseen one."""
        real, drawn = (self.coder.numbers(side.table) for side in (self.unseen, half))
        nominal, labels = self.coder.nominal, self.coder.labels
        whole = filled(np.concatenate((real, drawn)))
        parts = whole[: len(real)], whole[len(real) :]
        sides = Side.of(len(real), self.unseen.groups), Side.of(len(drawn), half.groups)
        levels = levels_kept(real, drawn, nominal, labels, sides=sides)
        tails = tails_kept(real, drawn, nominal, labels, sides=sides)
        rng = stream(self.seed, "judge")  # one for all: equal rows get equal figures
        areas = told_apart(
            Sample(rows=parts[0], groups=self.unseen.groups),
            Sample(rows=parts[1], groups=half.groups),
            rng,
        )
        modes = modes_kept(*parts, nominal, seed=int(rng.integers(2**31)), sides=sides)
        copied_rows = np.isin(row_hashes(copied), self.known)
        kept = {"levels": levels.interval, "modes": modes.interval, "tails": tails.interval}
        copies = clopper_pearson(int(copied_rows.sum()), len(copied_rows))
        return Fidelity(
            areas=areas,
            levels=levels.value,
            lost=levels.columns,
            modes=modes.value,
            tails=tails.value,
            thinnest="".join(tails.columns),
            thinnest_tails=tails.least,
            copies=float(copied_rows.mean()),
            intervals={**kept, "copies": copies},
        )


def _as_half(drawn: Dataset, like: Half) -> Half:
    """Return drawn rows as the side under question: each stands alone."""
    return type(like)(rows=drawn, table=canonical_table(drawn), groups=None)


def _cost(model: Any, fitted: float, speed: float) -> Cost:
    facts = dict(model.log.facts)
    if "visible" in facts:  # a Boltzmann machine has qubits and no gates
        facts.setdefault("qubits", int(facts["visible"]) + int(facts["hidden"]))
    sizes = {name: int(facts[name]) for name in ("qubits", "gates", "parameters") if name in facts}
    return Cost(
        fit_cpu_seconds=round(fitted, 3),
        rows_per_second=round(speed, 1),
        **sizes,
        engine=str(facts.get("engine", "")),
        stop=model.log.stop.value,
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
