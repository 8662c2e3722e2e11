"""Photon bookkeeping and the two scalings of an amplitude."""

from __future__ import annotations

from typing import Any

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import exp, mean, sqrt, square, total

_PLANE = (-2, -1)


def count_photons(amplitude: Array) -> Any:
    """Σ a² over each pattern, (B, C), of amplitudes (B, C, H, W)."""
    return total(square(amplitude), axis=_PLANE)


def count_photons_vjp(cotangent: Array, amplitude: Array) -> tuple[Any]:
    """Gradient of `amplitude`: 2a·w."""
    return (2 * amplitude * cotangent[:, :, None, None],)


def scale_nphotons(amplitude: Array, nphotons: Array) -> Any:
    """√(nphotons / mean photon count of a pattern), (): the one scalar that gives a data set its dose."""
    return sqrt(nphotons / mean(count_photons(amplitude)))


def scale_nphotons_vjp(cotangent: Array, amplitude: Array, nphotons: Array) -> tuple[Any]:
    """Gradient of `amplitude`: −w·s·a / Σ a², Σ over the data set."""
    scale = scale_nphotons(amplitude, nphotons)
    return (-(cotangent * scale / total(square(amplitude))) * amplitude,)


def normalize_amplitude(amplitude: Array) -> Any:
    """X·√((HW/4) / mean photon count of a pattern), (B, C, H, W): the mean square of a network's input is 1/4."""
    return amplitude * _normalization(amplitude)


def normalize_amplitude_vjp(cotangent: Array, amplitude: Array) -> tuple[Any]:
    """Gradient of `amplitude`: s·(w − X·⟨w, X⟩ / Σ X²)."""
    projection = total(cotangent * amplitude) / total(square(amplitude))
    return (_normalization(amplitude) * (cotangent - amplitude * projection),)


def _normalization(amplitude: Array) -> Any:
    pixels = amplitude.shape[-2] * amplitude.shape[-1]
    return sqrt(pixels / 4 / mean(count_photons(amplitude)))


def apply_intensity_scale(amplitude: Array, log_scale: Array) -> Any:
    """a·e^w, (B, C, H, W): what a model predicts, in photons."""
    return amplitude * exp(log_scale)


def apply_intensity_scale_vjp(cotangent: Array, amplitude: Array, log_scale: Array) -> tuple[Any, Any]:
    """Gradients of `amplitude` and `log_scale`: w·e^w and Σ w·a·e^w."""
    scale = exp(log_scale)
    return cotangent * scale, total(cotangent * amplitude * scale)


def remove_intensity_scale(amplitude: Array, log_scale: Array) -> Any:
    """a / e^w, (B, C, H, W): what a model is given."""
    return amplitude / exp(log_scale)


def remove_intensity_scale_vjp(cotangent: Array, amplitude: Array, log_scale: Array) -> tuple[Any, Any]:
    """Gradients of `amplitude` and `log_scale`: w / e^w and −Σ w·a / e^w."""
    scale = exp(log_scale)
    return cotangent / scale, -total(cotangent * amplitude / scale)
