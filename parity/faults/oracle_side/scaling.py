"""Mistakes in the bookkeeping of photons, and in the two scalings of an amplitude."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.oracle_side.base import Mistake, of_argument, of_formula, of_result, pixels, several
from parity.physics.oracle import scaling as oracle

_PLANE = (-2, -1)


def _is_integer(inputs: Inputs) -> bool:
    return np.issubdtype(inputs["amplitude"].dtype, np.integer)


def _many(inputs: Inputs) -> bool:
    return inputs["amplitude"].shape[:2] != (1, 1)


def _squared_too_soon(inputs: Inputs) -> dict[str, Any]:
    """Amplitudes whose squares are what is left of them in the integers that they came in."""
    amplitude = inputs["amplitude"]
    return {"amplitude": np.sqrt((amplitude * amplitude).astype(np.float64))}


def _total(amplitude: NDArray[Any]) -> Any:
    return np.mean(oracle.count_photons(amplitude))


_TOO_SOON = Mistake("integers are squared before they are widened", inputs=_squared_too_soon, applies=_is_integer)
_PATCHES = several("amplitude", 1)

MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "scaling.count_photons": (
        _TOO_SOON,
        of_formula("the amplitude is not squared", lambda amplitude: np.sum(amplitude, axis=_PLANE)),
        of_formula("the mean over pixels stands for the sum", lambda amplitude: np.mean(amplitude**2, axis=_PLANE)),
        of_result(
            "the photons of all patches are counted together",
            lambda count: np.broadcast_to(count.sum(axis=1, keepdims=True), count.shape),
            _PATCHES,
        ),
        of_result(
            "the patches of a group are averaged",
            lambda count: np.broadcast_to(count.mean(axis=1, keepdims=True), count.shape),
            _PATCHES,
        ),
    ),
    "scaling.scale_nphotons": (
        _TOO_SOON,
        of_result("the scale is inverted", lambda scale: 1 / scale),
        of_result("the root is missing", np.square),
        of_formula(
            "the photons of all patches are counted together",
            lambda amplitude, nphotons: np.sqrt(nphotons / np.mean(np.sum(amplitude**2, axis=(1, 2, 3)))),
            _PATCHES,
        ),
        of_formula(
            "the photons of the whole data set stand for the mean pattern's",
            lambda amplitude, nphotons: np.sqrt(nphotons / np.sum(amplitude**2)),
            _many,
        ),
        of_formula(
            "the mean over pixels stands for the sum",
            lambda amplitude, nphotons: np.sqrt(nphotons / np.mean(amplitude**2)),
        ),
        of_formula(
            "the brightest pattern stands for the mean one",
            lambda amplitude, nphotons: np.sqrt(nphotons / oracle.count_photons(amplitude).max()),
            _many,
        ),
        of_formula(
            "the amplitude is not squared",
            lambda amplitude, nphotons: np.sqrt(nphotons / np.mean(np.sum(amplitude, axis=_PLANE))),
        ),
    ),
    "scaling.normalize_amplitude": (
        _TOO_SOON,
        of_result("HW stands for HW/4", lambda x: 2 * x),
        of_formula("the root is missing", lambda amplitude: amplitude * (pixels(amplitude) / 4 / _total(amplitude))),
        of_formula(
            "each image has a scale of its own",
            lambda amplitude: (
                amplitude * np.sqrt(pixels(amplitude) / 4 / np.sum(amplitude**2, axis=_PLANE, keepdims=True))
            ),
            _many,
        ),
        of_formula(
            "each group has a scale of its own",
            lambda amplitude: amplitude / (2 * np.sqrt(np.mean(amplitude**2, axis=(1, 2, 3), keepdims=True))),
            several("amplitude", 0),
        ),
        of_formula(
            "the photons of all patches are counted together",
            lambda amplitude: (
                amplitude * np.sqrt(pixels(amplitude) / 4 / np.mean(np.sum(amplitude**2, axis=(1, 2, 3))))
            ),
            _PATCHES,
        ),
        of_formula("the largest amplitude is 1", lambda amplitude: amplitude / amplitude.max()),
    ),
    "scaling.apply_intensity_scale": (
        of_argument("the scale divides where it must multiply", "log_scale", np.negative),
        of_argument("the root of the scale is used", "log_scale", lambda w: w / 2),
        of_argument("the square of the scale is used", "log_scale", lambda w: 2 * w),
        of_formula(
            "the logarithm of the scale is taken for the scale", lambda amplitude, log_scale: amplitude * log_scale
        ),
        of_formula("the logarithm is taken to be decimal", lambda amplitude, log_scale: amplitude * 10**log_scale),
    ),
    "scaling.remove_intensity_scale": (
        of_argument("the scale multiplies where it must divide", "log_scale", np.negative),
        of_argument("the root of the scale is used", "log_scale", lambda w: w / 2),
        of_argument("the scale is divided out twice", "log_scale", lambda w: 2 * w),
        of_formula(
            "the logarithm of the scale is taken for the scale", lambda amplitude, log_scale: amplitude / log_scale
        ),
        of_formula("the logarithm is taken to be decimal", lambda amplitude, log_scale: amplitude / 10**log_scale),
    ),
}
