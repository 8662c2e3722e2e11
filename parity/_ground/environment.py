"""The environment: what the frameworks read there when they start, and whether a person is at work."""

from __future__ import annotations

import os

from parity._ground.errors import UsageError

TENSORFLOW = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
"""Read when TensorFlow starts: later, threads can no longer be set."""

TORCH_THREADS = "OMP_NUM_THREADS"
"""Says how many threads torch has, whatever its own libraries are told."""

MOST_THREADS = 4096
"""A library that is told of more ends its process."""

TORCH_ONEDNN = "PARITY_TORCH_ONEDNN"
"""Where this is 0, torch computes without oneDNN, for which it has no variable of its own; TensorFlow's is
TF_ENABLE_ONEDNN_OPTS."""


def in_ci() -> bool:
    """Whether this runs in continuous integration, which sets CI to true."""
    return os.environ.get("CI", "").lower() in ("1", "true")


IN_PROCESS = "PARITY_IN_PROCESS"
"""Where this is true, the stacks run in the harness's own process."""


def in_process() -> bool:
    """Whether the user wants the stacks in the harness's own process, where a debugger finds them."""
    return os.environ.get(IN_PROCESS, "").lower() in ("1", "true", "yes", "on")


def torch_threads() -> int:
    """How many threads torch is to have: as many as the user says (of a list for nested loops, the first), or one.

    Raises UsageError for more than any machine has.
    """
    first = os.environ.get(TORCH_THREADS, "").split(",")[0].strip()
    if not first.isdecimal():
        return 1
    if len(first) > len(str(MOST_THREADS)) or int(first) > MOST_THREADS:
        raise UsageError(f"{TORCH_THREADS}: expected a number of threads up to {MOST_THREADS}, got '{first}'")
    return max(1, int(first))


def torch_has_onednn() -> bool:
    """Whether torch may use oneDNN."""
    return os.environ.get(TORCH_ONEDNN, "1") != "0"


def prepare_environment() -> None:
    """Set it where the user has not. To be called before anything imports TensorFlow."""
    for name, value in TENSORFLOW.items():
        os.environ.setdefault(name, value)
