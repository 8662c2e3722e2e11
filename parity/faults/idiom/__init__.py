"""The two idioms that defects are written in, found when they are used and never imported unasked."""

from __future__ import annotations

from functools import cache

from parity.contracts.contract import UsageError, did_you_mean
from parity.faults.idiom.base import GROUP, PLANE, Idiom, Tensor
from parity.faults.idiom.tensorflow import TensorFlowIdiom
from parity.faults.idiom.torch import TorchIdiom

__all__ = ["GROUP", "PLANE", "Idiom", "Tensor", "idiom_of"]

_IDIOMS: dict[str, type[Idiom]] = {TensorFlowIdiom.name: TensorFlowIdiom, TorchIdiom.name: TorchIdiom}


@cache
def idiom_of(stack: str) -> Idiom:
    """The idiom of a stack, its framework imported. UsageError for an unknown stack."""
    if stack not in _IDIOMS:
        raise UsageError(f"unknown stack '{stack}'{did_you_mean(stack, _IDIOMS)}")
    return _IDIOMS[stack]()
