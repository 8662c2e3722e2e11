"""Which cases of a contract to freeze: few, small, and together as sharp as all its strata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parity.contracts.cases.case import Case, forced
from parity.contracts.contract import Contract
from parity.faults.recognition import own_faults
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import freeze, golden_inputs
from parity.goldens.record import Golden
from parity.physics.precision import FLOAT32, FLOAT64, Precision

PREFERRED_BYTES = 400_000
"""Of a golden that is chosen, not asked for, unless all are larger: a twentieth of what all together may take."""

FURTHER_SEEDS = (1, 2, 3)
"""Of each stratum: where to look for what its first case does not tell."""

_OVERHEAD = 400
"""Bytes of the file beside each array: its header, and twice its name."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case in a precision, the bytes that its golden would take, and the faults that it tells from the truth."""

    case: Case
    precision: Precision
    size: int
    told: frozenset[str]


def choose(contract: Contract) -> tuple[Candidate, ...]:
    """The cases of a contract to freeze.

    Together they tell every fault that the first case of any stratum tells in float32. Where that leaves out one of
    the function's own faults, further seeds are tried for it, and then float64. Raises GoldenError for a contract
    none of whose cases tells any fault.
    """
    chosen = _fewest(_small(_candidates(forced(contract), FLOAT32)), frozenset())
    own = frozenset(fault.what for fault in own_faults(contract))
    for pool in _pools(contract):
        untold = own - _told(chosen)
        if not untold:
            break
        chosen += _fewest(_small(pool()), own - untold, only=untold)
    if not chosen:
        raise GoldenError(f"{contract.name}: expected a case that tells some fault from the truth, got none")
    return tuple(_without_the_needless(chosen))


def _pools(contract: Contract) -> tuple[Callable[[], Iterator[Candidate]], ...]:
    """Where else to look, in order; each is evaluated when it is asked."""
    further = [Case(contract, case.stratum, seed) for case in forced(contract) for seed in FURTHER_SEEDS]
    return lambda: _candidates(further, FLOAT32), lambda: _candidates(forced(contract), FLOAT64)


def _fewest(
    candidates: Sequence[Candidate], told: frozenset[str], only: frozenset[str] | None = None
) -> list[Candidate]:
    """Always the candidate that tells most more faults (`only` these count) a byte, until none tells any more."""
    chosen: list[Candidate] = []
    while True:
        gains = [(_more(candidate, told, only) / candidate.size, candidate) for candidate in candidates]
        gain, best = max(gains, key=lambda pair: pair[0], default=(0.0, None))
        if best is None or not gain:
            return chosen
        chosen.append(best)
        told |= best.told


def _more(candidate: Candidate, told: frozenset[str], only: frozenset[str] | None) -> int:
    found = candidate.told - told
    return len(found if only is None else found & only)


def _without_the_needless(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Leave out, largest first, whatever tells nothing that the others do not."""
    kept = list(chosen)
    for candidate in sorted(chosen, key=lambda c: -c.size):
        rest = [other for other in kept if other is not candidate]
        if candidate.told <= _told(rest):
            kept = rest
    return kept


def _small(candidates: Iterable[Candidate]) -> list[Candidate]:
    every = sorted(candidates, key=lambda candidate: candidate.size)
    return [candidate for candidate in every if candidate.size <= PREFERRED_BYTES] or every[:1]


def _candidates(cases: Iterable[Case], wanted: Precision) -> Iterator[Candidate]:
    """All that tell a fault, but for those of which some element cannot be judged."""
    for case in cases:
        inputs, cotangents, precision = golden_inputs(case, wanted)
        try:
            golden = freeze(case.contract, case.stratum.name, case.seed, precision, inputs, cotangents, ()).golden
        except GoldenError:
            continue
        if all(np.isfinite(bound).all() for bound in golden.bounds.values()):
            yield Candidate(case, precision, _size(golden), frozenset(golden.proof))


def _size(golden: Golden) -> int:
    """In bytes, with the outputs of both stacks: together as large as the oracle's, or twice that in float64."""
    parts = (golden.inputs.values(), golden.cotangents.values(), golden.oracle.values(), golden.bounds.values())
    stored = sum(array.nbytes for part in parts for array in part)
    outputs = sum(array.nbytes for array in golden.oracle.values()) * (1 if golden.precision is FLOAT32 else 2)
    arrays = sum(len(part) for part in parts) + 2 * len(golden.oracle)
    return stored + outputs + arrays * _OVERHEAD


def _told(candidates: Iterable[Candidate]) -> frozenset[str]:
    return frozenset().union(*(candidate.told for candidate in candidates))
