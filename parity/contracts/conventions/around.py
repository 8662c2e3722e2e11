"""A contract as a binding has it: conventions put round the oracle's function and round its vjp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from parity.contracts.contract import Contract
from parity.contracts.conventions.amplitudes import Handed, Lifted
from parity.contracts.conventions.constants import LeftOut
from parity.contracts.conventions.reductions import Reducing
from parity.physics.kinds import INTENSITY, Kind
from parity.physics.oracle.operations import values

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Conventional:
    """What is put round the oracle of `contract`, from the inside: a term left out, what a logarithm alone adds to its
    argument, what is handed over instead of a result and of arguments, and another reduction.
    """

    contract: Contract
    left_out: LeftOut | None
    in_logarithm: float
    handed: Mapping[str, Handed]
    reducing: Reducing | None

    def as_bound(self) -> Contract:
        """The contract with this round its oracle."""
        arguments = tuple(replace(a, kind=self._kind(a.name, a.kind)) for a in self.contract.arguments)
        results = [replace(r, kind=self._kind(r.name, r.kind)) for r in self.contract.results]
        if self.reducing:
            results[0] = self.reducing.result(results[0])
        return replace(self.contract, arguments=arguments, results=tuple(results), around=self)

    def _kind(self, name: str, kind: Kind) -> Kind:
        handed = self.handed.get(name)
        squared = isinstance(handed, Lifted) and handed.intensity
        return replace(kind, name=INTENSITY.name, unit=INTENSITY.unit) if squared else kind

    def oracle(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def function(**handed: Any) -> Any:
            arguments, sizes = self._arguments(handed), self._sizes(handed)
            results = list(self._results(own, arguments))
            if self.in_logarithm:
                results[0] = results[0] - self.in_logarithm * (sizes["C"] * sizes["H"] * sizes["W"])
            for place, result in enumerate(self.contract.results):
                if result.name in self.handed:
                    results[place] = self.handed[result.name].returned(results[place])
            if self.reducing:
                results[0] = self.reducing.returned(results[0], sizes)
            return tuple(results) if len(results) > 1 else results[0]

        return function

    def oracle_vjp(self, own: Callable[..., Any], vjp: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
        def function(*cotangents: Any, **handed: Any) -> tuple[Any, ...]:
            arguments, pulled = self._arguments(handed), list(cotangents)
            if self.reducing:
                pulled[0] = self.reducing.pulled(pulled[0], self._sizes(handed))
            changed = [place for place, result in enumerate(self.contract.results) if result.name in self.handed]
            results = self._results(own, arguments) if changed else ()
            for place in changed:
                pulled[place] = self.handed[self.contract.results[place].name].pulled(pulled[place], results[place])
            gradients = self._gradients(vjp, pulled, arguments)
            return tuple(
                self.handed[name].slope(gradient, handed[name]) if name in self.handed else gradient
                for name, gradient in gradients.items()
            )

        return function

    def _arguments(self, handed: Arguments) -> Arguments:
        return {name: self.handed[name].own(x) if name in self.handed else x for name, x in handed.items()}

    def _results(self, own: Callable[..., Any], arguments: Arguments) -> tuple[Any, ...]:
        returned = own(**{**arguments, **(self.left_out.flags if self.left_out else {})})
        results = returned if isinstance(returned, tuple) else (returned,)
        return (results[0] + self.left_out.addend(arguments), *results[1:]) if self.left_out else results

    def _gradients(self, vjp: Callable[..., Any], pulled: list[Any], arguments: Arguments) -> Mapping[str, Any]:
        flags = self.left_out.flags if self.left_out else {}
        gradients = [a.name for a in self.contract.differentiable]
        found = dict(zip(gradients, vjp(*pulled, **{**arguments, **flags}), strict=True))
        slopes = self.left_out.slopes(pulled[0], arguments) if self.left_out else {}
        return {name: gradient + slopes[name] if name in slopes else gradient for name, gradient in found.items()}

    def _sizes(self, handed: Arguments) -> Mapping[str, int]:
        """How long each axis of the arguments is."""
        return {
            axis: size
            for a in self.contract.arguments
            if not a.kind.static
            for axis, size in zip(a.kind.axes, values(handed[a.name]).shape, strict=True)
        }
