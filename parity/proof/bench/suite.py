"""What a run costs and what it is worth, beside what there is no way around.

The cost: the seconds of every step of an examination, beside importing the frameworks and calling their functions
with no harness around them. The worth: how many of the same examples, all of them correct, fixed tolerances would
have flagged. Numbers only; `parity.proof.bench.tables` shows them.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from parity._ground.environment import prepare_environment
from parity.contracts.cases.case import forced, precisions_of, sweep
from parity.contracts.contract import Contract
from parity.judging.examine import examine
from parity.judging.measurement import Measurement
from parity.judging.quantity import Arrays
from parity.judging.truth import JUDGING, Truth
from parity.judging.verdict import judge
from parity.physics.precision import FLOAT32, PRECISIONS
from parity.proof.bench.timing import Stopwatch
from parity.stacks.here import Here
from parity.stacks.worker import Call

BARE, ANEW = "bare calls", "bare calls, traced anew"


TOLERANCES: Mapping[str, tuple[float, float]] = {
    "np.testing.assert_allclose": (1e-7, 0.0),
    "torch.testing.assert_close": (1.3e-6, 1e-5),
    "rtol=1e-5, atol=1e-6": (1e-5, 1e-6),
}
"""rtol and atol that float32 results are commonly compared with: NumPy's defaults, torch's, and a popular choice."""

BOUND = "the oracle's bound"

_BOTH = tuple(PRECISIONS.values())


@dataclass(frozen=True, slots=True)
class ContractBench:
    """One contract: the seconds of each step over all its examples, and the false alarms of each rule among them.

    `bare` are those of the stacks' functions and gradients alone, `anew` those with what is traced or compiled for
    them, as any other program in these modes has to. A rule raises an alarm where some float32 result or gradient of
    one stack would not have passed for the other's.
    """

    contract: str
    examples: int
    seconds: Mapping[str, float]
    bare: float
    anew: float
    false_alarms: Mapping[str, int]

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The contracts, and the seconds it takes to start the frameworks, by what is started; all of them last."""

    contracts: tuple[ContractBench, ...]
    startup: Mapping[str, float]

    @property
    def examples(self) -> int:
        return sum(c.examples for c in self.contracts)

    @property
    def total(self) -> float:
        """Seconds of a run, start included."""
        return self._started + sum(c.total for c in self.contracts)

    @property
    def floor(self) -> float:
        """Seconds that no harness can avoid: the start, and the bare calls with what is traced for them."""
        return self._started + sum(c.anew for c in self.contracts)

    @property
    def floor_once_traced(self) -> float:
        """The start and the bare calls, as if nothing had to be traced."""
        return self._started + sum(c.bare for c in self.contracts)

    @property
    def ratio(self) -> float:
        return self.total / self.floor

    @property
    def _started(self) -> float:
        return list(self.startup.values())[-1]


def bench(contracts: Sequence[Contract], frameworks: Sequence[Here], examples: int) -> BenchReport:
    """Time `examples` examples of each contract besides its strata, in both precisions.

    Raises whatever a stack raises: only a pair that works is worth timing.
    """
    return BenchReport(
        contracts=tuple(_bench_contract(contract, frameworks, examples) for contract in contracts),
        startup=_startup([framework.name for framework in frameworks]),
    )


def _bench_contract(contract: Contract, frameworks: Sequence[Here], examples: int) -> ContractBench:
    clock, bare = Stopwatch(), Stopwatch()
    readied: list[Callable[[], Call]] = []
    strata = {case.name for case in forced(contract)}
    false_alarms: Counter[str] = Counter()
    measurements: list[Measurement] = []
    cases = tuple(sweep(contract, examples))
    for case in cases:
        found = examine(case, frameworks, _BOTH, case.name in strata, clock)
        measurements += found
        false_alarms.update([] if all(m.agrees for m in found if m.precision == FLOAT32.name) else [BOUND])
        inputs = case.inputs()
        for precision in precisions_of(inputs, _BOTH):
            truth = Truth.of(case, inputs, precision)
            if precision is FLOAT32:
                false_alarms.update(_beyond_tolerances([truth.evaluate(f) for f in frameworks]))
            for framework in frameworks:
                readied.append(partial(framework.ready, contract, inputs, precision, truth.cotangents))
                call = readied[-1]()
                with bare(BARE):
                    call()
    for framework in frameworks:
        framework.forget()
    for ready in readied:
        call = ready()
        with bare(ANEW):
            call()
    with clock(JUDGING):
        judge(contract.name, measurements, contract.quota)
    return ContractBench(
        contract.name, len(cases), clock.seconds, bare.seconds[BARE], bare.seconds[ANEW], dict(false_alarms)
    )


def _beyond_tolerances(found: Sequence[Arrays]) -> Iterator[str]:
    """The fixed tolerances within which two stacks do not lie."""
    if len(found) == 2:
        one, other = found
        shared = one.keys() & other.keys()
        for rule, tolerances in TOLERANCES.items():
            if not all(np.allclose(one[name], other[name], *tolerances) for name in shared):
                yield rule


def _startup(frameworks: Sequence[str]) -> dict[str, float]:
    """Seconds to import each framework alone, then all, then all with TensorFlow's first operation."""
    names = [name for name in ("torch", "tensorflow") if name in frameworks]
    imports = f"import {', '.join(names)}"
    starts = {statement: statement for statement in (*(f"import {name}" for name in names), imports)}
    if "tensorflow" in frameworks:
        starts[f"{imports}; its first operation"] = f"{imports}; tensorflow.constant(0.0) + 1.0"
    return {what: _seconds_in_a_fresh_process(statements) for what, statements in starts.items()}


def _seconds_in_a_fresh_process(statements: str) -> float:
    prepare_environment()
    program = f"import time; started = time.perf_counter(); {statements}; print(time.perf_counter() - started)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    return float(done.stdout)
