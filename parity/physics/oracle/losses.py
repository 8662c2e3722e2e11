"""What a prediction costs: on the detector (Poisson, absolute error) and in real space (total variation, error)."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import (
    absolute,
    absolute_square,
    angle,
    broadcast,
    digamma_plus_one,
    direction,
    log,
    log_gamma_plus_one,
    mean,
    pad,
    sign,
    square,
    total,
    turn_sign,
    values,
    where,
    wrap,
)
from parity.physics.oracle.patches import central_weight

_PATTERN = (-3, -2, -1)


def poisson_nll(predicted: Array, observed: Array, full: bool = True) -> Any:
    """Σ λ − k·ln λ + ln Γ(k+1) per group, (B,), of amplitudes (B, C, H, W): λ = Â², k = A².

    The sum of the deviance k·ln(k/λ) + λ − k and, if `full`, of what depends on k alone.
    """
    deviance = _deviance(predicted, observed)
    return total(deviance + _saturated_nll(square(observed)) if full else deviance, axis=_PATTERN)


def poisson_nll_vjp(cotangent: Array, predicted: Array, observed: Array, full: bool = True) -> tuple[Any, Any]:
    """Gradients of `predicted`, 2w·(Â−A)(Â+A)/Â, and of `observed`, 2w·A·(ln(k/λ) + [ψ(k+1) − ln k] if full)."""
    w = cotangent[:, None, None, None]
    seen, expected = values(observed) > 0, values(predicted) > 0
    gap = (predicted - observed) * (predicted + observed)
    of_predicted = where(seen, 2 * gap / where(seen | expected, predicted, 1.0), 2 * predicted)
    lit = where(seen, observed, 1.0)
    of_observed = where(seen, 4 * observed * log(lit / where(seen, predicted, 1.0)), 0.0)
    if full:
        of_observed = of_observed + 2 * observed * _saturated_nll_slope(square(observed))
    return w * of_predicted, w * of_observed


def _deviance(predicted: Array, observed: Array) -> Any:
    """k·ln(k/λ) + λ − k, elementwise; by Loader's series where k and λ are close, so that nothing cancels.

    C. Loader, Fast and accurate computation of binomial probabilities (2000).
    """
    seen, any_light = values(observed) > 0, (values(observed) > 0) | (values(predicted) > 0)
    rate, count = square(predicted), square(observed)
    gap = (predicted - observed) * (predicted + observed)
    both = where(any_light, rate + count, 1.0)
    v = -gap / both
    v2 = square(v)
    series = 1 / 17 * v2
    for odd in (15, 13, 11, 9, 7, 5, 3):
        series = (series + 1 / odd) * v2
    near = gap * (gap / both) + 2 * count * v * series
    ratio = where(seen, observed, 1.0) / where(seen, predicted, 1.0)
    far = gap + where(seen, 2 * count * log(ratio), 0.0)
    return where(np.abs(values(v)) < 0.1, near, far)


_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
_STIRLING_FROM = 16.0


def _saturated_nll(count: Array) -> Any:
    """ln Γ(k+1) − k·ln k + k: the least the NLL can be; ½·ln 2πk and Stirling's remainder for large k."""
    large, seen = values(count) >= _STIRLING_FROM, values(count) > 0
    k = where(large, 1.0, where(seen, count, 1.0))
    direct = log_gamma_plus_one(k) - k * log(k) + k
    k = where(large, count, _STIRLING_FROM)
    return where(large, 0.5 * log(2 * np.pi * k) + _odd_series(_STIRLING, k), where(seen, direct, 0.0))


def _saturated_nll_slope(count: Array) -> Any:
    """ψ(k+1) − ln k, the derivative of the above; 0 at k = 0, where it is only ever multiplied by A = 0."""
    large, seen = values(count) >= _STIRLING_FROM, values(count) > 0
    k = where(large, 1.0, where(seen, count, 1.0))
    direct = digamma_plus_one(k) - log(k) - 1 + 1
    k = where(large, count, _STIRLING_FROM)
    slopes = tuple(-(2 * i + 1) * c for i, c in enumerate(_STIRLING))
    return where(large, 0.5 / k + _odd_series(slopes, k) / k, where(seen, direct, 0.0))


def _odd_series(coefficients: tuple[float, ...], k: Array) -> Any:
    """c₀/k + c₁/k³ + c₂/k⁵ + …"""
    inverse = 1 / k
    inverse_square = square(inverse)
    series: Any = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        series = series * inverse_square + coefficient
    return series * inverse


def absolute_error(predicted: Array, observed: Array) -> Any:
    """|Â − A|, (B, C, H, W), of amplitudes (B, C, H, W)."""
    return absolute(predicted - observed)


def absolute_error_vjp(cotangent: Array, predicted: Array, observed: Array) -> tuple[Any, Any]:
    """Gradients of `predicted` and `observed`: ±w·sign(Â − A)."""
    gradient = cotangent * sign(predicted - observed)
    return gradient, -gradient


def mae(predicted: Array, observed: Array) -> Any:
    """mean |Â − A|, (), of amplitudes (B, C, H, W)."""
    return mean(absolute_error(predicted, observed))


def mae_vjp(cotangent: Array, predicted: Array, observed: Array) -> tuple[Any, Any]:
    """Gradients of `predicted` and `observed`: ±w·sign(Â − A) / n."""
    return absolute_error_vjp(broadcast(cotangent / values(predicted).size, predicted.shape), predicted, observed)


def total_variation(patches: Array) -> Any:
    """Σ |O_{i+1} − O_i|² over neighbouring rows and columns, per group (B,), of patches (B, C, H, W)."""
    return total(absolute_square(_row_steps(patches)), axis=_PATTERN) + total(
        absolute_square(_column_steps(patches)), axis=_PATTERN
    )


def total_variation_vjp(cotangent: Array, patches: Array) -> tuple[Any]:
    """Gradient of `patches`: twice the adjoint difference of the differences."""
    w = 2 * cotangent[:, None, None, None]
    rows, columns = w * _row_steps(patches), w * _column_steps(patches)
    keep = (0, 0)
    by_rows = pad(rows, (keep, keep, (1, 0), keep)) - pad(rows, (keep, keep, (0, 1), keep))
    by_columns = pad(columns, (keep, keep, keep, (1, 0))) - pad(columns, (keep, keep, keep, (0, 1)))
    return (by_rows + by_columns,)


def _row_steps(patches: Array) -> Any:
    return patches[:, :, 1:] - patches[:, :, :-1]


def _column_steps(patches: Array) -> Any:
    return patches[..., 1:] - patches[..., :-1]


def complex_mae(patches: Array, target: Array) -> Any:
    """mean ||O| − |T|| + mean |arg O − arg T|, (): the phase difference wrapped into [−π, π], arg 0 = 0."""
    return mean(absolute(absolute(patches) - absolute(target))) + mean(absolute(_phase_difference(patches, target)))


def complex_mae_vjp(cotangent: Array, patches: Array, target: Array) -> tuple[Any, Any]:
    """Gradients of `patches` and `target`; a phase at z = 0 has the gradient 0."""
    weight = cotangent / values(patches).size
    by_modulus = weight * sign(absolute(patches) - absolute(target))
    by_phase = weight * turn_sign(_phase_difference(patches, target))
    return (
        direction(patches) * by_modulus + _angle_gradient(patches) * by_phase,
        -(direction(target) * by_modulus + _angle_gradient(target) * by_phase),
    )


def _phase_difference(patches: Array, target: Array) -> Any:
    return wrap(angle(patches) - angle(target))


def _angle_gradient(z: Array) -> Any:
    """∂ arg z = i·z / |z|²."""
    lit = values(z) != 0
    return where(lit, direction(z) * 1j / where(lit, absolute(z), 1.0), 0.0)


def realspace_loss(patches: Array, target: Array, tv_weight: Array, realspace_mae_weight: Array) -> Any:
    """tv_weight · mean total variation of a group + realspace_mae_weight · complex error, (), on the central half."""
    weight = central_weight(patches)
    return tv_weight * mean(total_variation(weight * patches)) + realspace_mae_weight * complex_mae(
        weight * patches, weight * target
    )


def realspace_loss_vjp(
    cotangent: Array, patches: Array, target: Array, tv_weight: Array, realspace_mae_weight: Array
) -> tuple[Any, Any]:
    """Gradients of `patches` and `target`, 0 outside the central half."""
    weight = central_weight(patches)
    groups = patches.shape[0]
    per_group = broadcast(cotangent * tv_weight / groups, (groups,))
    (of_variation,) = total_variation_vjp(per_group, weight * patches)
    of_patches, of_target = complex_mae_vjp(cotangent * realspace_mae_weight, weight * patches, weight * target)
    return weight * (of_variation + of_patches), weight * of_target


def training_loss(
    predicted: Array,
    observed: Array,
    patches: Array,
    target: Array,
    nll_weight: Array,
    mae_weight: Array,
    realspace_weight: Array,
    tv_weight: Array,
    realspace_mae_weight: Array,
) -> Any:
    """nll_weight · mean NLL per pixel + mae_weight · MAE + realspace_weight · real-space loss, ().

    A likelihood of weight 0 adds 0, also where it is infinite.
    """
    return (
        nll_weight * (mean(poisson_nll(_counted(predicted, observed, nll_weight), observed)) / _pixels(predicted))
        + mae_weight * mae(predicted, observed)
        + realspace_weight * realspace_loss(patches, target, tv_weight, realspace_mae_weight)
    )


def training_loss_vjp(
    cotangent: Array,
    predicted: Array,
    observed: Array,
    patches: Array,
    target: Array,
    nll_weight: Array,
    mae_weight: Array,
    realspace_weight: Array,
    tv_weight: Array,
    realspace_mae_weight: Array,
) -> tuple[Any, Any, Any, Any]:
    """Gradients of the four tensors: the chain of its terms'."""
    groups = predicted.shape[0]
    per_group = broadcast(cotangent * nll_weight / (groups * _pixels(predicted)), (groups,))
    nll = poisson_nll_vjp(per_group, _counted(predicted, observed, nll_weight), observed)
    error = mae_vjp(cotangent * mae_weight, predicted, observed)
    realspace = realspace_loss_vjp(cotangent * realspace_weight, patches, target, tv_weight, realspace_mae_weight)
    return nll[0] + error[0], nll[1] + error[1], realspace[0], realspace[1]


def _counted(predicted: Array, observed: Array, nll_weight: Array) -> Any:
    """The prediction; where the likelihood has weight 0, the observation, at which it is finite: 0·∞ is 0."""
    return where(values(nll_weight) == 0, observed, predicted)


def _pixels(amplitude: Array) -> int:
    return int(np.prod(amplitude.shape[1:]))
