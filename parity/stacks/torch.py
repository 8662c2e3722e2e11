"""PyTorch behind canonical arrays: eager, or compiled by Inductor."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.environment import torch_has_onednn, torch_threads
from parity._ground.errors import UsageError
from parity.contracts.contract import Argument, Contract
from parity.stacks.base import Call, Framework, FrameworkMissing, Stack, StackError, stack_at_work

NO_COMPILER = ("InvalidCxxCompiler", "No working C++ compiler")
"""How Inductor says that it lacks a C++ compiler, for which it writes its code."""

MOST_COMPILATIONS = 2**12
"""Of one function: torch would give up after 8, and there is one for each precision, flag, and axis of length 1."""

COMPLEX_IS_SLOW = "Torchinductor does not support code generation for complex operators"
"""A warning about speed, not about numbers: complex operations are called, not fused."""


class Torch(Framework):
    """A stack in PyTorch. One intra-op thread, if the environment does not say otherwise: faster at these sizes,
    and sums keep their order.

    In mode compiled a function is compiled whole, forwards and backwards, with its dimensions open where they can be:
    torch compiles it anew for an axis of length 1, and wherever else it has guarded a size, which takes longer than any
    example. What is eager for its costs alone is compiled too; an entry that makes variables stays eager. UsageError
    for a contract that cannot be compiled, FrameworkMissing where there is no C++ compiler.
    """

    distribution = "torch"
    modes = ("eager", "compiled")
    compiler = "inductor"

    def __init__(self, stack: Stack, mode: str, device: str) -> None:
        super().__init__(stack, mode, device)
        import torch

        torch.set_num_threads(torch_threads())
        if not torch_has_onednn():
            torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # typed as what holds it
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        self._torch = torch
        self.threads = str(torch.get_num_threads())
        self._require_device(torch.cuda.device_count())
        if device == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
        self._compiled: dict[Callable[..., Any], Callable[..., Any]] = {}
        if mode == "compiled":
            self._prepare_compilation()

    def _prepare_compilation(self) -> None:
        """Let torch compile as often as it must, and keep its notes on the way from the user, who may ask for them."""
        config: Any = self._torch._dynamo.config
        config.recompile_limit = config.accumulated_recompile_limit = MOST_COMPILATIONS
        logs: Any = self._torch._logging
        if "TORCH_LOGS" not in os.environ:
            logs.set_logs(all=logging.ERROR)

    @property
    def version(self) -> str:
        return str(self._torch.__version__)

    def forget(self) -> None:
        if self._compiled:
            self._compiled.clear()
            self._torch.compiler.reset()

    def _ready(
        self,
        contract: Contract,
        function: Callable[..., Any],
        arguments: Mapping[str, NDArray[Any]],
        cotangents: Mapping[str, NDArray[Any]],
        *,
        eager: bool,
    ) -> Call:
        tensors = {a.name: self._argument(a, arguments[a.name]) for a in contract.arguments}
        watched = [tensors[a.name].requires_grad_(True) for a in contract.differentiable if cotangents]
        pulled = [self._tensor(cotangent) for cotangent in cotangents.values()]

        def call(run: Callable[..., Any] = function) -> tuple[Sequence[Any], Sequence[Any | None]]:
            with stack_at_work():
                returned = run(**tensors)
                results = returned if isinstance(returned, tuple) else (returned,)
                return results, self._pulled_back(results, watched, pulled)

        def call_compiled() -> tuple[Sequence[Any], Sequence[Any | None]]:
            with warnings.catch_warnings(), _compilable(contract, call):
                warnings.filterwarnings("ignore", COMPLEX_IS_SLOW, UserWarning)
                return call(self._compiled_whole(function))

        return call if self.mode == "eager" or (eager and not contract.eager) else call_compiled

    def _compiled_whole(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function compiled, once for all contracts that have it; torch itself sees whatever it calls change."""
        if function not in self._compiled:
            self._compiled[function] = self._torch.compile(
                function, dynamic=True, fullgraph=True, backend=self.compiler
            )
        return self._compiled[function]

    def _pulled_back(self, results: Sequence[Any], watched: Sequence[Any], cotangents: Sequence[Any]) -> Sequence[Any]:
        pairs = [
            (result, cotangent)
            for result, cotangent in zip(results, cotangents, strict=False)
            if result.requires_grad and result.shape == cotangent.shape
        ]
        if not pairs:
            return [None] * len(watched)
        outputs, weights = zip(*pairs, strict=True)
        gradients: Sequence[Any] = self._torch.autograd.grad(outputs, watched, weights, allow_unused=True)
        return gradients

    def _argument(self, argument: Argument, array: NDArray[Any]) -> Any:
        return array.item() if argument.kind.static else self._tensor(array)

    def _tensor(self, array: NDArray[Any]) -> Any:
        return self._torch.from_numpy(np.array(array)).to(self.device)

    def _array(self, tensor: Any) -> NDArray[Any]:
        """NumPy knows no lazy conjugates and no lazy signs; a size comes as a plain number."""
        if not isinstance(tensor, self._torch.Tensor):
            return np.asarray(tensor)
        array: NDArray[Any] = tensor.detach().resolve_conj().resolve_neg().cpu().numpy()
        return array


@contextmanager
def _compilable(contract: Contract, eagerly: Call) -> Iterator[None]:
    """Turn away a contract that torch cannot compile: that is no fault of the stack's, nor a pass. UsageError.

    What the stack raises reaches torch as something that it cannot compile: whether it was that, an eager call says.
    """
    try:
        yield
    except StackError as error:
        cause = error.__cause__
        from torch._dynamo.exc import TorchDynamoException

        if not isinstance(cause, TorchDynamoException):
            raise
        if any(words in str(cause) for words in NO_COMPILER):
            raise FrameworkMissing(
                "torch finds no C++ compiler, so nothing can be run in mode compiled: install g++, or name one in CXX, "
                "or run with --mode eager"
            ) from error
        eagerly()
        reason = next(iter(str(cause).splitlines()), "").strip()
        raise UsageError(
            f"{contract.name} cannot be run in mode compiled: torch.compile says '{reason}'; there are: eager"
        ) from error
