"""Mistakes in what a prediction costs: units, reductions, terms, and what holds a logarithm up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from parity.contracts.contract import Inputs
from parity.faults.in_oracle import Values
from parity.faults.oracle_side.base import (
    Formula,
    Mistake,
    of_argument,
    of_arguments,
    of_formula,
    of_result,
    plain,
    several,
)
from parity.physics.oracle import losses as oracle
from parity.physics.oracle.patches import central_weight

_PATTERN = (-3, -2, -1)


def _is_full(inputs: Inputs) -> bool:
    return bool(inputs["full"])


def _is_bare(inputs: Inputs) -> bool:
    return not inputs["full"]


def _log_gamma(observed: NDArray[Any]) -> Any:
    return special.gammaln(observed**2 + 1)


def _stirling(observed: NDArray[Any]) -> Any:
    """The approximation of ln Γ(k+1) that torch.nn.PoissonNLLLoss calls full: 0 for k ≤ 1."""
    count = observed**2
    k = np.maximum(count, 1)
    return np.where(count > 1, k * np.log(k) - k + np.log(2 * np.pi * k) / 2, 0)


def _lifted_logarithm(epsilon: float) -> Formula:
    """λ − k·ln(λ + ε): the loss of λ + ε, less ε a pixel, so that no digits cancel."""

    def nll(predicted: NDArray[Any], observed: NDArray[Any], full: bool = True) -> Any:
        lifted = np.sqrt(predicted**2 + epsilon)
        return oracle.poisson_nll(lifted, observed, full) - epsilon * predicted[0].size

    return nll


def _less(term: Formula) -> Any:
    """The loss without a term of the observation's, per group."""

    def results(values: Values, inputs: Inputs) -> dict[str, Any]:
        observed = plain(inputs)["observed"]
        return {name: nll - np.sum(term(observed), axis=_PATTERN) for name, nll in values.items()}

    return results


def _exchanged(predicted: NDArray[Any], observed: NDArray[Any], **others: Any) -> dict[str, Any]:
    return {"predicted": observed, "observed": predicted}


def _unsquared(predicted: NDArray[Any], observed: NDArray[Any], **others: Any) -> dict[str, Any]:
    return {"predicted": np.sqrt(predicted), "observed": np.sqrt(observed)}


def _per_group(nll: NDArray[Any]) -> Any:
    return np.broadcast_to(nll.sum(), nll.shape)


def _steps(patches: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    return patches[:, :, 1:] - patches[:, :, :-1], patches[..., 1:] - patches[..., :-1]


def _variation(term: Formula, reduce: Formula = np.sum) -> Formula:
    """A total variation of another `term` of the differences, or reduced otherwise."""
    return lambda patches: sum(reduce(term(step), axis=_PATTERN) for step in _steps(patches))


def _along(axis: int) -> Formula:
    """The total variation along one axis alone."""
    return lambda patches: np.sum(np.abs(np.diff(patches, axis=axis)) ** 2, axis=_PATTERN)


def _twice_along(axis: int) -> Formula:
    """The differences along one axis in place of those along the other, too."""
    once = _along(axis)
    return lambda patches: 2 * once(patches)


def _around_the_frame(patches: NDArray[Any]) -> Any:
    steps = (np.abs(patches - np.roll(patches, 1, axis=axis)) ** 2 for axis in (-1, -2))
    return sum(step.sum(axis=_PATTERN) for step in steps)


def _wrap(turn: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(turn - 2 * np.pi * np.round(turn / (2 * np.pi)))


def _phase_error(patches: NDArray[Any], target: NDArray[Any]) -> Any:
    return np.mean(np.abs(_wrap(np.angle(patches) - np.angle(target))))


def _modulus_error(patches: NDArray[Any], target: NDArray[Any]) -> Any:
    return np.mean(np.abs(np.abs(patches) - np.abs(target)))


def _unwrapped(patches: NDArray[Any], target: NDArray[Any]) -> Any:
    return _modulus_error(patches, target) + np.mean(np.abs(np.angle(patches) - np.angle(target)))


def _one_sided(patches: NDArray[Any], target: NDArray[Any]) -> Any:
    turn = (np.angle(patches) - np.angle(target)) % (2 * np.pi)
    return _modulus_error(patches, target) + np.mean(turn)


def _realspace(
    patches: NDArray[Any],
    target: NDArray[Any],
    tv_weight: Any,
    realspace_mae_weight: Any,
    of_target: bool = True,
    of_variation: bool = True,
    of_error: bool = True,
) -> Any:
    """The real-space loss with the central weight on some of what it belongs on."""
    m = central_weight(patches)
    variation = np.mean(oracle.total_variation(patches * m if of_variation else patches))
    error = oracle.complex_mae(patches * m if of_error else patches, target * m if of_target and of_error else target)
    return tv_weight * variation + realspace_mae_weight * error


def _share(patches: NDArray[Any]) -> Any:
    return np.mean(central_weight(patches))


def _mean_within(patches: NDArray[Any], target: NDArray[Any], tv_weight: Any, realspace_mae_weight: Any) -> Any:
    error = oracle.realspace_loss(patches, target, 0 * tv_weight, realspace_mae_weight)
    return oracle.realspace_loss(patches, target, tv_weight, 0 * tv_weight) + error / _share(patches)


def _summed_variation(patches: NDArray[Any], target: NDArray[Any], tv_weight: Any, realspace_mae_weight: Any) -> Any:
    return oracle.realspace_loss(patches, target, tv_weight * len(patches), realspace_mae_weight)


def exchange(one: str, other: str) -> Formula:
    """Two arguments in each other's place."""
    return lambda **arguments: {one: arguments[other], other: arguments[one]}


def training_mistakes(arguments_of: Formula) -> tuple[Mistake, ...]:
    """Mistakes in the terms of a training loss, of whose arguments `arguments_of` makes those of `training_loss`."""

    def of_term(name: str, weight: str, change: Formula, applies: Any = lambda inputs: True) -> Mistake:
        """`change` takes predicted and observed amplitude and returns what is to be added, in units of a weight."""

        def results(values: Values, inputs: Inputs) -> dict[str, Any]:
            a = arguments_of(**plain(inputs))
            term = a[weight] * change(a["predicted"], a["observed"]) if a[weight] else 0.0  # 0 · ∞ is 0
            return {loss: value + term for loss, value in values.items()}

        return Mistake(name, results=results, applies=applies)

    def grouped(inputs: Inputs) -> bool:
        return len(inputs["observed"]) > 1

    def nll(predicted: NDArray[Any], observed: NDArray[Any], full: bool = True) -> Any:
        return np.mean(oracle.poisson_nll(predicted, observed, full)) / predicted[0].size

    return (
        of_term(
            "observed enters the NLL unsquared (an amplitude where an intensity is meant)",
            "nll_weight",
            lambda p, o: nll(p, np.sqrt(o)) - nll(p, o),
        ),
        of_term("the term of the NLL in k alone is left out", "nll_weight", lambda p, o: nll(p, o, False) - nll(p, o)),
        of_term("ln Γ(k+1) is left out of the NLL", "nll_weight", lambda p, o: -np.mean(_log_gamma(o))),
        of_term(
            "ε = 1e-3 in the logarithm of the NLL",
            "nll_weight",
            lambda p, o: np.mean(_lifted_logarithm(1e-3)(p, o)) / p[0].size - nll(p, o),
        ),
        of_term("the factor 1/CHW of the NLL is missing", "nll_weight", lambda p, o: (p[0].size - 1) * nll(p, o)),
        of_term("the NLL is summed over groups", "nll_weight", lambda p, o: (len(p) - 1) * nll(p, o), grouped),
        of_term(
            "the MAE is of intensities",
            "mae_weight",
            lambda p, o: np.mean(np.abs(p**2 - o**2)) - oracle.mae(p, o),
        ),
        of_term(
            "the MAE compares an intensity with an amplitude",
            "mae_weight",
            lambda p, o: np.mean(np.abs(p**2 - o)) - oracle.mae(p, o),
        ),
        of_term("the MAE is summed, not averaged", "mae_weight", lambda p, o: (p.size - 1) * oracle.mae(p, o)),
        of_arguments("nll_weight and mae_weight are exchanged", exchange("nll_weight", "mae_weight")),
        of_arguments("tv_weight and realspace_mae_weight are exchanged", exchange("tv_weight", "realspace_mae_weight")),
    )


MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "losses.poisson_nll": (
        of_arguments("both amplitudes enter unsquared", _unsquared),
        of_arguments("predicted and observed are exchanged", _exchanged),
        of_formula(
            "the term in k alone is left out",
            lambda predicted, observed, full: oracle.poisson_nll(predicted, observed, False),
            _is_full,
        ),
        of_formula(
            "the term in k alone is kept",
            lambda predicted, observed, full: oracle.poisson_nll(predicted, observed, True),
            _is_bare,
        ),
        Mistake("ln Γ(k+1) is left out", results=_less(_log_gamma), applies=_is_full),
        Mistake(
            "Stirling's approximation stands for ln Γ(k+1)",
            results=_less(lambda observed: _log_gamma(observed) - _stirling(observed)),
            applies=_is_full,
        ),
        of_formula("ε = 1e-12 in the logarithm", _lifted_logarithm(1e-12)),
        of_formula("ε = 1e-8 in the logarithm", _lifted_logarithm(1e-8)),
        of_formula("ε = 1e-3 in the logarithm", _lifted_logarithm(1e-3)),
        of_formula(
            "the mean over pixels stands for the sum",
            lambda predicted, observed, full: oracle.poisson_nll(predicted, observed, full) / predicted[0].size,
        ),
        of_result("the groups are summed", _per_group, several("observed", 0)),
        of_argument("counts are rounded to integers", "observed", lambda a: np.sqrt(np.round(a**2))),
    ),
    "losses.absolute_error": (
        of_formula("intensities are compared", lambda predicted, observed: np.abs(predicted**2 - observed**2)),
        of_formula("the sign of the difference is kept", lambda predicted, observed: predicted - observed),
        of_formula(
            "the error is relative to the observation",
            lambda predicted, observed: np.abs(predicted - observed) / np.where(observed > 0, observed, 1),
        ),
        of_formula("the mean is returned", lambda predicted, observed: 0 * predicted + oracle.mae(predicted, observed)),
    ),
    "losses.mae": (
        of_formula("intensities are compared", lambda predicted, observed: np.mean(np.abs(predicted**2 - observed**2))),
        of_formula("a sum stands for the mean", lambda predicted, observed: np.sum(np.abs(predicted - observed))),
        of_formula(
            "the patterns are summed, their mean is taken over groups alone",
            lambda predicted, observed: np.sum(np.abs(predicted - observed)) / len(predicted),
        ),
        of_formula("the mean of squares is returned", lambda predicted, observed: np.mean((predicted - observed) ** 2)),
        of_formula(
            "the root of the mean of squares is returned",
            lambda predicted, observed: np.sqrt(np.mean((predicted - observed) ** 2)),
        ),
        of_formula(
            "the error is divided by the mean of the observation",
            lambda predicted, observed: oracle.mae(predicted, observed) / np.mean(observed),
        ),
        of_formula("the sign of the difference is kept", lambda predicted, observed: np.mean(predicted - observed)),
        of_formula(
            "the median stands for the mean", lambda predicted, observed: np.median(np.abs(predicted - observed))
        ),
    ),
    "losses.total_variation": (
        of_formula("the modulus of the differences is not squared", _variation(np.abs)),
        of_formula("the mean over differences stands for the sum", _variation(lambda d: np.abs(d) ** 2, np.mean)),
        of_formula("differences are taken around the frame", _around_the_frame),
        of_formula("only neighbouring columns are compared", _along(-1)),
        of_formula("only neighbouring rows are compared", _along(-2)),
        of_formula("neighbouring rows are compared twice, columns not at all", _twice_along(-2)),
        of_formula("neighbouring columns are compared twice, rows not at all", _twice_along(-1)),
        of_argument("the phase of the patches is left out", "patches", np.abs),
        of_argument("the modulus of the patches is left out", "patches", lambda z: np.exp(1j * np.angle(z))),
        of_result("the groups are summed", _per_group, several("patches", 0)),
    ),
    "losses.complex_mae": (
        of_formula("the phase difference is not wrapped", _unwrapped),
        of_formula("the phase difference is wrapped into [0, 2π)", _one_sided),
        of_formula("|T| stands for T", lambda patches, target: oracle.complex_mae(patches, np.abs(target))),
        of_formula("the modulus of O − T is averaged", lambda patches, target: np.mean(np.abs(patches - target))),
        of_formula("the error of the phase is left out", _modulus_error),
        of_formula("the error of the modulus is left out", _phase_error),
        of_formula(
            "a sum stands for the mean", lambda patches, target: oracle.complex_mae(patches, target) * patches.size
        ),
    ),
    "losses.realspace_loss": (
        of_formula(
            "the central weight is left out",
            lambda **arguments: _realspace(**arguments, of_variation=False, of_error=False),
        ),
        of_formula("the target is not weighted", lambda **arguments: _realspace(**arguments, of_target=False)),
        of_formula(
            "the total variation is not weighted", lambda **arguments: _realspace(**arguments, of_variation=False)
        ),
        of_formula("the mean is over the central pixels alone", _mean_within),
        of_formula("the total variation is summed over groups", _summed_variation, several("patches", 0)),
        of_arguments("tv_weight and realspace_mae_weight are exchanged", exchange("tv_weight", "realspace_mae_weight")),
    ),
    "losses.training_loss": training_mistakes(dict),
}
