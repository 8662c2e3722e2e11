"""The environment: what TensorFlow reads there when it starts, and whether a person is at work."""

from __future__ import annotations

import os

TENSORFLOW = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
"""Read when TensorFlow starts: later, threads can no longer be set."""


def in_ci() -> bool:
    """Whether this runs in continuous integration, which sets CI to true."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def prepare_environment() -> None:
    """Set it where the user has not. To be called before anything imports TensorFlow."""
    for name, value in TENSORFLOW.items():
        os.environ.setdefault(name, value)
