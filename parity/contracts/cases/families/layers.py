"""What single layers and blocks of a network are given: features, kernels and biases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Self

import numpy as np

from parity.contracts.cases.datasets import Dataset
from parity.contracts.cases.families.family import Complex, Real, Spec, Stratum, pick_axes


class Band(StrEnum):
    """How many of a frame's frequencies a network keeps; the mean is zero frequency alone."""

    SOME = "some"
    ALL = "all"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class LayerSpec(Spec):
    """B groups of F `features`, of which `filters` make O others."""

    stratum: LayerStratum
    groups: int
    features: int
    filters: int

    @property
    def axes(self) -> tuple[int, ...]:
        """Groups, features and filters."""
        return self.groups, self.features, self.filters

    def around(self, dataset: Dataset) -> Self:
        """The same in frames of a user's patterns, as many features as the probe has modes."""
        return replace(self, frame=dataset.frame, dataset=dataset, features=len(dataset.probe))


@dataclass(frozen=True, slots=True)
class LayerStratum(Stratum):
    """A region of what layers are given; some features of a `dark` one are 0."""

    groups: tuple[int, ...] = (1, 2, 3)
    features: tuple[int, ...] = (1, 3)
    filters: tuple[int, ...] = (1, 4)
    dark: bool = False
    band: Band = Band.SOME

    specification: ClassVar[type[LayerSpec]] = LayerSpec

    def draw(self, seed: int) -> LayerSpec:
        """The specification number `seed`."""
        random, frame = self.stream(seed), self.frame(seed)
        groups, filters, features = pick_axes(random, frame, self.groups, self.filters, self.features)
        return LayerSpec(self, seed, frame, groups, features, filters)


FEATURE_MAPS = (
    LayerStratum("even", "the common case", ((8, 8), (16, 16))),
    LayerStratum("odd", "a last row or column that pooling leaves out", ((9, 9), (15, 15))),
    LayerStratum("oblong", "rows for columns", ((8, 12), (15, 8), (9, 33))),
    LayerStratum("single", "axes squeezed away", ((8, 8), (16, 16)), groups=(1,), features=(1,), filters=(1,)),
    LayerStratum(
        "many", "filters of both sides exchanged", ((8, 8), (12, 15)), groups=(2, 3), features=(3,), filters=(4,)
    ),
)
DARK_MAPS = (LayerStratum("dark", "a slope of 1, or of 1/2, at 0", ((8, 8), (9, 12)), dark=True),)
BANDS = (
    LayerStratum("whole-band", "the last column frequency of an even frame", ((8, 8), (12, 9), (9, 12)), band=Band.ALL),
    LayerStratum("mean", "zero frequency beside its place", ((8, 8), (9, 12), (12, 9)), band=Band.MEAN),
)


def features(spec: LayerSpec) -> Real:
    """Features of either sign, or most of them positive, (B, F, H, W); some 0 in the dark."""
    random = spec.generator("features")
    values = random.standard_normal((spec.groups, spec.features, *spec.frame)) + random.choice((0.0, 2.0))
    return values * (random.random(values.shape) < 2 / 3) if spec.stratum.dark else values


def kernel(spec: LayerSpec) -> Real:
    """From features to filters, (O, I, 3, 3)."""
    return draw_weights(spec, "kernel", (spec.filters, spec.features, 3, 3))


def bias(spec: LayerSpec) -> Real:
    """Of the filters, (O,)."""
    return draw_weights(spec, "bias", (spec.filters,))


def spectral_weights(spec: LayerSpec) -> Complex:
    """From features to filters, (I, O, K, L), at K row and L column frequencies."""
    random = spec.generator("spectral_weights")
    (rows, columns), (kept_rows, kept_columns) = (spec.frame[0], spec.frame[1] // 2 + 1), (1, 1)
    if spec.stratum.band is Band.SOME:
        kept_rows, kept_columns = int(random.integers(2, rows + 1)), int(random.integers(1, columns + 1))
    elif spec.stratum.band is Band.ALL:
        kept_rows, kept_columns = rows, columns
    parts = random.standard_normal((2, spec.features, spec.filters, kept_rows, kept_columns))
    return (parts[0] + 1j * parts[1]) / np.sqrt(2 * spec.features)


def first_kernel(spec: LayerSpec) -> Real:
    """From features to the filters between two layers, (O, I, 3, 3)."""
    return draw_weights(spec, "first_kernel", (_between(spec), spec.features, 3, 3))


def first_bias(spec: LayerSpec) -> Real:
    """Of the filters between two layers, (O,)."""
    return draw_weights(spec, "first_bias", (_between(spec),))


def second_kernel(spec: LayerSpec) -> Real:
    """From the filters between two layers to those behind them, (O, I, 3, 3)."""
    return draw_weights(spec, "second_kernel", (spec.filters, _between(spec), 3, 3))


def second_bias(spec: LayerSpec) -> Real:
    """Of the filters behind two layers, (O,)."""
    return draw_weights(spec, "second_bias", (spec.filters,))


def draw_weights(spec: Spec, name: str, shape: tuple[int, ...]) -> Real:
    """Kernels without symmetry and biases of either sign in turn, of a scale that keeps features near 1.

    That is between Glorot's, √(1/n), and He's, √(2/n), with which maxima grow from block to block. Every other
    filter answers flat features with light, so that a network is never dark throughout.
    """
    draws = spec.generator(name).standard_normal(shape)
    lit = np.arange(shape[0]) % 2 == 0
    if len(shape) == 1:
        return np.where(lit, 1, -1) * (0.1 + 0.1 * np.abs(draws))
    turned = np.where(lit & (np.sum(draws, axis=(1, 2, 3)) < 0), -1, 1)
    return turned[:, None, None, None] * draws * np.sqrt(1.3 / np.prod(shape[1:]))


def _between(spec: LayerSpec) -> int:
    """Filters between two layers: unlike those before and behind, wherever they can be."""
    return spec.filters + spec.features - 1
