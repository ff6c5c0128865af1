"""Training of neural recipes: the only modules that import TensorFlow for them."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # nine lines of noise without it
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # read once, when TensorFlow is imported
