"""TensorFlow behind canonical arrays: eager, traced once for open dimensions, or compiled by XLA."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.environment import prepare_environment
from parity._ground.errors import UsageError
from parity.contracts.contract import Argument, Contract
from parity.physics.kinds import Numbers
from parity.stacks.base import Call, Framework, Stack, StackError, stack_at_work
from parity.stacks.silence import silenced

UNSUPPORTED = "Detected unsupported operations when trying to compile"
"""How XLA begins to say that it lacks a kernel."""


class TensorFlow(Framework):
    """A stack in TensorFlow. One thread, as for torch; its start-up messages are kept from the user.

    In graph mode a function is traced once for each contract, precision and set of constants, with every dimension
    open: a trace for a shape would cost more than the example, and what it folds would test another kernel. Traces are
    kept by function object; while something in the stack is replaced, those that are made belong to that change alone.

    In mode xla such a trace is compiled, anew for every shape, which takes longer than any example; what is eager for
    its costs alone is compiled too. An entry that makes variables stays eager in every mode. UsageError for a contract
    that XLA has no kernel for.
    """

    distribution = "tensorflow"
    modes = ("graph", "eager", "xla")

    def __init__(self, stack: Stack, mode: str, device: str) -> None:
        super().__init__(stack, mode, device)
        started = "tensorflow" in sys.modules and "TF_NUM_INTRAOP_THREADS" not in os.environ
        prepare_environment()
        with silenced():
            import tensorflow

            tensorflow.config.experimental.enable_tensor_float_32_execution(False)
            tensorflow.get_logger().setLevel("ERROR")
            tensorflow.constant(0.0)
        self._tf = tensorflow
        self.threads = "default" if started else os.environ["TF_NUM_INTRAOP_THREADS"]
        self._require_device(len(tensorflow.config.list_physical_devices("GPU")))
        if device == "cuda":
            tensorflow.config.experimental.enable_op_determinism()
        self._traces: dict[tuple[object, ...], Callable[..., Any]] = {}
        self._traces_of_change: tuple[object, dict[tuple[object, ...], Callable[..., Any]]] = None, {}

    @property
    def version(self) -> str:
        return str(self._tf.__version__)

    def forget(self) -> None:
        self._traces.clear()
        self._traces_of_change = None, {}

    def _ready(
        self,
        contract: Contract,
        function: Callable[..., Any],
        arguments: Mapping[str, NDArray[Any]],
        cotangents: Mapping[str, NDArray[Any]],
        *,
        eager: bool,
    ) -> Call:
        constants = {a.name: arguments[a.name].item() for a in contract.arguments if a.kind.constant}
        tensors = [self._tensor(a, arguments[a.name]) for a in contract.arguments if not a.kind.constant]
        pulled = [self._tf.constant(cotangent) for cotangent in cotangents.values()]
        if self.mode == "xla":
            eager = eager and not contract.eager
        step = self._step(contract, function, constants, tensors, pulled, eager or self.mode == "eager")

        def call() -> tuple[Sequence[Any], Sequence[Any | None]]:
            with self._tf.device("GPU" if self.device == "cuda" else "CPU"), _compilable(contract), stack_at_work():
                try:
                    results, gradients = step(tensors, pulled)
                except self._tf.errors.InvalidArgumentError:
                    results, gradients = values_alone(), [None] * len(contract.differentiable)
                    if [result.shape for result in results] == [cotangent.shape for cotangent in pulled]:
                        raise
                return results, gradients

        def values_alone() -> list[Any]:
            """What is left where a cotangent does not fit, of which a trace with open sizes learns when it runs."""
            return self._step(contract, function, constants, tensors, [], eager or self.mode == "eager")(tensors, [])[0]

        return call

    def _array(self, tensor: Any) -> NDArray[Any]:
        array: NDArray[Any] = np.asarray(tensor)
        return array

    def _step(
        self,
        contract: Contract,
        function: Callable[..., Any],
        constants: Mapping[str, Any],
        tensors: list[Any],
        cotangents: list[Any],
        eager: bool,
    ) -> Callable[..., Any]:
        names = [a.name for a in contract.arguments if not a.kind.constant]
        watched = [names.index(a.name) for a in contract.differentiable] if cotangents else []

        def step(tensors: list[Any], cotangents: list[Any]) -> tuple[list[Any], list[Any]]:
            if not cotangents:
                return _as_list(function(**dict(zip(names, tensors, strict=True)), **constants)), []
            with self._tf.GradientTape() as tape:
                tape.watch([tensors[i] for i in watched])
                results = _as_list(function(**dict(zip(names, tensors, strict=True)), **constants))
            pairs = zip(results, cotangents, strict=False)
            if not all(result.shape.is_compatible_with(cotangent.shape) for result, cotangent in pairs):
                return results, [None] * len(watched)
            sources = [tensors[i] for i in watched]
            return results, tape.gradient(results, sources, output_gradients=cotangents)

        if eager:
            return step
        dtypes = tuple(tensor.dtype for tensor in tensors)
        key = (function, tuple(constants.items()), dtypes, bool(cotangents))
        traces = self._current_traces()
        if key not in traces:
            signature = [[self._open(tensor) for tensor in tensors], [self._open(c) for c in cotangents]]
            traces[key] = self._tf.function(
                step, input_signature=signature, autograph=False, jit_compile=self.mode == "xla" or None
            )
        return traces[key]

    def _current_traces(self) -> dict[tuple[object, ...], Callable[..., Any]]:
        change = self._injected()
        if change is None:
            return self._traces
        if self._traces_of_change[0] is not change:
            self._traces_of_change = change, {}
        return self._traces_of_change[1]

    def _open(self, tensor: Any) -> Any:
        return self._tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)

    def _tensor(self, argument: Argument, array: NDArray[Any]) -> Any:
        return self._tf.constant(array.astype(np.int32) if argument.kind.numbers is Numbers.INTEGER else array)


@contextmanager
def _compilable(contract: Contract) -> Iterator[None]:
    """Turn away a contract that XLA has no kernel for: that is no fault of the stack's, nor a pass. UsageError."""
    try:
        yield
    except StackError as error:
        if UNSUPPORTED not in str(error):
            raise
        operation = str(error).partition("JIT: ")[2].partition(" ")[0] or "an operation"
        raise UsageError(
            f"{contract.name} cannot be run in mode xla: XLA has no kernel for {operation}; there are: eager, graph"
        ) from error


def _as_list(returned: Any) -> list[Any]:
    return list(returned) if isinstance(returned, tuple) else [returned]
