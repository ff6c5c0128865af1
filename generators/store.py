"""A model as a folder: `manifest.json` and its arrays, whole or not at all. No pickle."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.schema import ColumnSpec, Kind, Role, Schema
from detector.errors import DetectorError
from detector.recipes import MANIFEST, read_manifest

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

FORMAT = "collapse-detector model"
VERSION = 1
ARRAYS, OTHERS = "arrays.npz", "arrays-2.npz"
"""Files of arrays: a model that replaces another one takes the name that is free."""

MAX_BYTES = 4 * 2**30


def write_model(
    path: str | os.PathLike[str], manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a model's folder, whole or not at all, whatever kills the process.

    An older model at this place is replaced in one step, that of its manifest, which names the
    arrays it belongs to; anything else there is left alone.

    Raises:
        DetectorError: Something else is there, or the place cannot be written to.

    """
    target = Path(path).resolve()
    check_place(target)
    older = _named(target)
    name = OTHERS if older == ARRAYS else ARRAYS
    plain = {"format": FORMAT, "version": VERSION, "arrays": name, **manifest}
    text = json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n"
    try:
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}."))
        try:
            (folder / MANIFEST).write_text(text, "utf-8")
            np.savez(folder / name, **{key: _plain(array) for key, array in arrays.items()})
            folder.chmod(0o755)
            if older is None:
                folder.replace(target)
            else:
                for file in (name, MANIFEST):  # the manifest last: from then on it is the new one
                    (folder / file).replace(target / file)
                (target / older).unlink(missing_ok=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DetectorError(
            f"Cannot write `{target.name}`: {reason}.", hint="Choose a folder that exists."
        ) from error


def check_place(path: str | os.PathLike[str]) -> None:
    """Refuse a place where something lies that is no model.

    Raises:
        DetectorError: It says what is there.

    """
    target = Path(path)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not target.is_dir() or not (target / MANIFEST).is_file():
        raise DetectorError(
            f"`{target.name}` exists and is no saved model.", hint="Choose another name."
        )


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the manifest and the arrays of a model.

    Raises:
        DetectorError: It is damaged, no model, or of another version.

    """
    folder, manifest = Path(path), read_manifest(path)
    again = "Fit the model again."
    if manifest.get("format") != FORMAT:
        raise DetectorError(f"`{folder.name}` is not a model of ours.", hint=again)
    if manifest.get("version") != VERSION:
        raise DetectorError(
            f"`{folder.name}` has model version {manifest.get('version')}; "
            f"this release reads {VERSION}.",
            hint=again,
        )
    arrays = OTHERS if manifest.get("arrays") == OTHERS else ARRAYS
    try:
        with zipfile.ZipFile(folder / arrays) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise DetectorError(f"`{folder.name}` unpacks to more than 4 GiB.", hint=again)
        with np.load(folder / arrays, allow_pickle=False) as members:
            return manifest, {name: members[name] for name in members.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DetectorError(
            f"`{folder.name}`: {arrays} is missing or damaged ({type(error).__name__}).", hint=again
        ) from error


def below(arrays: Mapping[str, NDArray[Any]], part: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of one part, `part/name`, under their own names."""
    head = f"{part}/"
    return {
        name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)
    }


def under(part: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return arrays as those of one part, which `below` finds again."""
    return {f"{part}/{name}": array for name, array in arrays.items()}


def plain_columns(schema: Schema) -> list[dict[str, Any]]:
    """Return the columns of a schema as JSON data."""
    return [
        {"name": spec.name, "kind": spec.kind.value, "role": spec.role.value, "width": spec.width}
        for spec in schema.columns
    ]


def schema_of(plain: list[dict[str, Any]]) -> Schema:
    """Return the schema that `plain_columns` wrote."""
    return Schema(
        columns=tuple(
            ColumnSpec(
                name=one["name"],
                kind=Kind(one["kind"]),
                role=Role(one["role"]),
                width=int(one["width"]),
            )
            for one in plain
        )
    )


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.hasobject:
        raise TypeError("an array of Python objects cannot be saved without pickle")
    return array


def _named(folder: Path) -> str | None:
    """Return the name of the arrays that a model's manifest belongs to; None without a model."""
    try:
        plain = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):  # damaged, and replaced
        return ARRAYS
    return OTHERS if isinstance(plain, dict) and plain.get("arrays") == OTHERS else ARRAYS
