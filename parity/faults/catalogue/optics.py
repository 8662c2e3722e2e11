"""Faults in how an object is made and lit; `optics_far_field` has those on the way to the detector."""

from __future__ import annotations

import math

from parity.contracts.changes import Arguments, given, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import modulus, pixel
from parity.faults.generated import Generated


def _probe_of_the_first_group(xp: Namespace, a: Arguments) -> Tensor:
    """The product, through which the probe's gradient comes from the first group alone."""
    first, rest = a.patches[:1, :, None], a.patches[1:, :, None]
    return xp.concat([first * a.probe, rest * xp.detach(a.probe)], 0)


def _squeezed(xp: Namespace, waves: Tensor, a: Arguments) -> Tensor:
    return waves[:, :, 0] if xp.shape(waves)[2] == 1 else waves


def _cosine_of_few_terms(xp: Namespace, a: Arguments) -> Tensor:
    """a·(1 − φ²/2 + φ⁴/24 + i·(φ − φ³/6))."""
    square = xp.square(a.phase)
    even, odd = 1 - square / 2 + xp.square(square) / 24, a.phase * (1 - square / 6)
    return xp.complex(a.amplitude * even, a.amplitude * odd)


COMBINED = (
    Fault(
        "optics.combine_complex",
        "phase-as-imaginary-part",
        "the phase is used as imaginary part (a + iφ)",
        replaced(lambda xp, a: xp.complex(a.amplitude, a.phase)),
        shows="phases that are not small",
    ),
    Fault(
        "optics.combine_complex",
        "phase-sign",
        "the phase has the opposite sign",
        given(phase=lambda xp, x: -x),
        diagnosis=(
            "the phase has the opposite sign",
            "the result is conjugated",
            "phase enters times a constant factor",
        ),
    ),
    Fault(
        "optics.combine_complex",
        "phase-in-turns",
        "the phase is taken to be in turns",
        given(phase=lambda xp, x: x * (2 * math.pi)),
        diagnosis=("the phase is taken to be in turns", "phase enters times a constant factor"),
    ),
    Fault(
        "optics.combine_complex",
        "phase-modulo-pi",
        "the phase is wrapped into [0, π)",
        given(phase=lambda xp, x: x - math.pi * xp.floor(x / math.pi)),
        shows="phases that are negative, or beyond π",
    ),
    Fault(
        "optics.combine_complex",
        "parts-exchanged",
        "real and imaginary part are exchanged",
        returning(lambda xp, x, a: xp.complex(xp.imag(x), xp.real(x))),
    ),
    Generated("optics.combine_complex", "phase-detached"),
    Generated("optics.combine_complex", "phase-float16"),
    Generated("optics.combine_complex", "amplitude-squared"),
    Generated("optics.combine_complex", "amplitude-patches-reordered", called="patches-reversed"),
    Fault(
        "optics.combine_complex",
        "phase-limited",
        "the phase is limited to ±π",
        given(phase=lambda xp, x: xp.minimum(xp.maximum(x, -math.pi), math.pi)),
        shows="phases beyond ±π",
        blind=True,
    ),
    Fault(
        "optics.combine_complex",
        "few-terms",
        "the exponential is cut off after its fourth power",
        replaced(_cosine_of_few_terms),
        shows="phases that are not small",
        diagnosis=(),
    ),
    Fault(
        "optics.combine_complex",
        "sine-detached",
        "no gradient of the amplitude passes through the imaginary part",
        replaced(lambda xp, a: xp.complex(a.amplitude * xp.cos(a.phase), xp.detach(a.amplitude) * xp.sin(a.phase))),
        shows="a gradient",
        diagnosis=(),
    ),
)
"""Of the object, from its amplitude and phase."""

LIT = (
    Fault(
        "optics.illuminate",
        "probe-modulus",
        "the modulus of the probe is used",
        given(probe=modulus),
        shows="a probe with a phase",
    ),
    Fault(
        "optics.illuminate",
        "probe-intensity",
        "the intensity of the probe is used",
        given(probe=lambda xp, x: x * xp.conj(x)),
    ),
    Fault(
        "optics.illuminate",
        "object-modulus",
        "the modulus of the patches is used",
        given(patches=modulus),
        shows="an object with a phase",
    ),
    Fault(
        "optics.illuminate",
        "probe-divided-by",
        "the probe is divided by",
        replaced(lambda xp, a: a.patches[:, :, None] / a.probe),
    ),
    Fault(
        "optics.illuminate",
        "probe-added",
        "the probe is added",
        replaced(lambda xp, a: a.patches[:, :, None] + a.probe),
    ),
    Generated("optics.illuminate", "probe-conjugated"),
    Generated("optics.illuminate", "patches-conjugated", called="object-conjugated"),
    Generated("optics.illuminate", "probe-modes-reordered", called="modes-reversed"),
    Generated("optics.illuminate", "probe-first-mode", called="first-mode"),
    Generated("optics.illuminate", "probe-detached"),
    Generated("optics.illuminate", "patches-imaginary-part-detached", called="imaginary-part-detached"),
    Generated("optics.illuminate", "patches-reshaped", called="channels-last-reshaped"),
    Generated("optics.illuminate", "probe-bfloat16"),
    Fault(
        "optics.illuminate",
        "modes-squeezed",
        "the axis of a single mode is squeezed away",
        returning(_squeezed),
        stacks=("torch",),
        shows="one mode",
        diagnosis=("an axis of size one is missing",),
    ),
    Fault(
        "optics.illuminate",
        "probe-of-the-first-group",
        "the probe has a gradient from the first group alone",
        replaced(_probe_of_the_first_group),
        shows="two groups or more, and a gradient",
        diagnosis=(),
    ),
    Fault(
        "optics.illuminate",
        "hot-pixel",
        "one pixel of every exit wave is doubled",
        returning(lambda xp, x, a: xp.scaled(x, 1 + pixel(xp, x, 3, 5))),
        diagnosis=(),
    ),
)
"""Of the exit waves."""

FAULTS = (*COMBINED, *LIT)
