"""Other ways to write the losses."""

from __future__ import annotations

import math
from collections.abc import Callable

from parity.contracts.changes import Arguments, Change, given, raw, replaced
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import GROUP, Namespace, Tensor
from parity.faults.catalogue.wiring import counted, own, some


def _reversed(*names: str, axes: tuple[int, ...]) -> Change:
    """Arguments read backwards along some axes."""

    def backwards(xp: Namespace, x: Tensor) -> Tensor:
        for axis in axes:
            x = xp.flip(x, axis)
        return x

    return given(**dict.fromkeys(names, backwards))


def _ratio_of_intensities(xp: Namespace, right: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """k·ln(k/λ) for 2k·ln(A/Â), where the deviance is not taken from its series."""

    def deviance(predicted: Tensor, observed: Tensor) -> Tensor:
        rate, counts = xp.square(predicted), xp.square(observed)
        gap = (predicted - observed) * (predicted + observed)
        far = gap + xp.xlogy(counts, xp.square(observed / predicted))
        return xp.where(xp.abs(gap) <= 0.1 * (rate + counts), right(predicted, observed), far)

    return deviance


def _reciprocal_ratio(xp: Namespace, slope: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A/Â through its reciprocal."""

    def by_observed(predicted: Tensor, observed: Tensor) -> Tensor:
        counted, one = observed > 0, xp.ones_like(observed)
        ratio = xp.where(counted, predicted, one) / xp.where(counted, observed, one)
        return -4 * observed * xp.log(ratio)

    return by_observed


def _times_its_sign(xp: Namespace, a: Arguments) -> Tensor:
    difference = a.predicted - a.observed
    return difference * xp.detach(xp.sign(difference))


def _axis_by_axis(xp: Namespace, energy: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The squares summed over one axis after the other."""
    return lambda field: xp.sum(xp.sum(xp.sum(xp.real(field) ** 2 + xp.imag(field) ** 2, 3), 2), 1)


def _conjugate_product(xp: Namespace, energy: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda field: xp.sum(xp.real(field * xp.conj(field)), GROUP)


def _through_the_circle(xp: Namespace, wrap: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """arg e^{iφ} for φ less whole turns."""
    return lambda angle: xp.angle(xp.complex(xp.cos(angle), xp.sin(angle)))


def _nearest_turn(xp: Namespace, wrap: Callable[..., Tensor]) -> Callable[..., Tensor]:
    turn = 2 * math.pi
    return lambda angle: angle - turn * xp.floor(angle / turn + 0.5)


def _weights_first(xp: Namespace, a: Arguments) -> Tensor:
    """Each term weighted before its mean is taken, and the object's terms in one sum."""
    nll = own(xp, "losses.poisson_nll")(predicted=counted(xp, a.predicted, a), observed=a.observed, full=True)
    errors = own(xp, "losses.absolute_error")(**some(a, "predicted", "observed"))
    weights = {name: a.realspace_weight * getattr(a, name) for name in ("tv_weight", "realspace_mae_weight")}
    realspace = own(xp, "losses.realspace_loss")(**some(a, "patches", "target"), **weights)
    return realspace + xp.mean(a.mae_weight * errors) + xp.mean(a.nll_weight * nll / xp.size(errors, GROUP))


def _variation_of_parts(xp: Namespace, a: Arguments) -> Tensor:
    """The variation of the real part and of the imaginary, each weighted by itself."""
    weight = own(xp, "patches.central_weight")(patches=a.patches)
    real, imag = xp.real(a.patches) * weight, xp.imag(a.patches) * weight
    variation = own(xp, "losses.total_variation")
    parts = [variation(patches=xp.complex(part, xp.zeros_like(part))) for part in (real, imag)]
    error = own(xp, "losses.complex_mae")(patches=xp.complex(real, imag), target=xp.scaled(a.target, weight))
    return a.realspace_mae_weight * error + a.tv_weight * xp.mean(parts[0] + parts[1])


REWRITES = (
    Rewrite(
        "losses.poisson_nll",
        "backwards",
        "patches and rows are summed in the reverse order",
        _reversed("predicted", "observed", axes=(1, 2)),
    ),
    Rewrite(
        "losses.poisson_nll",
        "ratio-of-intensities",
        "the logarithm is of an intensity, not twice that of an amplitude",
        raw(_ratio_of_intensities),
        at="losses._deviance_value",
    ),
    Rewrite(
        "losses.poisson_nll",
        "reciprocal-ratio",
        "the slope's logarithm is of the reciprocal",
        raw(_reciprocal_ratio),
        at="losses._deviance_by_observed",
    ),
    Rewrite(
        "losses.absolute_error", "times-its-sign", "the difference is multiplied by its sign", replaced(_times_its_sign)
    ),
    Rewrite(
        "losses.mae",
        "plane-by-plane",
        "the mean is taken of each pattern, then of patterns",
        replaced(lambda xp, a: xp.mean(xp.mean(xp.abs(a.observed - a.predicted), (2, 3)))),
    ),
    Rewrite(
        "losses.mae",
        "sum-over-number",
        "a sum is divided by the number of pixels",
        replaced(lambda xp, a: xp.sum(xp.abs(a.predicted - a.observed)) / xp.size(a.predicted, (0, *GROUP))),
    ),
    Rewrite(
        "losses.total_variation",
        "axis-by-axis",
        "the squares are summed over one axis after the other",
        raw(_axis_by_axis),
        at="losses._energy",
    ),
    Rewrite(
        "losses.total_variation",
        "conjugate-product",
        "the square of the modulus is the product with the conjugate",
        raw(_conjugate_product),
        at="losses._energy",
    ),
    Rewrite(
        "losses.total_variation",
        "backwards",
        "differences are taken from the other end",
        _reversed("patches", axes=(1, 2, 3)),
    ),
    Rewrite(
        "losses.complex_mae",
        "around-the-circle",
        "the phase difference is wrapped around the circle",
        raw(_through_the_circle),
        at="losses._wrap",
    ),
    Rewrite(
        "losses.complex_mae",
        "nearest-turn",
        "the nearest whole turn is found by rounding down",
        raw(_nearest_turn),
        at="losses._wrap",
    ),
    Rewrite("losses.realspace_loss", "parts-apart", "the parts vary one by one", replaced(_variation_of_parts)),
    Rewrite(
        "losses.training_loss", "weights-first", "terms are weighted before they are averaged", replaced(_weights_first)
    ),
)
