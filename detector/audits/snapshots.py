"""A profile of each generation on disk, for the gate, a lineage, or analyses of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detector.data.dataset import of_table
from detector.errors import DetectorError
from detector.profiles.make import make_profile

if TYPE_CHECKING:
    import os

    import pyarrow as pa

    from detector.data.dataset import Dataset
    from detector.profiles.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshots:
    """Where profiles go.

    Attributes:
        folder: The folder.
        base: The profile of all real rows, over whose frame the others are made.

    """

    folder: Path
    base: Profile

    @staticmethod
    def at(path: str | os.PathLike[str], dataset: Dataset) -> Snapshots:
        """Return the place, made if need be, with the profile of all real rows in it.

        Raises:
            DetectorError: The folder cannot be made.

        """
        folder = Path(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DetectorError(
                f"the folder of profiles cannot be made: {error.strerror or error}.",
                hint="Name a folder that can be written to.",
            ) from error
        base = make_profile(dataset)
        base.save(str(folder / "real.profile"))
        return Snapshots(folder=folder, base=base)

    def write(self, name: str, rows: pa.Table) -> None:
        """Write the profile of a generation; one of this name is written over."""
        dataset = of_table(rows, self.base.schema, name=name)
        # A salt of its own, as in `gate`: rows of both must not be drawn together.
        made = make_profile(dataset, against=self.base, salt=1)
        made.save(str(self.folder / f"{name}.profile"))
