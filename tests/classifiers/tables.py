"""Coded tables for the tests of classifiers."""

from __future__ import annotations

import numpy as np

from detector.classifiers.features import Features, features
from detector.data.encode import Codes


def coded(x: np.ndarray, y: np.ndarray, *, levels: tuple[int, ...] = ()) -> Codes:
    """Return columns of numbers, or of codes where listed, shapes (n, d) and (m, d)."""
    categorical = np.isin(np.arange(x.shape[1]), levels)
    names = tuple(f"c{place}" for place in range(x.shape[1]))
    return Codes(x=x.astype(float), y=y.astype(float), categorical=categorical, names=names)


def column(values: object, *, level: bool = False) -> Features:
    """Return the features of one column, the rows of both sides together."""
    whole = np.asarray(values, float)[:, None]
    return features(coded(whole[:1], whole[1:], levels=(0,) if level else ()))
