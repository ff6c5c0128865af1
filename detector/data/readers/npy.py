"""NPY: one numpy array, mapped into memory; pickled objects are refused."""

from __future__ import annotations

from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np

from detector.data.matrix import array_source
from detector.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from detector.data.source import Source


def open(paths: Sequence[Path]) -> Source:
    """Return the array of an NPY file as a source."""
    path, *others = paths
    if others:
        raise InputError("Several .npy files cannot be read together.", hint="Name one of them.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, SyntaxError, EOFError, TokenError) as error:
        raise _fault(path, str(error)) from error
    return array_source({"c0": array}, label=path.name)


def _fault(path: Path, said: str) -> InputError:
    """Return what is wrong with a file that numpy will not load."""
    if _start(path) != b"\x93NUMPY":
        return InputError(f"`{path.name}` is no NPY file.", hint="Write it with numpy.save.")
    if "allow_pickle" in said or "Python objects" in said:
        return InputError(
            f"`{path.name}` holds pickled Python objects.",
            hint="They are never loaded; save numbers or text.",
        )
    return InputError(
        f"`{path.name}` was cut short: its header promises more values.", hint="Write it again."
    )


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(6)
