"""A stack's functions on NumPy arrays in canonical layout, so that a law is written once and holds of both."""

from __future__ import annotations

import importlib
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.declared.sampling import SAMPLERS
from parity.contracts.namespace import Tensor
from parity.faults.namespace import namespace_of
from parity.physics.kinds import AMPLITUDE, EXIT_WAVES, KERNEL, PROBE, Kind

CONTRACTS = {contract.address: contract for contract in (*REGISTRY.values(), *SAMPLERS)}
BY_RANK = {len(kind.axes): kind for kind in (PROBE, AMPLITUDE, EXIT_WAVES)}
"""The layout of an argument whose rank is not the one that its function expects."""


class Functions:
    """The functions of a file of a stack, and whatever else is in it."""

    def __init__(self, stack: Stack, file: str) -> None:
        self.stack, self.file = stack, file

    def __getattr__(self, name: str) -> Any:
        address = f"{self.file}.{name}"
        return (
            partial(self.stack.call, address) if address in CONTRACTS else getattr(self.stack.module(self.file), name)
        )


class Stack(ABC):
    """One stack. Tensors, which gradients are taken of, pass through its functions in canonical layout as well."""

    name: str
    tensor_type: str

    def __init__(self) -> None:
        self.space = namespace_of(self.name)

    def module(self, file: str) -> ModuleType:
        return importlib.import_module(f"{self.space.package}.{file}")

    def functions(self, file: str) -> Functions:
        return Functions(self, file)

    def call(self, address: str, *arguments: Any, **named: Any) -> Any:
        """What the function at an address returns: tensors where it was given some, and otherwise arrays."""
        file, _, name = address.partition(".")
        function, contract = getattr(self.module(file), name), CONTRACTS[address]
        kinds = {argument.name: argument.kind for argument in contract.arguments}
        placed = inspect.signature(function).bind_partial(*arguments).arguments
        given = {name: self.given(x, kinds.get(name), name) for name, x in (placed | named).items()}
        found = function(**given)
        results = found if isinstance(found, tuple) else (found,)
        kept = any(self.space.is_tensor(x) for x in (*arguments, *named.values()))
        laid = [self._returned(result.kind, x, kept) for result, x in zip(contract.results, results, strict=True)]
        return tuple(laid) if isinstance(found, tuple) else laid[0]

    def given(self, x: Any, kind: Kind | None = None, name: str = "") -> Any:
        """An array or a tensor as the stack lays it out; by its rank, where that is not the one of its kind."""
        x = self.tensor(x) if isinstance(x, np.ndarray) else x
        if not self.space.is_tensor(x):
            return x
        kind = kind or (KERNEL if name.endswith("kernel") else None)
        fits = kind is not None and len(kind.axes) == len(x.shape)
        kind = kind if fits else BY_RANK.get(len(x.shape))
        return self.space.laid_out(kind, x) if kind else x

    def _returned(self, kind: Kind, x: Any, kept: bool) -> Any:
        x = self.space.canonical(kind, x)
        return self.array(x) if self.space.is_tensor(x) and not kept else x

    def own(self, operation: str, *arrays: np.ndarray) -> np.ndarray:
        """What the framework's own operation makes of arrays, to the last bit."""
        return self.array(getattr(self.space, operation)(*map(self.tensor, arrays)))

    def worded(self, message: str) -> str:
        """A message about canonical layout, as this stack words it."""
        return message.replace(" tensor", f" {self.tensor_type}")

    def refusal(self, error: type[Exception], message: str, *, whole: bool = True) -> Any:
        """Expect an error in these words, or in some that begin so."""
        return pytest.raises(error, match=f"^{re.escape(self.worded(message))}{'$' if whole else ''}")

    def refuses(self, case: tuple[str, tuple[Any, ...], str], error: type[Exception], *, whole: bool = True) -> None:
        """Hold the function at an address to refusing arguments in these words, or in some that begin so."""
        address, arguments, message = case
        with self.refusal(error, message, whole=whole):
            self.call(address, *arguments)

    @abstractmethod
    def tensor(self, array: np.ndarray) -> Tensor: ...
    @abstractmethod
    def array(self, tensor: Tensor) -> np.ndarray: ...
    @abstractmethod
    def gradients(self, function: Callable[..., Tensor], *arrays: np.ndarray) -> list[np.ndarray]:
        """The gradient of the sum of what the function makes of tensors with respect to each of them."""


class TorchStack(Stack):
    name, tensor_type = "torch", "torch.Tensor"

    def tensor(self, array: np.ndarray) -> Tensor:
        return importlib.import_module("torch").from_numpy(np.array(array, order="C"))

    def array(self, tensor: Tensor) -> np.ndarray:
        return tensor.detach().resolve_conj().numpy()

    def gradients(self, function: Callable[..., Tensor], *arrays: np.ndarray) -> list[np.ndarray]:
        leaves = [self.tensor(array).requires_grad_() for array in arrays]
        slopes = importlib.import_module("torch").autograd.grad(function(*leaves).sum(), leaves)
        return [self.array(slope) for slope in slopes]


class TensorFlowStack(Stack):
    name, tensor_type = "tensorflow", "tf.Tensor"

    def tensor(self, array: np.ndarray) -> Tensor:
        return importlib.import_module("tensorflow").constant(array)

    def array(self, tensor: Tensor) -> np.ndarray:
        return np.asarray(tensor)

    def gradients(self, function: Callable[..., Tensor], *arrays: np.ndarray) -> list[np.ndarray]:
        leaves = [self.tensor(array) for array in arrays]
        with importlib.import_module("tensorflow").GradientTape() as tape:
            tape.watch(leaves)
            result = function(*leaves)
        return [np.asarray(slope) for slope in tape.gradient(result, leaves)]

    def worded(self, message: str) -> str:
        orders = {3: (1, 2, 0), 4: (0, 2, 3, 1), 5: (0, 3, 4, 1, 2)}
        if kernel := re.match(r"\w*(kernel|weights):", message):
            orders[4] = (2, 3, 1, 0) if kernel[1] == "kernel" else (2, 3, 0, 1)

        def laid_out(found: re.Match[str]) -> str:
            sizes = found[1].split(", ")
            return f"({', '.join(sizes[place] for place in orders.get(len(sizes), range(len(sizes))))})"

        return re.sub(r"\(([^()]+)\)", laid_out, super().worded(message))


@pytest.fixture(scope="session")
def rounding() -> Callable[[Any, int], float]:
    """What so many roundings, each of a number as large as the largest of an array, may add up to."""

    def added(array: Any, operations: int) -> float:
        return operations * np.finfo(np.asarray(array).dtype).eps * np.abs(array).max()

    return added


@pytest.fixture(scope="session", params=[TensorFlowStack, TorchStack], ids=lambda stack: stack.name)
def stack(request: pytest.FixtureRequest) -> Stack:
    return request.param()
