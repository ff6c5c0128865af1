"""What the recipes of this package share: opening, lineage, wrapping and loading."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from detector.data.export import canonical_table
from detector.data.opening import open_data
from detector.data.provenance import Origin, find_provenance
from detector.errors import DetectorError
from detector.recipes import Stop, TrainingLog, row_hashes, rows_digest
from detector.rng import stream
from generators.checkpoints import Checkpoints, in_order, interruptible, left
from generators.honesty import LOOKED_AT, copies
from generators.model import TRAINING, FittedModel, Lineage, Source
from generators.options import check_types
from generators.store import below, read_model
from generators.watch import State, Watch

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.dataset import Dataset

    Arrays = dict[str, NDArray[Any]]

Progress = Callable[[str, float], None]

UNFINISHED = frozenset({Stop.INTERRUPTED, Stop.BUDGET})
"""Ends of a training that can be gone on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRecipe:
    """The base of the recipes of this package.

    A recipe below it is a frozen dataclass whose fields are its options, with `learn` and
    `source_of`.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = ""
    least_rows: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_types(self)
        self.check()

    def check(self) -> None:
        """Raise ValueError for an option that makes no sense; types are checked already."""

    def fit(
        self,
        data: Any,
        rng: np.random.Generator,
        *,
        progress: Progress | None = None,
        checkpoints: Checkpoints | None = None,
        examine: bool = True,
    ) -> FittedModel:
        """Train on whatever the gate takes.

        Args:
            data: A path, a frame, a table, an array, a `Dataset`.
            rng: Decides the fit; it moves on by one number.
            progress: Called with a few words and the share done.
            checkpoints: Where to keep the model while it is trained, and whether to go on from
                there. With it Ctrl-C ends the training at the next one.
            examine: Whether the log shall tell of copies and lost modes, and the model of its
                training rows; it costs a few thousand rows drawn. What it draws is the same.

        Raises:
            DetectorError: The data cannot be read, cannot be learned from, or is not what a
                training was begun with.

        """
        dataset = open_data(data)
        table = canonical_table(dataset)
        if table.num_rows < self.least_rows:
            raise DetectorError(
                f"`{dataset.name}` has {table.num_rows} row{'s' * (table.num_rows != 1)}; "
                f"`{self.name}` needs {self.least_rows} at least."
            )
        pupil = _Pupil(
            recipe=self,
            table=table,
            dataset=dataset,
            hashes=row_hashes(dataset) if examine or checkpoints else None,
            seed=int(rng.integers(2**63)),
        )
        if checkpoints is None:
            return pupil.taught(Watch(progress))
        resume = pupil.left_in(checkpoints.folder) if checkpoints.resume else None
        with interruptible() as asked:
            watch = Watch(
                progress,
                resume=resume,
                halted=asked,
                keep=lambda state: pupil.kept(state).save(checkpoints.folder),
                every=checkpoints.every,
            )
            return pupil.taught(watch)

    def learn(self, lesson: Lesson) -> tuple[Source, TrainingLog]:
        """Return where rows come from, and how the training went."""
        raise NotImplementedError

    def source_of(self, facts: Mapping[str, Any], arrays: Arrays) -> Source:
        """Return the source of rows that its `save` wrote."""
        raise NotImplementedError

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FittedModel:
        """Read a model of this recipe.

        Raises:
            DetectorError: It is damaged, of another recipe or of another version.

        """
        manifest, arrays = read_model(path)
        if manifest["recipe"] != cls.name:
            raise DetectorError(f"This is a model of `{manifest['recipe']}`, not `{cls.name}`.")
        try:
            lineage = manifest["lineage"] | {"parents": tuple(manifest["lineage"]["parents"])}
            training = None
            if TRAINING in manifest:
                training = State(facts=manifest[TRAINING], arrays=below(arrays, TRAINING))
            return FittedModel(
                recipe=cls.name,
                options=manifest["options"],
                source=cls(**manifest["options"]).source_of(manifest["source"], arrays),
                log=TrainingLog.from_plain(manifest["log"]),
                lineage=Lineage(**lineage),
                seed=int(manifest["seed"]),
                training=training,
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DetectorError(
                f"The model's files do not fit together ({type(error).__name__}: {error}).",
                hint="It is damaged or was changed by hand; fit it again.",
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What a recipe learns from.

    Attributes:
        table: All rows, in canonical types.
        dataset: The same as a data set.
        seed: Where all of the fit's random choices come from; see `stream`.
        tell: Called with a few words and the share done.
        examine: Whether to look for copies and lost modes.

    """

    table: pa.Table
    dataset: Dataset
    seed: int
    tell: Watch
    examine: bool = True

    def stream(self, *path: str) -> np.random.Generator:
        """Return the random stream at one address of this fit."""
        return stream(self.seed, *path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pupil:
    """A recipe with the rows that it learns, once for good and now and then for a checkpoint.

    Without hashes of its rows nothing is looked at beside the rows themselves.
    """

    recipe: FittedRecipe
    table: pa.Table
    dataset: Dataset
    hashes: NDArray[np.uint64] | None
    seed: int

    def taught(self, watch: Watch) -> FittedModel:
        """Return the trained model."""
        lesson = Lesson(
            table=self.table,
            dataset=self.dataset,
            seed=self.seed,
            tell=watch,
            examine=self.hashes is not None,
        )
        source, log = self.recipe.learn(lesson)
        model = FittedModel(
            recipe=self.recipe.name,
            options=dataclasses.asdict(self.recipe),
            source=source,
            log=log,
            lineage=Lineage(name=self.dataset.name),
            seed=self.seed,
        )
        return model if self.hashes is None else self._examined(model, self.hashes, lesson)

    def _examined(
        self, model: FittedModel, hashes: NDArray[np.uint64], lesson: Lesson
    ) -> FittedModel:
        """Return the model with its lineage, its copies counted, and how to go on with it."""
        log, training = model.log, None
        if log.stop in UNFINISHED and (last := lesson.tell.last) is not None:
            rows = in_order(hashes, self.dataset.schema)
            training = dataclasses.replace(last, facts={**last.facts, "rows": rows})
        model = dataclasses.replace(
            model, lineage=_lineage(self.dataset, hashes), training=training
        )
        copied, repeated = copies(hashes, model.sample(LOOKED_AT, lesson.stream("copies")))
        facts = {**log.facts, "copied_share": copied, "repeated_share": repeated}
        return dataclasses.replace(model, log=dataclasses.replace(log, facts=facts))

    def kept(self, state: State) -> FittedModel:
        """Return the model that a training interrupted here leaves: it goes on and ends at once."""
        return self.taught(Watch(resume=state, halted=lambda: True))

    def left_in(self, folder: str | os.PathLike[str]) -> State:
        """Return the training that a folder holds.

        Raises:
            DetectorError: There is none, or it is not of this recipe, these rows and this seed.

        """
        model = type(self.recipe).load(folder)
        options, hashes = dataclasses.asdict(self.recipe), self.hashes
        assert hashes is not None  # noqa: S101 - whoever keeps checkpoints has them
        rows = in_order(hashes, self.dataset.schema)
        return left(model, options=options, seed=self.seed, rows=rows)


def _lineage(dataset: Dataset, hashes: NDArray[np.uint64]) -> Lineage:
    """Return the lineage of rows that a model of this data set will draw."""
    declared = find_provenance(dataset.source, dataset.metadata)
    before = 0 if declared is None or declared.generation is None else declared.generation
    if declared is not None and declared.generation is None:
        before = int(declared.origin in {Origin.SYNTHETIC, Origin.MIXED})
    return Lineage(
        generation=before + 1,
        parents=(rows_digest(hashes),),
        name=dataset.name,
        n_rows=len(hashes),
    )
