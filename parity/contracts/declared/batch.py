"""Laws of a batch: what comes of a group does not depend on the others, on their number, nor on its place."""

from __future__ import annotations

from collections.abc import Callable

from parity.contracts.contract import Fact, Inputs, Law, Trial


def batch_facts(*batched: str) -> tuple[Fact, ...]:
    """The laws of a batch for a function whose arguments `batched`, and whose first result, begin with its groups."""

    def applies(inputs: Inputs) -> bool:
        return len(inputs[batched[0]]) > 1

    return (
        Fact("a group's result is the same without the others", _alone(batched), applies),
        Fact("groups in reverse, results in reverse", _reversed(batched), applies),
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
