"""Intermediates that are narrower than the working precision: a fact about a stack, read off what it computes.

PyTorch is watched while it dispatches; of TensorFlow a trace is made and read, not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parity.contracts.contract import Contract, Entry, Inputs
from parity.physics.precision import FLOAT64, Precision
from parity.stacks.base import Call, Cotangents, Framework, StackError, stack_at_work

_HALF = ("float16", "bfloat16")
_SINGLE = ("float32", "complex64")
_REAL_OF = {"complex64": "float32", "complex32": "float16"}


@dataclass(frozen=True, slots=True)
class Intermediate:
    """What an operation of a stack returned: its dtype, of complex numbers that of their parts, and the operation."""

    dtype: str
    operation: str


def narrow_intermediates(
    framework: Framework,
    contract: Contract,
    inputs: Inputs,
    precision: Precision,
    cotangents: Cotangents | None = None,
    entry: Entry | None = None,
) -> tuple[Intermediate, ...]:
    """The intermediates that hold fewer digits than `precision`, in order, the first of each dtype.

    None where the stack raises, or makes what cannot be traced: then nothing is known of them.
    """
    narrower = (*_HALF, "complex32", *(_SINGLE if precision is FLOAT64 else ()))
    watched = framework.in_mode("eager")
    found: dict[str, Intermediate] = {}
    try:
        call = watched.ready(contract, inputs, precision, cotangents, entry)
        for dtype, operation in _OPERATIONS[framework.stack.framework](call):
            if dtype in narrower:
                named = _REAL_OF.get(dtype, dtype)
                found.setdefault(named, Intermediate(named, operation))
    except StackError:
        return ()
    return tuple(found.values())


def _of_torch(call: Call) -> Iterator[tuple[str, str]]:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    seen: list[tuple[str, str]] = []

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            returned = operation(*args, **(kwargs or {}))
            for tensor in tree_leaves(returned):
                if isinstance(tensor, torch.Tensor) and tensor.numel():
                    seen.append((str(tensor.dtype).removeprefix("torch."), operation.__name__.split(".")[0]))
            return returned

    with Watch():  # type: ignore[no-untyped-call]
        call()
    yield from seen


def _of_tensorflow(call: Call) -> Iterator[tuple[str, str]]:
    import tensorflow

    def results_and_gradients() -> list[object]:
        results, gradients = call()
        return [*results, *(gradient for gradient in gradients if gradient is not None)]

    with stack_at_work():  # variables that the stack makes may not be lifted out of the trace
        graph = tensorflow.function(results_and_gradients, autograph=False).get_concrete_function().graph
    for operation in graph.get_operations():
        for output in operation.outputs:
            if output.shape.num_elements() != 0:
                yield output.dtype.name, operation.type


_OPERATIONS = {"torch": _of_torch, "tensorflow": _of_tensorflow}
