"""A program of its own, `python -I figures.py FOLDER FILE`: what the harness in a folder computes of fixed cases.

No framework is imported. `parity.gate.check.loosening` runs it on the tree at hand and on that of the base, and
compares: whatever was loosened in the oracle, its bounds, the cases, the layouts, the laws or the judge differs there,
in whatever form it was written. FILE is an archive of arrays; `names` in it has the name of each, as JSON.
"""

from __future__ import annotations

import json
import runpy
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from parity.contracts.cases.case import Case
    from parity.contracts.contract import Contract, Inputs
    from parity.contracts.conventions import Conventions
    from parity.physics.oracle.bounded import Bounded
    from parity.physics.precision import Precision


class Name(NamedTuple):
    """What an array is: of which contract, in which case and circumstances, of which quantity, and which part of it."""

    contract: str
    where: str
    what: str
    part: str


INPUT, VALUE, ALLOWED, ROUNDING, EXACT = "input", "value", "allowed", "rounding", "exact"
"""The parts. `ROUNDING` is how far another correct evaluation in float64 may be from the value."""

Figure = tuple[Name, NDArray[Any]]

_SIDES = (2, 3, 4, 5, 6)
"""Of an array whose layout is looked at: as many as a kind has axes, all different."""


def figures() -> Iterator[Figure]:
    """All of it."""
    from parity.contracts.cases.case import precisions_of, sweep
    from parity.contracts.cases.profiles import PROFILES
    from parity.contracts.declared import REGISTRY
    from parity.physics.precision import FLOAT32, FLOAT64

    for contract in REGISTRY.values():
        yield from _layouts(contract)
        for number, case in enumerate(sweep(contract, PROFILES["ci"].examples)):
            inputs = case.inputs()
            for name, array in inputs.items():
                yield Name(contract.name, case.name, name, INPUT), array
            for precision in precisions_of(inputs, (FLOAT32, FLOAT64)):
                yield from _expected(case, inputs, precision)
            if number >= len(contract.strata):
                continue
            if contract.facts:
                yield from _laws(case, inputs, FLOAT64)
            yield from _domains(case, inputs)
            if not number and not contract.stages:
                yield from _conventions(case, inputs, FLOAT64)


def _bounded(contract: str, where: str, what: str, bounded: Bounded) -> Iterator[Figure]:
    from parity.physics.precision import FLOAT64

    def named(part: str) -> Name:
        return Name(contract, where, what, part)

    yield named(VALUE), bounded.value
    yield named(ALLOWED), np.broadcast_to(bounded.allowed, bounded.shape)
    yield named(ROUNDING), 4 * FLOAT64.unit_roundoff * bounded.error + FLOAT64.smallest_normal


def _expected(case: Case, inputs: Inputs, precision: Precision) -> Iterator[Figure]:
    """What stacks are held to, which elements of it are not judged, and the scale of a common gain."""
    from parity.judging.truth import Truth

    truth, where = Truth.of(case, inputs, precision), f"{case.name} in {precision.name}"
    for quantity, bounded in truth.quantities.items():
        yield from _bounded(case.contract.name, where, quantity.text, bounded)
    for quantity, mask in truth.unjudged.items():
        yield Name(case.contract.name, where, f"what is not judged of {quantity.text}", EXACT), mask
    for quantity, seen in truth.witness.items():
        yield from _witnessed(case.contract.name, where, quantity.text, seen)


def _witnessed(contract: str, where: str, what: str, seen: NDArray[Any]) -> Iterator[Figure]:
    """The witness is as good as float32; a worse one would let a stack be as bad."""
    from parity.physics.precision import FLOAT32

    wide = np.asarray(seen, np.complex128 if np.iscomplexobj(seen) else np.float64)
    yield Name(contract, where, f"the witness of {what}", VALUE), wide
    scale = np.max(np.abs(wide), initial=0.0, where=np.isfinite(wide))
    yield (
        Name(contract, where, f"the witness of {what}", ROUNDING),
        np.full(wide.shape, 2**6 * FLOAT32.unit_roundoff * scale),
    )


class _WrongStack:
    """What is as wrong as can be in the place of a stack: of what is right, any law and none say the same."""

    def evaluate(self, contract: Contract, inputs: Inputs, precision: Precision, cotangents: Any = None) -> Any:
        from parity.judging.expectation import bounded_gradients, bounded_values
        from parity.stacks.base import Evaluation

        values = bounded_values(contract, inputs, precision)
        gradients = bounded_gradients(contract, inputs, cotangents, precision) if cotangents else {}
        return Evaluation(_wrong(values, precision), _wrong(gradients, precision))


def _wrong(found: Mapping[str, Bounded], precision: Precision) -> dict[str, NDArray[Any]]:
    return {name: precision.round(1 - bounded.value) for name, bounded in found.items()}


def _laws(case: Case, inputs: Inputs, precision: Precision) -> Iterator[Figure]:
    from parity.judging.laws import StackTrial

    for fact in case.contract.facts:
        if fact.applies(inputs):
            stack: Any = _WrongStack()
            law = fact.law(StackTrial(case.contract, inputs, stack, precision))
            for side, bounded in (("left", law.left), ("right", law.right)):
                yield from _bounded(case.contract.name, case.name, f"the {side} side of '{fact.statement}'", bounded)
            name = Name(case.contract.name, case.name, f"the comparison of '{fact.statement}'", EXACT)
            yield name, np.array(law.at_least)


def _layouts(contract: Contract) -> Iterator[Figure]:
    """Where the frameworks have each axis, and that it comes back."""
    for name, kind in contract.kinds.items():
        array = np.arange(np.prod(_SIDES[: len(kind.axes)], dtype=int)).reshape(_SIDES[: len(kind.axes)])
        for framework in ("tensorflow", "torch"):
            there = kind.to_framework(framework, array)
            yield Name(contract.name, "", f"the layout of {name} in {framework}", EXACT), there
            back = kind.from_framework(framework, there)
            yield Name(contract.name, "", f"the layout of {name} from {framework}", EXACT), back


def _domains(case: Case, inputs: Inputs) -> Iterator[Figure]:
    """Whether the case lies outside what a subject might claim."""
    from parity.contracts.cases.domain import Domain

    domains = (Domain(), Domain(square=True), Domain(even=True), Domain(modes=(1,)), Domain(batch=1))
    outside = [bool(domain.why_outside(case.contract, inputs)) for domain in domains]
    yield Name(case.contract.name, case.name, "what lies outside a domain", EXACT), np.array(outside)


def _conventions(case: Case, inputs: Inputs, precision: Precision) -> Iterator[Figure]:
    """What is expected of a subject that has the contract in other terms, and what of it is not judged."""
    from parity.contracts.conventions.reading import read

    for stated in _statements(case.contract):
        try:
            found = list(_in_terms(case, inputs, precision, read(stated, case.contract)))
        except Exception:
            continue
        yield from found


def _statements(contract: Contract) -> Iterator[dict[str, Any]]:
    for name in contract.kinds:
        yield from ({key: [name]} for key in ("intensity", "corner", "row_column", "negated"))
        yield {"unit": {name: 1e-9}}
        yield from ({"epsilon": {f"{place} of {name}": 1e-6}} for place in ("amplitude", "intensity"))
    yield from ({"reduction": reduction} for reduction in ("sum", "mean"))
    yield from ({"edge": edge} for edge in ("repeat", "periodic"))


def _in_terms(case: Case, inputs: Inputs, precision: Precision, terms: Conventions) -> Iterator[Figure]:
    from parity.judging.expectation import bounded_values
    from parity.judging.terms import expected

    contract, where = case.contract, f"{case.name} with {'; '.join(terms.words)}"
    for name, array in terms.to_stack(contract, inputs).items():
        yield Name(contract.name, where, name, INPUT), array
    if terms.contract is not None:
        values = {name: bounded.value for name, bounded in bounded_values(contract, inputs, precision).items()}
        found = expected(contract, terms, inputs, case.cotangents(values), precision)
        for quantity, bounded in found.quantities.items():
            yield from _bounded(contract.name, where, quantity.text, bounded)
        for quantity, mask in found.unjudged.items():
            yield Name(contract.name, where, f"what is not judged of {quantity.text}", EXACT), mask


def store(file: str, found: Iterator[Figure], noticed: dict[str, bool]) -> None:
    """Write the archive as the figures come: arrays by number, then their names and what the judge notices."""
    names = []
    with zipfile.ZipFile(file, "w") as archive:

        def write(name: str, array: NDArray[Any]) -> None:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)

        for number, (name, array) in enumerate(found):
            names.append(name)
            write(str(number), np.asarray(array))
        write("names", np.array(json.dumps({"names": names, "noticed": noticed})))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    np.seterr(all="ignore")
    # What lies beside this file, whichever of the two harnesses it is about.
    store(sys.argv[2], figures(), runpy.run_path(str(Path(__file__).with_name("noticing.py")))["noticed"]())
