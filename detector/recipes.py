"""Recipes: what a generator of rows must offer, and how one is found by its name.

A *recipe* is an untrained generator with its options, a *model* a trained one. Anybody's
generator joins with one class and one line under the entry-point group `detector.recipes`;
nothing here knows which there are.

>>> model = recipe("gaussian_copula").fit("real.parquet", rng)  # doctest: +SKIP
>>> rows = model.sample(1_000, rng)  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import importlib.util
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from detector import catalogue
from detector.errors import DetectorError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    import numpy as np

    from detector.data.dataset import Dataset
    from detector.data.schema import Schema

GROUP = "detector.recipes"
MANIFEST = "manifest.json"
"""The file of a saved model that names its recipe, whoever wrote it."""

MAX_MANIFEST = 1 << 26
"""Bytes of a manifest that are read at most."""


class Stop(enum.StrEnum):
    """Why training ended."""

    CLOSED_FORM = "closed_form"
    ALL_STEPS = "all_steps"
    SAMPLING_FLOOR = "sampling_floor"
    VALIDATION = "validation"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"
    NOT_FINITE = "not_finite"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLog:
    """What happened while a recipe was fitted.

    Attributes:
        stop: Why training ended.
        steps: Updates made; 0 for a closed form.
        seconds: Time by the clock.
        cpu_seconds: Time of all processors; the honest unit on a shared machine.
        losses: The course of each loss by its name, at most a few hundred points each.
        facts: Sizes worth knowing: parameters, qubits, share of copied rows, ...
        notes: What a reader should know, one sentence each.

    """

    stop: Stop
    steps: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    losses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    facts: Mapping[str, float | int | str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return the log as JSON data; a loss that was not finite is null."""
        plain = dataclasses.asdict(self)
        plain["losses"] = {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in self.losses.items()
        }
        return plain

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> TrainingLog:
        """Return the log that `to_plain` wrote."""
        losses = {
            name: tuple(math.nan if value is None else float(value) for value in values)
            for name, values in plain["losses"].items()
        }
        notes = tuple(str(note) for note in plain["notes"])
        return TrainingLog(
            **dict(plain) | {"stop": Stop(plain["stop"]), "losses": losses, "notes": notes}
        )


@runtime_checkable
class Model(Protocol):
    """A trained generator. It never changes."""

    @property
    def schema(self) -> Schema:
        """The columns of every sample: those of the data it was fitted to."""

    @property
    def log(self) -> TrainingLog:
        """What happened while it was fitted."""

    def sample(self, n: int, rng: np.random.Generator) -> Dataset:
        """Return n new rows; they are the first n of any longer sample with an equal `rng`."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as a folder with a `manifest.json` that has its `recipe`'s name."""


@runtime_checkable
class Recipe(Protocol):
    """An untrained generator: a class whose keyword arguments are the options.

    Two class attributes are optional: `needs`, names of packages that it imports late, and
    `extra`, the extra of this project that installs them.
    """

    name: ClassVar[str]

    def fit(self, data: Any, rng: np.random.Generator) -> Model:
        """Train on whatever the gate takes: a path, a frame, a table, a `Dataset`."""

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """Read a model of this recipe that `Model.save` wrote."""


def recipe(name: str, /, **options: Any) -> Recipe:
    """Return a recipe with its options.

    Args:
        name: One of `detector.catalogue.names("detector.recipes")`.
        options: Its options; each one's meaning is in the recipe's docstring.

    Raises:
        DetectorError: There is no such recipe or option, or its packages are missing.

    """
    kind = recipe_class(name)
    if missing := missing_packages(kind):
        raise DetectorError(
            f"The recipe `{name}` needs {' and '.join(missing)}, not installed here.",
            hint=how_to_get(kind),
        )
    known = option_names(kind)
    for option in options:
        if known and option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"Did you mean `{near[0]}`? " if near else ""
            raise DetectorError(
                f"The recipe `{name}` has no option `{option}`.",
                hint=f"{hint}There are: {', '.join(known)}.",
            )
    try:
        return kind(**options)  # type: ignore[no-any-return]
    except (TypeError, ValueError) as error:
        raise DetectorError(f"The recipe `{name}` does not take this: {error}.") from error


def recipe_class(name: str) -> Callable[..., Any]:
    """Import the class of one recipe."""
    found: Callable[..., Any] = catalogue.load(GROUP, name)
    return found


def option_names(kind: Callable[..., Any]) -> tuple[str, ...]:
    """Return the options of a recipe that is a dataclass; nothing for another."""
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(item.name for item in dataclasses.fields(kind) if item.init)


def missing_packages(kind: Callable[..., Any]) -> tuple[str, ...]:
    """Return the packages that a recipe needs and that are not installed; imports none."""
    needs: tuple[str, ...] = getattr(kind, "needs", ())
    return tuple(package for package in needs if importlib.util.find_spec(package) is None)


def how_to_get(kind: Callable[..., Any]) -> str:
    """Return what to run for the packages of a recipe."""
    extra = getattr(kind, "extra", "")
    return f"Run `pip install 'collapse-detector[{extra}]'`." if extra else "Install them."


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a saved model of any recipe.

    Raises:
        DetectorError: It is no saved model, or its recipe is not installed.

    """
    kind = recipe_class(read_manifest(path)["recipe"])
    model: Model = kind.load(path)  # type: ignore[attr-defined]
    return model


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the manifest of a saved model, with at least the `recipe`'s name.

    Raises:
        DetectorError: The folder is missing or holds no model.

    """
    folder = Path(path)
    file = folder / MANIFEST
    if not file.is_file():
        what = "is not a folder" if not folder.is_dir() else f"has no {MANIFEST}"
        raise DetectorError(
            f"`{folder.name}` {what}, so it is no saved model.",
            hint="Give the folder that `Model.save` or `generators fit` wrote.",
        )
    try:
        if file.stat().st_size > MAX_MANIFEST:
            raise DetectorError(f"`{folder.name}`: {MANIFEST} is too large for a manifest.")
        plain = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DetectorError(
            f"`{folder.name}`: {MANIFEST} cannot be read ({error}).", hint="Fit the model again."
        ) from error
    if not isinstance(plain, dict) or not isinstance(plain.get("recipe"), str):
        raise DetectorError(f"`{folder.name}`: {MANIFEST} names no recipe; it is no saved model.")
    return plain


def row_hashes(dataset: Dataset) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return a hash of each row, shape (n,): equal rows, equal hashes; ids do not count."""
    import numpy as np

    from detector.profiles.fold import decode
    from detector.profiles.fold import row_hashes as hashes
    from detector.profiles.frame import kept_columns

    columns = kept_columns(dataset.schema)
    names = [spec.name for spec in columns]
    parts = [hashes(decode(batch, columns)) for batch in dataset.batches(names)]
    return np.concatenate([np.empty(0, np.uint64), *parts])


def rows_digest(hashes: np.ndarray[Any, np.dtype[np.uint64]]) -> str:
    """Return the order-free digest of rows by their hashes, as `detector profile` prints it."""
    from detector.profiles.make import multiset

    first, second = multiset(hashes)
    return f"{first:016x}{second:016x}"
