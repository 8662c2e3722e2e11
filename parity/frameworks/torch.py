"""PyTorch behind canonical arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contract import Argument, Contract
from parity.environment import torch_has_onednn, torch_threads
from parity.frameworks.base import Call, Framework, stack_at_work


class Torch(Framework):
    """The `ptycho_torch` stack. One intra-op thread, if the environment does not say otherwise: faster at these sizes,
    and sums keep their order."""

    name = "torch"
    package = "ptycho_torch"
    distribution = "torch"
    modes = ("eager",)

    def __init__(self, mode: str, device: str) -> None:
        super().__init__(mode, device)
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

    @property
    def version(self) -> str:
        return str(self._torch.__version__)

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

        def call() -> tuple[Sequence[Any], Sequence[Any | None]]:
            with stack_at_work():
                returned = function(**tensors)
                results = returned if isinstance(returned, tuple) else (returned,)
                return results, self._pulled_back(results, watched, pulled)

        return call

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
