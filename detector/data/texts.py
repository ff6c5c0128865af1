"""What a column of text may spell, and how often its values repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detector.data import parse
from detector.data.arrays import as_indices, positions
from detector.data.evidence import Floats, Integers
from detector.data.families import decoded
from detector.data.hashing import text_hashes
from detector.data.repeats import Repeats

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

NEARLY_ALL = 0.9
"""Text is not a category when its distinct values reach this share of its rows."""

KEY_CHARACTERS = 64
"""A key is at most this long and holds no blank."""


class Texts:
    """Text: what it may spell, and how often its values repeat.

    Attributes:
        present: Rows that hold a value.
        spells: The sorts of values that every value so far can be read as.
        integers: The whole numbers, while it spells those.
        floats: The numbers, while it spells those.
        wide: Some whole number is beyond int64.
        unfinished: Repeats were not counted from the start.

    """

    def __init__(self, *, untyped: bool, named_id: bool) -> None:
        """Untyped text (a CSV cell) may be a number; text of a typed source stays text."""
        self.present = 0
        self.spells: dict[str, Callable[[pa.Array], pa.Array]] = dict(_SPELLINGS)
        self.integers = Integers(named_id=False)
        self.floats = Floats()
        self.wide = False
        self.repeats = Repeats()
        self.unfinished = False
        self._recounting = False
        self._like_keys = True
        self._untyped = untyped
        self.named_id = named_id

    def add(self, column: pa.Array) -> None:
        """Look at a batch of text, plain or with a dictionary."""
        values, counts = _used(column)
        if not len(values):
            return
        if not self._recounting:
            self.present += int(counts.sum()) if counts is not None else len(values)
            for name, read in tuple(self.spells.items()):
                self._try(name, read, values)
        if self._spelled and not self.named_id:
            self.unfinished = True
        else:
            self._count(values, counts)

    def settled(self, n_rows: int | None) -> bool:
        """Tell whether it spells nothing, and too many rows repeat for all to differ."""
        repeats = self.repeats
        if self.spells or self.unfinished or n_rows is None or not repeats.exact:
            return False
        return repeats.rows - repeats.distinct > (1.0 - NEARLY_ALL) * n_rows + 1.0

    def recount(self) -> bool:
        """Tell whether it proved to be text late; if so, count repeats from the start now."""
        if not self.unfinished or self._spelled:
            return False
        self.repeats, self.unfinished, self._recounting = Repeats(), False, True
        return True

    @property
    def zero_one(self) -> bool:
        """Tell whether it spells the numbers 0 and 1 only."""
        whole = self.integers
        return "number" in self.spells and self.floats.zero_one and whole.few <= {0, 1}

    @property
    def identifies(self) -> bool:
        """Tell whether no value comes twice and all look like keys."""
        return self._like_keys and self.repeats.all_differ

    @property
    def nearly_all_differ(self) -> bool:
        """Tell whether the distinct values are nearly as many as the rows."""
        return self.repeats.distinct >= NEARLY_ALL * self.repeats.rows

    @property
    def _spelled(self) -> bool:
        """Tell whether it still spells something that text of this source may be."""
        return bool(self.spells.keys() & (_SPELLINGS if self._untyped else _TIMES))

    def _try(self, name: str, read: Callable[[pa.Array], pa.Array], values: pa.Array) -> None:
        import pyarrow as pa

        if name == "number" and "whole" in self.spells:
            return  # whole numbers are numbers
        try:
            parsed = parse.trimmed(read, values)
        except pa.ArrowInvalid:
            del self.spells[name]
            return
        if name == "whole":
            self.wide |= pa.types.is_floating(parsed.type)
            self.integers.add(parsed)
        if name == "number":
            self.floats.add(parsed)

    def _count(self, values: pa.Array, counts: NDArray[np.int64] | None) -> None:
        if counts is None:
            values, counts = _used(values.dictionary_encode())
        self.repeats.add(text_hashes(values), counts)
        if self.identifies:
            self._like_keys = _are_keys(values)


_TIMES = {
    "local": parse.local_instants,
    "zoned": parse.zoned_instants,
    "clock": parse.clock_times,
}
_SPELLINGS = {
    "whole": parse.whole_numbers,
    "number": parse.numbers,
    "truth": parse.truths,
    **_TIMES,
}


def _used(column: pa.Array) -> tuple[pa.Array, NDArray[np.int64] | None]:
    """Return the present values; of a dictionary each one once, with its count."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return column.drop_null(), None
    if column.dictionary.null_count:
        return decoded(column).drop_null(), None
    codes = as_indices(column.indices.cast(pa.int32()))
    counts = np.bincount(codes[codes >= 0], minlength=len(column.dictionary))
    used = np.flatnonzero(counts)
    return column.dictionary.take(positions(used)), counts[used].astype(np.int64)


def _are_keys(values: pa.Array) -> bool:
    from pyarrow import compute

    if compute.min_max(compute.utf8_length(values))["max"].as_py() > KEY_CHARACTERS:
        return False
    return not compute.any(compute.match_substring_regex(values, r"\s")).as_py()
