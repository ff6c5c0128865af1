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
from detector.recipes import TrainingLog, row_hashes, rows_digest
from detector.rng import stream
from generators.honesty import LOOKED_AT, copies
from generators.model import FittedModel, Lineage, Source
from generators.options import check_types
from generators.store import read_model

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.dataset import Dataset

    Arrays = dict[str, NDArray[Any]]

Progress = Callable[[str, float], None]


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
        examine: bool = True,
    ) -> FittedModel:
        """Train on whatever the gate takes.

        Args:
            data: A path, a frame, a table, an array, a `Dataset`.
            rng: Decides the fit; it moves on by one number.
            progress: Called with a few words and the share done.
            examine: Whether the log shall tell of copies and lost modes, and the model of its
                training rows; it costs a few thousand rows drawn. What it draws is the same.

        Raises:
            DetectorError: The data cannot be read, or cannot be learned from.

        """
        dataset = open_data(data)
        table = canonical_table(dataset)
        if table.num_rows < self.least_rows:
            raise DetectorError(
                f"`{dataset.name}` has {table.num_rows} rows; "
                f"`{self.name}` needs {self.least_rows} at least."
            )
        seed = int(rng.integers(2**63))
        tell = progress or _silent
        lesson = Lesson(table=table, dataset=dataset, seed=seed, tell=tell, examine=examine)
        source, log = self.learn(lesson)
        if not examine:
            return self._model(source, log, Lineage(name=dataset.name), seed)
        hashes = row_hashes(dataset)
        model = self._model(source, log, _lineage(dataset, hashes), seed)
        copied, repeated = copies(hashes, model.sample(LOOKED_AT, lesson.stream("copies")))
        facts = {**log.facts, "copied_share": copied, "repeated_share": repeated}
        return dataclasses.replace(model, log=dataclasses.replace(log, facts=facts))

    def _model(self, source: Source, log: TrainingLog, lineage: Lineage, seed: int) -> FittedModel:
        options = dataclasses.asdict(self)
        return FittedModel(
            recipe=self.name, options=options, source=source, log=log, lineage=lineage, seed=seed
        )

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
            return FittedModel(
                recipe=cls.name,
                options=manifest["options"],
                source=cls(**manifest["options"]).source_of(manifest["source"], arrays),
                log=TrainingLog.from_plain(manifest["log"]),
                lineage=Lineage(**lineage),
                seed=int(manifest["seed"]),
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
    tell: Progress
    examine: bool = True

    def stream(self, *path: str) -> np.random.Generator:
        """Return the random stream at one address of this fit."""
        return stream(self.seed, *path)


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


def _silent(_stage: str, _done: float) -> None:
    """Tell nobody."""
