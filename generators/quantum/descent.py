"""Ways down a loss that keep nothing: a step takes the state and returns the next one.

`slope_by` is what the option `optimiser` of every recipe means: where the slope of a step comes
from. Adam then makes the step, which needs no rate of its own for each loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OPTIMISERS = ("adam", "natural", "spsa")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamState:
    """What Adam remembers between two steps."""

    steps: int
    mean: Floats
    square: Floats

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `restored` needs."""
        return {"steps": np.array(self.steps), "mean": self.mean, "square": self.square}

    @staticmethod
    def restored(arrays: Mapping[str, NDArray[Any]]) -> AdamState:
        """Return the state that `arrays` wrote."""
        return AdamState(steps=int(arrays["steps"]), mean=arrays["mean"], square=arrays["square"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """Steps scaled by the running size of each derivative.

    Args:
        rate: The length of a step.
        first: How much of the mean derivative is kept.
        second: How much of the mean square is kept.

    Source: Kingma and Ba (2015), arXiv 1412.6980.
    """

    rate: float = 0.05
    first: float = 0.9
    second: float = 0.999

    def start(self, weights: Floats) -> AdamState:
        """Return the state before the first step."""
        return AdamState(steps=0, mean=np.zeros_like(weights), square=np.zeros_like(weights))

    def step(
        self, weights: Floats, gradient: Floats, state: AdamState, *, scale: float = 1.0
    ) -> tuple[Floats, AdamState]:
        """Return the next weights and state; `scale` multiplies the rate.

        >>> adam, start = Adam(rate=0.1), np.array([1.0])
        >>> adam.step(start, np.array([5.0]), adam.start(start))[0].round(6).tolist()
        [0.9]
        """
        steps = state.steps + 1
        mean = self.first * state.mean + (1 - self.first) * gradient
        square = self.second * state.square + (1 - self.second) * gradient**2
        size = np.sqrt(square / (1 - self.second**steps)) + 1e-8
        moved = weights - scale * self.rate * mean / (1 - self.first**steps) / size
        return moved, AdamState(steps=steps, mean=mean, square=square)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spsa:
    """Two losses a step, whatever the number of weights: a difference along a random direction.

    Args:
        rate: The length of the first step.
        size: How far the first two losses are taken from the weights.
        delay: Steps before the length begins to fall.

    Source: Spall (1998), IEEE Trans. Aerospace and Electronic Systems 34, for the exponents.
    """

    rate: float = 0.2
    size: float = 0.15
    delay: float = 10.0

    def step(
        self,
        loss: Callable[[Floats], float],
        weights: Floats,
        *,
        taken: int,
        rng: np.random.Generator,
    ) -> Floats:
        """Return the weights after one more step.

        Args:
            loss: May be noisy; asked twice.
            weights: Where to step from.
            taken: How many steps came before.
            rng: Chooses the direction.

        """
        rate = self.rate * ((1 + self.delay) / (1 + taken + self.delay)) ** 0.602
        return np.asarray(weights - rate * self.slope(loss, weights, taken=taken, rng=rng))

    def slope(
        self,
        loss: Callable[[Floats], float],
        weights: Floats,
        *,
        taken: int,
        rng: np.random.Generator,
    ) -> Floats:
        """Return an estimate of the slope, which is right on average; see `step`."""
        size = self.size / (1 + taken) ** 0.101
        direction = rng.choice([-1.0, 1.0], weights.shape)
        rise = loss(weights + size * direction) - loss(weights - size * direction)
        return np.asarray(rise / (2 * size) * direction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A loss around some angles, as far as an optimiser asks.

    Attributes:
        slope: Returns its derivatives by the angles.
        loss: Returns it at other angles.
        natural: Takes the derivatives and the angles, and returns the derivatives in the geometry
            of what the angles make.

    """

    slope: Callable[[], Floats]
    loss: Callable[[Floats], float]
    natural: Callable[[Floats, Floats], Floats]


def slope_by(
    optimiser: str, place: Place, angles: Floats, *, taken: int, rng: np.random.Generator | None
) -> Floats:
    """Return the slope that an optimiser goes down by.

    Args:
        optimiser: `adam` takes the derivatives, `natural` those in the geometry of what the angles
            make, `spsa` estimates them from two losses along a random direction.
        place: What it asks.
        angles: Where the step begins; of any shape.
        taken: How many steps came before.
        rng: Chooses the direction; only `spsa` needs it.

    Source: Stokes et al. (2020), Quantum 4, 269; Spall (1998), IEEE Trans. Aerospace and
    Electronic Systems 34.
    """
    if optimiser == "spsa":
        assert rng is not None  # noqa: S101 - whoever offers it has one
        return Spsa().slope(place.loss, angles, taken=taken, rng=rng)
    slope = place.slope()
    return place.natural(slope, angles) if optimiser == "natural" else slope
