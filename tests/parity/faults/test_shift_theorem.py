"""The fault that translates by the shift theorem: what it does is that theorem, on frames of any size."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

from parity.contracts.changes import Kinds
from parity.contracts.declared import REGISTRY
from parity.contracts.namespace import Namespace
from parity.faults import CATALOGUE
from parity.faults.namespace import NUMPY, namespace_of

RANDOM = np.random.default_rng(0)


def by_the_shift_theorem(patches: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Every frequency of `numpy.fft.fftfreq` turned."""
    across, down = (np.fft.fftfreq(patches.shape[axis]) for axis in (-1, -2))
    turns = positions[..., 0, None, None] * across + positions[..., 1, None, None] * down[:, None]
    return np.fft.ifft2(np.fft.fft2(patches) * np.exp(-2j * np.pi * turns))


@pytest.mark.parametrize(
    ("xp", "framework"),
    [(NUMPY, np.asarray), (namespace_of("tensorflow"), tf.constant), (namespace_of("torch"), torch.tensor)],
    ids=["numpy", "tensorflow", "torch"],
)
@pytest.mark.parametrize("side", [2, 3, 8, 9, 15, 17, 33, 49])
def test_no_frequency_is_folded_to_another(xp: Namespace, framework: Any, side: int) -> None:
    shape = (2, 3, side, side + 1)
    patches = RANDOM.normal(size=shape) + 1j * RANDOM.normal(size=shape)
    positions = RANDOM.normal(size=(2, 3, 2))
    fault = CATALOGUE["patches.translate/shift-theorem"]
    unlaid = Kinds({}, ())
    wrong = fault.change(xp, REGISTRY["patches.translate"].oracle(), unlaid)
    found = wrong(patches=framework(patches), positions=framework(positions))
    assert np.allclose(np.asarray(found), by_the_shift_theorem(patches, positions), rtol=1e-10, atol=1e-10)
