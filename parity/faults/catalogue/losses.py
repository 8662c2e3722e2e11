"""Faults of the Poisson likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable

from parity.contracts.changes import Arguments, Change, Of, given, giving, raw, replaced, returning, then
from parity.contracts.fault import Fault
from parity.contracts.namespace import GROUP, Namespace, Tensor
from parity.faults.catalogue.common import rounded
from parity.faults.catalogue.wiring import exchanged
from parity.faults.generated import Generated

_BRIGHT = "bright patterns"
_DARK = "dark pixels"
_SEVERAL = "several groups"


def _terms(xp: Namespace, a: Arguments) -> Tensor:
    """The negative log-likelihood of each pixel as textbooks write it, term after term."""
    rate, counts = xp.square(a.predicted), xp.square(a.observed)
    logarithm, of_counts = (xp.log(xp.where(counts > 0, x, xp.ones_like(x))) for x in (rate, counts))
    constant = xp.log_gamma(counts + 1) if a.full else counts * of_counts - counts
    return rate - counts * logarithm + constant


def _textbook(axes: int | tuple[int, ...], dtype: str | None = None) -> Change:
    """The terms as they stand, summed over axes."""

    def nll(xp: Namespace, a: Arguments) -> Tensor:
        terms = _terms(xp, a)
        return xp.sum(terms, axes) if dtype is None else xp.cast_like(xp.sum(xp.cast(terms, dtype), axes), terms)

    return replaced(nll)


def _on_rate(change: Of) -> Change:
    """The predicted intensity enters as `change` makes it."""
    return given(predicted=lambda xp, amplitude: xp.sqrt(change(xp, xp.square(amplitude))))


def in_the_logarithm(epsilon: float) -> Change:
    """λ − k·ln(λ + ε): the loss of λ + ε, less ε a pixel, so that no digits cancel."""
    less = returning(lambda xp, nll, a: nll - epsilon * xp.size(a.predicted, GROUP))
    return then(_on_rate(lambda xp, rate: rate + epsilon), less)


def _unguarded_logarithm(xp: Namespace, right: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """k·ln(k/λ) as a product: 0·(−∞) where nothing was counted."""

    def deviance(predicted: Tensor, observed: Tensor) -> Tensor:
        rate, counts = xp.square(predicted), xp.square(observed)
        product = rate - counts + 2 * counts * xp.log(observed / predicted)
        return xp.where(xp.abs(rate - counts) < 0.1 * (rate + counts), right(predicted, observed), product)

    return deviance


def _unguarded_slope(xp: Namespace, right: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda predicted, observed: 2 * (predicted - observed) * (predicted + observed) / predicted


def _log_gamma(xp: Namespace, observed: Tensor) -> Tensor:
    return xp.log_gamma(xp.square(observed) + 1)


def _stirling(xp: Namespace, observed: Tensor) -> Tensor:
    """The term that torch.nn.PoissonNLLLoss adds where it is told to be full, 0 for k ≤ 1."""
    counts = xp.square(observed)
    k = xp.maximum(counts, 1.0)
    return xp.where(counts > 1, k * xp.log(k) - k + xp.log(2 * math.pi * k) / 2, xp.zeros_like(k))


def _less(term: Of) -> Change:
    """A term of the observation is taken off, where the loss is full."""
    return returning(lambda xp, nll, a: nll - xp.sum(term(xp, a.observed), GROUP) if a.full else nll)


WITHOUT_LOG_GAMMA = _less(_log_gamma)

FAULTS = (
    Fault(
        "losses.poisson_nll",
        "both-unsquared",
        "both amplitudes enter unsquared",
        given(predicted=lambda xp, x: xp.sqrt(x), observed=lambda xp, x: xp.sqrt(x)),
    ),
    Fault(
        "losses.poisson_nll",
        "arguments-exchanged",
        "predicted and observed are exchanged",
        exchanged("predicted", "observed"),
        shows="a prediction unlike the observation",
    ),
    Fault("losses.poisson_nll", "never-full", "the term in k alone is left out", giving(lambda xp, a: {"full": False})),
    Fault(
        "losses.poisson_nll",
        "always-full",
        "the term in k alone is kept",
        giving(lambda xp, a: {"full": True}),
        shows="full = False",
    ),
    Fault("losses.poisson_nll", "no-log-gamma", "ln Γ(k+1) is left out", WITHOUT_LOG_GAMMA, shows="k > 1"),
    Fault(
        "losses.poisson_nll",
        "stirling-for-log-gamma",
        "Stirling's approximation stands for ln Γ(k+1)",
        _less(lambda xp, observed: _log_gamma(xp, observed) - _stirling(xp, observed)),
        shows="few photons",
    ),
    Fault(
        "losses.poisson_nll",
        "epsilon-in-log-1e-12",
        "ε = 1e-12 in the logarithm",
        in_the_logarithm(1e-12),
        shows=_DARK,
    ),
    Fault(
        "losses.poisson_nll", "epsilon-in-log-1e-8", "ε = 1e-8 in the logarithm", in_the_logarithm(1e-8), shows=_DARK
    ),
    Fault(
        "losses.poisson_nll", "epsilon-in-log-1e-3", "ε = 1e-3 in the logarithm", in_the_logarithm(1e-3), shows=_DARK
    ),
    Fault(
        "losses.poisson_nll",
        "mean-over-pixels",
        "the mean over pixels stands for the sum",
        returning(lambda xp, nll, a: nll / xp.size(a.predicted, GROUP)),
    ),
    Fault(
        "losses.poisson_nll",
        "groups-summed",
        "the groups are summed",
        returning(lambda xp, nll, a: xp.broadcast_like(xp.sum(nll, 0, True), nll)),
        shows=_SEVERAL,
    ),
    Fault(
        "losses.poisson_nll",
        "counts-rounded",
        "counts are rounded to integers",
        given(observed=lambda xp, amplitude: xp.sqrt(xp.round(xp.square(amplitude)))),
        shows="counts that are not whole",
    ),
    Generated("losses.poisson_nll", "observed-unsquared"),
    Generated(
        "losses.poisson_nll",
        "observed-unsquared",
        called="layer-observed-unsquared",
        at="model.poisson_nll",
        stacks=("torch",),
    ),
    Generated("losses.poisson_nll", "predicted-squared", called="predicted-squared-twice"),
    Generated("losses.poisson_nll", "observed-detached"),
    Generated("losses.poisson_nll", "observed-groups-reordered", called="groups-of-observed-shifted"),
    Generated("losses.poisson_nll", "observed-reshaped"),
    Generated("losses.poisson_nll", "predicted-bfloat16"),
    Fault(
        "losses.poisson_nll",
        "predicted-float32",
        "predicted is rounded to float32",
        given(predicted=rounded("float32")),
        shows="a float64 run",
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        "losses.poisson_nll",
        "last-axis-alone",
        "the pixels are summed over the last axis alone",
        _textbook(-1),
        diagnosis=("the result is not summed over all its axes",),
    ),
    Fault(
        "losses.poisson_nll",
        "groups-averaged",
        "every group has the mean over groups",
        returning(lambda xp, nll, a: xp.broadcast_like(xp.mean(nll, 0, True), nll)),
        shows=_SEVERAL,
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "naive-terms",
        "the three terms are added as they stand, and their digits cancel",
        _textbook(GROUP),
        shows=_BRIGHT,
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "naive-terms-in-float32",
        "the three terms are added in float32, and all their digits cancel",
        _textbook(GROUP, "float32"),
        shows=_BRIGHT,
        diagnosis=("an intermediate is float32",),
    ),
    Fault(
        "losses.poisson_nll",
        "epsilon-in-rate",
        "ε = 1e-3 is added to the predicted intensity",
        _on_rate(lambda xp, rate: rate + 1e-3),
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "rate-held-up",
        "the predicted intensity is limited to at least 1e-6",
        _on_rate(lambda xp, rate: xp.maximum(rate, 1e-6)),
        shows=_DARK,
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "limit-for-infinity",
        "the loss is limited to 1e30",
        returning(lambda xp, nll, a: xp.minimum(nll, 1e30)),
        shows="a pixel that was counted where none was predicted",
        diagnosis=("the result is limited to a range",),
    ),
    Fault(
        "losses.poisson_nll",
        "zero-times-infinity",
        "k·ln(k/λ) is 0·∞ where nothing was counted",
        raw(_unguarded_logarithm),
        at="losses._deviance_value",
        shows=_DARK,
        diagnosis=("returns NaN",),
    ),
    Fault(
        "losses.poisson_nll",
        "slope-at-zero",
        "the gradient is 0/0 where nothing is predicted",
        raw(_unguarded_slope),
        at="losses._deviance_by_predicted",
        shows="a dark pixel predicted dark",
        diagnosis=("returns NaN",),
    ),
    Fault(
        "losses.poisson_nll",
        "logarithm-detached",
        "the logarithm is detached",
        raw(lambda xp, slope: lambda predicted, observed: 2 * predicted),
        at="losses._deviance_by_predicted",
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "half-the-slope",
        "the gradient of predicted is off by a constant factor",
        raw(lambda xp, slope: lambda predicted, observed: slope(predicted, observed) / 2),
        at="losses._deviance_by_predicted",
    ),
    Fault(
        "losses.poisson_nll",
        "series-cut-short",
        "the series of the deviance is cut after two terms",
        raw(lambda xp, tail: tail[:2]),
        at="losses._ATANH_TAIL",
        shows="a prediction near the observation",
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "stirling-from-four",
        "Stirling's series stands for ln Γ from 4 photons on",
        raw(lambda xp, limit: limit / 4),
        at="losses._STIRLING_LIMIT",
        shows="4 to 16 photons on a pixel",
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "brightness-penalty",
        "a term in the predicted brightness is added",
        returning(lambda xp, nll, a: nll + 1e-3 * xp.sum(a.predicted, GROUP)),
        diagnosis=(),
    ),
    Fault(
        "losses.poisson_nll",
        "unsquared-and-averaged",
        "observed enters unsquared, and pixels are averaged",
        then(
            given(observed=lambda xp, x: xp.sqrt(x)),
            returning(lambda xp, nll, a: nll / xp.size(a.predicted, GROUP)),
        ),
        diagnosis=(),
    ),
)
