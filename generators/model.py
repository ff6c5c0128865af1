"""A trained recipe of this package: samples in blocks, declares where rows come from, saves."""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Protocol

from detector.data.dataset import Dataset
from detector.data.provenance import METADATA_KEY, Origin, Provenance
from detector.errors import DetectorError
from detector.recipes import TrainingLog, row_hashes, rows_digest
from detector.rng import stream
from generators.store import under, write_model

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.data.schema import Schema
    from generators.watch import State

    Arrays = dict[str, NDArray[Any]]

BLOCK = 4_096
"""Rows are drawn in blocks of this size, each from a stream of its own."""

TRAINING = "training"
"""Where a manifest and its arrays keep an unfinished training."""

PACKAGES = ("collapse-detector", "numpy", "scipy")


class Source(Protocol):
    """Where a model's rows come from: all that differs between two kinds of model."""

    @property
    def schema(self) -> Schema:
        """The columns of the rows."""

    def rows(self, n: int, rng: np.random.Generator) -> pa.RecordBatch:
        """Return n independent canonical rows."""

    def save(self) -> tuple[dict[str, Any], Arrays]:
        """Return what restores it, as JSON data and as arrays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where the training rows came from.

    Attributes:
        generation: Of the sampled rows: 1 when the training rows are real, or say nothing.
        parents: Digests of the training rows.
        name: What the training data set is called.
        n_rows: Its number of rows.

    """

    generation: int = 1
    parents: tuple[str, ...] = ()
    name: str = ""
    n_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedModel:
    """A trained recipe.

    Attributes:
        recipe: The recipe's name.
        options: Its options.
        source: Where rows come from.
        log: What happened while it was fitted.
        lineage: Where the training rows came from.
        seed: The number that all of the fit's random choices follow from.
        training: Where an unfinished training can go on from; None for one that has ended.

    """

    recipe: str
    options: Mapping[str, Any]
    source: Source
    log: TrainingLog
    lineage: Lineage = field(default_factory=Lineage)
    seed: int = 0
    training: State | None = None

    @property
    def schema(self) -> Schema:
        """Return the columns of every sample."""
        return self.source.schema

    def sample(self, n: int, rng: np.random.Generator, *, seed: int | None = None) -> Dataset:
        """Return n new rows, in memory; they are the first n of any longer sample.

        Args:
            n: Rows, at least 0.
            rng: Decides the rows; it moves on by one number, whatever n is.
            seed: What the manifest names as the seed, when `rng` was made from one.

        """
        import pyarrow as pa

        if n < 0:
            raise DetectorError(f"{n} rows cannot be drawn.")
        key = int(rng.integers(2**63))
        blocks = [self._block(key, number) for number in range(-(-n // BLOCK) or 1)]
        table = pa.Table.from_batches(blocks).slice(0, n).unify_dictionaries().combine_chunks()
        batches = table.to_batches()

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            return (batch.select(list(columns)) for batch in batches)

        drawn = Dataset(name=f"{self.recipe} sample", schema=self.schema, read=read, n_rows=n)
        declared = self.provenance(seed=seed, digest=rows_digest(row_hashes(drawn)))
        return dataclasses.replace(drawn, metadata={METADATA_KEY: declared.to_json()})

    def draw(self, n: int, rng: np.random.Generator) -> Dataset:
        """Return n new rows that declare nothing and begin no longer sample; cheaper than that."""
        import pyarrow as pa

        from detector.data.arrays import positions

        blocks = [
            self.source.rows(min(BLOCK, n - start), rng) for start in range(0, max(n, 1), BLOCK)
        ]
        table = pa.Table.from_batches(blocks).unify_dictionaries().combine_chunks()
        batches = table.take(positions(rng.permutation(n))).combine_chunks().to_batches()

        def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
            return (batch.select(list(columns)) for batch in batches)

        return Dataset(name=f"{self.recipe} sample", schema=self.schema, read=read, n_rows=n)

    def _block(self, key: int, number: int) -> pa.RecordBatch:
        """Return one block in random order, so that no order of drawing can be seen."""
        from detector.data.arrays import positions

        rng = stream(key, "block", str(number))
        batch = self.source.rows(BLOCK, rng)
        return batch.take(positions(rng.permutation(BLOCK)))

    def provenance(self, *, seed: int | None = None, digest: str | None = None) -> Provenance:
        """Return what samples declare about themselves."""
        return Provenance(
            origin=Origin.SYNTHETIC,
            generation=self.lineage.generation,
            real_share=0.0,
            recipe=self.recipe,
            options={**self.options, **getattr(self.source, "declared", {})},
            seed=seed,
            parents=self.lineage.parents,
            digest=digest,
            versions=_versions(),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as a folder; `load` of its recipe reads it again."""
        facts, arrays = self.source.save()
        manifest = {
            "recipe": self.recipe,
            "options": dict(self.options),
            "seed": self.seed,
            "lineage": dataclasses.asdict(self.lineage),
            "log": self.log.to_plain(),
            "versions": _versions(),
            "source": facts,
        }
        if self.training is not None:
            manifest[TRAINING] = dict(self.training.facts)
            arrays = arrays | under(TRAINING, self.training.arrays)
        write_model(path, manifest, arrays)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
