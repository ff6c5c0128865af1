"""Plant known faults in the user's own reference, and count what the gate says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detector import api, recipes
from detector.data.opening import open_data
from detector.data.schema import Kind, Role
from detector.errors import DetectorError
from detector.policy.load import load_policy
from detector.profiles.profile import Profile
from detector.rng import stream
from detector.running import PROFILE_SUFFIX
from detector.trials.batches import Batches, refuse_absent
from detector.trials.faults import NOTHING, Bed, CannotPlant, Fault, chosen_faults
from detector.trials.margins import margins, widened
from detector.trials.outcome import Planted, SelfTest, Tally
from detector.trials.pool import LEAST_ROWS, Pool, dataset_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from detector.data.dataset import Dataset
    from detector.policy.policy import Policy
    from detector.report import Report

    Progress = Callable[[str, float], None]

RUNS, ROWS = 10, 1_000

RECIPE = "gaussian_copula"
"""The generator behind `synthetic` where none is named: the best that needs no training."""

UNNAMED = "data"
"""What rows that are no file are called when they are opened."""

LEAST_OTHERS = 3
"""Good batches that a margin is made of at least."""


def selftest(  # noqa: PLR0913 - keyword-only, each one a user's choice
    reference: object,
    *,
    policy: Policy | str | os.PathLike[str] | None = None,
    only: Sequence[str] | None = None,
    recipe: str | None = None,
    by: str | None = None,
    runs: int = RUNS,
    rows: int = ROWS,
    kinds: Mapping[str, Kind | str] | None = None,
    roles: Mapping[str, Role | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> SelfTest:
    """Ask what the gate can and cannot see in these rows.

    Each run draws two disjoint random sides of the reference, plants one fault in the
    second, and asks the gate for its decision. Nothing planted gives the false alarms.

    Args:
        reference: Rows trusted as real: a path, data frame, array or Dataset.
        policy: As in `gate`.
        only: Faults, as `name` or `name=size`; the usual ones when None.
        recipe: The generator behind the fault `synthetic`; `gaussian_copula` when None.
        by: A column whose values (or days, months, years) are batches known to be good.
        runs: Runs of each fault.
        rows: Rows of each side, at most.
        kinds: As in `gate`.
        roles: As in `gate`; a `group` stays whole.
        seed: Decides sides, faults and everything that the gate draws.
        progress: Called with a few words and the share done.

    Raises:
        DetectorError: There are too few rows or batches, or no such fault, recipe or column.

    """
    rules = load_policy(policy)
    faults = chosen_faults(None if only is None else tuple(only))
    _refuse(runs, rows, seed)
    known = _recipe(recipe)
    data = _opened(reference, rules, kinds or {}, roles or {})
    pool = Pool.of(data, stream(seed, "selftest", "pool"))
    trials = _Trials(pool=pool, rules=rules, recipe=known, rows=rows, seed=seed, by=by)
    if by is not None:
        refuse_absent(pool, by)
        batches = Batches.of(pool, by, stream(seed, "selftest", "batches"))
        pairs = batches.pairs(rows, stream(seed, "selftest", "pairs"))
    else:
        batches, pairs = None, []
    watch = _Watch(progress, gates=len(pairs) + runs * len(faults))
    good = [trials.batch(one, other, watch) for one, other in pairs]
    found, reasons = trials.all_of(faults, runs, watch)
    base = good if batches is not None else found[NOTHING.label]
    made = margins(rules, base, new=by is not None) if len(base) >= LEAST_OTHERS else ()
    wide = _suggested(rules, data.name, widened(rules, made), by)
    planted = tuple(
        Planted(
            fault=fault.label,
            about=fault.sentence(known),
            tally=Tally.of(found[fault.label]) if found[fault.label] else None,
            reason=reasons.get(fault.label, ""),
            widened=_again(found[fault.label], wide) if made and found[fault.label] else None,
        )
        for fault in faults
    )
    return SelfTest(
        data=data.name,
        rows=min(rows, pool.table.num_rows // 2),
        held=pool.table.num_rows,
        runs=runs,
        seed=seed,
        policy=rules.summary,
        recipe=known,
        planted=planted,
        by=by,
        batches=Tally.of(good) if good else None,
        widened=_left_out_in_turn(rules, good) if len(good) > LEAST_OTHERS else None,
        margins=made,
        left_out=0 if batches is None else batches.left_out,
        suggested=wide,
        versions=found[NOTHING.label][0].versions,
    )


class _Watch:
    """Counts gates, and tells how many are done."""

    def __init__(self, progress: Progress | None, *, gates: int) -> None:
        self._progress, self._gates, self._done = progress, gates, 0

    def next(self, words: str) -> None:
        if self._progress is not None:
            self._progress(words, self._done / self._gates)
        self._done += 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trials:
    """Everything that a trial needs."""

    pool: Pool
    rules: Policy
    recipe: str
    rows: int
    seed: int
    by: str | None

    def all_of(
        self, faults: Sequence[Fault], runs: int, watch: _Watch
    ) -> tuple[dict[str, list[Report]], dict[str, str]]:
        """Return the reports by fault, and why a fault could not be planted."""
        found: dict[str, list[Report]] = {fault.label: [] for fault in faults}
        reasons: dict[str, str] = {}
        for run in range(runs):
            # The same sides for every fault: what differs is the fault.
            sides = self.pool.sides(self.rows, stream(self.seed, "selftest", "sides", str(run)))
            reference, batch = map(self.pool.dataset, sides, ("reference", "batch"))
            bed = Bed(reference=reference, batch=batch, recipe=self.recipe)
            for fault in faults:
                watch.next(f"run {run + 1} of {runs}: {fault.label}")
                try:
                    rng = stream(self.seed, "selftest", fault.label, str(run))
                    made = dataset_of(bed.plant(fault, rng), batch)
                except (CannotPlant, DetectorError) as error:
                    reasons[fault.label] = str(error)
                    continue
                found[fault.label].append(self._gate(reference, made))
        return found, reasons

    def batch(self, rest: object, own: object, watch: _Watch) -> Report:
        """Return what the gate says of one good batch against the rest."""
        watch.next(f"good batches by {self.by}")
        sides = map(self.pool.dataset, (rest, own), ("reference", "batch"))  # type: ignore[arg-type]
        return self._gate(*sides)

    def _gate(self, reference: Dataset, batch: Dataset) -> Report:
        roles = {} if self.by is None else {self.by: Role.ID}
        return api.gate(reference, batch, policy=self.rules, roles=roles, seed=self.seed)


def _refuse(runs: int, rows: int, seed: int) -> None:
    """Refuse numbers that make no sense."""
    asked: dict[str, tuple[object, int]]
    asked = {"runs": (runs, 1), "rows": (rows, LEAST_ROWS), "the seed": (seed, 0)}
    for name, (value, least) in asked.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise DetectorError(f"{name} is {value!r}.", hint=f"Give a whole number from {least}.")


def _recipe(name: str | None) -> str:
    """Return the name of the recipe; one that was asked for has to be there."""
    if name is None:
        return RECIPE
    recipes.recipe(name)
    return name


def _opened(
    reference: object,
    rules: Policy,
    kinds: Mapping[str, Kind | str],
    roles: Mapping[str, Role | str],
) -> Dataset:
    """Open the reference as the gate would."""
    if isinstance(reference, Profile) or str(reference).endswith(PROFILE_SUFFIX):
        raise DetectorError(
            "a profile cannot be self-tested: it holds a sample of rows at most.",
            hint="Give the rows that it was made of.",
        )
    ignored = dict.fromkeys(rules.ignore, "id")
    data = open_data(
        reference,
        kinds={name: Kind(kind) for name, kind in {**rules.kinds, **kinds}.items()},
        roles={name: Role(role) for name, role in {**ignored, **rules.roles, **roles}.items()},
    )
    return replace(data, name="reference") if data.name == UNNAMED else data


def _suggested(rules: Policy, data: str, wide: Policy, by: str | None) -> Policy:
    """Return the policy to write: wider margins, and without the column that tells batches."""
    ignore = rules.ignore if by is None or by in rules.ignore else (*rules.ignore, by)
    return replace(wide, name=f"{rules.name}, with margins from {data}", ignore=ignore)


def _again(reports: Sequence[Report], policy: Policy) -> Tally:
    """Return what another policy says of the same findings."""
    return Tally.of(api.judge(report, policy) for report in reports)


def _left_out_in_turn(rules: Policy, good: Sequence[Report]) -> Tally:
    """Return what the gate says of each good batch under margins made of the others."""
    judged = []
    for place, report in enumerate(good):
        others = [*good[:place], *good[place + 1 :]]
        judged.append(api.judge(report, widened(rules, margins(rules, others, new=True))))
    return Tally.of(judged)
