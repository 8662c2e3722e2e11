"""What training minimises: misfits of predictions to observations and of patches to a target, in TensorFlow.

Diffraction data are amplitudes (square-root photons) on both sides; they are squared to photons in here
and nowhere else. A new loss is a public function below and, where training uses it, a term of
`training_loss`.
"""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from ptycho import checks
from ptycho.patches import central_weight

_SERIES_LIMIT = 0.1  # below it eight terms of the series leave less than 1e-18 of the deviance
_STIRLING_LIMIT = 16  # above it five terms of the series leave less than 1e-15 of ln Gamma

_ATANH_TAIL = tuple(1 / (2 * j + 1) for j in range(1, 9))  # (atanh v - v) / v^3, in powers of v^2
_STIRLING_TAIL = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)  # k times it, in powers of 1/k^2


def poisson_nll(predicted: tf.Tensor, observed: tf.Tensor, full: bool = True) -> tf.Tensor:
    """The Poisson negative log-likelihood, sum_hwc of lambda - k ln lambda + ln Gamma(k + 1), of each group.

    Here lambda = predicted^2 and k = observed^2. The three terms cancel to a remainder that single
    precision cannot hold on bright patterns, so the sum is formed as the deviance k ln(k / lambda) +
    lambda - k (Loader, "Fast and accurate computation of binomial probabilities", 2000) plus the
    likelihood at lambda = k, neither of which cancels. A pixel with k = 0 gives lambda, also at lambda
    = 0; one with k > 0 and lambda = 0 gives infinity.

    Args:
        predicted: (B, H, W, C), real, square-root photons.
        observed: (B, H, W, C), real, square-root photons; the counts k need not be whole.
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
    terms = _deviance(predicted, observed)
    if full:
        terms += _saturated_nll(observed)
    return tf.reduce_sum(terms, axis=(1, 2, 3))


def absolute_error(predicted: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """The absolute error |predicted - observed| of each amplitude, unreduced.

    Args:
        predicted: (B, H, W, C), real, square-root photons.
        observed: (B, H, W, C), real, square-root photons.

    Returns:
        (B, H, W, C), square-root photons.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the shapes differ, or a value is negative or not
            finite.
    """
    _require_amplitudes(predicted, observed)
    return tf.abs(predicted - observed)


def mae(predicted: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """The mean absolute error |predicted - observed| of the amplitudes.

    Args:
        predicted: (B, H, W, C), real, square-root photons.
        observed: (B, H, W, C), real, square-root photons.

    Returns:
        (), square-root photons.

    Raises:
        TypeError: an argument is not real floating point, or the precisions differ.
        ValueError: an argument has another rank, the shapes differ, or a value is negative or not
            finite.
    """
    return tf.reduce_mean(absolute_error(predicted, observed))


def total_variation(patches: tf.Tensor) -> tf.Tensor:
    """The squared total variation of each group: the sum of |O' - O|^2 over neighbours in columns and rows.

    Args:
        patches: (B, H, W, C), complex, dimensionless.

    Returns:
        (B,), dimensionless.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    return _energy(patches[:, 1:] - patches[:, :-1]) + _energy(patches[:, :, 1:] - patches[:, :, :-1])


def complex_mae(patches: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The mean error of the modulus plus that of the phase: mean ||O| - |T|| + mean |wrap(arg O - arg T)|.

    Phases are compared the short way round, wrap(d) = d - 2 pi round(d / 2 pi). At 0 the phase is 0,
    and the gradients of the modulus and of the phase are 0.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        target: (B, H, W, C), complex, dimensionless.

    Returns:
        (), dimensionless plus radians.

    Raises:
        TypeError: an argument is not complex, or the precisions differ.
        ValueError: an argument has another rank, or the shapes differ.
    """
    _require_fields(patches, target)
    modulus_error = tf.reduce_mean(tf.abs(tf.abs(patches) - tf.abs(target)))
    phase_error = tf.reduce_mean(tf.abs(_wrap(_phase(patches) - _phase(target))))
    return modulus_error + phase_error


def realspace_loss(
    patches: tf.Tensor, target: tf.Tensor, tv_weight: checks.Scalar, realspace_mae_weight: checks.Scalar
) -> tf.Tensor:
    """The weighted roughness and error of the object inside `central_weight`.

    tv_weight * mean over groups of total_variation(O) + realspace_mae_weight * complex_mae(O, T), both
    O and T having been multiplied by the weight. The edge of the weight counts in the variation.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        target: (B, H, W, C), complex, dimensionless.
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
    weight = tf.cast(central_weight(patches), patches.dtype)[:, :, None]
    patches, target = patches * weight, target * weight
    roughness = tf.reduce_mean(total_variation(patches))
    return tv_weight * roughness + realspace_mae_weight * complex_mae(patches, target)


def training_loss(
    predicted: tf.Tensor,
    observed: tf.Tensor,
    patches: tf.Tensor,
    target: tf.Tensor,
    nll_weight: checks.Scalar,
    mae_weight: checks.Scalar,
    realspace_weight: checks.Scalar,
    tv_weight: checks.Scalar,
    realspace_mae_weight: checks.Scalar,
) -> tf.Tensor:
    """The objective of training: the weighted sum of the losses on the detector and on the object.

    nll_weight * mean over groups of poisson_nll / (H W C) + mae_weight * mae + realspace_weight *
    realspace_loss. Every term is evaluated, whatever its weight, so that the graph does not depend on
    the weights; poisson_nll, which may be infinite, where nll_weight is 0 at predicted = observed.

    Args:
        predicted: (B, H, W, C), real, square-root photons.
        observed: (B, H, W, C), real, square-root photons.
        patches: (B, H, W, C), complex, dimensionless.
        target: (B, H, W, C), complex, dimensionless.
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
    nll = tf.reduce_mean(poisson_nll(tf.where(nll_weight == 0, observed, predicted), observed))
    pixels = tf.cast(tf.reduce_prod(tf.shape(predicted)[1:]), predicted.dtype)
    realspace = realspace_loss(patches, target, tv_weight, realspace_mae_weight)
    return nll_weight * nll / pixels + mae_weight * mae(predicted, observed) + realspace_weight * realspace


def _require_amplitudes(predicted: tf.Tensor, observed: tf.Tensor) -> None:
    checks.require_amplitude_values("predicted", predicted)
    checks.require_amplitude_values("observed", observed)
    checks.require_agreement("observed", observed, "predicted", predicted)


def _require_fields(patches: tf.Tensor, target: tf.Tensor) -> None:
    checks.require_complex("patches", patches)
    checks.require_complex("target", target)
    checks.require_agreement("target", target, "patches", patches)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _deviance(
    predicted: tf.Tensor, observed: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """k ln(k / lambda) + lambda - k of each pixel, with its exact gradient: the series' own would cancel."""

    def gradient(cotangent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return (
            cotangent * _deviance_by_predicted(predicted, observed),
            cotangent * _deviance_by_observed(predicted, observed),
        )

    return _deviance_value(predicted, observed), gradient


def _deviance_value(predicted: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """Loader's evaluation of k ln(k / lambda) + lambda - k, here with ln(k / lambda) = 2 atanh(v)."""
    counts = tf.square(observed)
    total = tf.square(predicted) + counts
    gap = _gap(predicted, observed)
    v = -tf.math.divide_no_nan(gap, total)
    near = 2 * counts * v**3 * _polynomial(tf.square(v), _ATANH_TAIL) - gap * v
    far = gap + 2 * tf.math.xlogy(counts, observed / predicted)
    return tf.where(tf.abs(v) < _SERIES_LIMIT, near, far)


def _deviance_by_predicted(predicted: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    lit = predicted > 0
    at_zero = tf.where(observed > 0, tf.constant(-math.inf, predicted.dtype), 2 * predicted)
    slope = 2 * _gap(predicted, observed) / tf.where(lit, predicted, tf.ones_like(predicted))
    return tf.where(lit, slope, at_zero)


def _deviance_by_observed(predicted: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    counted, one = observed > 0, tf.ones_like(observed)
    ratio = tf.where(counted, observed, one) / tf.where(counted, predicted, one)
    return 4 * observed * tf.math.log(ratio)


def _gap(predicted: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """lambda - k, as the product that keeps its digits where the two are close."""
    return (predicted - observed) * (predicted + observed)


def _saturated_nll(observed: tf.Tensor) -> tf.Tensor:
    """ln Gamma(k + 1) - k ln k + k, the likelihood at lambda = k; bright counts by Stirling's series."""
    counts = tf.square(observed)
    bright = counts >= _STIRLING_LIMIT
    inverse = 1 / tf.where(bright, counts, _STIRLING_LIMIT * tf.ones_like(counts))
    remainder = inverse * _polynomial(tf.square(inverse), _STIRLING_TAIL)
    stirling = 0.5 * tf.math.log(2 * math.pi / inverse) + remainder
    few = tf.where((counts > 0) & ~bright, counts, tf.ones_like(counts))
    exact = tf.math.lgamma(few + 1) - few * tf.math.log(few) + few
    return tf.where(bright, stirling, tf.where(counts > 0, exact, tf.zeros_like(counts)))


def _polynomial(x: tf.Tensor, coefficients: Sequence[float]) -> tf.Tensor:
    """c_0 + c_1 x + c_2 x^2 + ... by Horner's rule."""
    value = tf.zeros_like(x)
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value


def _energy(field: tf.Tensor) -> tf.Tensor:
    squares = tf.square(tf.math.real(field)) + tf.square(tf.math.imag(field))
    return tf.reduce_sum(squares, axis=(1, 2, 3))


def _phase(field: tf.Tensor) -> tf.Tensor:
    """arg z, with value and gradient 0 at z = 0, whatever the signs of its zeros."""
    return tf.math.angle(tf.where(field == 0, tf.ones_like(field), field))


def _wrap(angle: tf.Tensor) -> tf.Tensor:
    return angle - 2 * math.pi * tf.round(angle / (2 * math.pi))
