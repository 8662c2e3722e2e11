"""Other code for the same way to the detector."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from parity.contracts.changes import Arguments, Change, given, raw, replaced, returning
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import PLANE, Namespace, Tensor

_FAR_FIELD = "optics.far_field_amplitude"


def _times_i(xp: Namespace, x: Tensor) -> Tensor:
    return xp.complex(-xp.imag(x), xp.real(x))


def _turned(angle: float) -> Callable[[Namespace, Tensor], Tensor]:
    """Times exp(i·angle)."""
    return lambda xp, x: (
        xp.scaled(x, xp.constant(math.cos(angle), x)) + xp.scaled(_times_i(xp, x), xp.constant(math.sin(angle), x))
    )


def _root(xp: Namespace, intensity: Tensor) -> Tensor:
    """The root with gradient 0 at 0, which is part of the contract."""
    dark, one = intensity == 0, xp.ones_like(intensity)
    return xp.where(dark, xp.zeros_like(intensity), xp.sqrt(xp.where(dark, one, intensity)))


def _power(xp: Namespace, x: Tensor) -> Tensor:
    return xp.square(xp.real(x)) + xp.square(xp.imag(x))


def _far_field(spectrum: Callable[[Namespace, Tensor], Tensor]) -> Change:
    """The amplitude from an orthonormal spectrum that is made in another way."""
    return replaced(lambda xp, a: _root(xp, xp.fftshift(xp.sum(_power(xp, spectrum(xp, a.exit_waves)), 2))))


def _orthonormal(xp: Namespace, x: Tensor) -> Tensor:
    return xp.scaled(xp.fft2(x), 1 / xp.sqrt(xp.size(x, PLANE)))


def _rows_then_columns(xp: Namespace, x: Tensor) -> Tensor:
    by_row = xp.fft(x)
    by_column = xp.swapped(xp.fft(xp.swapped(by_row, -1, -2)), -1, -2)
    return xp.scaled(by_column, 1 / xp.sqrt(xp.size(x, PLANE)))


def _through_the_inverse(xp: Namespace, x: Tensor) -> Tensor:
    """DFT z = HW·(DFT⁻¹ z̄)̄."""
    return xp.scaled(xp.conj(xp.ifft2(xp.conj(x))), xp.sqrt(xp.size(x, PLANE)))


def _through_hypot(xp: Namespace, right: Any) -> Any:
    """|ψ|² from |ψ|, which is kept from 0, where its gradient is not that of |ψ|²."""

    def squared(field: Tensor) -> Tensor:
        power = _power(xp, field)
        dark = power == 0
        modulus = xp.abs(xp.where(dark, xp.ones_like(field), field))
        return xp.where(dark, xp.zeros_like(power), xp.square(modulus))

    return squared


def _four_products(xp: Namespace, a: Arguments) -> Tensor:
    x, y = xp.real(a.patches[:, :, None]), xp.imag(a.patches[:, :, None])
    u, v = xp.real(a.probe), xp.imag(a.probe)
    return xp.complex(x * u - y * v, x * v + y * u)


def _rolled(xp: Namespace, amplitude: Tensor) -> Tensor:
    """ifftshift, then a roll by half the frame in fftshift's place."""
    height, width = xp.shape(amplitude)[-2:]
    return xp.roll(xp.roll(xp.ifftshift(amplitude), height // 2, -2), width // 2, -1)


REWRITES = (
    Rewrite(
        "optics.combine_complex",
        "exponential",
        "the complex exponential",
        replaced(
            lambda xp, a: (
                xp.complex(a.amplitude, xp.zeros_like(a.amplitude))
                * xp.exp(xp.complex(xp.zeros_like(a.phase), a.phase))
            )
        ),
    ),
    Rewrite(
        "optics.combine_complex",
        "unit-phasor",
        "the amplitude multiplies cos φ + i·sin φ",
        replaced(lambda xp, a: xp.scaled(xp.complex(xp.cos(a.phase), xp.sin(a.phase)), a.amplitude)),
    ),
    Rewrite(
        "optics.illuminate",
        "real-products",
        "four real products for a complex one",
        replaced(_four_products),
    ),
    Rewrite(_FAR_FIELD, "orthonormal", "the orthonormal transform", _far_field(_orthonormal)),
    Rewrite(_FAR_FIELD, "rows-then-columns", "rows are transformed, then columns", _far_field(_rows_then_columns)),
    Rewrite(
        _FAR_FIELD, "through-the-inverse", "the inverse transform of the conjugate", _far_field(_through_the_inverse)
    ),
    Rewrite(_FAR_FIELD, "hypot", "|ψ| through hypot", raw(_through_hypot), at="optics._squared_modulus"),
    Rewrite(_FAR_FIELD, "global-phase", "a phase on all of the object", given(exit_waves=_turned(1.0))),
    Rewrite(
        _FAR_FIELD,
        "centred-first",
        "the exit waves are centred before the transform, a phase ramp of the far field",
        given(exit_waves=lambda xp, x: xp.ifftshift(x)),
    ),
    Rewrite(
        _FAR_FIELD,
        "rolled",
        "the frame is rolled by half of it",
        returning(lambda xp, x, a: _rolled(xp, x)),
    ),
    Rewrite(
        _FAR_FIELD,
        "modes-reversed",
        "the modes are summed in reverse",
        given(exit_waves=lambda xp, x: xp.flip(x, 2)),
    ),
)
