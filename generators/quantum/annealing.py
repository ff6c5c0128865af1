"""Simulated quantum annealing: thermal samples of a transverse-field Ising model, at any size.

Suzuki and Trotter's product turns the quantum model into a classical one with one more direction,
imaginary time: every qubit becomes a ring of `slices` spins that pull at each other. Path-integral
Monte Carlo samples that model. A step here redraws the whole ring of one qubit at once, exactly, by
a sum forwards and a walk backwards around the ring; spins that hold each other fast over imaginary
time therefore do not slow it down. Many chains run side by side.

    paths = anneal(problem, transverse, chains=4096, rng=rng)
    bits = paths.bits()                        # (4096, q): one independent row a chain
    m = paths.moments(transverse)              # Z, ZZ and X, averaged over chains and slices
    paths = swept(paths, problem, transverse, sweeps=2, rng=rng)   # chains that go on

Without a transverse field the slices are one, and a step is a step of Gibbs sampling. The error of
the product falls with the square of the number of slices.

Source: Suzuki (1976), Prog. Theor. Phys. 56; Martonak, Santoro and Tosatti (2002), Phys. Rev. B
66; drawing whole rings after Krzakala et al. (2008), Phys. Rev. B 78.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.errors import DetectorError
from generators.quantum.ising import Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from generators.quantum.problems import Ising

    Floats = NDArray[np.floating[Any]]
    Bits = NDArray[np.bool_]

SLICES = 16
SWEEPS = 100
"""Sweeps of an annealing; the first half rises to the model, the second half holds it."""

HIGH_FIELD = 3.0
"""Transverse field at the start of an annealing, above the model's own."""

TOGETHER = 1_024
"""Chains that move together, so that their spins stay in the cache."""

SINGLE, DOUBLE = 60.0, 600.0
"""The strongest pull on a spin whose weights fit single, and double, precision."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paths:
    """World lines of chains.

    Attributes:
        zeros: Where the bit is 0 (the spin is up), shape (q, slices, chains).

    """

    zeros: Bits

    def bits(self) -> NDArray[np.uint8]:
        """Return the bits at one moment of imaginary time, shape (chains, q)."""
        return np.ascontiguousarray(~self.zeros[:, 0].T).astype(np.uint8)

    def moments(self, transverse: Floats) -> Terms:
        """Return the means of Z, ZZ and X over chains and slices.

        Args:
            transverse: The field that the chains were drawn with, shape (q,).

        """
        qubits, slices, _ = self.zeros.shape
        spins = self.zeros.reshape(qubits, -1).astype(np.float32)
        spins = 2.0 * spins - 1.0
        pace = np.tanh(np.abs(transverse) / slices)
        apart = (self.zeros != np.roll(self.zeros, 1, axis=1)).mean(axis=(1, 2))
        across = pace * (1.0 - apart) + apart / np.where(pace > 0, pace, 1.0)
        return Terms(
            fields=spins.mean(axis=1, dtype=np.float64),
            couplings=np.triu((spins @ spins.T).astype(np.float64) / spins.shape[1], 1),
            transverse=np.where(pace > 0, across, 0.0) * np.sign(transverse),
        )


def anneal(
    problem: Ising,
    transverse: Floats,
    *,
    chains: int,
    rng: np.random.Generator,
    sweeps: int = SWEEPS,
    slices: int = SLICES,
) -> Paths:
    """Return independent chains after annealing from random spins to the model.

    Half of the sweeps raise the energy from nothing and lower the transverse field to the model's;
    the others run at the model itself, so that the result is a thermal sample and not the ground
    state.

    Args:
        problem: The energy of the bits.
        transverse: The strength of X on each qubit, shape (q,).
        chains: How many.
        rng: Decides everything.
        sweeps: Visits to each qubit.
        slices: Moments of imaginary time; 1 is taken where there is no transverse field.

    Raises:
        DetectorError: The energies are so large that weights are no numbers.

    Cost: O(chains sweeps q (q + slices)) time, O(chains q slices) bytes.
    """
    _precision(problem.couplings + problem.couplings.T, problem.fields)
    depth = slices if transverse.any() else 1
    zeros = np.broadcast_to(
        rng.random((problem.qubits, 1, chains), np.float32) < np.float32(0.5),
        (problem.qubits, depth, chains),
    )
    paths = Paths(zeros=zeros)
    rising = sweeps // 2
    for sweep in range(rising):
        share = (sweep + 1) / rising
        field = np.abs(transverse) + (1.0 - share) * HIGH_FIELD * (transverse != 0)
        paths = swept(paths, problem, field, sweeps=1, rng=rng, share=share)
    return swept(paths, problem, transverse, sweeps=sweeps - rising, rng=rng)


def swept(
    paths: Paths,
    problem: Ising,
    transverse: Floats,
    *,
    sweeps: int,
    rng: np.random.Generator,
    share: float = 1.0,
) -> Paths:
    """Return the chains after some sweeps, each redrawing every qubit's ring once.

    Args:
        paths: Where the chains are.
        problem: The energy of the bits.
        transverse: The strength of X on each qubit, shape (q,).
        sweeps: Visits to each qubit.
        rng: Decides everything.
        share: The energy is multiplied by it.

    """
    pulls = share * (problem.couplings + problem.couplings.T)
    fields = share * problem.fields
    dtype = _precision(pulls, fields)
    slices = paths.zeros.shape[1]
    links = np.tanh(np.abs(transverse) / slices)
    scaled = (2.0 * pulls / slices).astype(dtype), (2.0 * fields / slices).astype(dtype)
    parts = [
        _swept_part(paths.zeros[:, :, part], scaled, links.astype(dtype), sweeps, rng)
        for part in _parts(paths.zeros.shape[2])
    ]
    return Paths(zeros=np.concatenate(parts, axis=2))


def _swept_part(
    zeros: Bits, scaled: tuple[Floats, Floats], links: Floats, sweeps: int, rng: np.random.Generator
) -> Bits:
    pulls, fields = scaled
    qubits, slices, chains = zeros.shape
    found = np.array(zeros, order="C")
    spins = (2 * found.astype(pulls.dtype) - 1).reshape(qubits, -1)
    room = np.empty((slices, 4, chains), pulls.dtype)
    draw = _ring()
    for _ in range(sweeps):
        for k in range(qubits):
            odds = np.exp(pulls[k] @ spins + fields[k]).reshape(slices, chains)
            uniform = rng.random((slices, chains), pulls.dtype)
            draw(1 / (1 + odds), links[k], uniform, found[k], room)
            np.multiply(found[k].reshape(-1), 2, out=spins[k], dtype=spins.dtype)
            spins[k] -= 1
    return found


def _ring() -> Callable[..., None]:
    """Return the compiled step where there is a compiler, and else the plain one."""
    try:
        from generators.quantum.rings import draw_ring
    except ImportError:
        return plain_ring
    return draw_ring


def plain_ring(up: Floats, link: Any, uniform: Floats, drawn: Bits, weights: Floats) -> None:
    """Draw rings of spins exactly: each pulled up or down, neighbours pulled together.

    Args:
        up: Each spin's chance of pointing up if it were alone, shape (slices, chains).
        link: Weight of two neighbours that differ, beside 1 for two that agree.
        uniform: Random numbers on [0, 1), shape (slices, chains).
        drawn: Where the spins go, shape (slices, chains).
        weights: Room for (slices, 4, chains) numbers: the weights of up, then of down, at each
            slice, with everything behind it and slice 0 up, then down.

    """
    slices, chains = up.shape
    down = 1 - up
    after = np.ones((2, 2, chains), up.dtype)
    after[0, 1] = after[1, 0] = link if slices > 1 else 0
    for k in range(slices - 1, 0, -1):
        here = weights[k].reshape(2, 2, chains)
        np.multiply(after[0], up[k], out=here[0])
        np.multiply(after[1], down[k], out=here[1])
        after[0], after[1] = here[0] + link * here[1], link * here[0] + here[1]
    rise, fall = up[0] * after[0, 0], down[0] * after[1, 1]
    drawn[0] = uniform[0] * (rise + fall) < rise
    for k in range(1, slices):
        x, y = (np.where(drawn[0], side[0], side[1]) for side in weights[k].reshape(2, 2, chains))
        x, y = np.where(drawn[k - 1], x, link * x), np.where(drawn[k - 1], link * y, y)
        drawn[k] = uniform[k] * (x + y) < x


def _parts(chains: int) -> Iterator[slice]:
    return (slice(start, start + TOGETHER) for start in range(0, chains, TOGETHER))


def _precision(pulls: Floats, fields: Floats) -> np.dtype[Any]:
    strongest = float((np.abs(pulls).sum(axis=1) + np.abs(fields)).max(initial=0.0))
    if not strongest < DOUBLE:
        raise DetectorError(
            f"A spin is pulled with an energy of {strongest:.3g}, too much to be sampled.",
            hint="Train with a smaller learning rate or with weight decay.",
        )
    return np.dtype(np.float32 if strongest < SINGLE else np.float64)
