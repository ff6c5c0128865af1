"""Known faults, planted in rows that have none."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detector.errors import DetectorError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from detector.data.dataset import Dataset


class CannotPlant(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """These rows cannot carry this fault; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        name: What options and reports call it.
        about: What is done to the batch, with `{size}` for the size.
        size: How large it is; None where it has no size.
        most: The largest size that makes sense.
        is_share: Whether the size is a share, to be read in percent.

    """

    name: str
    about: str
    size: float | None = None
    most: float = 1.0
    is_share: bool = True

    @property
    def label(self) -> str:
        """Return the name with the size, as `--only` takes it."""
        return self.name if self.size is None else f"{self.name}={self.size:g}"

    @property
    def shown_size(self) -> str:
        """Return the size for people; empty where there is none."""
        if self.size is None:
            return ""
        return f"{100 * self.size:g} %" if self.is_share else f"{self.size:g}"

    def sentence(self, recipe: str) -> str:
        """Return what is done, in words."""
        return self.about.format(size=self.shown_size, recipe=recipe)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bed:
    """Where a fault is planted: rows that have none.

    Attributes:
        reference: The rows trusted as real.
        batch: The rows of the batch, from the same law.
        recipe: The generator that `synthetic` asks for rows.

    """

    reference: Dataset
    batch: Dataset
    recipe: str

    def plant(self, fault: Fault, rng: np.random.Generator) -> pa.Table:
        """Return the batch with the fault in it, in canonical types.

        Raises:
            CannotPlant: These rows cannot carry it.

        """
        made: pa.Table = importlib.import_module("detector.trials.planting").plant(self, fault, rng)
        return made


NOTHING = Fault(name="nothing", about="nothing is wrong: refusals are false alarms")

FAULTS = (
    NOTHING,
    Fault(name="synthetic", about="{size} of rows come from a fitted {recipe}", size=1.0),
    Fault(name="tails", about="{size} of rows are gone, at both ends of one number", size=0.05),
    Fault(name="level", about="one level of a category, or one tenth of a number, is gone"),
    Fault(name="copies", about="{size} of rows are copies of reference rows", size=0.2),
    Fault(name="correlation", about="one number that moves with another is shuffled"),
    Fault(
        name="shift",
        about="one number is moved by {size} standard deviations",
        size=0.25,
        most=100.0,
        is_share=False,
    ),
)
"""Each fault with the size that it has unless another one is asked for."""

DEFAULT = ("synthetic", "synthetic=0.3", "tails", "level", "copies", "correlation", "shift")


def chosen_faults(only: tuple[str, ...] | list[str] | None) -> tuple[Fault, ...]:
    """Return the faults asked for, each once; `nothing` always and first.

    Args:
        only: Names, or `name=size`; the usual ones when None.

    Raises:
        DetectorError: There is no such fault, or it has no such size.

    >>> [fault.label for fault in chosen_faults(["shift=0.5", "level"])]
    ['nothing', 'shift=0.5', 'level']
    """
    if isinstance(only, str):
        raise DetectorError(f"`only` is the text {only!r}.", hint=f"Give a list: [{only!r}].")
    asked = [_fault(text) for text in (DEFAULT if only is None else only)]
    return tuple({fault.label: fault for fault in (NOTHING, *asked)}.values())


def _fault(text: str) -> Fault:
    """Return one fault from `name` or `name=size`."""
    name, equals, size = text.partition("=")
    known = {fault.name: fault for fault in FAULTS}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise DetectorError(
            f"there is no fault `{name}`.", hint=f"{hint}There are: {', '.join(known)}."
        )
    fault = known[name]
    return replace(fault, size=_size(fault, size)) if equals else fault


def _size(fault: Fault, text: str) -> float:
    """Return a size that the fault can have."""
    if fault.size is None:
        raise DetectorError(f"the fault `{fault.name}` has no size.", hint="Leave `=…` away.")
    try:
        size = float(text)
    except ValueError:
        size = -1.0
    if not 0 < size <= fault.most:
        raise DetectorError(
            f"the size of `{fault.name}` is `{text}`.",
            hint=f"Give a number above 0, at most {fault.most:g}; for example "
            f"{fault.name}={fault.size:g}.",
        )
    return size
