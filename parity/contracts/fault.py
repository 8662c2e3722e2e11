"""What a fault is, and what a rewrite is.

A fault is a known way to be wrong: a change from a right function to a wrong one. Made in a stack it is a defect, which
the harness must catch; made in the oracle's function it is what diagnosis recognises, and what a golden proves that it
tells from the truth. A rewrite is other code for the same mathematics. Either is written once, on an array namespace.
A contract declares its own faults; long lists, and the rewrites, are in `parity/faults/`. The changes that all of them
are made of are in `changes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from parity.contracts.changes import Change

BOTH = ("tensorflow", "torch")

Condition = Callable[[Mapping[str, NDArray[Any]]], bool]
"""Whether a fault can be made on some inputs."""


def always(inputs: Mapping[str, NDArray[Any]]) -> bool:
    """The condition of a fault that can be made on any inputs."""
    return True


@dataclass(frozen=True, slots=True)
class Injectable:
    """A change that can be made in a stack.

    `target` is the contract that has to judge it, `what` says in the field's words what it does. `at` is where the
    changed function lies, `file.function` in either stack, if not at the contract's own address; where that file
    imports the function from another, the import alone is changed. `stacks` are those in which it can be made.
    """

    target: str
    name: str
    what: str
    change: Change
    at: str = ""
    stacks: tuple[str, ...] = BOTH

    @property
    def full_name(self) -> str:
        """`contract/name`, as the command line has it."""
        return f"{self.target}/{self.name}"

    @property
    def address(self) -> str:
        """Where the changed function lies, in the package of either stack."""
        return self.at or self.target.split("@")[0]


@dataclass(frozen=True, slots=True)
class Fault(Injectable):
    """A known way to be wrong, `what` phrased to stand behind a stack's name.

    `shows` says what an input needs for it to show at all. `diagnosis` lists the causes that are right, any of which
    will do: none for what nobody could be expected to explain, `what` alone if nothing is said. `where` says on which
    inputs it can be made in the oracle's function, which gets frames that no stack would take. `blind` keeps it from
    diagnosis and goldens, so that the score asks what they say of a fault that nobody foresaw. `generic` marks what
    follows from a contract's kinds.
    """

    shows: str = "any input"
    diagnosis: tuple[str, ...] | None = None
    where: Condition = always
    blind: bool = False
    generic: bool = False

    @property
    def right_diagnoses(self) -> tuple[str, ...]:
        return (self.what,) if self.diagnosis is None else self.diagnosis


@dataclass(frozen=True, slots=True)
class Rewrite(Injectable):
    """Other code for the same mathematics, which must stay silent."""
