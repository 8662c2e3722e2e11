"""PyTorch behind canonical arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contract import Argument, Contract
from parity.frameworks.base import Framework, stack_at_work


class Torch(Framework):
    """The `ptycho_torch` stack. One intra-op thread: faster at these sizes, and sums keep their order."""

    name = "torch"
    package = "ptycho_torch"
    distribution = "torch"
    modes = ("eager",)

    def __init__(self, mode: str, device: str) -> None:
        super().__init__(mode, device)
        import torch

        torch.set_num_threads(1)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        self._torch = torch
        self._require_device(torch.cuda.device_count())
        if device == "cuda":
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)

    @property
    def version(self) -> str:
        return str(self._torch.__version__)

    def _call(
        self,
        contract: Contract,
        function: Callable[..., Any],
        arguments: Mapping[str, NDArray[Any]],
        cotangents: Mapping[str, NDArray[Any]],
    ) -> tuple[list[NDArray[Any]], list[NDArray[Any] | None]]:
        tensors = {a.name: self._tensor(a, arguments[a.name]) for a in contract.arguments}
        watched = [tensors[a.name] for a in contract.differentiable] if cotangents else []
        for tensor in watched:
            tensor.requires_grad_(True)
        with stack_at_work():
            returned = function(**tensors)
            results = list(returned) if isinstance(returned, tuple) else [returned]
            values = [result.detach().cpu().numpy() for result in results]
        pulled = [
            (result, self._torch.from_numpy(np.array(cotangent)).to(self.device))
            for result, cotangent in zip(results, cotangents.values(), strict=False)
            if result.requires_grad and result.shape == cotangent.shape
        ]
        if not pulled:
            return values, [None] * len(watched)
        outputs, weights = zip(*pulled, strict=True)
        with stack_at_work():
            gradients = self._torch.autograd.grad(outputs, watched, weights, allow_unused=True)
        return values, [None if g is None else g.cpu().numpy() for g in gradients]

    def _tensor(self, argument: Argument, array: NDArray[Any]) -> Any:
        if argument.kind.static:
            return array.item()
        return self._torch.from_numpy(np.array(array)).to(self.device)
