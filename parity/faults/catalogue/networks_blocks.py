"""Defects in how the layers of the autoencoder are put together: its heads, its blocks, the whole."""

from __future__ import annotations

import math

from parity.contracts.changes import Arguments, Change, Of, given, giving, replaced, returning, then
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import noisy, softplus
from parity.faults.catalogue.networks import (
    KERNELS,
    NO_BIASES,
    PARAMETERS,
    along,
    as_it_is,
    between,
    doubled,
    elementwise,
    mean_of_four,
)
from parity.faults.catalogue.wiring import own, within
from parity.faults.generated import Generated


def _repeated(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    return doubled(xp, [x, x], axis)


def _head(function: Of) -> Change:
    """A head with another function of its convolution."""
    return replaced(lambda xp, a: function(xp, own(xp, "networks.convolve")(**vars(a))))


def _rectified(xp: Namespace, x: Tensor) -> Tensor:
    return xp.maximum(x, 0.0)


def _block(last: str, between: Of = _rectified, behind: Of = _rectified) -> Change:
    """The two convolutions of a block with other functions between and behind them, before its `last` layer."""

    def formula(xp: Namespace, a: Arguments) -> Tensor:
        convolve = own(xp, "networks.convolve")
        first = between(xp, convolve(features=a.features, kernel=a.first_kernel, bias=a.first_bias))
        second = behind(xp, convolve(features=first, kernel=a.second_kernel, bias=a.second_bias))
        return own(xp, last)(features=second)

    return replaced(formula)


def _of_rectification(block: str, last: str) -> tuple[Fault, ...]:
    """What may be wrong between the convolutions of a block and its `last` layer."""
    return (
        Fault(
            block,
            "first-rectification",
            "the first rectification is left out",
            _block(last, between=as_it_is),
        ),
        Fault(
            block,
            "second-rectification",
            "the second rectification is left out",
            _block(last, behind=as_it_is),
        ),
        Fault(block, "softplus", "softplus stands for the rectification", elementwise(softplus), at="networks.rectify"),
    )


def _moved_by_a_quarter(xp: Namespace, x: Tensor, axis: int) -> Tensor:
    return xp.roll(x, -(xp.shape(x)[axis] // 4), axis)


def _other_weights(other: dict[str, str]) -> Change:
    """The parameters of one decoder under the name of another's."""

    def change(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
        parts = {name: name.split("_")[0] for name in vars(a)}
        return {name: getattr(a, name.replace(part, other[part], 1)) for name, part in parts.items() if part in other}

    return giving(change)


HEADS: tuple[Fault | Generated, ...] = (
    Fault("networks.amplitude_head", "softplus", "softplus stands for the logistic function", _head(softplus)),
    Fault("networks.amplitude_head", "linear", "the logistic function is left out", _head(as_it_is)),
    Fault(
        "networks.amplitude_head",
        "tanh",
        "tanh stands for the logistic function",
        _head(lambda xp, x: xp.tanh(x)),
    ),
    Fault(
        "networks.amplitude_head",
        "piecewise-linear",
        "a piecewise linear function stands for the logistic one",
        _head(lambda xp, x: xp.minimum(xp.maximum(x / 6 + 0.5, 0.0), 1.0)),
    ),
    *within("networks.amplitude_head", PARAMETERS),
    Generated("networks.amplitude_head", "result-float16", called="float16"),
    Fault(
        "networks.amplitude_head",
        "limited",
        "amplitudes above 0.9 are cut off",
        returning(lambda xp, x, a: xp.minimum(x, 0.9)),
        diagnosis=("the result is limited to a range",),
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
    *within("networks.phase_head", PARAMETERS),
    Fault(
        "networks.phase_head",
        "noise",
        "noise of 10⁻⁵ is added",
        returning(lambda xp, x, a: noisy(1e-5)(xp, x)),
        diagnosis=(),
    ),
)


BLOCKS = (
    *_of_rectification("networks.encoder_block", "networks.max_pool"),
    Fault(
        "networks.encoder_block",
        "mean",
        "the mean stands for the maximum",
        elementwise(mean_of_four),
        at="networks.max_pool",
    ),
    *within("networks.encoder_block", PARAMETERS),
    *_of_rectification("networks.decoder_block", "networks.upsample"),
    Fault(
        "networks.decoder_block",
        "interpolated",
        "interpolation stands for repetition",
        elementwise(along(between)),
        at="networks.upsample",
    ),
    *within("networks.decoder_block", PARAMETERS),
    Fault(
        "networks.decoder_block",
        "repeated-first",
        "features are repeated before the convolutions",
        then(given(features=along(_repeated)), returning(lambda xp, x, a: x[..., ::2, ::2])),
    ),
    Fault(
        "networks.decoder_block",
        "not-rectified",
        "neither convolution is rectified",
        elementwise(as_it_is),
        at="networks.rectify",
        diagnosis=(),
    ),
)


NETWORKS: tuple[Fault | Generated, ...] = (
    *within("networks.autoencode@32", KERNELS),
    *within("networks.autoencode@128", [NO_BIASES]),
    Fault(
        "networks.autoencode@32",
        "decoders-exchanged",
        "the decoders of amplitude and phase are exchanged",
        _other_weights({"amplitude": "phase", "phase": "amplitude"}),
    ),
    Fault(
        "networks.autoencode@256",
        "no-pi",
        "the factor π of the phase is missing",
        returning(lambda xp, x, a: x / math.pi),
        at="networks.phase_head",
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
        "networks.autoencode@32",
        "phase-as-imaginary-part",
        "the phase is used as imaginary part (a + iφ)",
        replaced(lambda xp, a: xp.complex(a.amplitude, a.phase)),
        at="optics.combine_complex",
    ),
    Fault(
        "networks.autoencode@32",
        "at-the-corner",
        "the patch is at the corner of its frame",
        returning(lambda xp, x, a: along(_moved_by_a_quarter)(xp, x)),
    ),
    Generated("networks.autoencode@32", "images-squared", called="squared-images"),
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
        "the patch is a pixel off the middle of its frame",
        returning(lambda xp, x, a: xp.roll(x, 1, -1)),
        at="patches.pad",
        diagnosis=("the result is rolled by whole pixels",),
    ),
    Fault(
        "networks.autoencode@64",
        "one-decoder",
        "the phase is decoded with the amplitude's weights",
        _other_weights({"phase": "amplitude"}),
        blind=True,
    ),
)

FAULTS = (*HEADS, *BLOCKS, *NETWORKS)
