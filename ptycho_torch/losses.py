"""What training minimises: misfits of predictions to observations and of patches to a target, in PyTorch.

Diffraction data are amplitudes (square-root photons) on both sides; they are squared to photons in here
and nowhere else. A new loss is a public function below and, where training uses it, a term of
`training_loss`.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ptycho_torch import checks
from ptycho_torch.patches import central_weight

_SERIES_LIMIT = 0.1  # below it eight terms of the series leave less than 1e-18 of the deviance
_STIRLING_LIMIT = 16  # above it five terms of the series leave less than 1e-15 of ln Gamma

_ATANH_TAIL = tuple(1 / (2 * j + 1) for j in range(1, 9))  # (atanh v - v) / v^3, in powers of v^2
_STIRLING_TAIL = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)  # k times it, in powers of 1/k^2


def poisson_nll(predicted: Tensor, observed: Tensor, full: bool = True) -> Tensor:
    """The Poisson negative log-likelihood, sum_chw of lambda - k ln lambda + ln Gamma(k + 1), of each group.

    Here lambda = predicted^2 and k = observed^2. The three terms cancel to a remainder that single
    precision cannot hold on bright patterns, so the sum is formed as the deviance k ln(k / lambda) +
    lambda - k (Loader, "Fast and accurate computation of binomial probabilities", 2000) plus the
    likelihood at lambda = k, neither of which cancels. A pixel with k = 0 gives lambda, also at lambda
    = 0; one with k > 0 and lambda = 0 gives infinity.

    Args:
        predicted: (B, C, H, W), real, square-root photons.
        observed: (B, C, H, W), real, square-root photons; the counts k need not be whole.
        full: whether to keep the likelihood at lambda = k, a term in k alone with no gradient in
            `predicted`. Without it the result is half the Poisson deviance, which is zero where the two
            agree. This is not the `full` of torch.nn.PoissonNLLLoss, which drops ln Gamma(k + 1) alone.

    Returns:
        (B,), nats.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the shapes differ, or a value is negative or not
            finite.
    """
    _require_amplitudes(predicted, observed)
    terms: Tensor = _Deviance.apply(predicted, observed)  # type: ignore[no-untyped-call]
    if full:
        terms = terms + _saturated_nll(observed)
    return terms.sum(dim=(1, 2, 3))


def absolute_error(predicted: Tensor, observed: Tensor) -> Tensor:
    """The absolute error |predicted - observed| of each amplitude, unreduced.

    Args:
        predicted: (B, C, H, W), real, square-root photons.
        observed: (B, C, H, W), real, square-root photons.

    Returns:
        (B, C, H, W), square-root photons.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the shapes differ, or a value is negative or not
            finite.
    """
    _require_amplitudes(predicted, observed)
    return _modulus(predicted - observed)


def mae(predicted: Tensor, observed: Tensor) -> Tensor:
    """The mean absolute error |predicted - observed| of the amplitudes.

    Args:
        predicted: (B, C, H, W), real, square-root photons.
        observed: (B, C, H, W), real, square-root photons.

    Returns:
        (), square-root photons.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the shapes differ, or a value is negative or not
            finite.
    """
    return absolute_error(predicted, observed).mean()


def total_variation(patches: Tensor) -> Tensor:
    """The squared total variation of each group: the sum of |O' - O|^2 over neighbours in columns and rows.

    Args:
        patches: (B, C, H, W), complex, dimensionless.

    Returns:
        (B,), dimensionless.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    return _energy(_steps(patches, dim=-2)) + _energy(_steps(patches, dim=-1))


def complex_mae(patches: Tensor, target: Tensor) -> Tensor:
    """The mean error of the modulus plus that of the phase: mean ||O| - |T|| + mean |wrap(arg O - arg T)|.

    Phases are compared the short way round, wrap(d) = d - 2 pi round(d / 2 pi). At 0 the phase is 0,
    and the gradients of the modulus and of the phase are 0.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        target: (B, C, H, W), complex, dimensionless.

    Returns:
        (), dimensionless plus radians.

    Raises:
        TypeError: an argument is not complex, or the precisions differ.
        ValueError: an argument has another rank, or the shapes differ.
    """
    _require_fields(patches, target)
    modulus_error = _modulus(patches.abs() - target.abs()).mean()
    phase_error = _modulus(_wrap(_phase(patches) - _phase(target))).mean()
    return modulus_error + phase_error


def realspace_loss(
    patches: Tensor, target: Tensor, tv_weight: checks.Scalar, realspace_mae_weight: checks.Scalar
) -> Tensor:
    """The weighted roughness and error of the object inside `central_weight`.

    tv_weight * mean over groups of total_variation(O) + realspace_mae_weight * complex_mae(O, T), both
    O and T having been multiplied by the weight. The edge of the weight counts in the variation.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        target: (B, C, H, W), complex, dimensionless.
        tv_weight: a number, or a scalar of the patches' precision.
        realspace_mae_weight: a number, or a scalar of the patches' precision.

    Returns:
        (), dimensionless.

    Raises:
        TypeError: an argument is not complex, or the precisions differ.
        ValueError: an argument has another rank, or the shapes differ.
    """
    _require_fields(patches, target)
    tv_weight, realspace_mae_weight = checks.as_scalars(
        {"tv_weight": tv_weight, "realspace_mae_weight": realspace_mae_weight}, like=patches
    )
    weight = central_weight(patches)
    patches, target = patches * weight, target * weight
    roughness = total_variation(patches).mean()
    return tv_weight * roughness + realspace_mae_weight * complex_mae(patches, target)


def training_loss(
    predicted: Tensor,
    observed: Tensor,
    patches: Tensor,
    target: Tensor,
    nll_weight: checks.Scalar,
    mae_weight: checks.Scalar,
    realspace_weight: checks.Scalar,
    tv_weight: checks.Scalar,
    realspace_mae_weight: checks.Scalar,
) -> Tensor:
    """The objective of training: the weighted sum of the losses on the detector and on the object.

    nll_weight * mean over groups of poisson_nll / (C H W) + mae_weight * mae + realspace_weight *
    realspace_loss. Every term is evaluated, whatever its weight, so that the graph does not depend on
    the weights; poisson_nll, which may be infinite, where nll_weight is 0 at predicted = observed.

    Args:
        predicted: (B, C, H, W), real, square-root photons.
        observed: (B, C, H, W), real, square-root photons.
        patches: (B, C, H, W), complex, dimensionless.
        target: (B, C, H, W), complex, dimensionless.
        nll_weight: a number, or a scalar of the working precision, as are all the weights.
        mae_weight: of `mae`.
        realspace_weight: of `realspace_loss`.
        tv_weight: of `total_variation` within it.
        realspace_mae_weight: of `complex_mae` within it.

    Returns:
        (), dimensionless.

    Raises:
        TypeError: an argument has the wrong type, or the precisions differ.
        ValueError: an argument has another rank, shapes differ, or an amplitude is negative or not
            finite.
    """
    _require_amplitudes(predicted, observed)
    checks.require_agreement("patches", patches, "predicted", predicted)
    nll_weight, mae_weight, realspace_weight = checks.as_scalars(
        {"nll_weight": nll_weight, "mae_weight": mae_weight, "realspace_weight": realspace_weight},
        like=predicted,
    )
    nll = poisson_nll(torch.where(nll_weight == 0, observed, predicted), observed).mean()
    pixels = predicted.shape[1:].numel()
    realspace = realspace_loss(patches, target, tv_weight, realspace_mae_weight)
    return nll_weight * nll / pixels + mae_weight * mae(predicted, observed) + realspace_weight * realspace


def _require_amplitudes(predicted: Tensor, observed: Tensor) -> None:
    checks.require_amplitude_values("predicted", predicted)
    checks.require_amplitude_values("observed", observed)
    checks.require_agreement("observed", observed, "predicted", predicted)


def _require_fields(patches: Tensor, target: Tensor) -> None:
    checks.require_complex("patches", patches)
    checks.require_complex("target", target)
    checks.require_agreement("target", target, "patches", patches)


class _Deviance(torch.autograd.Function):
    """k ln(k / lambda) + lambda - k of each pixel, with its exact gradient: the series' own would cancel."""

    @staticmethod
    def forward(predicted: Tensor, observed: Tensor) -> Tensor:
        return _deviance_value(predicted, observed)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], _output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (cotangent,) = cotangents
        predicted, observed = ctx.saved_tensors
        to_predicted, to_observed = ctx.needs_input_grad
        return (
            cotangent * _deviance_by_predicted(predicted, observed) if to_predicted else None,
            cotangent * _deviance_by_observed(predicted, observed) if to_observed else None,
        )


def _deviance_value(predicted: Tensor, observed: Tensor) -> Tensor:
    """Loader's evaluation of k ln(k / lambda) + lambda - k, here with ln(k / lambda) = 2 atanh(v)."""
    counts = observed.square()
    total = predicted.square() + counts
    gap = _gap(predicted, observed)
    v = torch.where(total > 0, -gap / total, 0)
    near = 2 * counts * v**3 * _polynomial(v.square(), _ATANH_TAIL) - gap * v
    far = gap + 2 * torch.xlogy(counts, observed / predicted)
    return torch.where(v.abs() < _SERIES_LIMIT, near, far)


def _deviance_by_predicted(predicted: Tensor, observed: Tensor) -> Tensor:
    lit = predicted > 0
    at_zero = torch.where(observed > 0, -math.inf, 2 * predicted)
    return torch.where(lit, 2 * _gap(predicted, observed) / torch.where(lit, predicted, 1), at_zero)


def _deviance_by_observed(predicted: Tensor, observed: Tensor) -> Tensor:
    counted = observed > 0
    ratio = torch.where(counted, observed, 1) / torch.where(counted, predicted, 1)
    return 4 * observed * torch.log(ratio)


def _gap(predicted: Tensor, observed: Tensor) -> Tensor:
    """lambda - k, as the product that keeps its digits where the two are close."""
    return (predicted - observed) * (predicted + observed)


def _saturated_nll(observed: Tensor) -> Tensor:
    """ln Gamma(k + 1) - k ln k + k, the likelihood at lambda = k; bright counts by Stirling's series."""
    counts = observed.square()
    bright = counts >= _STIRLING_LIMIT
    inverse = 1 / torch.where(bright, counts, _STIRLING_LIMIT)
    remainder = inverse * _polynomial(inverse.square(), _STIRLING_TAIL)
    stirling = 0.5 * torch.log(2 * math.pi / inverse) + remainder
    few = torch.where((counts > 0) & ~bright, counts, 1)
    exact = torch.lgamma(few + 1) - few * torch.log(few) + few
    return torch.where(bright, stirling, torch.where(counts > 0, exact, 0))


def _polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    """c_0 + c_1 x + c_2 x^2 + ... by Horner's rule."""
    value = torch.zeros_like(x)
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


def _steps(field: Tensor, dim: int) -> Tensor:
    """The differences of neighbours.

    Part by part: torch multiplies what it subtracts by a complex 1, and infinity times that is NaN.
    """
    steps = field.shape[dim] - 1
    before, after = (torch.view_as_real(field.narrow(dim, start, steps).resolve_conj()) for start in (0, 1))
    return torch.view_as_complex((after - before).contiguous())


def _energy(field: Tensor) -> Tensor:
    return (field.real.square() + field.imag.square()).sum(dim=(1, 2, 3))


def _modulus(difference: Tensor) -> Tensor:
    """|x| of real x, with a gradient that is NaN where x is: that of torch's own is 0 there.

    The factor is contiguous: torch cannot compile a complex gradient that is laid out otherwise.
    """
    laid_out = difference.contiguous()
    return difference.abs() * torch.where(laid_out.isnan(), math.nan, torch.ones_like(laid_out))


def _phase(field: Tensor) -> Tensor:
    """arg z, with value and gradient 0 at z = 0, whatever the signs of its zeros.

    torch's gradient of the angle divides by |z|^2, which underflows long before |z| does: dim fields are lifted.
    """
    smallest = math.frexp(torch.finfo(field.dtype).tiny)[1]
    lifted = torch.where(field.abs() < 2.0 ** (smallest // 4), field * 2.0 ** (-3 * smallest // 4), field)
    return torch.where(field == 0, 1, lifted).angle()


def _wrap(angle: Tensor) -> Tensor:
    return angle - 2 * math.pi * torch.round(angle / (2 * math.pi))
