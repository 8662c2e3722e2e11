"""What the harness takes for an example beside the same work by hand, both drawn by Hypothesis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from parity.contracts.cases.case import Case
from parity.contracts.contract import UsageError
from parity.contracts.declared import REGISTRY
from parity.judging.examine import examine
from parity.physics.precision import PRECISIONS
from parity.proof.bench.sizes import sized
from parity.stacks.base import Framework, FrameworkMissing

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SIZE = 64
SEEDS = 2**16
CONTRACTS = ("losses.mae", "losses.poisson_nll", "optics.far_field_amplitude")
"""Those that `parity.proof.bench.by_hand` has written tests for."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds of an example at N × N pixels, everything traced: by hand, and by the harness in both stacks.

    By hand: `values` alone; their gradients along `one_direction`; their gradients along `every_axis`, which is what
    the harness checks, and which is timed on a single example.
    """

    contract: str
    size: int
    values: float
    one_direction: float
    every_axis: float
    harness: float

    @property
    def least_factor(self) -> float:
        """How many times the harness values and the quick gradients take together by hand."""
        return (self.values + self.one_direction) / self.harness

    @property
    def factor(self) -> float:
        """How many times the harness values and all gradients take together by hand."""
        return (self.values + self.every_axis) / self.harness


def chosen_by_hand(names: Sequence[str]) -> tuple[str, ...]:
    """The contracts among `names` that are tested by hand, all of those for no name. UsageError for any other."""
    for name in names:
        if name not in CONTRACTS:
            raise UsageError(f"by hand: expected one of {', '.join(CONTRACTS)}, got {name}")
    return tuple(names) or CONTRACTS


def time_beside(
    names: Sequence[str], frameworks: Sequence[Framework], examples: int, size: int = SIZE
) -> Iterator[Beside]:
    """Time both on `examples` examples each. Raises AssertionError where a stack is wrong.

    Raises FrameworkMissing without both frameworks or without Hypothesis.
    """
    if len(frameworks) < 2 or find_spec("hypothesis") is None:
        raise FrameworkMissing(
            "the tests by hand need both frameworks and Hypothesis: pip install 'ptycho-parity[cpu,test]'"
        )
    from parity.proof.bench.by_hand import ALONG_EVERY_AXIS, ALONG_ONE_DIRECTION, BY_HAND

    for written in BY_HAND:
        if written.contract in names:
            drawn = written.draw(size)
            yield Beside(
                written.contract,
                size,
                values=_an_example(drawn, written.values, examples),
                one_direction=_an_example(drawn, partial(written.gradients, ALONG_ONE_DIRECTION), examples),
                every_axis=_an_example(drawn, partial(written.gradients, ALONG_EVERY_AXIS), 1, warm=False),
                harness=_an_example(_cases(written.contract, size), partial(_hold, frameworks), examples),
            )


def _cases(name: str, size: int) -> SearchStrategy[tuple[Case]]:
    from hypothesis import strategies as st

    case = sized(REGISTRY[name], size)
    if case is None:
        raise UsageError(f"{name}: expected a size that it takes, got {size}")
    return st.integers(1, SEEDS).map(lambda seed: (Case(case.contract, case.stratum, seed),))


def _hold(frameworks: Sequence[Framework], case: Case) -> None:
    found = examine(case, frameworks, tuple(PRECISIONS.values()))
    assert all(measurement.agrees for measurement in found), case.name


def _an_example(
    strategy: SearchStrategy[tuple[Any, ...]], check: Callable[..., None], examples: int, warm: bool = True
) -> float:
    """Seconds an example that is drawn and checked; what a first one does besides is done before."""
    from hypothesis import HealthCheck, Phase, given, settings

    checked = 0

    def test(drawn: tuple[Any, ...]) -> None:
        nonlocal checked
        check(*drawn)
        checked += 1

    def run(number: int) -> None:
        unhurried = settings(
            max_examples=number,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        unhurried(given(drawn=strategy)(test))()

    if warm:
        run(1)
    checked, started = 0, time.perf_counter()
    run(examples)
    return (time.perf_counter() - started) / checked
