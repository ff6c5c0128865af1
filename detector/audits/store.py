"""Finished rounds on disk, so that a run that was killed goes on where it stopped.

Under the folder that the user names there is one for each run, named by a digest of all that
its numbers depend on; another run in the same folder never meets its files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import DetectorError
from detector.files import write_bytes_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where one run's rounds are kept; nowhere when there is no folder.

    Attributes:
        folder: The run's own folder, or None.

    """

    folder: Path | None = None

    @staticmethod
    def at(path: str | os.PathLike[str] | None, identity: Mapping[str, Any]) -> Store:
        """Return the place of the run with this identity, made if need be.

        Raises:
            DetectorError: The folder cannot be made.

        """
        if path is None:
            return Store()
        text = json.dumps(identity, sort_keys=True, default=str)
        folder = Path(path) / hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DetectorError(
                f"the checkpoint folder cannot be made: {error.strerror or error}.",
                hint="Name a folder that can be written to.",
            ) from error
        return Store(folder=folder)

    def read(self, name: str) -> tuple[pa.Table, dict[str, Any]] | None:
        """Return the rows and the record kept under a name; None where there are none."""
        import pyarrow as pa

        record = self.record(name)
        if self.folder is None or record is None:
            return None
        try:
            rows = pa.py_buffer((self.folder / f"{name}.arrow").read_bytes())
            with pa.ipc.open_stream(rows) as reader:
                return reader.read_all(), record
        except (OSError, pa.ArrowInvalid):
            return None  # damaged: it is made again, and comes out the same

    def record(self, name: str) -> dict[str, Any] | None:
        """Return the record kept under a name; None where there is none."""
        if self.folder is None:
            return None
        try:
            found = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, name: str, table: pa.Table, record: Mapping[str, Any]) -> None:
        """Keep rows and a record under a name; the record last, so that it vouches for both."""
        import pyarrow as pa

        if self.folder is None:
            return
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        write_bytes_atomically(self.folder / f"{name}.arrow", sink.getvalue().to_pybytes())
        self.note(name, record)

    def note(self, name: str, record: Mapping[str, Any]) -> None:
        """Keep a record under a name."""
        if self.folder is not None:
            text = json.dumps(record, sort_keys=True)
            write_bytes_atomically(self.folder / f"{name}.json", text.encode())
