"""Recipes that learn rows of the codec: each is only its core.

How to write one
----------------
A file `generators/recipes/<name>.py` with one frozen dataclass, its options as fields::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Shuffle(TabularRecipe):
        \"\"\"Draws every column on its own.\"\"\"

        name: ClassVar[str] = "shuffle"

        def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
            return ShuffleCore(), TrainingLog(stop=Stop.CLOSED_FORM)

        def core_of(self, arrays: Arrays) -> Core:
            return ShuffleCore()

and a line in `setup.cfg` under `detector.recipes`. The class is named after the file in
CamelCase. Everything else is done here: mixed kinds, missing values, whitening, bits,
decoding, streams, saving, provenance, copies and lost modes.

What `train` gets, a `Task`
    `rows`, float32 (n, d): the training rows, each dimension uniform on [-1, 1]; with the
    option `whiten` on independent axes, largest variance first, their `variances` beside them.
    A recipe that overrides `bits_for` gets `bits` as well, uint8 (n, q), qubit 0 first, and
    `code.mask()`, true for the bitstrings that mean something, shape (2**q,). `task.tell`
    reports progress. Nothing of it may be changed.

What a `Core` must do
    `draw(n, rng)` returns n independent rows: float32 (n, d) within [-1, 1], or with bits
    uint8 (n, q), every bitstring valid under the mask. It is called with blocks of one size
    and a stream of its own for each, so it may draw what it likes, but only from `rng`: equal
    state, equal rows, in any process. `arrays()` returns all that it learned, as arrays
    without objects; `core_of(arrays)` rebuilds it from them and the recipe's options alone.
    Whatever else samples should declare (engine, noise) goes in an attribute `declared`, a
    mapping of JSON data, and `describe()` may return text for `generators show`, such as a
    drawn circuit. Heavy packages are imported inside functions, or in a module that
    only `train` or `draw` imports, and are named in `needs` and `extra`.

Options are checked by the type of their defaults; `check(self)` may refuse more, with the
helpers of `generators.options`. Do not define `__post_init__`.

Loops keep a `Diary`: it writes the log, keeps the best checkpoint, ends at Ctrl-C or at a loss
that is no number, early by patience, and within a budget of CPU seconds.

Marginals
    With `rematch_marginals` (the default) the dimensions that a core draws are mapped back
    onto the training ranks after the fit, smoothed where rows are few. Audits set it to false:
    then every column's distribution goes through the model, and its collapse is seen.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from detector.recipes import Stop, TrainingLog
from generators.codec import Codec, Dimension
from generators.filling import filled
from generators.fitting import FittedRecipe, Lesson, Progress
from generators.honesty import LOOKED_AT, coverage
from generators.smoothing import Smoothing
from generators.source import Core, TabularSource
from generators.whitening import Rematch, Whitening

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from generators.bits import Bits
    from generators.model import Source

    Rows = NDArray[np.float32]
    Bitstrings = NDArray[np.uint8]
    Arrays = Mapping[str, NDArray[Any]]

__all__ = ["Core", "TabularRecipe", "TabularSource", "Task"]

CALIBRATING = 16_384
"""Rows that are drawn after a fit to learn what a core's dimensions look like."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a core is trained on.

    Attributes:
        rows: Training rows, float32 (n, d), within [-1, 1].
        known: Shape (n, d); false where a value was missing and `rows` holds a likely one.
        dimensions: What the dimensions mean, length d; whitened ones are all ordered.
        variances: With `whiten`, the variance along each axis, falling; None without.
        code: How rows become bits; None unless the recipe asked for bits.
        bits: The rows as bits, uint8 (n, q); None likewise.
        tell: Called with a few words and the share done.

    """

    rows: Rows
    known: NDArray[np.bool_]
    dimensions: tuple[Dimension, ...]
    variances: NDArray[np.float64] | None
    code: Bits | None
    bits: Bitstrings | None
    tell: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class TabularRecipe(FittedRecipe):
    """The base of recipes that learn rows of the codec.

    Attributes:
        whiten: Turn the rows onto independent axes first; a recipe may set another default.
        rematch_marginals: Map every dimension back onto the training ranks after the fit, smoothed
            where rows are few.
            Audits set it to false, or they would not see a column's distribution collapse.

    """

    exact: ClassVar[bool] = False
    """Its cores draw uniform dimensions by construction: nothing to map back."""

    shaped: ClassVar[bool] = False
    """Its cores draw columns of a shape of their own, which nothing may put right."""

    whiten: bool = False
    rematch_marginals: bool = True

    def train(self, task: Task, rng: np.random.Generator) -> tuple[Core, TrainingLog]:
        """Return what was learned, and how the training went."""
        raise NotImplementedError

    def core_of(self, arrays: Arrays) -> Core:
        """Return the core that these arrays, and the options, describe."""
        raise NotImplementedError

    def bits_for(
        self, dimensions: tuple[Dimension, ...], variances: NDArray[np.float64] | None
    ) -> Bits | None:
        """Return how rows become bits; None for a recipe that learns the rows themselves."""
        return None

    def recut(
        self, code: Bits, rows: Rows, dimensions: tuple[Dimension, ...], rng: np.random.Generator
    ) -> Bits:
        """Return how rows become bits, after a look at them."""
        del rows, dimensions, rng
        return code

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Learn the codec, then the core, then how to undo what the core does to the ranks."""
        codec = Codec.learn(lesson.table, lesson.dataset.schema)
        rows, known = codec.encode(lesson.table, lesson.stream("codec"))
        rows = filled(rows, known, codec.dimensions, lesson.stream("filling"))
        rows.flags.writeable = False
        if not codec.dimensions:
            note = "Nothing varies in this table: every row is the same."
            log = TrainingLog(stop=Stop.CLOSED_FORM, notes=(note,))
            return TabularSource(codec=codec, core=None), log
        source, log = self._taught(codec, rows, known, lesson)
        if lesson.examine:
            log = looked_at(source, codec, log, lesson)
        if self.rematch_marginals and not self.exact:
            calibrating = source.drawn(CALIBRATING, lesson.stream("rematch"))
            source = dataclasses.replace(source, rematch=Rematch.learn(calibrating))
        if self.rematch_marginals and not self.shaped:
            smoothing = Smoothing.learn(codec.dimensions, len(rows))
            source = dataclasses.replace(source, smoothing=smoothing)
        return source, log

    def _taught(
        self, codec: Codec, rows: Rows, known: NDArray[np.bool_], lesson: Lesson
    ) -> tuple[TabularSource, TrainingLog]:
        """Prepare the task, train the core, and return where its rows come from."""
        whitening, dimensions = None, codec.dimensions
        if self.whiten:
            whitening = Whitening.learn(rows)
            rows = whitening.forward(rows, lesson.stream("whitening"))
            known = np.ones(rows.shape, bool)
            dimensions = tuple(Dimension("", f"axis {place}") for place in range(rows.shape[1]))
        variances = None if whitening is None else whitening.variances
        code = self.bits_for(dimensions, variances)
        if code is not None:
            code = self.recut(code, rows, dimensions, lesson.stream("edges"))
        task = Task(
            rows=rows,
            known=known,
            dimensions=dimensions,
            variances=variances,
            code=code,
            bits=None if code is None else code.encode(rows),
            tell=lesson.tell,
        )
        core, log = self.train(task, lesson.stream("train"))
        return TabularSource(codec=codec, core=core, whitening=whitening, code=code), log

    def source_of(self, facts: Mapping[str, Any], arrays: Arrays) -> Source:
        """Return the source that `TabularSource.save` wrote."""
        return TabularSource.restored(facts, arrays, self.core_of)


def looked_at(source: TabularSource, codec: Codec, log: TrainingLog, lesson: Lesson) -> TrainingLog:
    """Return the log with the share of regions that the source reaches, and what it lost."""
    share, lost = coverage(codec, source.drawn(LOOKED_AT, lesson.stream("coverage")))
    notes = log.notes
    if lost:
        listed = ", ".join(lost[:5])
        notes += (f"Mode collapse: {share:.1%} of regions are reached; lost in {listed}.",)
    return dataclasses.replace(log, facts={**log.facts, "coverage": share}, notes=notes)
