"""What networks are given, and their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from parity.contracts.cases.scenes.base import Complex, Real
from parity.contracts.cases.scenes.exposures import Exposures
from parity.contracts.cases.strata import Band

LEVELS_OF = "_of_levels_"
"""Between the name of a network's parameter and the number of its levels."""

LEAST_FILTERS = 2
"""Of a network's first block; twice as many in every further one."""


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


def parameter_source(name: str, levels: int) -> str:
    """Under what name a scene has a parameter of a network of so many levels."""
    return f"{name}{LEVELS_OF}{levels}"


class Networks(Exposures):
    """Features, images, kernels and biases."""

    @cached_property
    def features(self) -> Real:
        """Features of either sign, or most of them positive, (B, F, H, W), F as many as modes; some 0 in the dark."""
        random, spec = self.spec.generator("features"), self.spec
        features = random.standard_normal((spec.groups, spec.modes, *self.shape)) + random.choice((0.0, 2.0))
        return features * (random.random(features.shape) < 2 / 3) if spec.dark else features

    @property
    def kernel(self) -> Real:
        """From features to as many filters as patches, (O, I, 3, 3)."""
        return self._weights("kernel", (self.spec.patches, self.spec.modes, 3, 3))

    @property
    def bias(self) -> Real:
        """As many as patches, (O,)."""
        return self._weights("bias", (self.spec.patches,))

    @cached_property
    def spectral_weights(self) -> Complex:
        """From features to as many filters as patches, (I, O, K, L), at K row and L column frequencies."""
        random, spec = self.spec.generator("spectral_weights"), self.spec
        (rows, columns), (kept_rows, kept_columns) = (self.shape[0], self.shape[1] // 2 + 1), (1, 1)
        if spec.band is Band.SOME:
            kept_rows, kept_columns = int(random.integers(2, rows + 1)), int(random.integers(1, columns + 1))
        elif spec.band is Band.ALL:
            kept_rows, kept_columns = rows, columns
        parts = random.standard_normal((2, spec.modes, spec.patches, kept_rows, kept_columns))
        return (parts[0] + 1j * parts[1]) / np.sqrt(2 * spec.modes)

    @property
    def first_kernel(self) -> Real:
        """From features to the filters between two layers, (O, I, 3, 3)."""
        return self._weights("first_kernel", (self._between, self.spec.modes, 3, 3))

    @property
    def first_bias(self) -> Real:
        """Of the filters between two layers, (O,)."""
        return self._weights("first_bias", (self._between,))

    @property
    def second_kernel(self) -> Real:
        """From the filters between two layers to as many as patches, (O, I, 3, 3)."""
        return self._weights("second_kernel", (self.spec.patches, self._between, 3, 3))

    @property
    def second_bias(self) -> Real:
        """As many as patches, (O,)."""
        return self._weights("second_bias", (self.spec.patches,))

    @cached_property
    def images(self) -> Real:
        """What a network is given, (B, C, H, W): exposures with light somewhere, of mean square 1/4."""
        amplitude = self.observed.copy()
        if not amplitude.any():
            amplitude[0, 0, 1, 2] = 1.0
        return amplitude / (2 * np.sqrt(np.mean(amplitude**2)))

    @cached_property
    def noiseless_images(self) -> Real:
        """`images` without photon noise, (B, C, H, W): no two pixels are equal, however few the photons."""
        amplitude = self._far_field(self._waves(self.patches))
        return amplitude / (2 * np.sqrt(np.mean(amplitude**2)))

    def __getattr__(self, name: str) -> Real:
        """A parameter of a network, by its name and `levels`, as `parameter_source` has them."""
        parameter, _, levels = name.partition(LEVELS_OF)
        if not levels:
            raise AttributeError(f"a scene has no {name}")
        return self._weights(name, network_shapes(int(levels), self.spec.patches)[parameter])

    @property
    def _between(self) -> int:
        """Filters between two layers: unlike those before and behind, wherever they can be."""
        return self.spec.patches + self.spec.modes - 1

    def _weights(self, name: str, shape: tuple[int, ...]) -> Real:
        """Kernels without symmetry and biases of either sign in turn, of a scale that keeps features near 1.

        That is between Glorot's, √(1/n), and He's, √(2/n), with which maxima grow from block to block. Every other
        filter answers flat features with light, so that a network is never dark throughout.
        """
        draws = self.spec.generator(name).standard_normal(shape)
        lit = np.arange(shape[0]) % 2 == 0
        if len(shape) == 1:
            return np.where(lit, 1, -1) * (0.1 + 0.1 * np.abs(draws))
        turned = np.where(lit & (np.sum(draws, axis=(1, 2, 3)) < 0), -1, 1)
        return turned[:, None, None, None] * draws * np.sqrt(1.3 / np.prod(shape[1:]))
