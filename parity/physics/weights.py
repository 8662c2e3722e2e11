"""The weights of the network, by canonical name: which there must be, of which shapes, and of which `CNNConfig`.

Nothing here knows a framework or a file. Whatever is wrong is a `WeightsError` of one sentence: source, expected, got.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade

Weights: TypeAlias = Mapping[str, NDArray[Any]]
"""Names of `networks.autoencode` to arrays in canonical layout: kernels (O, I, 3, 3), biases (O,)."""

_PRECISIONS = (np.dtype(np.float32), np.dtype(np.float64))
_PLACES = ("first", "second")
_ENCODER_NAME = re.compile(r"encoder_(\d+)_(?:first|second)_(?:kernel|bias)")
_MOST_LEVELS = 16


class WeightsError(CheckNotMade, ValueError):
    """Weights that cannot be used; the message names the file, what was expected and what came."""


def size_and_gridsize(weights: Weights) -> tuple[int, int]:
    """Pixels a side of the patterns, and patches a side of the groups, that these weights are for."""
    size, gridsize, _ = architecture(weights, "weights")
    return size, gridsize


def checked(weights: Weights, source: str) -> dict[str, NDArray[Any]]:
    """The weights in the order of the network; raises WeightsError, about `source`, unless they are those of one."""
    levels = _levels(weights, source)
    network = f"a network of {levels} encoder block{'s' if levels > 1 else ''}"
    names = [name for prefixes in _layers(levels).values() for prefix in prefixes for name in _pair(prefix)]
    for name in names:
        if name not in weights:
            raise WeightsError(f"{source}: expected {name}, as in {network}, got no such parameter")
    for name in weights:
        if name not in names:
            raise WeightsError(f"{source}: expected no other parameters than those of {network}, got {name}")
    first = weights[names[0]].dtype
    for name in names:
        dtype = weights[name].dtype
        if dtype not in _PRECISIONS:
            raise WeightsError(f"{source}: expected {name} in float32 or float64, got {dtype}")
        if dtype != first:
            raise WeightsError(f"{source}: expected {name} in {first}, as {names[0]} is, got {dtype}")
    architecture(weights, source)
    return {name: weights[name] for name in names}


def _levels(weights: Weights, source: str) -> int:
    numbers = [int(match[1]) for match in map(_ENCODER_NAME.fullmatch, weights) if match]
    if not numbers:
        got = f"only {', '.join(list(weights)[:3])}" if weights else "no parameters at all"
        expected = "the parameters of an autoencoder, such as encoder_0_first_kernel"
        raise WeightsError(f"{source}: expected {expected}, got {got}")
    if max(numbers) >= _MOST_LEVELS:
        raise WeightsError(f"{source}: expected at most {_MOST_LEVELS} encoder blocks, got number {max(numbers)}")
    return max(numbers) + 1


def architecture(weights: Weights, source: str) -> tuple[int, int, float]:
    """Size, gridsize and filters_scale of the `CNNConfig` that gives these shapes; WeightsError if none does."""
    levels = _levels(weights, source)
    first = weights["encoder_0_first_kernel"].shape
    channels = first[1] if len(first) == 4 else 0
    gridsize = math.isqrt(channels)
    if gridsize < 1 or gridsize**2 != channels:
        expected = "encoder_0_first_kernel of shape (O, gridsize², 3, 3)"
        raise WeightsError(f"{source}: expected {expected}, got shape {first}")
    filters = [weights[f"encoder_{level}_first_bias"].size for level in range(levels)]
    for name, shape in _shapes(channels, filters).items():
        if weights[name].shape != shape:
            widths = ", ".join(map(str, filters))
            expected = f"{name} of shape {shape}, as there are {channels} channels and filters {widths}"
            raise WeightsError(f"{source}: expected {expected}, got shape {weights[name].shape}")
    size = 8 * 2**levels
    return size, gridsize, _filters_scale(size, filters, source)


def _shapes(channels: int, filters: list[int]) -> dict[str, tuple[int, ...]]:
    down = [channels, *(count for level in filters for count in (level, level))]
    up = [filters[-1], *(count for level in filters[-2::-1] for count in (level, level)), channels]
    return {
        name: shape
        for part, prefixes in _layers(len(filters)).items()
        for prefix, (i, o) in zip(prefixes, pairwise(down if part == "encoder" else up), strict=True)
        for name, shape in zip(_pair(prefix), ((o, i, 3, 3), (o,)), strict=True)
    }


def _layers(levels: int) -> dict[str, list[str]]:
    """The convolutions of each part in order, by what the names of their kernel and bias begin with."""
    decoders = {part: [*_in_blocks(f"{part}_decoder", levels - 1), f"{part}_head_"] for part in ("amplitude", "phase")}
    return {"encoder": _in_blocks("encoder", levels), **decoders}


def _in_blocks(part: str, blocks: int) -> list[str]:
    return [f"{part}_{block}_{place}_" for block in range(blocks) for place in _PLACES]


def _pair(prefix: str) -> tuple[str, str]:
    return f"{prefix}kernel", f"{prefix}bias"


def _filters_scale(size: int, filters: list[int], source: str) -> float:
    """The scale with the fewest digits that gives these filters: rounding lets an interval of them through."""
    units = [2048 / size * 2**level for level in range(len(filters))]
    lowest = max((0.0 if count == 1 else count - 0.5) / unit for count, unit in zip(filters, units, strict=True))
    highest = min((count + 0.5) / unit for count, unit in zip(filters, units, strict=True))
    middle = (lowest + highest) / 2
    for digits in range(17):
        scale = round(middle, digits)
        if scale > 0 and [max(1, round(unit * scale)) for unit in units] == filters:
            return scale
    law = f"max(1, round({2048 / size:g}·s·2^i)) filters in encoder block i, s one number for all"
    raise WeightsError(f"{source}: expected {law}, got {', '.join(map(str, filters))}")


def precision(weights: Weights) -> str:
    """`float32` or `float64`, in which all of them are."""
    return str(weights["encoder_0_first_kernel"].dtype)
