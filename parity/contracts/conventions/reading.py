"""Conventions as a binding states them, read strictly: whatever makes no sense is refused in a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from parity._ground.errors import UsageError
from parity.contracts.contract import Contract, did_you_mean
from parity.contracts.conventions.amplitudes import Handed, Lifted, Times
from parity.contracts.conventions.around import Conventional
from parity.contracts.conventions.constants import IN_LOGARITHM, LEFT_OUT, LeftOut
from parity.contracts.conventions.conventions import NONE, Conventions
from parity.contracts.conventions.edges import FRAMED, RULES
from parity.contracts.conventions.moves import Move
from parity.contracts.conventions.reductions import Reduced, Reducing, every_axis, misfits, own_of
from parity.physics.kinds import AMPLITUDE_UNIT, Kind

AMPLITUDE_OF, INTENSITY_OF, LOGARITHM_OF = "amplitude of ", "intensity of ", "logarithm of "
"""Where a small number is added."""


def read(stated: Mapping[str, Any], contract: Contract) -> Conventions:
    """The conventions that a binding of a contract states. Raises UsageError for what makes no sense there."""
    return _Reader(stated, contract).conventions() if stated else NONE


class _Reader:
    """Reads what one binding states of one contract."""

    def __init__(self, stated: Mapping[str, Any], contract: Contract) -> None:
        self._stated, self._contract = stated, contract
        self._kinds = contract.kinds
        self._words: list[str] = []

    def conventions(self) -> Conventions:
        for key in self._stated:
            if key not in KNOWN:
                raise UsageError(f"{self._contract.name}: unknown convention '{key}'{did_you_mean(key, KNOWN)}")
        handed, in_logarithm = self._handed()
        left_out, reducing, moved, edge = self._left_out(), self._reducing(), self._moved(), self._edge()
        around = Conventional(self._contract, left_out, in_logarithm, handed, reducing)
        changed = bool(left_out or in_logarithm or handed or reducing or edge)
        return Conventions(
            json.dumps(self._stated, sort_keys=True),
            tuple(self._words),
            around.as_bound() if changed else None,
            handed,
            reducing,
            moved,
            edge,
            not (left_out or in_logarithm or reducing or edge) and all(each.tells for each in handed.values()),
        )

    def _handed(self) -> tuple[Mapping[str, Handed], float]:
        """What is handed over instead of arguments and results, and what a logarithm alone adds."""
        intensities = self._names("intensity", _is_amplitude, "an amplitude")
        if intensities:
            self._words.append(f"{' and '.join(intensities)} as intensity")
        added = self._numbers("epsilon", self._places(), lambda number: number > 0, "a positive number")
        for place, number in added.items():
            self._words.append(f"{number:g} added to the {place}")
        in_logarithm = sum(number for place, number in added.items() if place.startswith(LOGARITHM_OF))
        amplitudes = dict.fromkeys([*intensities, *(place.rpartition(" ")[2] for place in added)])
        lifted: dict[str, Handed] = {
            name: Lifted(
                name in intensities,
                added.get(AMPLITUDE_OF + name, 0.0),
                added.get(INTENSITY_OF + name, 0.0) + added.get(LOGARITHM_OF + name, 0.0),
            )
            for name in amplitudes
        }
        lengths = [name for name, kind in self._kinds.items() if _is_length(kind)]
        units = self._numbers("unit", lengths, lambda number: number != 0, "a number other than 0")
        for name, factor in units.items():
            self._words.append(f"{name} times {factor:g}")
        return {**lifted, **{name: Times(factor) for name, factor in units.items()}}, in_logarithm

    def _places(self) -> list[str]:
        amplitudes = [name for name, kind in self._kinds.items() if _is_amplitude(kind)]
        within = [LOGARITHM_OF + name for name in IN_LOGARITHM.get(self._contract.name, ())]
        return [place + name for name in amplitudes for place in (AMPLITUDE_OF, INTENSITY_OF)] + within

    def _left_out(self) -> LeftOut | None:
        known = LEFT_OUT.get(self._contract.name, {})
        found = known.get(self._text("dropped", known))
        if found:
            self._words.append(found.words)
        return found

    def _reducing(self) -> Reducing | None:
        text = self._text("reduction")
        if not text:
            return None
        contract = self._contract
        if len(contract.results) > 1 or not every_axis(contract):
            self._refuse(
                "reduction", "expected a contract of one result that is a number for each element, or a sum or a mean"
            )
        try:
            other = Reduced.parse(text, every_axis(contract))
        except ValueError:
            self._refuse("reduction", f"expected mean or sum, alone or before axes such as 'sum HW', got '{text}'")
        for misfit in misfits(contract, other):
            self._refuse("reduction", misfit)
        own = own_of(contract)
        self._words.append(f"{other.words} for {own.words if own.axes else 'each element'}")
        return Reducing(contract.results[0].kind.axes, own, other)

    def _moved(self) -> Mapping[str, tuple[Move, ...]]:
        moved: dict[str, tuple[Move, ...]] = {}
        for move, what in _MOVED.items():
            for name in self._names(move, move.suits, what):
                self._words.append(f"{name} {move.words}")
                moved[name] = (*moved.get(name, ()), move)
        return moved

    def _edge(self) -> str:
        if "edge" in self._stated and self._contract.name not in FRAMED:
            self._refuse("edge", f"expected one of {', '.join(FRAMED)}, whose results see the edge of a frame")
        rule = self._text("edge", RULES)
        if rule:
            self._words.append(f"edges {rule}, and what they touch is not judged")
        return rule

    def _names(self, key: str, suits: Callable[[Kind], bool], what: str) -> list[str]:
        """Names of arguments and results of kinds that suit."""
        names = self._stated.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._refuse(key, f"expected names of arguments and results, got {names!r}")
        for name in names:
            if name not in self._kinds:
                self._refuse(key, f"unknown argument or result '{name}'{did_you_mean(name, self._kinds)}")
            if not suits(self._kinds[name]):
                self._refuse(key, f"expected {what}, got {name}: {self._kinds[name].name}")
        return names

    def _numbers(
        self, key: str, known: Iterable[str], suits: Callable[[float], bool], what: str
    ) -> Mapping[str, float]:
        """Numbers by place."""
        stated = self._stated.get(key, {})
        if not isinstance(stated, dict):
            self._refuse(key, f"expected numbers by place, got {stated!r}")
        for place, number in stated.items():
            if place not in known:
                self._refuse(key, f"unknown place '{place}'{_near(place, known)}")
            is_number = isinstance(number, int | float) and not isinstance(number, bool)
            if not is_number or not math.isfinite(number) or not suits(number):
                self._refuse(key, f"expected {what} for {place}, got {number!r}")
        return {place: float(number) for place, number in stated.items()}

    def _text(self, key: str, known: Iterable[str] | None = None) -> str:
        text = self._stated.get(key, "")
        if not isinstance(text, str):
            self._refuse(key, f"expected a text, got {text!r}")
        if text and known is not None and text not in known:
            self._refuse(key, f"unknown value '{text}'{_near(text, known)}")
        return text

    def _refuse(self, key: str, said: str) -> NoReturn:
        raise UsageError(f"{self._contract.name}: {key}: {said}")


def _near(given: str, known: Iterable[str]) -> str:
    """The nearest of what a contract has, if it has any."""
    return did_you_mean(given, known) if [*known] else "; this contract has none"


def _is_amplitude(kind: Kind) -> bool:
    return kind.unit == AMPLITUDE_UNIT


def _is_length(kind: Kind) -> bool:
    return kind.unit.startswith("pixels") and not kind.static


_MOVED: Mapping[Move, str] = {
    Move.CORNER: "what has rows and columns",
    Move.ROW_COLUMN: "positions",
    Move.NEGATED: "what may have either sign",
}

KNOWN = ("intensity", "epsilon", "reduction", "dropped", "unit", "edge", *map(str, Move))
"""What a binding can state."""
