"""Every operation of the oracle against measured rounding: NumPy, PyTorch and TensorFlow in single precision.

A bound must hold where operands are exact and where they come with errors of their own, and it must not be so wide that
it holds of anything. To add an operation, give it a row in `ROWS`; NumPy's evaluation of it is the oracle's own, on
single-precision arrays.
"""

from __future__ import annotations

import importlib
import inspect
import math
import operator
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.typing import NDArray

from parity.contracts.namespace import Namespace
from parity.faults.namespace import namespace_of
from parity.judging.measurement import distance
from parity.physics.oracle import operations as ops
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32

Random = np.random.Generator
Shape = tuple[int, ...]
Function = Callable[..., Any]
Domain = Callable[[Random, Shape], NDArray[Any]]

SHAPES = ((3, 8, 8), (2, 9, 33), (3, 13, 31), (2, 64, 64), (1, 61, 127), (1, 128, 128))
DRAWS = 4 * len(SHAPES)

LEAST_SHARE = 0.005
"""A bound is too wide where the worst of all draws, in three implementations, stays below this share of it."""

LARGEST_ERROR = 6.0
"""The decimal logarithm of the largest error that an operand brings, in units of its own rounding."""

AXES = (-2, -1)
WIDTHS = ((0, 0), (1, 0), (0, 2))

FRAMEWORKS: dict[str, tuple[Function, Function]] = {
    "numpy": (np.asarray, np.asarray),
    "torch": (torch.from_numpy, lambda x: x.resolve_conj().numpy()),
    "tensorflow": (tf.constant, lambda x: x.numpy()),
}
"""How an array gets into a framework, and out of it."""


pytestmark = pytest.mark.usefixtures("stacks")
"""One thread in each framework, as the stacks are run."""


def magnitudes(random: Random, shape: Shape) -> NDArray[Any]:
    """√photons, up to 10⁶ of them, over a dynamic range of up to 10⁶."""
    brightest, darkest = random.uniform(0, 6), random.uniform(-6, 0)
    return 10 ** (brightest + random.uniform(darkest, 0, shape))


def real(random: Random, shape: Shape) -> NDArray[Any]:
    return magnitudes(random, shape) * random.choice([-1, 1], shape)


def field(random: Random, shape: Shape) -> NDArray[Any]:
    return magnitudes(random, shape) * np.exp(1j * random.uniform(-np.pi, np.pi, shape))


def flat(random: Random, shape: Shape) -> NDArray[Any]:
    """Nearly equal numbers: the roundings of their sum do not cancel."""
    return random.uniform(0.5, 1.0) * (1 + 10 ** random.uniform(-7, 0) * random.random(shape))


def counts(random: Random, shape: Shape) -> NDArray[Any]:
    """Photons, every other count below 2, where ln Γ(k + 1) and ψ(k + 1) pass through 0."""
    few = random.uniform(0.01, 2, shape)
    return np.where(random.random(shape) < 0.5, few, magnitudes(random, shape) ** 2)


def close_to_one(random: Random, shape: Shape) -> NDArray[Any]:
    return 1 + random.choice([-1, 1], shape) * 10 ** random.uniform(-8, 0, shape)


def exponents(random: Random, shape: Shape) -> NDArray[Any]:
    return random.uniform(-20, 20, shape)


def phases(random: Random, shape: Shape) -> NDArray[Any]:
    """Some turns, and every other one next to a whole number of half turns."""
    halves = np.pi * np.round(random.uniform(-8, 8, shape)) + 10 ** random.uniform(-8, 0, shape)
    return np.where(random.random(shape) < 0.5, halves, random.uniform(-25, 25, shape))


INDEPENDENT = 1 / 3
"""The spread of errors that add up in the mean square."""


@dataclass(frozen=True, slots=True)
class Row:
    """An operation, the domains of its operands and, where it is not a plain operator, how the frameworks evaluate it.

    The name is the operation's, and perhaps in what respect. A `circular` result is compared around the circle. Where
    errors add up in the mean square, an error is at least three standard deviations of what it bounds: `spread` is how
    much of it the disturbed operands use. `both` is one evaluation on the array namespaces of both frameworks.
    """

    name: str
    domains: tuple[Domain, ...]
    oracle: Function
    torch: Function | None = None
    tensorflow: Function | None = None
    circular: bool = False
    spread: float = 1.0
    both: Function | None = None

    def evaluate(self, framework: str, operands: list[NDArray[Any]]) -> NDArray[Any]:
        function = getattr(self, framework, None) or self.oracle
        if self.both and framework != "numpy":
            function = partial(self.both, namespace_of(framework))
        enter, leave = FRAMEWORKS[framework]
        return np.asarray(leave(function(*map(enter, operands))))

    def ratio(self, framework: str, operands: list[NDArray[Any]], bounded: Bounded) -> float:
        """The largest error in units of what is allowed."""
        got = self.evaluate(framework, operands).astype(bounded.value.dtype)
        if self.circular:
            got += 2 * np.pi * np.round((bounded.value - got) / (2 * np.pi))
        return float(distance(got, bounded.value, bounded.allowed).ratio)


def _wrapped(xp: Namespace, x: Any) -> Any:
    return x - 2 * np.pi * xp.round(x / (2 * np.pi))


def _filters(x: Any, y: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """x as one image whose channels are its rows, and what of y makes two filters of it."""
    planes, rows, columns = x.shape
    return (1, planes, columns, rows), (2, rows, 3, 3)


def _convolution(x: Any, y: Any) -> Any:
    (_, height, width, _), kernel = _filters(x, y)
    columns = ops.reshape(ops.neighbourhoods(ops.transpose(x, (1, 0, 2))), (-1, height * width))
    weights = ops.reshape(ops.reshape(y, (-1,))[: np.prod(kernel)], (2, -1))
    return ops.reshape(ops.matmul(weights, columns), (1, 2, height, width))


def _torch_convolution(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    kernel = _filters(x, y)[1]
    weights = y.reshape(-1)[: math.prod(kernel)].reshape(kernel)
    return torch.nn.functional.conv2d(x.permute(1, 0, 2)[None], weights, padding=1)


def _tf_convolution(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    kernel = _filters(x, y)[1]
    weights = tf.reshape(tf.reshape(y, (-1,))[: math.prod(kernel)], kernel)
    images = tf.transpose(x, (0, 2, 1))[None]
    return tf.transpose(tf.nn.conv2d(images, tf.transpose(weights, (2, 3, 1, 0)), 1, "SAME"), (0, 3, 1, 2))


def _tf_neighbourhoods(x: tf.Tensor) -> tf.Tensor:
    ones = (1, 1, 1, 1)
    around = tf.image.extract_patches(x[..., None], (1, 3, 3, 1), ones, ones, "SAME")
    return tf.reshape(tf.transpose(around, (0, 3, 1, 2)), (-1, 3, 3, *x.shape[1:]))


def fractions(random: Random, shape: Shape) -> NDArray[Any]:
    """Of a pixel; every other one close to a whole one."""
    near = 10 ** random.uniform(-8, -1, shape)
    return np.where(random.random(shape) < 0.5, np.abs(random.integers(0, 2, shape) - near), random.random(shape))


def _between(x: Any, f: Any) -> Any:
    down, across = f[..., :1, :1], f[..., 1:2, :1]
    lines = (1 - down) * x[..., 1:, :] + down * x[..., :-1, :]
    return (1 - across) * lines[..., 1:] + across * lines[..., :-1]


def _framed(x: Any, pad: Function) -> Any:
    """A frame that begins a row above the planes and two columns inside them."""
    rows, columns = x.shape[-2:]
    return pad(x)[:, : rows - 2, 2 : columns + 1]


def _every_other(x: Any) -> NDArray[np.bool_]:
    return np.indices(tuple(x.shape)).sum(axis=0) % 2 == 0


def _reductions(name: str, oracle: Function, torch_: Function, tensorflow: Function) -> tuple[Row, ...]:
    """Over everything, the innermost axes and a short outer one, of numbers of any kind and of equals."""
    return tuple(
        Row(
            f"{name} of {domain.__name__} over {over}",
            (domain,),
            lambda x, axis=axis: oracle(x, axis=axis),
            lambda x, axis=axis: torch_(x, dim=axis),
            lambda x, axis=axis: tensorflow(x, axis=axis),
        )
        for domain in (real, flat)
        for over, axis in (("all", None), ("planes", AXES), ("columns", -1), ("the first axis", 0))
    )


def _sums_of_products(how: str, *functions: Function) -> tuple[Row, ...]:
    """Whose errors add up in the mean square, of numbers of any kind and of equals."""
    kinds = ((f"matmul of {domain.__name__}{how}", (domain, domain)) for domain in (real, flat))
    return tuple(Row(name, domains, *functions, spread=INDEPENDENT) for name, domains in kinds)


def _tf_matmul(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.linalg.matmul(x, y, transpose_b=True)


ROWS: tuple[Row, ...] = (
    Row("add", (real, real), operator.add),
    Row("subtract", (real, real), operator.sub),
    Row("multiply", (real, real), operator.mul),
    Row("multiply complex", (field, field), operator.mul),
    Row("divide", (real, real), operator.truediv),
    Row("divide complex", (field, field), operator.truediv),
    Row("square", (real,), ops.square, lambda x: x**2, lambda x: x**2),
    Row("absolute_square", (field,), ops.absolute_square, both=lambda xp, z: xp.real(z) ** 2 + xp.imag(z) ** 2),
    Row("absolute", (field,), ops.absolute, torch.abs, tf.abs),
    Row("absolute of real", (real,), ops.absolute, torch.abs, tf.abs),
    Row("sqrt", (magnitudes,), ops.sqrt, torch.sqrt, tf.sqrt),
    Row("log", (counts,), ops.log, torch.log, tf.math.log),
    Row("exp", (exponents,), ops.exp, torch.exp, tf.exp),
    Row("cis", (phases,), ops.cis, both=lambda xp, x: xp.complex(xp.cos(x), xp.sin(x))),
    Row("log_gamma_plus_one", (counts,), ops.log_gamma_plus_one, both=lambda xp, x: xp.log_gamma(x + 1)),
    Row(
        "digamma_plus_one",
        (counts,),
        ops.digamma_plus_one,
        lambda x: torch.digamma(x + 1),
        lambda x: tf.math.digamma(x + 1),
    ),
    Row("angle", (field,), ops.angle, torch.angle, tf.math.angle, circular=True),
    Row("wrap", (phases,), ops.wrap, both=_wrapped, circular=True),
    Row("sign of a difference", (close_to_one,), lambda x: ops.sign(x - 1.0), both=lambda xp, x: xp.sign(x - 1.0)),
    Row(
        "turn_sign of wrap",
        (phases,),
        lambda x: ops.turn_sign(ops.wrap(x)),
        both=lambda xp, x: xp.sign(_wrapped(xp, x)),
    ),
    Row("direction", (field,), ops.direction, torch.sgn, tf.sign),
    Row(
        "direction over planes",
        (field,),
        lambda z: ops.direction(z, axis=0),
        lambda z: z / z.abs().square().sum(0).sqrt(),
        lambda z: z / tf.cast(tf.sqrt(tf.reduce_sum(tf.square(tf.abs(z)), 0)), z.dtype),
    ),
    Row("real", (field,), ops.real, torch.real, tf.math.real),
    Row("imaginary", (field,), ops.imaginary, torch.imag, tf.math.imag),
    Row("conjugate", (field,), ops.conjugate, torch.conj, tf.math.conj),
    *_sums_of_products("", lambda x, y: ops.matmul(x, ops.transpose(y, (0, 2, 1))), lambda x, y: x @ y.mT, _tf_matmul),
    *_sums_of_products(" as a convolution", _convolution, _torch_convolution, _tf_convolution),
    Row("biased", (real, real), ops.biased, operator.add, operator.add),
    Row("rectify", (real,), ops.rectify, torch.relu, tf.nn.relu),
    Row(
        "step of a difference",
        (close_to_one,),
        lambda x: ops.step(x - 1.0),
        lambda x: (x - 1.0 > 0).to(x.dtype),
        lambda x: tf.cast(x - 1.0 > 0, x.dtype),
    ),
    Row("largest", (real,), ops.largest, lambda x: x.amax(-1), lambda x: tf.reduce_max(x, -1)),
    Row(
        "selection",
        (close_to_one,),
        ops.selection,
        lambda x: torch.nn.functional.one_hot(x.argmax(-1), x.shape[-1]).to(x.dtype),
        lambda x: tf.one_hot(tf.argmax(x, -1), x.shape[-1]),
    ),
    Row("sigmoid", (exponents,), ops.sigmoid, torch.sigmoid, tf.sigmoid),
    Row("tanh", (exponents,), ops.tanh, torch.tanh, tf.tanh),
    Row(
        "neighbourhoods",
        (real,),
        ops.neighbourhoods,
        lambda x: torch.nn.functional.pad(x, (1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1).permute(0, 3, 4, 1, 2),
        _tf_neighbourhoods,
    ),
    Row("transpose", (real,), lambda x: ops.transpose(x, (2, 0, 1)), both=lambda xp, x: xp.transpose(x, (2, 0, 1))),
    Row(
        "interpolate",
        (real, fractions),
        lambda x, f: ops.interpolate(x, f[..., :1, :1], f[..., 1:2, :1]),
        both=lambda xp, x, f: _between(x, f),
    ),
    Row(
        "interpolate along rows",
        (real, fractions),
        lambda x, f: ops.interpolate(x, f[..., :1, :1], None),
        both=lambda xp, x, f: (1 - f[..., :1, :1]) * x[..., 1:, :] + f[..., :1, :1] * x[..., :-1, :],
    ),
    Row(
        "either",
        (real, real),
        lambda x, y: ops.either(x, y, _every_other(x)),
        lambda x, y: torch.where(torch.from_numpy(_every_other(x)), y, x),
        lambda x, y: tf.where(_every_other(x), y, x),
    ),
    Row(
        "window",
        (field,),
        lambda x: ops.window(x, *np.full((2, x.shape[0]), ((-1,), (2,))), (x.shape[-2] - 2, x.shape[-1] - 1)),
        lambda x: _framed(x, lambda x: torch.nn.functional.pad(x, (0, 1, 1, 0))),
        lambda x: _framed(x, lambda x: tf.pad(x, ((0, 0), (1, 0), (0, 1)))),
    ),
    Row(
        "reshape",
        (field,),
        lambda x: ops.reshape(x, (x.shape[0], -1)),
        both=lambda xp, x: xp.reshape(x, (x.shape[0], -1)),
    ),
    *_reductions("total", ops.total, torch.sum, tf.reduce_sum),
    *_reductions("mean", ops.mean, torch.mean, tf.reduce_mean),
    Row("dft2", (field,), ops.dft2, torch.fft.fft2, tf.signal.fft2d),
    Row(
        "adjoint_dft2",
        (field,),
        ops.adjoint_dft2,
        lambda z: torch.fft.ifft2(z, norm="forward"),
        lambda z: tf.signal.ifft2d(z) * (z.shape[-1] * z.shape[-2]),
    ),
    Row("fftshift", (field,), lambda z: ops.fftshift(z, axes=AXES), both=lambda xp, z: xp.fftshift(z, AXES)),
    Row("ifftshift", (field,), lambda z: ops.ifftshift(z, axes=AXES), both=lambda xp, z: xp.ifftshift(z, AXES)),
    Row(
        "broadcast",
        (real,),
        lambda x: ops.broadcast(x, (2, *x.shape)),
        lambda x: x.expand(2, *x.shape),
        lambda x: tf.broadcast_to(x, (2, *x.shape)),
    ),
    Row(
        "pad",
        (real,),
        lambda x: ops.pad(x, WIDTHS),
        lambda x: torch.nn.functional.pad(x, [n for width in reversed(WIDTHS) for n in width]),
        lambda x: tf.pad(x, WIDTHS),
    ),
    Row(
        "where",
        (real, real),
        lambda x, y: ops.where(_every_other(x), x, y),
        lambda x, y: torch.where(torch.from_numpy(_every_other(x)), x, y),
        lambda x, y: tf.where(_every_other(x), x, y),
    ),
    Row("stack", (real, real), lambda x, y: ops.stack([x, y]), both=lambda xp, x, y: xp.stack([x, y], 0)),
)
OPERATORS = {"add", "subtract", "multiply", "divide"}
NOT_OPERATIONS = {"operation", "values", "grid_dtype"}

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def disturbed(operand: NDArray[Any], random: Random, spread: float) -> Bounded:
    """What a single-precision operand stands for: a value nearby, half of them as far off as their error allows.

    Or only a `spread` of that.
    """
    error = np.abs(operand.astype(np.complex128)) * 10 ** random.uniform(0, LARGEST_ERROR)
    share = np.where(random.random(operand.shape) < 0.5, 1.0, random.random(operand.shape))
    turn = np.exp(1j * np.pi * random.uniform(-1, 1, operand.shape))
    direction = turn if np.iscomplexobj(operand) else np.sign(turn.real)
    return Bounded(operand + FLOAT32.unit_roundoff * error * spread * share * direction, error, FLOAT32)


def exact(operand: NDArray[Any], random: Random, spread: float) -> Bounded:
    return Bounded.exact(operand, FLOAT32)


@cache
def worst(row: Row, meaning: Callable[[NDArray[Any], Random, float], Bounded]) -> dict[str, float]:
    """The largest error of each framework over all draws, in units of what is allowed."""
    ratios = dict.fromkeys(FRAMEWORKS, 0.0)
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        shape = SHAPES[seed % len(SHAPES)]
        operands = [FLOAT32.round(domain(random, shape)) for domain in row.domains]
        expected = row.oracle(*(meaning(operand, random, row.spread) for operand in operands))
        for framework, ratio in ratios.items():
            ratios[framework] = max(ratio, row.ratio(framework, operands, expected))
    return ratios


def test_every_operation_has_a_row():
    public = {
        name
        for module in pkgutil.iter_modules(ops.__path__, f"{ops.__name__}.")
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction)
        if function.__module__.startswith(f"{ops.__name__}.") and not name.startswith("_")
    }
    assert {row.name.split()[0] for row in ROWS} == public - NOT_OPERATIONS | OPERATORS


@every_row
def test_rounding_stays_within_its_bound(row):
    assert max(worst(row, exact).values()) <= 1, worst(row, exact)


@every_row
def test_errors_of_the_operands_stay_within_the_bound(row):
    assert max(worst(row, disturbed).values()) <= 1, worst(row, disturbed)


@every_row
def test_a_bound_is_not_much_wider_than_it_must_be(row):
    """An operation that does not round has the bound 0, and a bound of the others is used."""
    operands = [Bounded.exact(domain(np.random.default_rng(0), SHAPES[0]), FLOAT32) for domain in row.domains]
    assert max(worst(row, exact).values()) >= LEAST_SHARE or not row.oracle(*operands).error.any()
