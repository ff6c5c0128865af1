"""Drawn digits, judged in the features of a small classifier instead of pixel by pixel.

`digits` is called by `python -m benchmarks.generators --data digits`.
"""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
from sklearn import datasets
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier

from detector.data.opening import open_data
from detector.recipes import recipe
from detector.rng import stream

CERTAIN = 0.9
"""An image is recognized when the classifier is as sure as this of one digit."""

OPTIONS = {"qgan": {"patches": 2, "loss": "mmd"}, "qvae": {"whiten": True}}
"""What images need: two circuits side by side, and no critic; a projection."""

SIZES = ("qubits", "gates", "parameters")


def digits(entries, seed):
    """Return the figures of every recipe on one split of the 8x8 digits.

    frechet: of the classifier's hidden units, against the unseen half. recognized: share of
    images that are surely one digit. rarest: share of the rarest digit, times ten. novelty:
    median distance to the nearest training image, as a multiple of the unseen half's. copies:
    share of images that are training images. digits: the share of each digit.
    """
    found = datasets.load_digits()
    order = stream(seed, "digits").permutation(len(found.data))
    train, unseen = order[: len(order) // 2], order[len(order) // 2 :]
    judge = _Judge(found.data[train], found.target[train], found.data[unseen], seed)
    table = pa.table({"image": _vectors(found.data[train])})
    figures = {"real half": {"part": "floor", "reason": "", **judge.of(found.data[train])}}
    for zero in ("novelty", "copies"):
        figures["real half"].pop(zero)
    for entry in entries:
        own = {"part": entry.part.value, "reason": ""}
        try:
            made = recipe(entry.recipe, **{**OPTIONS.get(entry.recipe, {}), **entry.options})
            began = time.process_time()
            model = made.fit(open_data(table, name="digits"), stream(seed, "fit", entry.recipe))
            own["fit_cpu_seconds"] = time.process_time() - began
            began = time.process_time()
            drawn = model.sample(len(unseen), stream(seed, "sample", entry.recipe)).to_arrow()
            own["rows_per_second"] = len(unseen) / max(time.process_time() - began, 1e-6)
            facts = model.log.facts
            own |= {key: facts[key] for key in SIZES if key in facts}
            own["stop"] = model.log.stop.value
            own |= judge.of(np.array(drawn["image"].to_pylist(), float))
        except Exception as error:  # noqa: BLE001 - one row of many
            own["reason"] = f"{type(error).__name__}: {error}"
        figures[entry.label] = own
    return figures


class _Judge:
    """A classifier of real digits, and what it makes of the unseen half."""

    def __init__(self, train, labels, unseen, seed):
        self._known = MLPClassifier((64,), max_iter=400, random_state=seed)
        self._known.fit(train / 16, labels)
        self._near = NearestNeighbors(n_neighbors=1).fit(train)
        self._features = self._hidden(unseen)
        self._apart = np.median(self._near.kneighbors(unseen)[0])

    def _hidden(self, images):
        return np.maximum(images / 16 @ self._known.coefs_[0] + self._known.intercepts_[0], 0)

    def of(self, images):
        """Return the figures of some images."""
        chances = self._known.predict_proba(images / 16)
        apart = self._near.kneighbors(images)[0]
        sure = chances.max(axis=1) >= CERTAIN
        shares = np.bincount(chances.argmax(axis=1)[sure], minlength=10) / max(1, sure.sum())
        return {
            "frechet": frechet(self._features, self._hidden(images)),
            "recognized": float(sure.mean()),
            "rarest": float(10 * shares.min()),
            "novelty": float(np.median(apart) / self._apart),
            "copies": float(np.mean(apart == 0)),
            "digits": shares.round(4).tolist(),
        }


def frechet(x, y):
    """Return the squared Fréchet distance of two normal laws with the moments of two samples.

    Source: Dowson and Landau (1982), J. Multivariate Analysis 12; Heusel et al. (2017), NeurIPS.
    """
    shift = x.mean(axis=0) - y.mean(axis=0)
    spreads = [np.cov(side.T) for side in (x, y)]
    values, axes = np.linalg.eigh(spreads[0])
    root = axes * np.sqrt(np.maximum(values, 0.0)) @ axes.T
    joint = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ spreads[1] @ root), 0.0)).sum()
    return float(shift @ shift + np.trace(spreads[0]) + np.trace(spreads[1]) - 2.0 * joint)


def _vectors(images):
    flat = pa.array(images.astype(np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, images.shape[1])
