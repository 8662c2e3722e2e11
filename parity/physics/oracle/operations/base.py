"""What the operations are made with: the decorator that adds an error rule to a NumPy function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.physics.oracle.bounded import Array, Bounded

Axes = int | Sequence[int] | None


def operation(evaluate: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make an operation of the oracle from its NumPy evaluation and the decorated error rule.

    The rule gets the Bounded operand and the value of the result (then the operation's own arguments) and returns the
    error of the result in units of u.
    """

    def decorate(rule: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(rule)
        def apply(operand: Array, *arguments: Any, **options: Any) -> Any:
            if not isinstance(operand, Bounded):
                return evaluate(operand, *arguments, **options)
            with np.errstate(all="ignore"):
                value = evaluate(operand.value, *arguments, **options)
                return operand.derive(value, rule(operand, value, *arguments, **options))

        return apply

    return decorate


def _moved(evaluate: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """An operation that only moves elements, and their errors with them."""

    def rule(x: Bounded, value: NDArray[Any], *arguments: Any, **options: Any) -> Any:
        if not x.error.any():
            return np.zeros(value.shape)
        return evaluate(x.error, *arguments, **options)

    rule.__name__, rule.__doc__ = name, doc
    return operation(evaluate)(rule)


def values(x: Array) -> NDArray[Any]:
    """The plain values of x, for conditions and shapes."""
    return x.value if isinstance(x, Bounded) else np.asarray(x)


def grid_dtype(x: Array) -> np.dtype[Any]:
    """The real dtype in which a grid or a weight beside x is written."""
    return values(x).real.dtype
