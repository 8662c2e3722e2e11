"""Results that nobody had to take, and that somebody could have."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from parity.contracts.declared import REGISTRY
from parity.judging.measurement import PAIR, Gain, Measurement
from parity.judging.possible import Asking
from parity.judging.quantity import Quantity
from parity.judging.run import ContractRun, NotChecked
from parity.judging.verdict import judge
from parity.runs.results import write_results
from parity.runs.scope import Asked

STACKS = ("tensorflow", "torch")
PRECISIONS = ("f32", "f64")


def measurement(
    contract: str,
    case: str,
    precision: str,
    quantity: Quantity,
    stack: str,
    ratio: float = 0.5,
    fault: str | None = None,
) -> Measurement:
    """One that is off by 1 from 1, by a bound that makes this `ratio`, or by 0; or a fault."""
    if fault is not None:
        return Measurement(contract, case, precision, quantity, stack, fault=fault)
    kind = Asking.of(REGISTRY[contract]).kinds[quantity]
    axes = len(kind.axes) if kind else 1
    gain = Gain(1e-9, 1.0) if precision == "f32" and stack != PAIR else Gain()
    return Measurement(
        contract,
        case,
        precision,
        quantity,
        stack,
        ratio=ratio,
        index=(1,) * axes,
        got="2",
        expected="1",
        error=1.0 if ratio else 0.0,
        allowed=1 / ratio if ratio else 1.0,
        gap=1.0,
        epsilon=1e-6,
        elements=2**axes,
        gain=gain,
        witness=gain,
        shape=(2,) * axes,
    )


def held(contract: str, cases: Sequence[str], ratio: float = 0.5) -> ContractRun:
    """A contract in all its quantities, stacks and precisions, with the ratio of `torch`."""
    found = tuple(
        measurement(contract, case, precision, quantity, stack, ratio if stack == "torch" else 0.5)
        for case in cases
        for precision in PRECISIONS
        for stack in (*STACKS, PAIR)
        for quantity, kind in Asking.of(REGISTRY[contract]).kinds.items()
        if kind is not None or (stack != PAIR and precision == "f64")
    )
    return ContractRun(judge(contract, found, REGISTRY[contract].quota), found, 1.0)


def asked(runs: Iterable[ContractRun], not_checked: Iterable[str] = ()) -> Asked:
    """What was asked where this was found."""
    found = [m for run in runs for m in run.measurements]
    cases: dict[str, dict[str, None]] = {}
    for m in found:
        cases.setdefault(m.contract, {})[m.case] = None
    return Asked(
        cases={**{name: tuple(names) for name, names in cases.items()}, **dict.fromkeys(not_checked, ())},
        stacks=tuple(sorted({m.stack for m in found if not m.is_of_pair})) or STACKS,
        precisions=tuple(dict.fromkeys(m.precision for m in found)) or PRECISIONS,
        data="",
        sources="",
    )


def store(path: Path, runs: Sequence[ContractRun], not_checked: Sequence[NotChecked] = ()) -> None:
    """Write what was found."""
    environment = {"platform": "here", **{stack: f"{stack} 2" for stack in STACKS}}
    write_results(path, runs, environment, asked(runs, [one.contract for one in not_checked]), not_checked)


def cases_of(contract: str, number: int = 3) -> Iterator[str]:
    """Names of some of its cases."""
    return (f"{stratum.name}/{seed}" for seed, stratum in enumerate(REGISTRY[contract].strata[:number]))
