"""A model as a folder: `manifest.json` and `arrays.npz`, whole or not at all. No pickle."""

from __future__ import annotations

import contextlib
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
ARRAYS = "arrays.npz"
MAX_BYTES = 4 * 2**30


def write_model(
    path: str | os.PathLike[str], manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a model's folder beside its place, then move it there.

    An older model at this place is replaced; anything else there is left alone.

    Raises:
        DetectorError: Something else is there, or the place cannot be written to.

    """
    target = Path(path).resolve()
    check_place(target)
    plain = {"format": FORMAT, "version": VERSION, **manifest}
    text = json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n"
    try:
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}."))
        try:
            (folder / MANIFEST).write_text(text, "utf-8")
            np.savez(folder / ARRAYS, **{name: _plain(array) for name, array in arrays.items()})
            folder.chmod(0o755)
            _swap(folder, target)
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
    try:
        with zipfile.ZipFile(folder / ARRAYS) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise DetectorError(f"`{folder.name}` unpacks to more than 4 GiB.", hint=again)
        with np.load(folder / ARRAYS, allow_pickle=False) as members:
            return manifest, {name: members[name] for name in members.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DetectorError(
            f"`{folder.name}`: {ARRAYS} is missing or damaged ({type(error).__name__}).", hint=again
        ) from error


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


def _swap(folder: Path, target: Path) -> None:
    """Put the new folder in the old one's place."""
    if not target.exists():
        folder.replace(target)
        return
    aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}."))
    target.replace(aside)
    try:
        folder.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
