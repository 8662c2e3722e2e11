"""Defects in how the layers of the autoencoder are put together: its heads, its blocks, the whole."""

from __future__ import annotations

import math
from typing import Any

from parity.faults.base import Fault
from parity.faults.catalogue.common import noisy, softplus
from parity.faults.catalogue.networks import (
    NO_BIASES,
    TURNED,
    along,
    as_it_is,
    between,
    doubled,
    elementwise,
    mean_of_four,
    turned,
)
from parity.faults.catalogue.wiring import own
from parity.faults.changes import Arguments, Change, Of, given, giving, raw, replaced, returning, then
from parity.faults.namespace import Namespace, Tensor

_LIMITED = "the result is limited to a range"


def _repeated(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    return doubled(xp, [x, x], axis)


def _head(function: Of) -> Change:
    """A head with another function of its convolution."""
    return replaced(lambda xp, a: function(xp, own(xp, "networks.convolve")(**vars(a))))


def _twice(between: Of, behind: Of) -> Change:
    """The two convolutions of a block with other functions after them."""

    def change(xp: Namespace, right: Any) -> Any:
        convolve = right.__globals__["convolve"]
        return lambda features, *parameters: behind(
            xp, convolve(between(xp, convolve(features, *parameters[:2])), *parameters[2:])
        )

    return raw(change)


def _rectified(xp: Namespace, x: Tensor) -> Tensor:
    return xp.maximum(x, 0.0)


def _other_weights(other: dict[str, str]) -> Change:
    """The parameters of one decoder under the name of another's."""

    def change(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
        parts = {name: name.split("_")[0] for name in vars(a)}
        return {name: getattr(a, name.replace(part, other[part], 1)) for name, part in parts.items() if part in other}

    return giving(change)


HEADS = (
    Fault("networks.amplitude_head", "limited", _LIMITED, returning(lambda xp, x, a: xp.minimum(x, 0.9))),
    Fault("networks.amplitude_head", "softplus", "softplus stands for the logistic function", _head(softplus)),
    Fault(
        "networks.amplitude_head",
        "tanh",
        "tanh stands for the logistic function",
        _head(lambda xp, x: xp.tanh(x)),
    ),
    Fault("networks.amplitude_head", "linear", "the logistic function is left out", _head(as_it_is)),
    Fault(
        "networks.amplitude_head",
        "float16",
        "the result is rounded to float16",
        returning(lambda xp, x, a: xp.through(x, "float16")),
        diagnosis=("the result is rounded to float16", "an intermediate is float16"),
    ),
    Fault(
        "networks.phase_head",
        "no-pi",
        "a factor π is missing",
        returning(lambda xp, x, a: x / math.pi),
        diagnosis=("a factor π is missing", "the result is off by a constant factor"),
    ),
    Fault(
        "networks.phase_head",
        "two-pi",
        "2π stands for π",
        returning(lambda xp, x, a: x * 2),
        diagnosis=("2π stands for π", "the result is off by a constant factor"),
    ),
    Fault("networks.phase_head", "linear", "tanh is left out", _head(lambda xp, x: math.pi * x)),
    Fault(
        "networks.phase_head",
        "arctan",
        "arctan stands for tanh",
        _head(lambda xp, x: 2 * xp.angle(xp.complex(xp.ones_like(x), x))),
    ),
    Fault(
        "networks.phase_head",
        "noise",
        "noise of 10⁻⁵ is added",
        returning(lambda xp, x, a: noisy(1e-5)(xp, x)),
        diagnosis=(),
    ),
)


BLOCKS = (
    Fault(
        "networks.encoder_block",
        "mean",
        "the mean stands for the maximum",
        elementwise(mean_of_four),
        at="networks.max_pool",
    ),
    Fault(
        "networks.encoder_block",
        "first-rectification",
        "the first rectification is left out",
        _twice(as_it_is, _rectified),
        at="networks._convolve_twice",
    ),
    Fault(
        "networks.encoder_block",
        "softplus",
        "softplus stands for the rectification",
        elementwise(softplus),
        at="networks.rectify",
    ),
    Fault("networks.encoder_block", "turned", TURNED, given(kernel=turned), at="networks.convolve"),
    Fault(
        "networks.decoder_block",
        "second-rectification",
        "the second rectification is left out",
        _twice(_rectified, as_it_is),
        at="networks._convolve_twice",
    ),
    Fault(
        "networks.decoder_block",
        "not-rectified",
        "neither convolution is rectified",
        elementwise(as_it_is),
        at="networks.rectify",
        diagnosis=(),
    ),
    Fault(
        "networks.decoder_block",
        "interpolated",
        "interpolation stands for repetition",
        elementwise(along(between)),
        at="networks.upsample",
    ),
    Fault(
        "networks.decoder_block",
        "repeated-first",
        "features are repeated before the convolutions",
        then(given(features=along(_repeated)), returning(lambda xp, x, a: x[..., ::2, ::2])),
    ),
)


NETWORKS = (
    Fault(
        "networks.autoencode@32",
        "decoders-exchanged",
        "the decoders of amplitude and phase are exchanged",
        _other_weights({"amplitude": "phase", "phase": "amplitude"}),
    ),
    Fault(
        "networks.autoencode@32",
        "phase-as-imaginary-part",
        "the phase is used as imaginary part (a + iφ)",
        replaced(lambda xp, a: xp.complex(a.amplitude, a.phase)),
        at="optics.combine_complex",
    ),
    Fault(
        "networks.autoencode@32",
        "blocks-off-by-one",
        "each block is a pixel off",
        returning(lambda xp, x, a: xp.roll(x, 1, -1)),
        at="networks.encoder_block",
        diagnosis=("the result is rolled by whole pixels",),
    ),
    Fault(
        "networks.autoencode@32",
        "middle-off-by-one",
        "the result is rolled by whole pixels",
        returning(lambda xp, x, a: xp.roll(x, 1, -1)),
        at="patches.pad",
    ),
    Fault(
        "networks.autoencode@32",
        "squared-images",
        "images enter squared (an intensity where an amplitude is meant)",
        given(images=lambda xp, x: xp.square(x)),
    ),
    Fault(
        "networks.autoencode@64",
        "one-decoder",
        "the phase is decoded with the amplitude's weights",
        _other_weights({"phase": "amplitude"}),
    ),
    Fault(
        "networks.autoencode@64",
        "phase-sign",
        "the phase has the opposite sign",
        returning(lambda xp, x, a: -x),
        at="networks.phase_head",
        diagnosis=("the phase has the opposite sign", "the result is conjugated"),
    ),
    Fault(
        "networks.autoencode@128",
        "no-biases",
        NO_BIASES,
        given(bias=lambda xp, x: 0 * x),
        at="networks.convolve",
    ),
    Fault(
        "networks.autoencode@256",
        "no-pi",
        "the factor π of the phase is missing",
        returning(lambda xp, x, a: x / math.pi),
        at="networks.phase_head",
    ),
)

FAULTS = (*HEADS, *BLOCKS, *NETWORKS)
