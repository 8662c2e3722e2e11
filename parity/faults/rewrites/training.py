"""Other ways to write an optimizer's step."""

from __future__ import annotations

from typing import Any

from parity.contracts.changes import Arguments, giving, replaced, returning
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import Namespace, Tensor


def _like(xp: Namespace, number: Any, x: Tensor) -> Any:
    return xp.cast_like(number, x) if xp.is_tensor(number) else number


def _two_parts(xp: Namespace, a: Arguments) -> tuple[Tensor, ...]:
    """What is remembered and what is new, moved one after the other."""
    rate, momentum = (_like(xp, number, a.parameters) for number in (a.learning_rate, a.momentum))
    remembered = momentum * a.velocity
    return a.parameters - rate * a.gradient - rate * remembered, a.gradient + remembered


def _as_torch_writes_it(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    """The corrections on the step's length and on the root, instead of on the moments."""
    _, first, second = stepped
    t = xp.cast(a.count, "float64") if xp.is_tensor(a.count) else a.count
    length = _like(xp, a.learning_rate / (1 - a.beta1**t), first)
    size = xp.sqrt(second) / _like(xp, (1 - a.beta2**t) ** 0.5, first)
    return a.parameters - length * first / (size + _like(xp, a.epsilon, first)), first, second


def _interpolated(xp: Namespace, stepped: tuple[Tensor, ...], a: Arguments) -> tuple[Tensor, ...]:
    """The first moment as a step towards the gradient."""
    toward = _like(xp, 1 - a.beta1, a.gradient) * (a.gradient - a.first_moment)
    return stepped[0], a.first_moment + toward, stepped[2]


def _decayed_before(xp: Namespace, a: Arguments) -> dict[str, Any]:
    lost = _like(xp, a.learning_rate * a.weight_decay, a.parameters) * a.parameters
    return {"parameters": a.parameters - lost, "weight_decay": 0.0}


REWRITES = (
    Rewrite("training.sgd_step", "two-parts", "the gradient and its memory move one by one", replaced(_two_parts)),
    Rewrite(
        "training.adam_step",
        "corrected-length",
        "the corrections are made on the step's length and on the root",
        returning(_as_torch_writes_it),
    ),
    Rewrite(
        "training.adam_step",
        "interpolated",
        "the first moment is moved towards the gradient",
        returning(_interpolated),
    ),
    Rewrite("training.adamw_step", "decayed-before", "what decays is subtracted", giving(_decayed_before)),
)
