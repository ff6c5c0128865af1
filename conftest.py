"""Which files need the extra `quantum`, and what TensorFlow must know before any import of it."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

# alibi-detect has a hook in pytest's random order that imports TensorFlow before any test does.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HERE = Path(__file__).parent
# These of generators/quantum load numpy at most; all others need the extra.
LIGHT = {
    "__init__",
    "descent",
    "engines",
    "errors",
    "gradients",
    "layout",
    "noise",
    "observables",
    "optimisers",
    "problems",
    "sampling",
    "solvers",
    "surrogate",
}
LIGHT_TESTS = {"test_descent", "test_observables", "test_problems", "test_sampling"}
HEAVY_TESTS = {"test_neural", "test_qcbm", "test_qgan", "test_qvae"}
NEEDED = ("cirq", "numba", "tensorflow_quantum")

# Without the extra only the light files are collected; with REQUIRE_ALL=1 nothing is left out, and
# no test skips by itself: where the extra should be, a missing package fails.
if os.environ.get("REQUIRE_ALL") != "1" and any(find_spec(name) is None for name in NEEDED):
    quantum = (("generators", LIGHT), ("tests/generators", LIGHT_TESTS))
    collect_ignore = [
        *(f"tests/generators/{name}.py" for name in sorted(HEAVY_TESTS)),
        *(
            str(path)
            for folder, light in quantum
            for path in sorted((HERE / folder / "quantum").glob("*.py"))
            if path.stem not in light
        ),
    ]
