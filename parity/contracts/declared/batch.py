"""Laws of a batch: what comes of a group does not depend on the others, on their number, nor on its place."""

from __future__ import annotations

from collections.abc import Callable

from parity.contracts.changes import Arguments, returning
from parity.contracts.contract import Fact, Inputs, Law, Trial
from parity.contracts.namespace import Namespace, Tensor


def batch_facts(*batched: str) -> tuple[Fact, ...]:
    """The laws of a batch for a function whose arguments `batched`, and whose first result, begin with its groups."""

    def applies(inputs: Inputs) -> bool:
        return len(inputs[batched[0]]) > 1

    return (
        Fact(
            "a group's result is the same without the others",
            _alone(batched),
            applies,
            broken_by=returning(_with_the_mean_of_all_groups),
        ),
        Fact(
            "groups in reverse, results in reverse",
            _reversed(batched),
            applies,
            broken_by=returning(_weighted_by_place),
        ),
    )


def _alone(batched: tuple[str, ...]) -> Callable[[Trial], Law]:
    def law(trial: Trial) -> Law:
        last = {name: trial.inputs[name][-1:] for name in batched}
        return Law(trial.value(**last), trial.value()[-1:])

    return law


def _reversed(batched: tuple[str, ...]) -> Callable[[Trial], Law]:
    def law(trial: Trial) -> Law:
        turned = {name: trial.inputs[name][::-1] for name in batched}
        return Law(trial.value(**turned), trial.value()[::-1])

    return law


def _with_the_mean_of_all_groups(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    """Groups see each other, but not their order: in reverse, the results are still in reverse."""
    return x + xp.mean(x, 0, keepdims=True)


def _weighted_by_place(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    """By 1 in the last place, so that the last group without the others comes out as it does with them."""
    places = xp.arange(xp.shape(x)[0], x)
    return xp.scaled(x, xp.reshape(1 + xp.max(places) - places, (-1, *[1] * (len(x.shape) - 1))))
