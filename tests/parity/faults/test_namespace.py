"""The array namespaces: one name means one operation in all three."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

from parity.contracts.namespace import Namespace
from parity.faults.namespace import NUMPY, namespace_of

REAL = np.linspace(-2.4, 2.3, 60).reshape(3, 4, 5)
WAVE = REAL + 1j * REAL[::-1]
POSITIVE = REAL**2 + 0.5

OPERATIONS: dict[str, Callable[[Namespace, Any, Any, Any], Any]] = {
    "size": lambda xp, x, z, p: xp.stack([xp.size(x), xp.size(x, 0), xp.size(x, (1, -1)), xp.size(z)], 0),
    "constant": lambda xp, x, z, p: xp.constant(1.5, z) + x,
    "arange": lambda xp, x, z, p: xp.arange(4, z),
    "cast": lambda xp, x, z, p: xp.cast(x, "float32"),
    "cast_like": lambda xp, x, z, p: xp.cast_like(x > 0, x),
    "detach": lambda xp, x, z, p: xp.detach(x),
    "passing_back": lambda xp, x, z, p: xp.passing_back(z, lambda g: 2 * g),
    "complex": lambda xp, x, z, p: xp.complex(x, p),
    "real": lambda xp, x, z, p: xp.real(z),
    "imag": lambda xp, x, z, p: xp.imag(z),
    "conj": lambda xp, x, z, p: xp.conj(z),
    "abs": lambda xp, x, z, p: xp.abs(z) + xp.abs(x),
    "angle": lambda xp, x, z, p: xp.angle(z),
    "sqrt": lambda xp, x, z, p: xp.sqrt(p),
    "square": lambda xp, x, z, p: xp.square(z),
    "exp": lambda xp, x, z, p: xp.exp(x),
    "log": lambda xp, x, z, p: xp.log(p),
    "xlogy": lambda xp, x, z, p: xp.xlogy(xp.maximum(x, 0.0), xp.maximum(x, 0.0)),
    "log_gamma": lambda xp, x, z, p: xp.log_gamma(p),
    "cos": lambda xp, x, z, p: xp.cos(x),
    "sin": lambda xp, x, z, p: xp.sin(x),
    "tanh": lambda xp, x, z, p: xp.tanh(x),
    "sigmoid": lambda xp, x, z, p: xp.sigmoid(x),
    "sign": lambda xp, x, z, p: xp.sign(x),
    "sign of a wave": lambda xp, x, z, p: xp.sign(z),
    "floor": lambda xp, x, z, p: xp.floor(x),
    "round": lambda xp, x, z, p: xp.round(xp.concat([xp.reshape(x, (-1,)), xp.arange(6, x) - 2.5], 0)),
    "minimum": lambda xp, x, z, p: xp.minimum(x, 0.5) + xp.minimum(x, p),
    "maximum": lambda xp, x, z, p: xp.maximum(x, 0.5) + xp.maximum(x, p),
    "where": lambda xp, x, z, p: xp.where(x > 0, x, p),
    "zeros_like": lambda xp, x, z, p: xp.zeros_like(z),
    "ones_like": lambda xp, x, z, p: xp.ones_like(z),
    "sum": lambda xp, x, z, p: xp.sum(x) + xp.sum(x, (0, 2), True),
    "mean": lambda xp, x, z, p: xp.mean(x) + xp.mean(x, 1),
    "max": lambda xp, x, z, p: xp.max(x) + xp.max(x, -1, True),
    "sort": lambda xp, x, z, p: xp.sort(p),
    "roll": lambda xp, x, z, p: xp.roll(z, 1, -2),
    "flip": lambda xp, x, z, p: xp.flip(z, -1),
    "transpose": lambda xp, x, z, p: xp.transpose(z, (2, 0, 1)),
    "swapped": lambda xp, x, z, p: xp.swapped(z, -1, 0),
    "reshape": lambda xp, x, z, p: xp.reshape(z, (5, 12)),
    "broadcast_like": lambda xp, x, z, p: xp.broadcast_like(x[:1], p),
    "take": lambda xp, x, z, p: xp.take(z, xp.arange(2, x) + 1, 1),
    "by_numpy": lambda xp, x, z, p: xp.by_numpy(lambda x, count: np.argsort(x)[..., :count], x, 2),
    "matmul": lambda xp, x, z, p: xp.matmul(x, xp.swapped(p, -1, -2)),
    "concat": lambda xp, x, z, p: xp.concat([x, p], 1),
    "stack": lambda xp, x, z, p: xp.stack([x, p], -1),
    "fft2": lambda xp, x, z, p: xp.fft2(z),
    "ifft2": lambda xp, x, z, p: xp.ifft2(z),
    "fft": lambda xp, x, z, p: xp.fft(z),
    "fftshift": lambda xp, x, z, p: xp.fftshift(z) + xp.fftshift(z, -2),
    "ifftshift": lambda xp, x, z, p: xp.ifftshift(z) + xp.ifftshift(z, (0, 1)),
    "scaled": lambda xp, x, z, p: xp.scaled(z, p),
    "through": lambda xp, x, z, p: xp.through(z, "float16"),
    "gain": lambda xp, x, z, p: xp.gain(z, 1e-3),
}
"""Expressions in a real, a complex and a positive array, by the operation that they are of."""


def of(framework: Any, array: np.ndarray) -> Any:
    return tf.constant(array) if framework is tf else torch.tensor(array)


def test_every_operation_is_compared() -> None:
    layouts = {"canonical", "laid_out", "is_tensor", "is_complex", "shape"}
    public = {name for name in vars(Namespace) if not name.startswith("_")} - layouts
    assert {name.split()[0] for name in OPERATIONS} == public


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("stack", "framework"), [("tensorflow", tf), ("torch", torch)])
def test_an_operation_is_the_same_in_a_framework_as_in_numpy(name: str, stack: str, framework: Any) -> None:
    expected = OPERATIONS[name](NUMPY, REAL, WAVE, POSITIVE)
    arrays = (of(framework, array) for array in (REAL, WAVE, POSITIVE))
    found = OPERATIONS[name](namespace_of(stack), *arrays).numpy()
    assert found.shape == np.shape(expected)
    assert found.dtype == np.asarray(expected).dtype
    assert np.allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_what_is_passed_back_is_changed_and_the_value_is_not() -> None:
    """The loss is |z|², its gradient 2z; conjugated where the array passed."""
    xp = namespace_of("torch")
    wave = torch.tensor(WAVE, requires_grad=True)
    passed = xp.passing_back(wave, lambda gradient: xp.conj(gradient))
    assert torch.equal(passed, wave)
    passed.abs().square().sum().backward()
    assert wave.grad is not None
    assert np.allclose(wave.grad.numpy(), 2 * WAVE.conj())
    xp = namespace_of("tensorflow")
    variable = tf.constant(WAVE)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        passed = xp.passing_back(variable, lambda gradient: xp.conj(gradient))
        loss = tf.reduce_sum(tf.square(tf.abs(passed)))
    assert np.array_equal(passed.numpy(), WAVE)
    assert np.allclose(tape.gradient(loss, variable).numpy(), 2 * WAVE.conj())
