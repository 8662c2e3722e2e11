"""How near a reconstruction is to the truth: amplitude and phase apart, on the part of the object that was seen.

What ptychography leaves open is fitted first and named: a phase that all pixels share, and, where the scale of the
light was not known, a factor. Nothing else is: a scale that is wrong counts as an error.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from ptycho_exposures.checks import refusal, require_finite

Real: TypeAlias = NDArray[np.floating[Any]]
Complex: TypeAlias = NDArray[np.complexfloating[Any, Any]]

FRC_THRESHOLD: Final = 0.5
"""The correlation below which two images no longer agree on a ring of frequencies."""
LEAST_SIDE: Final = 16
"""Pixels a side below which neither rings nor the window of SSIM say anything."""


@dataclass(frozen=True, slots=True)
class ImageMetrics:
    """One real image beside the true one; `data_range` is that of the truth."""

    mae: float
    """Mean absolute error, in the unit of the image."""
    psnr: float
    """Peak signal-to-noise ratio, dB; infinite for equal images."""
    ssim: float
    """Structural similarity (Wang et al., 2004), at most 1, in windows of 7 × 7 pixels."""
    frc50: float
    """The last spatial frequency before the correlation of rings falls below one half, of Nyquist's, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """A reconstruction beside the truth."""

    amplitude: ImageMetrics
    """Dimensionless."""
    phase: ImageMetrics
    """Radians, from the least of the truth on; differences taken the short way round."""


def aligned(found: Complex, truth: Complex, scale_known: bool = True) -> Complex:
    """What was found, times the number that brings it nearest to the truth: of modulus 1 if the scale is known.

    Raises:
        ValueError: shapes differ, or either has no light at all or is not finite.
    """
    if found.shape != truth.shape:
        raise ValueError(refusal("found", f"the shape of truth, {truth.shape}", str(found.shape)))
    _require_finite(found, truth)
    overlap, energy = np.vdot(found, truth), np.vdot(found, found).real
    if not 0 < energy < math.inf:
        raise ValueError(refusal("found", "a finite object that is not 0 all over", f"energy {energy}"))
    phase = overlap / abs(overlap) if overlap else 1.0
    fitted: Complex = found * (phase if scale_known else phase * abs(overlap) / energy)
    return fitted


def compare(found: Complex, truth: Complex) -> Metrics:
    """The metrics of an object (H, W), aligned, beside the true one.

    Raises:
        ValueError: shapes differ, a side has fewer than `LEAST_SIDE` pixels, or a pixel is not finite.
    """
    if found.shape != truth.shape or min(truth.shape) < LEAST_SIDE:
        expected = f"the shape of truth, at least {LEAST_SIDE} pixels a side"
        raise ValueError(refusal("found", expected, f"{found.shape} for a truth of {truth.shape}"))
    _require_finite(found, truth)
    return Metrics(_of_images(np.abs(found), np.abs(truth)), _of_images(*phases(found, truth)))


def phases(found: Complex, truth: Complex) -> tuple[Real, Real]:
    """What was found and the truth, (H, W) each, radians: the truth's least is 0, and they are the short way apart.

    The truth jumps by a turn half a turn from its median, and where its zero is no phase decides that all pixels share.
    Structural similarity takes images from 0 on.
    """
    true = np.angle(truth * np.exp(-1j * _median_phase(truth)))
    true -= true.min()
    return true + np.angle(found * truth.conj()), true


def constant(truth: Complex) -> Complex:
    """The best constant object: the true one's median amplitude and phase, which have the least absolute error."""
    return np.full_like(truth, np.median(np.abs(truth)) * np.exp(1j * _median_phase(truth)))


def _median_phase(truth: Complex) -> float:
    """The phase whose mean distance to those of all pixels, the short way round, is least: it is that of a pixel."""
    phases = np.sort(np.angle(truth), axis=None)
    turns = np.concatenate([phases - 2 * np.pi, phases, phases + 2 * np.pi])
    sums = np.concatenate([[0.0], np.cumsum(turns, dtype=np.float64)])
    first, own = np.searchsorted(turns, phases - np.pi), np.searchsorted(turns, phases)
    last = first + len(phases)  # every pixel once, no farther than half a turn
    below = phases * (own - first) - (sums[own] - sums[first])
    above = (sums[last] - sums[own]) - phases * (last - own)
    return float(phases[np.argmin(below + above)])


def ring_correlation(found: Real, truth: Real) -> Mapping[str, Real]:
    """The Fourier ring correlation (Saxton and Baumeister, 1982) of two images (H, W), means and edges taken off.

    Returns:
        `frequency` (R,), of Nyquist's, above 0 to 1, and `correlation` (R,), -1 to 1; 0 on a ring on which an image
        has nothing.

    Raises:
        ValueError: a pixel is not finite.
    """
    _require_finite(found, truth)
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in truth.shape))
    # Both are sums and differences of numbers as large as either: what varies by less does so by their rounding.
    rounding = 8 * np.finfo(truth.dtype).eps * max(np.abs(image).max() for image in (found, truth))
    first, second = (np.fft.fft2(_centred(image, rounding) * window) for image in (found, truth))
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) * 2 for side in truth.shape), indexing="ij"))
    rings = min(truth.shape) // 2
    ring = np.rint(radius * rings).astype(int).ravel()

    def summed(values: Real) -> Real:
        return np.bincount(ring, values.ravel(), rings + 1)[1 : rings + 1].astype(np.float64)

    shared, both = summed((first * second.conj()).real), summed(np.abs(first) ** 2) * summed(np.abs(second) ** 2)
    correlation = np.divide(shared, np.sqrt(both), out=np.zeros(rings), where=both > 0)
    return {"frequency": np.arange(1, rings + 1) / rings, "correlation": correlation}


def _require_finite(found: Real | Complex, truth: Real | Complex) -> None:
    require_finite("found", found)
    require_finite("truth", truth)


def _of_images(found: Real, truth: Real) -> ImageMetrics:
    span = float(np.ptp(truth)) or 1.0  # of a constant truth any range says as much
    error = float(np.abs(found - truth).mean())
    return ImageMetrics(
        mae=error,
        psnr=float(peak_signal_noise_ratio(truth, found, data_range=span)) if error else math.inf,
        ssim=float(structural_similarity(truth, found, data_range=span)),
        frc50=_resolved(ring_correlation(found, truth)),
    )


def _centred(image: Real, rounding: float) -> Real:
    """The image less its mean; exactly 0 where it is constant but for the rounding."""
    centred = image - image.mean()
    return centred if np.abs(centred).max() > rounding else np.zeros_like(image)


def _resolved(rings: Mapping[str, Real]) -> float:
    """The last frequency before the correlation falls below the threshold."""
    below = np.flatnonzero(rings["correlation"] < FRC_THRESHOLD)
    if not len(below):
        return 1.0
    return float(rings["frequency"][below[0] - 1]) if below[0] else 0.0
