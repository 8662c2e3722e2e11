"""A stack's function and its gradients on tensors that are ready: the cost that no harness can avoid.

Written as a user of the stack would, without the adapters. `parity.bench` holds the harness against it; no verdict
rests on it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contract import Contract
from parity.frameworks.tensorflow import TensorFlow
from parity.frameworks.torch import Torch

Arrays = Mapping[str, NDArray[Any]]
Call = Callable[[], tuple[list[Any], list[Any]]]
"""Results, and the gradients of the differentiable arguments, as tensors."""

BareCall = Callable[[Arrays, Arrays], Call]
"""From canonical inputs and cotangents, in the working precision, to a call; without cotangents, no gradients."""


def bare_torch(contract: Contract) -> BareCall:
    """The PyTorch function and `autograd.grad`."""
    import torch

    function = _function(Torch.package, contract)

    def ready(inputs: Arrays, cotangents: Arrays) -> Call:
        tensors = {
            a.name: inputs[a.name].item() if a.kind.static else torch.from_numpy(np.array(inputs[a.name]))
            for a in contract.arguments
        }
        weights = [torch.from_numpy(cotangent) for cotangent in cotangents.values()]
        watched = [tensors[a.name].requires_grad_(True) for a in contract.differentiable] if weights else []

        def call() -> tuple[list[Any], list[Any]]:
            results = _as_list(function(**tensors))
            return results, list(torch.autograd.grad(results, watched, weights, allow_unused=True)) if weights else []

        return call

    return ready


def bare_tensorflow(contract: Contract) -> BareCall:
    """The TensorFlow function and `GradientTape.gradient`, traced for open dimensions."""
    import tensorflow as tf

    function = _function(TensorFlow.package, contract)
    traces: dict[tuple[object, ...], Callable[..., Any]] = {}

    def step(flags: Mapping[str, Any], tensors: Mapping[str, Any], weights: list[Any]) -> tuple[list[Any], list[Any]]:
        if not weights:
            return _as_list(function(**tensors, **flags)), []
        watched = [tensors[a.name] for a in contract.differentiable]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            results = _as_list(function(**tensors, **flags))
        return results, tape.gradient(results, watched, output_gradients=weights)

    def ready(inputs: Arrays, cotangents: Arrays) -> Call:
        flags = {a.name: inputs[a.name].item() for a in contract.arguments if a.kind.is_flag}
        tensors = {
            a.name: tf.constant(a.kind.to_framework(TensorFlow.name, _narrow(inputs[a.name], a.kind.static)))
            for a in contract.arguments
            if not a.kind.is_flag
        }
        weights = [
            tf.constant(r.kind.to_framework(TensorFlow.name, cotangents[r.name]))
            for r in contract.results
            if cotangents
        ]
        key = (*flags.values(), *(tensor.dtype for tensor in tensors.values()), bool(weights))
        if key not in traces:
            signature = tf.nest.map_structure(
                lambda t: tf.TensorSpec([None] * t.shape.rank, t.dtype), [tensors, weights]
            )
            traces[key] = tf.function(partial(step, flags), input_signature=signature, autograph=False)
        return partial(traces[key], tensors, weights)

    return ready


BARE_CALLS: Mapping[str, Callable[[Contract], BareCall]] = {Torch.name: bare_torch, TensorFlow.name: bare_tensorflow}


def _function(package: str, contract: Contract) -> Callable[..., Any]:
    module = importlib.import_module(f"{package}.{contract.module}")
    function: Callable[..., Any] = getattr(module, contract.function)
    return function


def _narrow(array: NDArray[Any], static: bool) -> NDArray[Any]:
    """Sizes are 32-bit in TensorFlow."""
    return array.astype(np.int32) if static else array


def _as_list(returned: Any) -> list[Any]:
    return list(returned) if isinstance(returned, tuple) else [returned]
