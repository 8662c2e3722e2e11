"""What is judged: a result, a gradient or a law of a contract, and the text that names it.

Messages, stored results and goldens name a quantity by its text. Here alone it is written, and read again:

| quantity | text |
|---|---|
| a result | `nll` |
| the gradient with respect to an argument | `∂/∂observed` |
| either, of another entry to the function | `nll of model.PoissonLoss`, `∂/∂observed of model.PoissonLoss` |
| a law | its statement, such as `the scale of X is forgotten` |

A result or an argument is one word, and an entry a path with a dot; a statement has more than one word and is of
neither form. So every text has one meaning, even where a law itself says "of".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from numpy.typing import NDArray

from parity.contracts.contract import Contract

T = TypeVar("T")

_GRADIENT = "∂/∂"
_TEXT = re.compile(rf"({_GRADIENT})?(\w+)(?: of (\w+(?:\.\w+)+))?")


class QuantityKind(StrEnum):
    """What a quantity is."""

    RESULT = "result"
    GRADIENT = "gradient"
    LAW = "law"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A result or a gradient, by the name of the result or the argument, or a law by its statement.

    `entry` is the path of another public name of the function (`module.name` in the stack's package), "" for the
    function itself. Raises ValueError for what its text would not be read as.
    """

    kind: QuantityKind
    name: str
    entry: str = ""

    def __post_init__(self) -> None:
        if not self.name or _parts(self.text) != (self.kind, self.name, self.entry):
            raise ValueError(f"quantity: expected a {self.kind} that its name tells from any other, got '{self.text}'")

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """The quantity of this text. Raises ValueError for "", which names none."""
        return cls(*_parts(text))

    @property
    def text(self) -> str:
        """How messages, stored results and goldens name it."""
        own = f"{_GRADIENT}{self.name}" if self.is_gradient else self.name
        return f"{own} of {self.entry}" if self.entry else own

    def __str__(self) -> str:
        return self.text

    @property
    def is_gradient(self) -> bool:
        return self.kind is QuantityKind.GRADIENT

    @property
    def is_law(self) -> bool:
        return self.kind is QuantityKind.LAW

    @property
    def own(self) -> Quantity:
        """The same of the contract's own function."""
        return replace(self, entry="")

    def through(self, entry: str) -> Quantity:
        """The same of another entry to the function; "" is the function itself."""
        return replace(self, entry=entry)


def _parts(text: str) -> tuple[QuantityKind, str, str]:
    found = _TEXT.fullmatch(text)
    if not found:
        return QuantityKind.LAW, text, ""
    gradient, name, entry = found.groups("")
    return (QuantityKind.GRADIENT if gradient else QuantityKind.RESULT), name, entry


Arrays = Mapping[Quantity, NDArray[Any]]
"""Arrays by quantity: what a stack returned, say."""


def result_of(name: str) -> Quantity:
    """A result of the contract's own function."""
    return Quantity(QuantityKind.RESULT, name)


def gradient_of(argument: str) -> Quantity:
    """The gradient with respect to an argument of the contract's own function."""
    return Quantity(QuantityKind.GRADIENT, argument)


def law_of(statement: str) -> Quantity:
    """A law, by the statement of its fact."""
    return Quantity(QuantityKind.LAW, statement)


def results_of(contract: Contract) -> tuple[Quantity, ...]:
    """The results of a contract's own function."""
    return tuple(result_of(result.name) for result in contract.results)


def gradients_of(contract: Contract) -> tuple[Quantity, ...]:
    """The gradients of a contract's own function."""
    return tuple(gradient_of(argument.name) for argument in contract.differentiable)


def by_quantity(results: Mapping[str, T], gradients: Mapping[str, T]) -> dict[Quantity, T]:
    """Results by name and gradients by argument, both by quantity."""
    return {result_of(name): item for name, item in results.items()} | {
        gradient_of(name): item for name, item in gradients.items()
    }
