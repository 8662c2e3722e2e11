"""What a fault is, and what a rewrite is.

A fault is a known way to be wrong: a change from a right function to a wrong one. Made in a stack it is a defect, which
the harness must catch; made in the oracle's function it is what diagnosis recognises, and what a golden proves that it
tells from the truth. A rewrite is other code for the same mathematics. Either is written once, on an array namespace.
The rows are in the modules of `catalogue/` and `rewrites/`, the changes that they are made of in `changes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parity.contracts.contract import Contract, Inputs
from parity.contracts.declared import REGISTRY
from parity.faults.changes import Change

BOTH = ("tensorflow", "torch")

Condition = Callable[[Inputs], bool]


def always(inputs: Inputs) -> bool:
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
    def contract(self) -> Contract:
        return REGISTRY[self.target]

    @property
    def address(self) -> str:
        """Where the changed function lies, in the package of either stack."""
        return self.at or self.contract.address


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

    @property
    def is_recognised(self) -> bool:
        """Whether diagnosis can name it and goldens prove it: its own words are a right cause, and the oracle has it.

        Of the functions within others, the oracle has those alone that are contracts.
        """
        is_in_oracle = not self.at or self.at in {contract.address for contract in REGISTRY.values()}
        return is_in_oracle and not self.blind and self.what in self.right_diagnoses


@dataclass(frozen=True, slots=True)
class Rewrite(Injectable):
    """Other code for the same mathematics, which must stay silent."""
