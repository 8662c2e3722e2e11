"""Defects in how an object is made and lit; `optics_far_field` has those on the way to the detector."""

from __future__ import annotations

import math

from parity.faults.base import Fault
from parity.faults.catalogue.common import imaginary_part_detached, pixel, read_in_the_order, rounded
from parity.faults.changes import Arguments, given, replaced, returning
from parity.faults.namespace import Namespace, Tensor


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


FAULTS = (
    Fault(
        "optics.combine_complex",
        "phase-as-imaginary-part",
        "the phase is used as imaginary part (a + iφ)",
        replaced(lambda xp, a: xp.complex(a.amplitude, a.phase)),
        shows="phases that are not small",
    ),
    Fault(
        "optics.combine_complex",
        "phase-detached",
        "phase is detached",
        given(phase=lambda xp, x: xp.detach(x)),
        shows="a gradient",
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
        "parts-exchanged",
        "real and imaginary part are exchanged",
        returning(lambda xp, x, a: xp.complex(xp.imag(x), xp.real(x))),
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
        "phase-limited",
        "the phase is limited to ±π",
        given(phase=lambda xp, x: xp.minimum(xp.maximum(x, -math.pi), math.pi)),
        shows="phases beyond ±π",
    ),
    Fault(
        "optics.combine_complex",
        "phase-float16",
        "phase is rounded to float16",
        given(phase=rounded("float16")),
        diagnosis=("phase is rounded to float16", "an intermediate is float16"),
    ),
    Fault(
        "optics.combine_complex",
        "amplitude-squared",
        "amplitude enters squared (an intensity where an amplitude is meant)",
        given(amplitude=lambda xp, x: xp.square(x)),
    ),
    Fault(
        "optics.combine_complex",
        "patches-reversed",
        "the patches of amplitude are in another order",
        given(amplitude=lambda xp, x: xp.flip(x, 1)),
        shows="two patches or more",
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
    Fault("optics.illuminate", "probe-conjugated", "conjugate of probe", given(probe=lambda xp, x: xp.conj(x))),
    Fault("optics.illuminate", "object-conjugated", "conjugate of patches", given(patches=lambda xp, x: xp.conj(x))),
    Fault(
        "optics.illuminate",
        "modes-squeezed",
        "an axis of size one is missing",
        returning(_squeezed),
        stacks=("torch",),
        shows="one mode",
    ),
    Fault(
        "optics.illuminate",
        "modes-reversed",
        "the modes of probe are in another order",
        given(probe=lambda xp, x: xp.flip(x, 0)),
        shows="two modes or more",
    ),
    Fault(
        "optics.illuminate",
        "first-mode",
        "only the first mode of probe counts",
        given(probe=lambda xp, x: x[:1]),
        shows="two modes or more",
    ),
    Fault(
        "optics.illuminate",
        "probe-modulus",
        "the modulus of the probe is used",
        given(probe=lambda xp, x: xp.complex(xp.abs(x), xp.zeros_like(xp.abs(x)))),
        shows="a probe with a phase",
    ),
    Fault(
        "optics.illuminate",
        "probe-detached",
        "probe is detached",
        given(probe=lambda xp, x: xp.detach(x)),
        shows="a gradient",
    ),
    Fault(
        "optics.illuminate",
        "imaginary-part-detached",
        "the imaginary part of patches is detached",
        given(patches=imaginary_part_detached),
        shows="a gradient",
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
        "channels-last-reshaped",
        "channels last of patches are reshaped, not transposed",
        given(patches=read_in_the_order(0, 2, 3, 1)),
        shows="two patches or more",
    ),
    Fault(
        "optics.illuminate",
        "probe-bfloat16",
        "probe is truncated to bfloat16",
        given(probe=rounded("bfloat16")),
        diagnosis=("probe is truncated to bfloat16", "an intermediate is bfloat16"),
    ),
    Fault(
        "optics.illuminate",
        "hot-pixel",
        "one pixel of every exit wave is doubled",
        returning(lambda xp, x, a: xp.scaled(x, 1 + pixel(xp, x, 3, 5))),
        diagnosis=(),
    ),
)
