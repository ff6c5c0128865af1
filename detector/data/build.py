"""Arrow arrays made from buffers.

`pyarrow.array` and `pyarrow.scalar` import pandas when it is installed, which costs half a
second and buys nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray


def primitive(values: NDArray[Any]) -> pa.Array:
    """Return numbers as an Arrow array of their own type, without a copy where possible."""
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)]
    )


def strings(values: Sequence[str]) -> pa.Array:
    """Return text as an Arrow array; a lone surrogate becomes a question mark."""
    import pyarrow as pa

    encoded = [value.encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    return pa.Array.from_buffers(
        pa.string(),
        len(encoded),
        [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))],
    )
