"""Terms that a stack leaves out of a result, by contract and name: what is left then, and its gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.operations import log, square, total, values, where

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A term that is left out: the function is asked with other `flags`, and `addend` is added to its first result.

    `slopes` are the gradients of the addend, by argument, from the cotangent of the result.
    """

    words: str
    flags: Arguments
    addend: Callable[[Arguments], Any] = lambda arguments: 0.0
    slopes: Callable[[Array, Arguments], Mapping[str, Any]] = lambda cotangent, arguments: {}


def _counts_alone(arguments: Arguments) -> Any:
    """Σ k − k·ln k."""
    count = square(arguments["observed"])
    return total(count - count * _log_of_lit(count), axis=(1, 2, 3))


def _slope_of_counts(cotangent: Array, arguments: Arguments) -> Mapping[str, Any]:
    observed = arguments["observed"]
    return {"observed": -(2 * cotangent[:, None, None, None] * observed * _log_of_lit(square(observed)))}


def _log_of_lit(count: Array) -> Any:
    return log(where(values(count) > 0, count, 1.0))


LEFT_OUT: Mapping[str, Mapping[str, LeftOut]] = {
    "losses.poisson_nll": {
        "log k!": LeftOut(
            "without ln Γ(k+1), or k·ln k − k where it is not full",
            {"full": False},
            _counts_alone,
            _slope_of_counts,
        ),
        "saturated": LeftOut("without its least value, whether full or not", {"full": False}),
    },
}
"""By contract, what can be left out, by the name that a binding gives it."""

IN_LOGARITHM: Mapping[str, tuple[str, ...]] = {"losses.poisson_nll": ("predicted",)}
"""By contract, the arguments whose intensity enters once in a logarithm and once as it is, the sum over CHW of it."""
