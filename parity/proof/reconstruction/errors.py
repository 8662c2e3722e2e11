"""How far a reconstruction is from the truth, on the detector and as an object. The oracle says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families.family import Complex, Real
from parity.contracts.contract import Inputs
from parity.physics.oracle.losses import mae, poisson_nll
from parity.physics.oracle.optics import far_field_amplitude, illuminate
from parity.physics.oracle.patches import extract_patches, reassemble_patches, uniform_weight
from parity.physics.oracle.scaling import apply_intensity_scale


@dataclass(frozen=True, slots=True)
class Errors:
    """How far a prediction is from what it should be, as the oracle has it.

    `loss` is the right one, in excess of the least it can be: half the Poisson deviance of a pixel, or the mean
    absolute error. `amplitude` is ‖Â − A‖ / ‖A‖, `photons` Σ Â² / Σ A². `object` is ‖p·(Ô − O)‖ / ‖p·O‖ up to a common
    phase: the object's error, weighted with the light that falls on it. `amplitude_rescaled` and `object_rescaled` are
    what the best common factor leaves of them, and so the least that a scale learnt beside the object could.
    """

    loss: float
    amplitude: float
    amplitude_rescaled: float
    photons: float
    object: float = np.nan
    object_rescaled: float = np.nan


def errors_of(exposures: Inputs, loss: str, patches: Complex) -> Errors:
    """The errors of patches (B, C, H, W), `loss` the name of the right one."""
    waves, truth = waves_of(exposures, patches), waves_of(exposures, exposures["patches"])
    predicted = apply_intensity_scale(far_field_amplitude(waves), exposures["log_scale"])
    factor = best_factor(waves, truth)
    return replace(
        errors_on_the_detector(predicted, exposures["observed"], loss),
        object=_relative(waves * np.exp(1j * np.angle(factor)), truth),
        object_rescaled=_relative(waves * factor, truth),
    )


def errors_on_the_detector(predicted: Real, observed: Real, loss: str) -> Errors:
    """The errors of a predicted amplitude (B, C, H, W), of whatever object."""
    pixels = predicted[0].size
    misfit = mae(predicted, observed) if loss == "mae" else poisson_nll(predicted, observed, full=False).mean() / pixels
    return Errors(
        loss=float(misfit),
        amplitude=_relative(predicted, observed),
        amplitude_rescaled=_relative(predicted * best_factor(predicted, observed), observed),
        photons=float(np.vdot(predicted, predicted) / np.vdot(observed, observed)),
    )


def merged(exposures: Inputs, patches: NDArray[Any]) -> NDArray[Any]:
    """The patches as one object, (rows, columns)."""
    size = exposures["rows"].item(), exposures["columns"].item()
    return reassemble_patches(patches, exposures["positions"], uniform_weight(patches), *size)[0]


def waves_of(exposures: Inputs, patches: Complex) -> Complex:
    """p·O of the patches as their neighbours see them, (B, C, P, H, W)."""
    canvas = merged(exposures, patches)[None]
    views = extract_patches(canvas, exposures["positions"], *patches.shape[-2:])
    return illuminate(views, exposures["probe"])


def best_factor(found: NDArray[Any], truth: NDArray[Any]) -> Any:
    """The number that brings what was found nearest to the truth."""
    return np.vdot(found, truth) / np.vdot(found, found)


def _relative(found: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
