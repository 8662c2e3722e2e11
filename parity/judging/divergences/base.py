"""What a divergence is made of: the entry, the kind of its difference, and what one leaves to be judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract, Inputs
from parity.judging.measurement import Measurement
from parity.judging.quantity import Arrays, Quantity
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import Precision


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What a difference is taken off: what one stack returned in one case, and what the oracle says of it.

    For a kind, `arrays` and `quantities` are those in the scope of an entry, and both have the same names; the arrays
    are in float64 or complex128, and have the shapes that the oracle's have.
    """

    contract: Contract
    precision: Precision
    inputs: Inputs
    cotangents: Inputs
    arrays: Arrays
    quantities: Mapping[Quantity, Bounded]

    @property
    def given(self) -> Inputs:
        """The arguments as every side gets them: rounded."""
        return {name: self.precision.round(array) for name, array in self.inputs.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Remainder:
    """What is left of one quantity: `got` without the difference, and the oracle with the rounding of taking it off.

    `size` is how large the difference was, to within `rounding`. `outside` marks the elements that are accepted as they
    are, whatever they are. `sensitivity` is given where the size was read off a single element, of which nothing is
    then left but the interval: by how much, relatively, the element changes with the size. What is judged `alone` has a
    truth of its own, and cannot be compared with another stack's. A `fault` is the entry's own.
    """

    got: NDArray[Any]
    oracle: Bounded
    size: float
    rounding: float
    outside: NDArray[np.bool_] | None = None
    sensitivity: float | None = None
    alone: bool = False
    fault: str | None = None

    @property
    def accepted(self) -> int:
        """How many elements are not judged."""
        return 0 if self.outside is None else int(self.outside.sum())


class Difference(ABC):
    """A kind of difference: what it does to a result and its gradients, and how it is taken off.

    To add a kind, subclass this. `neutral` is the size at which nothing differs.
    """

    __slots__ = ()

    neutral: ClassVar[float] = 0.0

    @property
    @abstractmethod
    def words(self) -> str:
        """What a stack's result is, in the words of a table."""

    @abstractmethod
    def touches(self, contract: Contract) -> tuple[Quantity, ...]:
        """The quantities that show it, where an entry names none."""

    @abstractmethod
    def remove(self, comparison: Comparison) -> Mapping[Quantity, Remainder]:
        """What is left of each quantity in scope; nothing where the difference cannot be told from none."""

    def faults(self, contract: Contract) -> tuple[str, ...]:
        """Why a contract cannot show it."""
        return ()


@dataclass(frozen=True, slots=True)
class Divergence:
    """One accepted difference of one stack in one contract.

    Its measured size lies between `low` and `high`, which do not contain the size at which nothing differs. Without
    `quantities` (results as `nll`, gradients as `∂/∂observed`) it is in those that its kind touches; without `strata`,
    in all of them; without `names` (`model.PoissonLoss`, or the contract's own address), in every public name of the
    function. `breaks` are the facts of the contract that cannot hold with it; each must be seen to break.
    """

    contract: str
    stack: str
    kind: Difference
    low: float
    high: float
    reason: str
    expires: date
    quantities: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How sentences call it."""
        return f"divergence of {self.stack} in {self.contract} ({type(self.kind).__name__})"

    def scope(self, contract: Contract) -> tuple[Quantity, ...]:
        """The quantities it is in."""
        return tuple(map(Quantity.parse, self.quantities)) or self.kind.touches(contract)

    def applies(self, contract: str, stack: str, case: str) -> bool:
        """Whether it is in a case of a contract in a stack."""
        return (contract, stack) == (self.contract, self.stack) and (not self.strata or stratum_of(case) in self.strata)

    def has_name(self, path: str) -> bool:
        """Whether it is in the function under one of its public names; '' for the contract's own."""
        return not self.names or (path or self.contract.split("@")[0]) in self.names

    def covers(self, measurement: Measurement, contract: Contract) -> bool:
        """Whether a measurement is of something it is in."""
        return (
            self.applies(measurement.contract, measurement.stack, measurement.case)
            and measurement.quantity.own in self.scope(contract)
            and self.has_name(measurement.quantity.entry)
        )

    def admits(self, size: float, rounding: float) -> bool:
        """Whether a measured size lies in the interval, or may; NaN does not."""
        return size + rounding >= self.low and size - rounding <= self.high


def stratum_of(case: str) -> str:
    """The stratum of a case's name."""
    return case.partition("/")[0]
