"""Arrow columns as numpy arrays, the way the profile reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def as_numbers(column: pa.Array) -> NDArray[np.float64]:
    """Return a numeric column as float64 with NaN for missing, shape (n,).

    The result may share memory with the column: treat it as read-only.
    """
    import pyarrow as pa

    if column.null_count:
        column = column.cast(pa.float64()).fill_null(float("nan"))
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)


def as_codes(column: pa.DictionaryArray) -> tuple[NDArray[np.int32], list[str]]:
    """Return a level column as codes, shape (n,), -1 for missing, and its levels."""
    indices = column.indices
    if indices.null_count:
        indices = indices.fill_null(-1)
    codes = np.asarray(indices.to_numpy(zero_copy_only=False), np.int32)
    return codes, column.dictionary.to_pylist()


def as_vectors(column: pa.Array) -> NDArray[np.float32]:
    """Return a vector column as float32, shape (n, width), NaN for missing rows."""
    import pyarrow as pa

    width = column.type.list_size
    values = np.full((len(column), width), np.nan, np.float32)
    present = column.is_valid().to_numpy(zero_copy_only=False)
    flat = column.drop_null().flatten().cast(pa.float32())
    values[present] = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return values
