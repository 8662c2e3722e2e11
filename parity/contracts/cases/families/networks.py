"""What whole networks are given: exposures in frames that they take, and their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from parity.contracts.cases.families.exposures import (
    ExposureSpec,
    ExposureStratum,
    far_field,
    observed,
    patches,
    waves_of,
    with_light,
)
from parity.contracts.cases.families.family import Real
from parity.contracts.cases.families.layers import draw_weights

LEAST_FILTERS = 2
"""Of a network's first block; twice as many in every further one."""

_BRIGHT = (11.0, 12.0)

FRAMES = {
    size: (
        ExposureStratum("single", "axes squeezed away", ((size, size),), (1,), (1,), (1,), _BRIGHT),
        ExposureStratum(
            "many", "groups or patches mixed", ((size, size),), (2 if size < 128 else 1,), (4,), (1,), _BRIGHT
        ),
    )
    for size in (32, 64, 128, 256)
}
"""Exposures for networks, by their size; bright ones, because equal pixels leave open which is the largest."""
COARSEST = {
    size: ExposureStratum(
        "coarsest",
        "what surrounds a single pixel, the whole of the deepest layer",
        ((size // 8, size // 8),),
        (1, 2),
        (1,),
        (1,),
        _BRIGHT,
    )
    for size in FRAMES
}
"""The smallest frames that the networks for frames of each size take."""


def images(spec: ExposureSpec) -> Real:
    """What a network is given, (B, C, H, W): exposures with light somewhere, of mean square 1/4."""
    return _of_mean_square_a_quarter(with_light(observed(spec)))


def noiseless_images(spec: ExposureSpec) -> Real:
    """`images` without photon noise, (B, C, H, W): no two pixels are equal, however few the photons."""
    return _of_mean_square_a_quarter(far_field(waves_of(spec, patches(spec))))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the network of so many `levels`, as many channels as patches: its source, by its name there."""

    name: str
    levels: int

    def __call__(self, spec: ExposureSpec) -> Real:
        shape = network_shapes(self.levels, spec.patches)[self.name]
        return draw_weights(spec, f"{self.name}_of_levels_{self.levels}", shape)


def network_shapes(levels: int, channels: int) -> dict[str, tuple[int, ...]]:
    """The parameters of a small network of so many levels, for images of so many channels: names and shapes in order.

    The names are those of `networks.autoencode`; kernels are (O, I, 3, 3).
    """
    filters = [LEAST_FILTERS * 2**level for level in range(levels)]
    shapes = _chain_shapes("encoder", [channels, *filters])
    for part in ("amplitude", "phase"):
        shapes |= _chain_shapes(f"{part}_decoder", filters[::-1])
        shapes |= {f"{part}_head_kernel": (channels, filters[0], 3, 3), f"{part}_head_bias": (channels,)}
    return shapes


def _chain_shapes(prefix: str, filters: Sequence[int]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for level, (before, behind) in enumerate(pairwise(filters)):
        for layer, enters in (("first", before), ("second", behind)):
            shapes[f"{prefix}_{level}_{layer}_kernel"] = (behind, enters, 3, 3)
            shapes[f"{prefix}_{level}_{layer}_bias"] = (behind,)
    return shapes


def _of_mean_square_a_quarter(amplitude: Real) -> Real:
    return amplitude / (2 * np.sqrt(np.mean(amplitude**2)))
