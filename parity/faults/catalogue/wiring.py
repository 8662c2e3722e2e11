"""What rows are written with whose stack puts right functions together wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from parity._ground.repository import import_stack
from parity.contracts.changes import Arguments, Change, Kinds, giving
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.layout import kinds_at


def own(xp: Namespace, address: str) -> Callable[..., Tensor]:
    """The stack's function at `file.function`, or the oracle's, on canonical tensors by name; it has one result.

    It is looked up when it is called for: a change of the function itself would find the change.
    """
    module, name = address.split(".")
    function = getattr(import_stack(f"{xp.package}.{module}"), name)
    kinds = kinds_at(address)

    def called(**canonical: Any) -> Tensor:
        arguments = {
            name: xp.laid_out(kinds.arguments[name], x) if name in kinds.arguments else x
            for name, x in canonical.items()
        }
        return xp.canonical(kinds.results[0], function(**arguments))

    return called


def within(target: str, faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults of one contract's function, made in it where another's calls it."""
    return tuple(replace(fault, target=target, at=fault.at or fault.target) for fault in faults)


def exchanged(one: str, other: str) -> Change:
    """Two arguments in each other's place."""
    return giving(lambda xp, a: {one: getattr(a, other), other: getattr(a, one)})


def first_kept(argument: str) -> Change:
    """The value that an argument has in the first call is used in every later one; for code that is not traced."""

    def change(xp: Namespace, right: Any, kinds: Kinds) -> Any:
        kept: dict[str, Tensor] = {}

        def of_first_call(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
            x = getattr(a, argument)
            return {argument: xp.cast_like(kept.setdefault(argument, xp.detach(x)), x)}

        return giving(of_first_call)(xp, right, kinds)

    return change


def some(a: Arguments, *names: str) -> dict[str, Any]:
    """Some of a function's arguments, by name."""
    return {name: getattr(a, name) for name in names}


def counted(xp: Namespace, predicted: Tensor, a: Arguments) -> Tensor:
    """What the NLL of a training is of: the observation, where it is finite, if it has weight 0."""
    return xp.where(a.nll_weight == 0, a.observed, predicted)


def merged(xp: Namespace, a: Arguments, sign: float = 1.0) -> Tensor:
    """The patches of the merged object, read off it where they were put or, with the other sign, opposite to that."""
    of = "probe" if a.weighting == "probe" else "patches"
    weight = own(xp, f"patches.{a.weighting}_weight")(**some(a, of))
    canvas = own(xp, "patches.reassemble_patches")(**some(a, "patches", "positions", "rows", "columns"), weight=weight)
    rows, columns = xp.shape(a.patches)[-2:]
    return own(xp, "patches.extract_patches")(canvas=canvas, positions=sign * a.positions, rows=rows, columns=columns)
