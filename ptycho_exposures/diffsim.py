"""Simulates exposures: an object, a probe and a photon budget become noisy diffraction amplitudes.

NumPy alone, so that a simulated case is the same example whichever framework is installed. An exposure is
computed in double precision and rounded once, to the precision of its object. What is illuminated comes from
`ptycho_exposures.objects`.

Axes: B groups, H rows, W columns, C patches of a group, P probe modes.
Amplitudes are in √photons a pixel, their squares in photons a pixel.
"""

import math
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures import checks

Seed: TypeAlias = int | np.random.Generator
RealArray: TypeAlias = NDArray[np.floating[Any]]
ComplexArray: TypeAlias = NDArray[np.complexfloating[Any, Any]]

MAX_MEAN_COUNT: Final = 1e12
"""Photons a pixel up to which NumPy's sampler decides by ln k!, some 3e13 there and known to 1/100; at 1e16 the
variance of what it draws, measured, is 1.4 times what it should be."""

FALSE_ALARM: Final = 1e-9
"""Probability, at most, that `check_scaled_alike` refuses a data set that is scaled alike."""


class Exposures(NamedTuple):
    """What `illuminate_and_diffract` returns; without noise Σ X² = Σ Y_I² in every pattern."""

    X: RealArray
    """(B, H, W, C) observed diffraction amplitude, divided by `intensity_scale`."""
    Y_I: RealArray
    """(B, H, W, C) amplitude |p·O| behind the object, divided by `intensity_scale`."""
    Y_phi: RealArray
    """(B, H, W, C) phase of the object, radians, as it was given."""
    intensity_scale: float
    """√photons per unit of X and Y_I: Σ (intensity_scale·X)² is the photon count of a pattern."""


def illuminate_and_diffract(
    Y_I: RealArray,
    Y_phi: RealArray,
    probe: ComplexArray,
    intensity_scale: float | None = None,
    *,
    nphotons: float = 1e9,
    seed: Seed = 0,
) -> Exposures:
    """Expose the object O = Y_I·exp(i·Y_phi) to a probe and count photons in the far field.

    The exit waves s·p·O, with s the intensity scale, are diffracted and observed; then the observed amplitude
    and |s·p·O| are **both** divided by s. So X and Y_I keep the units of p·O and share one photon scale.

    Args:
        Y_I: (B, H, W, C) object amplitude, non-negative, dimensionless.
        Y_phi: (B, H, W, C) object phase, radians.
        probe: (H, W, P) complex probe; its modes add incoherently.
        intensity_scale: s; by default the one that gives `nphotons` photons in the mean pattern.
        nphotons: mean photons a pattern; not used when `intensity_scale` is given.
        seed: of the photon noise. The same seed gives the same exposures.

    Raises:
        TypeError: an array is not of the floating-point or complex type it should be.
        ValueError: a wrong shape, a negative amplitude, a value that is not finite, or no light at all.
    """
    _check_object(Y_I, Y_phi)
    _check_probe(probe, Y_I.shape)
    patches = Y_I * np.exp(1j * Y_phi.astype(np.float64))
    exit_waves = patches[..., np.newaxis] * probe[:, :, np.newaxis, :]
    far_field = diffract(exit_waves)
    if intensity_scale is None:
        intensity_scale = scale_nphotons(far_field, nphotons)
    checks.require_positive("intensity_scale", intensity_scale)
    observed = observe_amplitude(intensity_scale * far_field, seed)
    illuminated = np.sqrt(_intensity(intensity_scale * exit_waves))
    return Exposures(
        X=(observed / intensity_scale).astype(Y_I.dtype),
        Y_I=(illuminated / intensity_scale).astype(Y_I.dtype),
        Y_phi=Y_phi,
        intensity_scale=intensity_scale,
    )


def diffract(exit_waves: ComplexArray) -> RealArray:
    """Far-field amplitude √(fftshift(Σ_p |DFT₂ ψ_p|² / (H·W))), shape (B, H, W, C).

    Energy is conserved: Σ_{h,w} Â² = Σ_p Σ_{h,w} |ψ_p|².

    Args:
        exit_waves: (B, H, W, C, P) complex ψ_p, in √photons; the result has their precision.

    Raises:
        TypeError: not complex.
        ValueError: not of rank 5.
    """
    checks.require_complex("exit_waves", exit_waves)
    checks.require_layout("exit_waves", exit_waves, "(B, H, W, C, P)")
    spectrum = np.fft.fft2(exit_waves, axes=(1, 2), norm="ortho")
    return np.sqrt(np.fft.fftshift(_intensity(spectrum), axes=(1, 2)))


def observe_amplitude(amplitude: RealArray, seed: Seed) -> RealArray:
    """√k with photon counts k drawn from Poisson(amplitude²), pixel by pixel.

    Args:
        amplitude: noiseless amplitude of any shape, √photons a pixel; the result has its shape and precision.
        seed: the same seed gives the same counts; a Generator is drawn from, and so moves on.

    Raises:
        TypeError: not float32 or float64.
        ValueError: a negative or non-finite amplitude, or one whose square exceeds `MAX_MEAN_COUNT`.
    """
    checks.require_floating("amplitude", amplitude)
    checks.require_amplitude("amplitude", amplitude)
    mean_counts = np.square(amplitude, dtype=np.float64)
    checks.require_values(
        "amplitude",
        amplitude,
        valid=mean_counts <= MAX_MEAN_COUNT,
        expected=f"at most {MAX_MEAN_COUNT:g} photons a pixel, which can be drawn as they are distributed, so "
        f"amplitudes up to {math.sqrt(MAX_MEAN_COUNT):.3g}",
    )
    counts = np.random.default_rng(seed).poisson(mean_counts)
    return np.sqrt(counts).astype(amplitude.dtype)


def count_photons(amplitude: NDArray[Any]) -> NDArray[np.float64]:
    """Photons of each pattern, Σ_{h,w} a², shape (B, C), always in double precision.

    Args:
        amplitude: (B, H, W, C) in √photons a pixel. Integers are widened before they are squared.

    Raises:
        TypeError: neither integer nor floating point.
        ValueError: not of rank 4, negative, or not finite.
    """
    if amplitude.dtype.kind not in "iuf":
        raise TypeError(checks.refusal("amplitude", "an integer or floating-point amplitude", amplitude.dtype))
    checks.require_layout("amplitude", amplitude, "(B, H, W, C)")
    checks.require_amplitude("amplitude", amplitude)
    photons: NDArray[np.float64] = np.square(amplitude, dtype=np.float64).sum(axis=(1, 2))
    return photons


def scale_nphotons(amplitude: NDArray[Any], nphotons: float) -> float:
    """The factor √(nphotons / mean Σ_{h,w} a²) that gives the mean pattern `nphotons` photons.

    One factor for the whole data set: the patterns keep their relative brightness.

    Args:
        amplitude: (B, H, W, C), any unit.
        nphotons: photons a pattern, positive.

    Raises:
        TypeError: as `count_photons`.
        ValueError: as `count_photons`; or all amplitudes are zero; or `nphotons` is not positive and finite.
    """
    checks.require_positive("nphotons", nphotons)
    photons = count_photons(amplitude)
    if not photons.any():
        raise ValueError(checks.refusal("amplitude", "some light", f"only zeros, shape {amplitude.shape}"))
    return math.sqrt(nphotons / float(photons.mean()))


def check_scaled_alike(X: RealArray, Y_I: RealArray, intensity_scale: float) -> None:
    """Refuse a data set whose X and Y_I were not divided by the same intensity scale.

    Energy conservation makes the photons N = Σ (s·X)² of a whole simulated data set one Poisson variable of
    mean μ = Σ (s·Y_I)². The fluctuation allowed is the t at which Bernstein's inequality,
    P(|N − μ| ≥ t) ≤ 2·exp(−t² / 2(μ + t/3)), reaches `FALSE_ALARM`, plus the rounding of X and Y_I.

    Args:
        X: (B, H, W, C) observed amplitude divided by the scale.
        Y_I: (B, H, W, C) |p·O| divided by the scale.
        intensity_scale: s, the scale both were divided by; without it the size of the fluctuation is unknown.

    Raises:
        TypeError: X or Y_I is not float32 or float64.
        ValueError: the photon counts disagree; or an invalid amplitude, shape or scale.
    """
    for name, amplitude in (("X", X), ("Y_I", Y_I)):
        checks.require_floating(name, amplitude)
        checks.require_layout(name, amplitude, "(B, H, W, C)")
        checks.require_amplitude(name, amplitude)
    checks.require_same_shape("X", X.shape, "Y_I", Y_I.shape)
    checks.require_positive("intensity_scale", intensity_scale)
    observed, expected = (float(count_photons(a).sum()) * intensity_scale**2 for a in (X, Y_I))
    allowed = _poisson_deviation(expected, FALSE_ALARM) + _rounding(X, Y_I) * expected
    if abs(observed - expected) > allowed:
        raise ValueError(
            checks.refusal("X", f"{expected:.9g} ± {allowed:.2g} photons, as in Y_I", f"{observed:.9g}")
            + "; X and Y_I were not divided by the same intensity_scale"
        )


def _intensity(waves: ComplexArray) -> RealArray:
    """Σ_p |ψ_p|² over the last axis."""
    intensity: RealArray = (np.square(waves.real) + np.square(waves.imag)).sum(axis=-1)
    return intensity


def _poisson_deviation(mean: float, probability: float) -> float:
    """The t with P(|N − mean| ≥ t) ≤ probability for N ~ Poisson(mean), by Bernstein's inequality."""
    log_odds = math.log(2 / probability)
    return log_odds / 3 + math.sqrt(log_odds**2 / 9 + 2 * log_odds * mean)


def _rounding(X: RealArray, Y_I: RealArray) -> float:
    """Relative rounding error of Σ X² against Σ Y_I²: two casts, two squares, and a DFT of H·W points."""
    epsilon = max(float(np.finfo(X.dtype).eps), float(np.finfo(Y_I.dtype).eps))
    _, height, width, _ = X.shape
    return epsilon * (4 + 2 * math.log2(height * width))


def _check_object(Y_I: RealArray, Y_phi: RealArray) -> None:
    for name, array in (("Y_I", Y_I), ("Y_phi", Y_phi)):
        checks.require_floating(name, array)
        checks.require_layout(name, array, "(B, H, W, C)")
    checks.require_same_shape("Y_phi", Y_phi.shape, "Y_I", Y_I.shape)
    checks.require_amplitude("Y_I", Y_I)
    checks.require_finite("Y_phi", Y_phi)


def _check_probe(probe: ComplexArray, object_shape: tuple[int, ...]) -> None:
    checks.require_complex("probe", probe)
    _, height, width, _ = object_shape
    if probe.ndim != 3 or probe.shape[:2] != (height, width):
        raise ValueError(checks.refusal("probe", f"shape (H, W, P) = ({height}, {width}, P)", probe.shape))
    checks.require_finite("probe", probe)
