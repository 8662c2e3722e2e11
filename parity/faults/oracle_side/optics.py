"""Mistakes between an object and the detector: phases, modes, transforms, shifts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Mistake, odd, of_argument, of_formula, of_result, several

_PLANE = (-2, -1)


def pixels(array: NDArray[Any]) -> int:
    """H·W of planes (…, H, W)."""
    return array.shape[-2] * array.shape[-1]


def unshifted(amplitude: NDArray[Any]) -> NDArray[Any]:
    """A pattern as it is without its fftshift."""
    return np.fft.ifftshift(amplitude, axes=_PLANE)


def _of_rows(exit_waves: NDArray[Any]) -> NDArray[Any]:
    """A transform of one dimension where there should be one of two."""
    intensity = np.sum(np.abs(np.fft.fft(exit_waves, axis=-1, norm="ortho")) ** 2, axis=2)
    return np.sqrt(np.fft.fftshift(intensity, axes=_PLANE))


def _oblong(inputs: Inputs) -> bool:
    height, width = inputs["exit_waves"].shape[-2:]
    return height != width


MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "optics.combine_complex": (
        of_formula("the phase is used as imaginary part (a + iφ)", lambda amplitude, phase: amplitude + 1j * phase),
        of_argument("the phase has the opposite sign", "phase", np.negative),
        of_argument("the phase is taken to be in turns", "phase", lambda phase: 2 * np.pi * phase),
        of_argument("the phase is wrapped into [0, π)", "phase", lambda phase: phase % np.pi),
        of_result("real and imaginary part are exchanged", lambda z: z.imag + 1j * z.real),
    ),
    "optics.illuminate": (
        of_argument("the modulus of the probe is used", "probe", np.abs),
        of_argument("the intensity of the probe is used", "probe", lambda p: np.abs(p) ** 2),
        of_argument("the modulus of the patches is used", "patches", np.abs),
        of_formula("the probe is divided by", lambda patches, probe: patches[:, :, None] / probe),
        of_formula("the probe is added", lambda patches, probe: patches[:, :, None] + probe),
    ),
    "optics.far_field_amplitude": (
        of_argument(
            "the modes are summed coherently",
            "exit_waves",
            lambda waves: waves.sum(axis=2, keepdims=True),
            several("exit_waves", 2),
        ),
        of_argument("the inverse transform stands for the forward one", "exit_waves", np.conj),
        of_result("a factor 1/HW is missing", lambda a: a * np.sqrt(pixels(a))),
        of_result("1/(HW)² stands for 1/HW", lambda a: a / np.sqrt(pixels(a))),
        of_result("1/H² stands for 1/HW", lambda a: a * np.sqrt(a.shape[-1] / a.shape[-2]), _oblong),
        of_result("fftshift is missing", unshifted),
        of_result("ifftshift stands for fftshift", lambda a: unshifted(unshifted(a)), odd("exit_waves")),
        of_result("the rows are not shifted (fftshift of one axis)", lambda a: np.fft.ifftshift(a, axes=-2)),
        of_result("the columns are not shifted (fftshift of one axis)", lambda a: np.fft.ifftshift(a, axes=-1)),
        of_formula("rows are transformed, columns are not", _of_rows),
        of_argument(
            "the first mode alone is propagated", "exit_waves", lambda waves: waves[:, :, :1], several("exit_waves", 2)
        ),
        of_argument(
            "the modes are averaged, not summed",
            "exit_waves",
            lambda waves: waves / np.sqrt(waves.shape[2]),
            several("exit_waves", 2),
        ),
        of_result("ε = 1e-9 is added under the root", lambda a: np.sqrt(a**2 + 1e-9)),
        of_result("ε = 1e-3 is added under the root", lambda a: np.sqrt(a**2 + 1e-3)),
    ),
}
