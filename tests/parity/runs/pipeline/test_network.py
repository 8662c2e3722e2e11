"""The weights of a pipeline: where they come from, and that both networks have them to the last bit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from parity._ground.errors import CheckNotMade
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.runs.pipeline.network import as_vector, moved, network_size, seeded, weights_in
from parity.stacks.base import Framework

Weights = Callable[..., Path]


@pytest.mark.parametrize("precision", [FLOAT32, FLOAT64])
def test_both_networks_have_the_weights_to_the_last_bit(
    precision: Precision, narrow: Weights, stacks: tuple[Framework, ...]
) -> None:
    weights = weights_in(narrow(), 16, 1)
    for framework in stacks:
        found = moved(weights, framework, precision)
        assert list(found) == list(weights)
        assert as_vector(found).dtype == precision.real
        np.testing.assert_array_equal(as_vector(found), as_vector(weights))


def test_a_file_of_either_framework_will_do(narrow: Weights) -> None:
    files = [weights_in(narrow(16, 2, ending), 16, 2) for ending in (".npz", ".pt", ".weights.h5")]
    for other in files[1:]:
        np.testing.assert_array_equal(as_vector(other), as_vector(files[0]))


def test_a_seed_draws_the_network_of_the_patterns() -> None:
    one, other = (seeded(16, 2, seed) for seed in (0, 1))
    assert one["encoder_0_first_kernel"].shape == (256, 4, 3, 3)
    assert not np.array_equal(as_vector(one), as_vector(other))


@pytest.mark.parametrize("frame", [(64, 32), (24, 24), (8, 8)])
def test_a_frame_that_no_network_takes_cannot_be_checked(frame: tuple[int, int]) -> None:
    with pytest.raises(CheckNotMade, match=rf"side is a power of two from 16 on, .* got {frame[0]} × {frame[1]}"):
        network_size(frame)
