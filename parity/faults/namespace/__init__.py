"""The array namespaces that faults are made in; a framework is imported when it is used, and never unasked."""

from __future__ import annotations

from functools import cache

from parity._ground.errors import UsageError
from parity.contracts.contract import did_you_mean
from parity.contracts.namespace import Namespace
from parity.faults.namespace.numpy import NumPyNamespace
from parity.faults.namespace.tensorflow import TensorFlowNamespace
from parity.faults.namespace.torch import TorchNamespace

NUMPY = NumPyNamespace()

_OF_STACKS: dict[str, type[Namespace]] = {space.name: space for space in (TensorFlowNamespace, TorchNamespace)}


@cache
def namespace_of(stack: str) -> Namespace:
    """The array namespace of a stack, its framework imported. UsageError for an unknown stack."""
    if stack not in _OF_STACKS:
        raise UsageError(f"unknown stack '{stack}'{did_you_mean(stack, _OF_STACKS)}")
    return _OF_STACKS[stack]()
