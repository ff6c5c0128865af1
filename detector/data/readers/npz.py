"""NPZ: a zip of numpy arrays. Sizes are checked before anything is unpacked."""

from __future__ import annotations

import zipfile
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from detector.data.matrix import array_source
from detector.data.source import shown
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from detector.data.source import Source

MAX_BYTES = 4 * 2**30 - 2**20
"""The arrays of an NPZ are unpacked into memory: together at most this size."""

MAX_MEMBERS = 10_000


def open(paths: Sequence[Path]) -> Source:
    """Return the arrays of an NPZ file as a source.

    Raises:
        InputError: It is no zip, it would unpack to too much, or it holds pickled objects.

    """
    path, *others = paths
    if others:
        raise InputError("Several .npz files cannot be read together.", hint="Name one of them.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
            _check(path, members)
            arrays = {
                entry.filename.removesuffix(".npy"): _array(path, archive, entry)
                for entry in members
            }
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"`{path.name}` is no complete NPZ (zip) file.", hint="Write it with numpy.savez."
        ) from error
    return array_source(arrays, label=path.name)


def _check(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    if not members:
        raise InputError(f"`{path.name}` holds no arrays.", hint="Write it with numpy.savez.")
    size = sum(entry.file_size for entry in members)
    if size > MAX_BYTES or len(members) > MAX_MEMBERS:
        raise InputError(
            f"`{path.name}` would unpack to {size / 2**30:,.1f} GiB in {len(members):,} arrays.",
            hint="If that is meant, save the arrays as .npy, which are not read into memory.",
        )


def _array(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """Return one array, after its header was held against the size of its entry."""
    name = shown(entry.filename.removesuffix(".npy"))
    with archive.open(entry) as file:
        try:
            shape, _, dtype = _header(file)
        except (ValueError, SyntaxError, EOFError, TokenError) as error:
            raise InputError(
                f"`{path.name}`: {name} has no readable header.", hint="Write it again."
            ) from error
        if dtype.hasobject:
            raise InputError(
                f"`{path.name}`: the array {name} holds pickled Python objects.",
                hint="They are never loaded; save numbers or text.",
            )
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > entry.file_size:
        raise InputError(
            f"`{path.name}`: the header of {name} promises {size:,} bytes, "
            f"and {entry.file_size:,} are there.",
            hint="Write it again with numpy.savez.",
        )
    with archive.open(entry) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]
    return array


def _header(file: Any) -> Any:
    """Return the shape, the order and the type that an array's header tells."""
    library: Any = npy
    version = library.read_magic(file)
    if version == (1, 0):
        return library.read_array_header_1_0(file)
    return library.read_array_header_2_0(file)
