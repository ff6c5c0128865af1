"""Why a row is strange, in words, and how near its nearest reference row is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.classifiers.strangeness import VIEWS, nearest_exactly

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.checks._strange_rows import Judged, StrangeRows

    Numbers = NDArray[np.float64]

NUMBERS = ("p_value", "adjusted_p_value", "nearest_distance")
"""What is told of a row beside its reason."""

_NAMED = 2
_TIMES = math.log(1.5)
_EQUAL = 1e-3
COLUMN, MISFIT, FAR = (VIEWS.index(view) for view in ("column", "misfit", "far"))


def described(
    strange: StrangeRows, rows: pa.Table, p_values: Numbers, adjusted: Numbers
) -> list[dict[str, Any]]:
    """Return what is told of each row: its reason, its p-values and its nearest distance.

    Args:
        strange: The fitted score.
        rows: The rows, n of them.
        p_values: Their p-values, shape (n,).
        adjusted: The same, adjusted for all rows of the batch.

    """
    if not len(rows):
        return []
    judged = strange.judge(rows)
    numbers = np.column_stack((p_values, adjusted, distances(strange, judged))).tolist()
    return [
        {"reason": reason, **dict(zip(NUMBERS, values, strict=True))}
        for reason, values in zip(reasons(strange, judged), numbers, strict=True)
    ]


def distances(strange: StrangeRows, judged: Judged) -> Numbers:
    """Return the distance of each row to its nearest sampled reference row, shape (n,).

    The root mean square difference over all columns: numbers in normal scores of the
    reference, where 1 is a spread, levels by indicators of variance 1. It is 0 for a copy.
    """
    found = nearest_exactly(judged.encoded.scores, strange.neighbors)
    found[np.isin(judged.content, strange.contents)] = 0.0
    return found


def reasons(strange: StrangeRows, judged: Judged) -> list[str]:
    """Return why each row is strange, the most telling reason alone."""
    fitted, encoded = strange.fitted, judged.encoded
    copied = np.isin(judged.content, strange.contents)
    beyond = fitted.beyond(judged.views)
    # A distance says least to a reader: it speaks where the other views have nothing to say.
    telling = np.where(beyond > 0, beyond, -1.0)
    telling[:, FAR] = np.minimum(telling[:, FAR], 0.0)
    strongest = np.where((beyond > 0).any(axis=1), telling.argmax(axis=1), len(VIEWS))
    misfits = fitted.misfits(encoded)
    strongest[(strongest >= FAR) & (misfits > 1).any(axis=1)] = MISFIT
    excess = fitted.crowd.excess(encoded.codes)
    sources = np.array(fitted.frozen.sources, object)
    fits = sources[fitted.frozen.dimensions]
    # A value that was never seen fits nothing: of the two reasons it is the plainer one.
    same = fits[misfits.argmax(axis=1)] == sources[encoded.surprise.argmax(axis=1)]
    never = encoded.surprise.max(axis=1) >= math.log(strange.fit_rows + 1) - _EQUAL
    strongest[(strongest == MISFIT) & same & never] = COLUMN
    said = []
    for row, view in enumerate(strongest.tolist()):
        match (*VIEWS, "crowd")[view]:
            case "column":
                reason = _unusual(strange, judged, row)
            case "misfit":
                names = _first(fits[np.argsort(-misfits[row], kind="stable")])
                reason = f"{_listed(names)} unlike what the other columns say"
            case "far":
                reason = "far from all of the reference's rows"
            case _:
                reason = _crowd(sources, excess[row])
        said.append(f"copy of a reference row, {reason}" if copied[row] else reason)
    return said


def _unusual(strange: StrangeRows, judged: Judged, row: int) -> str:
    """Say which single column is strange."""
    sources, surprise = strange.fitted.frozen.sources, judged.encoded.surprise[row]
    order = np.argsort(-surprise, kind="stable")
    unseen = int((surprise >= math.log(strange.fit_rows + 1) - _EQUAL).sum())
    if not unseen:
        return f"rare value of {_listed([sources[order[0]]])}"
    names = _first(sources[place] for place in order[:unseen])
    if np.isnan(judged.encoded.codes[row, order[0]]):
        return f"no value of {_listed(names[:1])}, which {strange.fit_rows:,} reference rows have"
    return f"outside all that {strange.fit_rows:,} reference rows have in {_listed(names)}"


def _crowd(sources: NDArray[np.object_], excess: Numbers) -> str:
    """Say what the batch has too many of."""
    order = [place for place in np.argsort(-excess, kind="stable") if excess[place] > _TIMES]
    names = _first(sources[order])
    about = f", by {_listed(names)}" if names else ", by several columns at once"
    return f"of a kind that the candidate has too many of{about}"


def _first(names: Iterable[str]) -> list[str]:
    """Return the first few different names."""
    return list(dict.fromkeys(names))[:_NAMED]


def _listed(names: list[str]) -> str:
    return " and ".join(f"`{name}`" if len(name) <= 60 else f"`{name[:60]}…`" for name in names)
