"""What users would pick instead, as whole processes.

    python -m benchmarks.peers alibi REF CAND     alibi-detect's TabularDrift
    python -m benchmarks.peers whylogs REF CAND   whylogs drift scores

Run with a Python that has the peer and pandas; nothing of the detector is imported.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd


def alibi(reference: pd.DataFrame, candidate: pd.DataFrame) -> None:
    """Run TabularDrift with Bonferroni, categories coded by sorted level."""
    from alibi_detect.cd import TabularDrift

    levels = {c: sorted({*reference[c], *candidate[c]}) for c in reference if c.startswith("cat_")}

    def coded(frame: pd.DataFrame) -> np.ndarray:
        held = {
            c: pd.Categorical(frame[c], categories=levels[c]).codes if c in levels else frame[c]
            for c in frame
        }
        return pd.DataFrame(held).to_numpy(np.float64)

    places = {list(reference).index(c): list(range(len(held))) for c, held in levels.items()}
    detector = TabularDrift(coded(reference), p_val=0.05, categories_per_feature=places)
    print(detector.predict(coded(candidate), drift_type="batch")["data"]["is_drift"])


def whylogs(reference: pd.DataFrame, candidate: pd.DataFrame) -> None:
    """Profile both frames and compute whylogs' drift scores."""
    import whylogs as why
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    views = [why.log(frame).view() for frame in (candidate, reference)]
    print(len(calculate_drift_scores(views[0], views[1], with_thresholds=True)))


def main() -> None:
    """Run the peer named on the command line."""
    peer, *paths = sys.argv[1:]
    {"alibi": alibi, "whylogs": whylogs}[peer](*map(pd.read_parquet, paths))


if __name__ == "__main__":
    main()
