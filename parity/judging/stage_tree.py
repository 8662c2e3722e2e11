"""What a composition and its stages came to in one stack: which stage is wrong in itself, which inherits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs, Stage
from parity.judging.measurement import Measurement, distance
from parity.physics.kinds import Kind
from parity.physics.oracle.bounded import Bounded


@dataclass(frozen=True, slots=True, eq=False)
class JudgedArray:
    """One quantity of one stage or composition: how it was judged, and the arrays that were.

    `got` is None where the stack raised, or found no path for a gradient.
    """

    measurement: Measurement
    got: NDArray[Any] | None
    oracle: Bounded
    kind: Kind

    @property
    def agrees(self) -> bool:
        return self.measurement.agrees

    @property
    def is_undecided(self) -> bool:
        """Whether no element has a finite bound."""
        measured = self.measurement
        return measured.fault is None and 0 < measured.elements == measured.undecided


JudgedArrays = tuple[JudgedArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StageRun:
    """One stage in one stack, free and fed: its value, then the gradients of its arguments.

    `inputs` and `cotangents` are what it is fed; `within` is the tree of a stage that is a composition itself, fed.
    """

    stage: Stage
    free: JudgedArray
    fed: JudgedArray
    free_gradients: JudgedArrays
    fed_gradients: JudgedArrays
    within: Tree | None = None
    inputs: Inputs = field(default_factory=dict)
    cotangents: Inputs = field(default_factory=dict)

    @property
    def is_wrong_forward(self) -> bool:
        """Whether its value is wrong in itself."""
        return not self.fed.agrees or bool(self.within and self.within.wrong_forward)

    @property
    def is_wrong_backward(self) -> bool:
        """Whether a gradient is wrong in itself."""
        return not all(g.agrees for g in self.fed_gradients) or bool(self.within and self.within.wrong_backward)

    @property
    def is_wrong(self) -> bool:
        return self.is_wrong_forward or self.is_wrong_backward

    @property
    def diverges_forward(self) -> bool:
        return self.is_wrong_forward or not self.free.agrees

    @property
    def diverges_backward(self) -> bool:
        return self.is_wrong_backward or not all(g.agrees for g in self.free_gradients)

    @property
    def inherits(self) -> bool:
        """Whether it is off in the stack, and right on right inputs."""
        return not self.is_wrong and (self.diverges_forward or self.diverges_backward)


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A composition in one stack and precision: what its own function returned, and its stages in order.

    `whole` are the results of the composition's own function, then the gradients of the first.
    """

    contract: Contract
    stack: str
    precision: str
    whole: JudgedArrays
    steps: tuple[StageRun, ...]

    @property
    def agrees(self) -> bool:
        """Whether everything does: the composition, and every stage free and fed."""
        return all(r.agrees for r in self.whole) and not any(
            step.diverges_forward or step.diverges_backward for step in self.steps
        )

    @property
    def first_forward(self) -> StageRun | None:
        """The first stage whose value diverges."""
        return next((step for step in self.steps if step.diverges_forward), None)

    @property
    def first_backward(self) -> StageRun | None:
        """The first stage, from the end, whose gradients diverge."""
        return next((step for step in reversed(self.steps) if step.diverges_backward), None)

    @property
    def first(self) -> StageRun | None:
        """The stage to look at: the first whose value diverges or, where none does, the first backwards."""
        return self.first_forward or self.first_backward

    @property
    def wrong_forward(self) -> tuple[StageRun, ...]:
        return tuple(step for step in self.steps if step.is_wrong_forward)

    @property
    def wrong_backward(self) -> tuple[StageRun, ...]:
        return tuple(step for step in self.steps if step.is_wrong_backward)

    @property
    def wrong(self) -> tuple[StageRun, ...]:
        """The stages that are wrong in themselves."""
        return tuple(step for step in self.steps if step.is_wrong)

    @property
    def inheriting(self) -> tuple[StageRun, ...]:
        """The stages that are off only because an earlier one is."""
        return tuple(step for step in self.steps if step.inherits)

    @property
    def compensates(self) -> bool:
        """Whether the composition is right although stages are wrong: its value or, if theirs are right, all of it.

        The stages must come to the same: a composition that does not go through them owes nothing to their errors.
        """
        agrees = self.whole[0].agrees if self.wrong_forward else all(r.agrees for r in self.whole)
        return bool(self.wrong) and agrees and not self.bypasses

    @property
    def bypasses(self) -> bool:
        """Whether the composition's value is right, is not what its own stages come to, and one of them is wrong.

        Two results of one stack may lie on either side of the oracle, so they may be twice as far apart as one from it.
        """
        if not (self.wrong_forward and self.whole[0].agrees):
            return False
        whole, chain = self.whole[0], self.steps[-1].free
        if whole.got is None or chain.got is None or whole.got.shape != chain.got.shape:
            return True
        return bool(distance(chain.got, whole.got, 2 * chain.oracle.allowed).ratio > 1)

    @property
    def is_miswired(self) -> bool:
        """Whether the composition is wrong although each of its stages is right: it does not do what they do."""
        return (
            bool(self.steps)
            and not all(r.agrees for r in self.whole)
            and not any(step.diverges_forward or step.diverges_backward for step in self.steps)
        )

    def arrays(self) -> Iterator[JudgedArray]:
        """Everything that was judged: of the composition, and of each stage, also within it."""
        yield from self.whole
        for step in self.steps:
            yield from (step.free, step.fed, *step.free_gradients, *step.fed_gradients)
            if step.within:
                yield from step.within.arrays()
