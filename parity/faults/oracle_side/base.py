"""What a mistake is, and short ways to write one down.

A mistake is a change to mathematics: to the arguments as the oracle's function gets them, to its results, or to its
gradients alone. Here is what it is made of; the mistakes themselves are in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from parity.contracts.contract import Inputs
from parity.faults.in_oracle import wide

Values = Mapping[str, NDArray[Any]]
"""Arrays by the name of a result or, for gradients, of an argument."""

Change = Callable[[Any], Any]
Formula = Callable[..., Any]
Condition = Callable[[Inputs], bool]


def always(inputs: Inputs) -> bool:
    """The condition of a mistake that can be made on any inputs."""
    return True


@dataclass(frozen=True, slots=True)
class Mistake:
    """A known way to be wrong, named so that the name can stand behind a stack's in a message.

    Exactly one change is given, ValueError otherwise. `inputs` returns the arguments that it changes, as the wrong
    function uses them: of other values or shapes, never other names. `results` gets the oracle's results by name, and
    `gradients` its gradients by quantity where the results are right; both get the inputs too and return what they
    change. `applies` says on which inputs it is a mistake at all.
    """

    name: str
    inputs: Callable[[Inputs], Mapping[str, Any]] | None = None
    results: Callable[[Values, Inputs], Mapping[str, Any]] | None = None
    gradients: Callable[[Values, Inputs], Mapping[str, Any]] | None = None
    applies: Condition = always

    def __post_init__(self) -> None:
        given = sum(change is not None for change in (self.inputs, self.results, self.gradients))
        if given != 1:
            raise ValueError(f"mistake '{self.name}': expected one of inputs, results and gradients, got {given}")


def of_argument(name: str, argument: str, change: Change, applies: Condition = always) -> Mistake:
    """One argument enters as `change` makes it."""
    return Mistake(name, inputs=lambda inputs: {argument: change(wide(inputs[argument]))}, applies=applies)


def of_arguments(name: str, change: Formula, applies: Condition = always) -> Mistake:
    """Some arguments enter as `change` makes them: it takes all by name and returns those that it changes."""
    return Mistake(name, inputs=lambda inputs: change(**plain(inputs)), applies=applies)


def of_result(name: str, change: Change, applies: Condition = always) -> Mistake:
    """Every result is what `change` makes of the right one; meant for functions with one."""
    return Mistake(
        name,
        results=lambda values, inputs: {result: change(value) for result, value in values.items()},
        applies=applies,
    )


def of_formula(name: str, formula: Formula, applies: Condition = always) -> Mistake:
    """Another formula stands where the oracle's should: it takes the arguments by name and returns all results."""

    def results(values: Values, inputs: Inputs) -> dict[str, Any]:
        returned = formula(**plain(inputs))
        return dict(zip(values, returned if isinstance(returned, tuple) else (returned,), strict=True))

    return Mistake(name, results=results, applies=applies)


def plain(inputs: Inputs) -> dict[str, Any]:
    """The arguments as the oracle's functions take them without bounds: numbers, choices, float64 or complex128."""
    return {name: array.item() if array.ndim == 0 else wide(array) for name, array in inputs.items()}


def several(argument: str, axis: int) -> Condition:
    """Where there is more than one along an axis of an argument."""
    return lambda inputs: inputs[argument].shape[axis] > 1


def odd(argument: str) -> Condition:
    """Where a side of an argument's planes is odd."""
    return lambda inputs: any(size % 2 for size in inputs[argument].shape[-2:])
