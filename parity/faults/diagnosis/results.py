"""Explanations with a parameter that is read off what came: a factor, a constant, a shift, a limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from parity.contracts.contract import Contract
from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.diagnosis.explanation import Explanation, Fit
from parity.faults.diagnosis.parameters import Array, Elementwise, clearest, finite, number
from parity.judging.quantity import Quantity, gradient_of
from parity.physics.kinds import BIAS, KERNEL

FACTOR = "the result is off by a constant factor"
CONSTANT = "a constant is added to the result"
ROLLED = "the result is rolled by whole pixels"
LIMITED = "the result is limited to a range"
LIFTED = "a constant is added under the root"


def fits_of_results(contract: Contract) -> Iterator[Fit]:
    """What may have become of the results."""
    yield from map(_of_results, (_factor, _constant))
    if any(result.kind.nonnegative for result in contract.results):
        yield _of_results(_lifted)
    yield from map(_of_results, (_rolled, _limited))


def fits_of_gradients(contract: Contract) -> Iterator[Fit]:
    """What may have become of one gradient, where the results are right."""
    for argument in contract.differentiable:
        if argument.kind not in (KERNEL, BIAS) or len(contract.differentiable) <= _FEW:
            yield partial(_gradient_factor, gradient_of(argument.name))


_FEW = 5
"""Arguments with gradients; of a network's dozens, each is only ever detached."""


def _of_results(fit: Fit) -> Fit:
    """A fit that is tried only where every exhibit has a wrong result."""

    def fitted(exhibits: Sequence[Exhibit]) -> Explanation | None:
        return fit(exhibits) if all(set(exhibit.wrong) & set(exhibit.results) for exhibit in exhibits) else None

    return fitted


def _is_enough(exhibits: Sequence[Exhibit], quantity: Quantity) -> bool:
    """Whether there are more numbers than the one that is fitted."""
    return sum(exhibit.right[quantity].size for exhibit in exhibits) > 1


def _ratio(exhibit: Exhibit, quantity: Quantity) -> complex | None:
    """The factor from what is right to what came."""
    right, got = finite(exhibit, quantity)
    power = float(np.sum(np.abs(right) ** 2))
    if not power or not math.isfinite(power):
        return None
    return complex(np.sum(np.conj(right) * got) / power)


def _factor(exhibits: Sequence[Exhibit]) -> Explanation | None:
    exhibit, quantity = clearest(exhibits)
    factor = _ratio(exhibit, quantity)
    if factor is None or factor in (0, 1) or not _is_enough(exhibits, quantity):
        return None
    wrong = [name for name in exhibit.results if any(name in other.wrong for other in exhibits)]
    subject = "every result" if len(wrong) > 1 else _subject(exhibit, quantity)
    detail = f"{subject} is {number(factor)} times what it should be"
    return _changing(FACTOR, detail, wrong or [quantity], lambda right: right * _like(factor, right))


def _gradient_factor(quantity: Quantity, exhibits: Sequence[Exhibit]) -> Explanation | None:
    if exhibits[0].wrong != (quantity,) or not _is_enough(exhibits, quantity):
        return None
    factor = _ratio(clearest(exhibits)[0], quantity)
    if factor is None or factor in (0, 1):
        return None
    detail = f"the gradient of {quantity.name} is {number(factor)} times what it should be"
    cause = f"the gradient of {quantity.name} is off by a constant factor"
    return _changing(cause, detail, [quantity], lambda right: right * _like(factor, right))


def _constant(exhibits: Sequence[Exhibit]) -> Explanation | None:
    exhibit, quantity = clearest(exhibits)
    right, got = finite(exhibit, quantity)
    if not right.size or not _is_enough(exhibits, quantity):
        return None
    constant = complex(np.median(np.real(got - right)), np.median(np.imag(got - right)))
    detail = f"{number(constant)} is added to {_subject(exhibit, quantity)}"
    return _changing(CONSTANT, detail, [quantity], lambda right: right + _like(constant, right)) if constant else None


def _lifted(exhibits: Sequence[Exhibit]) -> Explanation | None:
    exhibit, quantity = clearest(exhibits)
    right, got = finite(exhibit, quantity)
    if not right.size or np.iscomplexobj(right) or not _is_enough(exhibits, quantity):
        return None
    least = int(np.argmin(right))
    epsilon = float(got[least] ** 2 - right[least] ** 2)
    detail = f"{number(epsilon)} is added to the square of {_subject(exhibit, quantity)}"
    return _changing(LIFTED, detail, [quantity], lambda right: np.sqrt(np.maximum(right**2 + epsilon, 0)))


def _rolled(exhibits: Sequence[Exhibit]) -> Explanation | None:
    exhibit, quantity = clearest(exhibits)
    right, got = exhibit.right[quantity], exhibit.got[quantity]
    if right.ndim < 2 or min(right.shape[-2:]) < 2 or not (np.isfinite(right).all() and np.isfinite(got).all()):
        return None
    spectrum = np.sum(np.fft.fft2(got) * np.conj(np.fft.fft2(right)), axis=tuple(range(right.ndim - 2)))
    peak = np.unravel_index(int(np.argmax(np.abs(np.fft.ifft2(spectrum)))), right.shape[-2:])
    shift = tuple(int(p) - n if p > n // 2 else int(p) for p, n in zip(peak, right.shape[-2:], strict=True))
    detail = f"{_subject(exhibit, quantity)} is rolled by {shift[0]} rows and {shift[1]} columns"
    return (
        _changing(ROLLED, detail, [quantity], lambda right: np.roll(right, shift, axis=(-2, -1)))
        if any(shift)
        else None
    )


def _limited(exhibits: Sequence[Exhibit]) -> Explanation | None:
    """The limits are the extremes that came, in all exhibits."""
    exhibit, quantity = clearest(exhibits)
    pairs = [finite(e, quantity) for e in exhibits if quantity in e.wrong]
    if any(np.iscomplexobj(right) or not right.size for right, _ in pairs):
        return None
    lows, highs = ({float(end(got)) for _, got in pairs} for end in (np.min, np.max))
    low, high = (ends.pop() if len(ends) == 1 else None for ends in (lows, highs))
    below = low is not None and all((right < low).any() for right, _ in pairs)
    above = high is not None and all((right > high).any() for right, _ in pairs)
    if not (below or above):
        return None
    limits = " and ".join([f"at least {low:.6g}" for _ in "b" if below] + [f"at most {high:.6g}" for _ in "a" if above])
    detail = f"{_subject(exhibit, quantity)} is kept {limits}"
    return _changing(
        LIMITED, detail, [quantity], lambda right: np.clip(right, low if below else None, high if above else None)
    )


def _changing(cause: str, detail: str, quantities: Sequence[Quantity], change: Elementwise) -> Explanation:
    """Some quantities of every exhibit are changed."""
    return Explanation(cause, lambda exhibit: {name: change(exhibit.right[name]) for name in quantities}, detail)


def _like(value: complex, array: Array) -> Any:
    return value if np.iscomplexobj(array) else value.real


def _subject(exhibit: Exhibit, quantity: Quantity) -> str:
    return "the result" if len(exhibit.results) == 1 else f"the result {quantity}"
