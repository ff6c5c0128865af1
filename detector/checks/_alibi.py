"""alibi-detect behind six checks: the one module that imports it.

It takes its random numbers from numpy's, Python's and the framework's global states and from
nowhere else. They are seeded for the time of a test and numpy's and Python's put back; the
framework's has no way back. Its p-values are shares of permutations and can be zero: they are
corrected here.
"""

from __future__ import annotations

import importlib.util
import os
import random
import warnings
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np

from detector.data.encode import encode_dense
from detector.data.schema import Kind, Schema
from detector.findings import TABLE, Finding, Gap, Measurement, Reason, Worse
from detector.stats.proportions import SMALLEST_P

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from detector.profiles.comparison import Comparison
    from detector.rng import Streams

    Floats = NDArray[np.float32]

EXTRA = "alibi"

FRAMEWORKS = {"tensorflow": "tensorflow", "pytorch": "torch"}
"""What alibi-detect calls a framework, and the package; the first installed is taken."""


class AlibiCheck(Protocol):
    """What the six checks have in common."""

    name: ClassVar[str]

    @property
    def rows(self) -> int:
        """Sampled rows of each side that enter, at most."""

    @property
    def min_rows(self) -> int:
        """Rows that each side needs."""


class Rows(NamedTuple):
    """Both sides on one scale.

    x: Reference rows, shape (n, d).
    y: Candidate rows, shape (m, d).
    sources: The column that each dimension came from.
    """

    x: Floats
    y: Floats
    sources: tuple[str, ...]


class Answer(NamedTuple):
    """What a detector said.

    value: Its statistic.
    p_value: In (0, 1].
    evidence: Plain data.
    """

    value: float
    p_value: float
    evidence: Mapping[str, object]


def asked(
    check: AlibiCheck,
    comparison: Comparison,
    streams: Streams,
    ask: Callable[[str, Rows, int], Answer | Gap],
    *,
    names: tuple[str, ...] | None = None,
) -> Finding:
    """Run one detector, or say why it cannot be run.

    Args:
        check: The check, with its limits of rows.
        comparison: The two sides.
        streams: The check's randomness.
        ask: Called with the framework, the rows and a seed, in seeded surroundings.
        names: The columns; all that are no text when None.

    """
    rows = _refused(check) or prepared(check, comparison, names=names)
    if isinstance(rows, Gap):
        return _finding(check, rows, (0, 0))
    seed = int(streams("seed").integers(2**31))
    with surroundings(seed):
        said = ask(str(framework()), rows, seed)
    counts = len(rows.x), len(rows.y)
    if isinstance(said, Gap):
        return _finding(check, said, counts)
    evidence = {"backend": str(framework()), **said.evidence}
    return _finding(check, _measured(check, said), counts, evidence)


def framework() -> str | None:
    """Return the framework that is installed, as alibi-detect calls it; imports nothing."""
    found = (name for name, package in FRAMEWORKS.items() if importlib.util.find_spec(package))
    return next(found, None)


def prepared(
    check: AlibiCheck, comparison: Comparison, *, names: tuple[str, ...] | None = None
) -> Rows | Gap:
    """Return the rows that enter, on one pooled scale, or why there are none."""
    if names is None:
        names = comparison.columns(*(kind for kind in Kind if kind is not Kind.TEXT))
    sides = comparison.reference.sample, comparison.candidate.sample
    if not names:
        return gap(check, Reason.NO_COMMON_COLUMNS, "no column in common can be compared")
    if sides[0] is None or sides[1] is None:
        return gap(check, Reason.NEEDS_ROWS, "a profile keeps no rows")
    if comparison.group is not None:
        said = "alibi-detect shuffles single rows, and these come in groups"
        return gap(check, Reason.KIND_NOT_SUPPORTED, said)
    if (fewest := min(side.table.num_rows for side in sides if side)) < check.min_rows:
        detail = f"{fewest} rows on one side, {check.min_rows} needed"
        return gap(check, Reason.TOO_FEW_ROWS, detail)
    reference, candidate = sides[0].head(check.rows).table, sides[1].head(check.rows).table
    schema = comparison.reference.frame.schema
    dense = encode_dense(
        reference, candidate, Schema(columns=tuple(schema[name] for name in names))
    )
    if not np.ptp(np.concatenate((dense.x, dense.y)), axis=0).any():
        return gap(check, Reason.CONSTANT_COLUMN, "all rows of both sides are equal")
    return Rows(dense.x, dense.y, dense.sources)


def gap(check: AlibiCheck, reason: Reason, detail: str) -> Gap:
    """Return why a check has no answer."""
    return Gap(name=check.name, reason=reason, detail=detail)


def permuted(share: float, permutations: int) -> float:
    """Return the p-value of a share of permutations at least as bad: (k + 1) / (B + 1)."""
    return (round(share * permutations) + 1) / (permutations + 1)


def bandwidth(x: Floats, y: Floats) -> Floats:
    """Return the median heuristic over distinct pooled rows, shape (1,).

    alibi-detect's own takes equal rows in, and is 0 where most of them are.
    """
    pooled = np.concatenate((x, y)).astype(np.float64)
    pooled = pooled[:: max(1, len(pooled) // 1_000)]
    squared = ((pooled[:, None] - pooled[None]) ** 2).sum(-1)
    apart = squared[squared > 1e-9]
    return np.array([np.sqrt(np.median(apart) / 2) if len(apart) else 1.0], np.float32)


def network(backend: str, widths: tuple[int, ...], *, softmax: bool = False) -> Any:
    """Return a dense network with these widths, the first being that of the input."""
    if backend == "tensorflow":
        import tensorflow as tf

        layers = [tf.keras.layers.Dense(width, activation="relu") for width in widths[1:-1]]
        last = tf.keras.layers.Dense(widths[-1], activation="softmax" if softmax else None)
        return tf.keras.Sequential([tf.keras.Input((widths[0],)), *layers, last])
    from torch import nn

    parts: list[Any] = []
    for before, after in pairwise(widths):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*parts[:-1], *([nn.Softmax(dim=-1)] if softmax else []))


def gaussian(backend: str, sigma: Floats) -> Any:
    """Return alibi-detect's Gaussian kernel with a bandwidth that training may move."""
    if backend == "tensorflow":
        from alibi_detect.utils.tensorflow import GaussianRBF as Kernel

        return Kernel(sigma, trainable=True)
    import torch
    from alibi_detect.utils.pytorch import GaussianRBF as TorchKernel

    return TorchKernel(torch.from_numpy(sigma), trainable=True)


def deep_kernel(backend: str, projection: Any) -> Any:
    """Return alibi-detect's deep kernel over a projection."""
    if backend == "tensorflow":
        from alibi_detect.utils.tensorflow import DeepKernel as Kernel

        return Kernel(projection, eps=0.01)
    from alibi_detect.utils.pytorch import DeepKernel as TorchKernel

    return TorchKernel(projection, eps=0.01)


@contextmanager
def surroundings(seed: int) -> Iterator[None]:
    """Seed every global state that alibi-detect draws from, and put back what can be."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    ours, theirs = random.getstate(), np.random.get_state()  # noqa: NPY002 - to put it back
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 - alibi-detect draws from it
            _seed_framework(seed)
            yield
        finally:
            random.setstate(ours)
            np.random.set_state(theirs)  # noqa: NPY002 - what was before


def _seed_framework(seed: int) -> None:
    if framework() == "tensorflow":
        import tensorflow as tf

        tf.random.set_seed(seed)
    else:
        import torch

        torch.manual_seed(seed)


def _refused(check: AlibiCheck) -> Gap | None:
    """Return what is not installed, and how to get it."""
    needs = {"alibi-detect": "alibi_detect"}
    missing = [name for name, package in needs.items() if importlib.util.find_spec(package) is None]
    missing += [] if framework() else ["TensorFlow or PyTorch"]
    if not missing:
        return None
    said = f"{' and '.join(missing)} not installed; run `pip install 'collapse-detector[{EXTRA}]'`"
    return gap(check, Reason.MISSING_EXTRA, said)


def _measured(check: AlibiCheck, said: Answer) -> Gap | Measurement:
    """Return a measurement; a number that is none is a gap."""
    if not np.isfinite([said.value, said.p_value]).all():
        return gap(check, Reason.KIND_NOT_SUPPORTED, "alibi-detect found no number for these rows")
    return Measurement(
        name=check.name,
        value=float(said.value),
        worse=Worse.HIGHER,
        null_value=0.0,
        p_value=float(min(1.0, max(said.p_value, SMALLEST_P))),
    )


def _finding(
    check: AlibiCheck,
    outcome: Gap | Measurement,
    rows: tuple[int, int],
    evidence: Mapping[str, object] | None = None,
) -> Finding:
    return Finding(
        check=check.name,
        subject=TABLE,
        outcome=outcome,
        n_reference=rows[0],
        n_candidate=rows[1],
        evidence={} if isinstance(outcome, Gap) else evidence or {},
    )
