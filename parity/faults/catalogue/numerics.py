"""Gain errors: every result of every contract, off by a constant factor that is nearly one.

In float64 one example shows each. In float32 one shows the largest, as a rule, and many together the one in a million;
the smallest is lost there, for 1 + 10⁻¹² is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from parity.contracts.changes import Arguments, Change, returning
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace
from parity.faults.generated import generated_faults
from parity.physics.kinds import Numbers

GAINS: Mapping[float, str] = MappingProxyType(
    {
        1e-3: "any input",
        1e-6: "one example in float64, or some in float32 together",
        1e-12: "float64",
    }
)
"""Relative gain errors, and what it takes to see each."""


def _gained(relative: float) -> Change:
    def gained(xp: Namespace, result: Any, _: Arguments) -> Any:
        return tuple(xp.gain(x, relative) for x in result) if isinstance(result, tuple) else xp.gain(result, relative)

    return returning(gained)


def _has_a_scale(contract: Contract) -> bool:
    """Whether the results are real or complex numbers, of which a factor can be off."""
    return all(result.kind.numbers in (Numbers.REAL, Numbers.COMPLEX) for result in contract.results)


def _diagnosis(contract: Contract, relative: float) -> tuple[str, ...]:
    exact = f"10{_RAISED[relative]} of itself too large"
    named = [fault.what for fault in generated_faults(contract).values() if fault.what.endswith(exact)]
    return ("the result is off by a constant factor", *named)


_RAISED = {1e-3: "⁻³", 1e-6: "⁻⁶", 1e-12: "⁻¹²"}

FAULTS: tuple[Fault, ...] = tuple(
    Fault(
        target=contract.name,
        name=f"gain-{relative:.0e}".replace("e-0", "e-"),
        what=f"the result is 10{_RAISED[relative]} of itself too large",
        change=_gained(relative),
        shows=shows,
        diagnosis=_diagnosis(contract, relative),
        generic=True,
    )
    for contract in REGISTRY.values()
    if _has_a_scale(contract)
    for relative, shows in GAINS.items()
)
