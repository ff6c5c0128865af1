"""Keras networks that start from, and end as, our own arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
import tf_keras

from generators.dense import LEAK, Dense

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def network(sizes: Sequence[int], rng: np.random.Generator) -> Any:
    """Return a dense network whose first weights `rng` decides."""
    hidden = [
        tf_keras.layers.Dense(size, activation=lambda x: tf.nn.leaky_relu(x, LEAK))
        for size in sizes[1:-1]
    ]
    made = tf_keras.Sequential(
        [tf_keras.Input((sizes[0],)), *hidden, tf_keras.layers.Dense(sizes[-1])]
    )
    made.set_weights(Dense.started(sizes, rng).flat)
    return made


def as_dense(weights: Sequence[NDArray[np.float32]]) -> Dense:
    """Return a network's arrays, as Keras orders them, as our own layers."""
    return Dense(layers=tuple(zip(weights[::2], weights[1::2], strict=True)))


def numbered(variables: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the values of variables, named by their places."""
    return {f"{place:03d}": np.asarray(variable) for place, variable in enumerate(variables)}


def assign(variables: Sequence[Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give variables the values that `numbered` returned."""
    for place, variable in enumerate(variables):
        variable.assign(arrays[f"{place:03d}"])


def update(optimizer: Any, loss: Any, tape: Any, variables: Sequence[Any]) -> None:
    """Take one step down a loss."""
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
