"""Phases and directions: errors that go around the circle, or cannot leave the unit ball."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Bounded, Reals
from parity.physics.oracle.operations.base import Axes, operation
from parity.physics.oracle.operations.elementwise import absolute_square


@operation(lambda phase: np.exp(1j * phase))
def cis(phase: Bounded, value: NDArray[Any]) -> Reals:
    """e^{i·phase}, real phase: cosine and sine."""
    return phase.error + 3


def _angle(z: NDArray[Any]) -> NDArray[Any]:
    """arg z, and 0 at 0, where NumPy tells the signs of the zeros apart."""
    return np.where(z == 0, z.real, np.angle(z))


@operation(_angle)
def angle(z: Bounded, value: Reals) -> Reals:
    """arg z in (−π, π], 0 at 0; its error taken around the circle: it means something only after `wrap`."""
    error = np.where(z.error > 0, z.error / np.abs(z.value), 0.0) + 4 * np.abs(value)
    return np.fmin(error, np.pi / z.precision.unit_roundoff)


def _wrap(difference: NDArray[Any]) -> NDArray[Any]:
    turn = 2 * np.pi
    return difference - turn * np.round(difference / turn)


@operation(_wrap)
def wrap(difference: Bounded, value: Reals) -> Reals:
    """An angle brought into [−π, π] by whole turns, its error taken around the circle."""
    error = difference.error + 2 * np.abs(difference.value) + np.abs(value)
    return np.fmin(error, np.pi / difference.precision.unit_roundoff)


def _direction(z: NDArray[Any], axis: Axes = None) -> NDArray[Any]:
    length = np.abs(z) if axis is None else np.sqrt(np.sum(absolute_square(z), axis=axis, keepdims=True))
    return np.divide(z, length, out=np.zeros_like(z), where=length != 0)


@operation(_direction)
def direction(z: Bounded, value: NDArray[Any], axis: Axes = None) -> Reals:
    """z / ‖z‖ over `axis` (elementwise z / |z| without one), 0 at 0. A direction never leaves the unit ball, so its
    error is at most 2 where z is lost in its own."""
    if axis is None:
        length, error = np.abs(z.value), z.error
    else:
        length = np.sqrt(np.sum(absolute_square(z.value), axis=axis, keepdims=True))
        error = np.sqrt(np.sum(z.error**2, axis=axis, keepdims=True))
    inherited = np.where(error > 0, 2 * error / length, 0.0)
    return np.fmin(inherited + 6 * np.abs(value), 2 / z.precision.unit_roundoff)
