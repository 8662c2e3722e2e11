"""What three contracts cost as one tests them without the harness, beside the harness doing the same work.

    python -m benchmarks.by_hand [CONTRACT]...

By hand, each contract has two parts. `values`, a property test: Hypothesis draws arrays element by element, both stacks
are called in float32 and in float64, and NumPy's `assert_allclose` compares what they return. `gradients`: each stack's
gradients in float64 against finite differences, along every axis by what the framework brings along for it, or along
one direction, which is quick and may miss a wrong element. Tolerances and ranges are what it takes for correct stacks
to pass: amplitudes that are neither 0 nor equal, where gradients are a matter of definition.

It takes minutes, and needs both frameworks and Hypothesis. The project does not import this file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

import ptycho.losses
import ptycho.optics
import ptycho_torch.losses
import ptycho_torch.optics
from parity.contracts.cases.case import Case
from parity.contracts.declared import REGISTRY
from parity.judging.examine import examine
from parity.physics.precision import PRECISIONS
from parity.proof.bench.sizes import sized
from parity.stacks import load
from parity.stacks.base import Framework

Arrays = tuple[NDArray[Any], ...]

TOLERANCES = {"32": 1e-4, "64": 1e-9}
"""rtol by the bits of a real number; atol is the same times the largest value."""

SIZE, EXAMPLES, SEEDS = 64, 30, 2**16
"""Pixels a side, examples that are timed, and the seeds that the harness's are drawn from."""

GRADIENT_TOLERANCE = 1e-3
"""Finite differences know no more, of sums over thousands of pixels."""


class GradientCheck(NamedTuple):
    """A stack's gradients against finite differences, a function for each framework: of a function at its arguments."""

    in_torch: Callable[..., None]
    in_tensorflow: Callable[..., None]


@dataclass(frozen=True, slots=True)
class ByHand:
    """One contract as it is tested by hand: the arrays that are drawn, in torch's layout, and the two parts."""

    contract: str
    draw: Callable[[int], st.SearchStrategy[Arrays]]
    values: Callable[..., None]
    gradients: Callable[..., None]


def amplitudes(size: int) -> st.SearchStrategy[Arrays]:
    """A predicted and an observed amplitude, (1, 1, N, N), apart everywhere: at equal ones, |Â − A| has a kink."""
    shape = (1, 1, size, size)
    observed = arrays(np.float64, shape, elements=st.floats(1, 100, width=32))
    excess = arrays(np.float64, shape, elements=st.floats(0.5, 10, width=32))
    return st.tuples(observed, excess).map(lambda drawn: (drawn[0] + drawn[1], drawn[0]))


def exit_waves(size: int) -> st.SearchStrategy[Arrays]:
    """Exit waves, (1, 1, 1, N, N), beside a point that lights every pixel: at a dark one, √ has no gradient."""
    shape = (1, 1, 1, size, size)
    point = np.zeros(shape)
    point[..., 1, 2] = 4.0 * size**2
    parts = arrays(np.float64, shape, elements=st.floats(-1, 1, width=32))
    return st.tuples(parts, parts).map(lambda drawn: (point + drawn[0] + 1j * drawn[1],))


def loss_values(name: str, predicted: NDArray[Any], observed: NDArray[Any]) -> None:
    """A loss of both stacks, against each other."""
    for dtype in (np.float32, np.float64):
        p, o = predicted.astype(dtype), observed.astype(dtype)
        in_torch = getattr(ptycho_torch.losses, name)(torch.from_numpy(p), torch.from_numpy(o))
        in_tensorflow = getattr(ptycho.losses, name)(tf.constant(channels_last(p)), tf.constant(channels_last(o)))
        assert_close(in_torch.numpy(), in_tensorflow.numpy())


def loss_gradients(name: str, check: GradientCheck, predicted: NDArray[Any], observed: NDArray[Any]) -> None:
    """Both of its gradients in each stack."""
    check.in_torch(getattr(ptycho_torch.losses, name), predicted, observed)
    check.in_tensorflow(getattr(ptycho.losses, name), channels_last(predicted), channels_last(observed))


def far_field_values(waves: NDArray[Any]) -> None:
    """The far field of both stacks, against each other."""
    for dtype in (np.complex64, np.complex128):
        rounded = waves.astype(dtype)
        in_torch = ptycho_torch.optics.far_field_amplitude(torch.from_numpy(rounded))
        in_tensorflow = ptycho.optics.far_field_amplitude(tf.constant(waves_last(rounded)))
        assert_close(in_torch.numpy(), np.moveaxis(in_tensorflow.numpy(), -1, 1))


def far_field_gradients(check: GradientCheck, waves: NDArray[Any]) -> None:
    """Its gradient in each stack."""
    check.in_torch(ptycho_torch.optics.far_field_amplitude, waves)
    check.in_tensorflow(ptycho.optics.far_field_amplitude, waves_last(waves))


BY_HAND = (
    ByHand("losses.mae", amplitudes, partial(loss_values, "mae"), partial(loss_gradients, "mae")),
    ByHand(
        "losses.poisson_nll", amplitudes, partial(loss_values, "poisson_nll"), partial(loss_gradients, "poisson_nll")
    ),
    ByHand("optics.far_field_amplitude", exit_waves, far_field_values, far_field_gradients),
)


def channels_last(amplitude: NDArray[Any]) -> NDArray[Any]:
    """(B, C, H, W) as (B, H, W, C)."""
    return np.ascontiguousarray(np.moveaxis(amplitude, 1, -1))


def waves_last(waves: NDArray[Any]) -> NDArray[Any]:
    """(B, C, P, H, W) as (B, H, W, C, P)."""
    return np.ascontiguousarray(waves.transpose(0, 3, 4, 1, 2))


def assert_close(one: NDArray[Any], other: NDArray[Any]) -> None:
    """Both within the tolerance of their precision."""
    rtol = TOLERANCES["64" if one.dtype == np.float64 else "32"]
    np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * float(np.abs(other).max()))


def every_axis_in_torch(function: Callable[..., Any], *arguments: NDArray[Any], fast: bool = False) -> None:
    """`gradcheck`; in its fast mode, along one random direction instead of each axis."""
    tensors = [torch.from_numpy(argument).requires_grad_(True) for argument in arguments]
    assert torch.autograd.gradcheck(function, tensors, atol=1e-2, rtol=GRADIENT_TOLERANCE, fast_mode=fast)


def every_axis_in_tensorflow(function: Callable[..., Any], *arguments: NDArray[Any]) -> None:
    """`tf.test.compute_gradient` on a traced function, which is faster than on an eager one."""
    traced = tf.function(function, autograph=False)
    theoretical, numerical = tf.test.compute_gradient(traced, [tf.constant(argument) for argument in arguments])
    for one, other in zip(theoretical, numerical, strict=True):
        atol = GRADIENT_TOLERANCE * float(np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=GRADIENT_TOLERANCE, atol=atol)


def one_direction_in_tensorflow(function: Callable[..., Any], *arguments: NDArray[Any], step: float = 1e-5) -> None:
    """A central difference, for TensorFlow brings nothing along for it."""
    random = np.random.default_rng(0)
    places = [tf.constant(argument) for argument in arguments]
    directions = [tf.constant(random.standard_normal(a.shape).astype(a.dtype)) for a in arguments]
    weights = tf.constant(random.standard_normal(function(*places).shape))

    def objective(along: float) -> tf.Tensor:
        return tf.reduce_sum(weights * function(*(x + along * d for x, d in zip(places, directions, strict=True))))

    with tf.GradientTape() as tape:
        tape.watch(places)
        here = objective(0.0)
    gradients = zip(tape.gradient(here, places), directions, strict=True)
    slope = sum(tf.reduce_sum(tf.math.real(tf.math.conj(gradient) * d)) for gradient, d in gradients)
    difference = (objective(step) - objective(-step)) / (2 * step)
    np.testing.assert_allclose(slope, difference, rtol=GRADIENT_TOLERANCE, atol=GRADIENT_TOLERANCE)


ALONG_EVERY_AXIS = GradientCheck(every_axis_in_torch, every_axis_in_tensorflow)
ALONG_ONE_DIRECTION = GradientCheck(partial(every_axis_in_torch, fast=True), one_direction_in_tensorflow)


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds of an example at N × N pixels, everything traced: by hand, and by the harness in both stacks.

    By hand: `values` alone; their gradients along `one_direction`; their gradients along `every_axis`, which is what
    the harness checks, and which is timed on a single example.
    """

    contract: str
    size: int
    values: float
    one_direction: float
    every_axis: float
    harness: float

    @property
    def factors(self) -> tuple[float, float]:
        """How many times the harness values and the quick gradients, or all gradients, take together by hand."""
        return (self.values + self.one_direction) / self.harness, (self.values + self.every_axis) / self.harness


def time_beside(
    names: Sequence[str], frameworks: Sequence[Framework], examples: int = EXAMPLES, size: int = SIZE
) -> Iterator[Beside]:
    """Time both ways on `examples` examples each. Raises AssertionError where a stack is wrong."""
    for written in BY_HAND:
        if written.contract in names:
            drawn = written.draw(size)
            yield Beside(
                written.contract,
                size,
                values=_an_example(drawn, written.values, examples),
                one_direction=_an_example(drawn, partial(written.gradients, ALONG_ONE_DIRECTION), examples),
                every_axis=_an_example(drawn, partial(written.gradients, ALONG_EVERY_AXIS), 1, warm=False),
                harness=_an_example(_cases(written.contract, size), partial(_hold, frameworks), examples),
            )


def _cases(name: str, size: int) -> st.SearchStrategy[tuple[Case]]:
    case = sized(REGISTRY[name], size)
    assert case is not None, f"{name} takes no {size} pixels a side"
    return st.integers(1, SEEDS).map(lambda seed: (Case(case.contract, case.stratum, seed),))


def _hold(frameworks: Sequence[Framework], case: Case) -> None:
    found = examine(case, frameworks, tuple(PRECISIONS.values()))
    assert all(measurement.agrees for measurement in found), case.name


def _an_example(
    strategy: st.SearchStrategy[tuple[Any, ...]], check: Callable[..., None], examples: int, warm: bool = True
) -> float:
    """Seconds an example that is drawn and checked; what a first one does besides is done before."""
    checked = 0

    def test(drawn: tuple[Any, ...]) -> None:
        nonlocal checked
        check(*drawn)
        checked += 1

    def run(number: int) -> None:
        unhurried = settings(
            max_examples=number,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        unhurried(given(drawn=strategy)(test))()

    if warm:
        run(1)
    checked, started = 0, time.perf_counter()
    run(examples)
    return (time.perf_counter() - started) / checked


def main(names: Sequence[str]) -> None:
    """Print milliseconds an example, and how many times the harness's they are, a line a contract."""
    columns = ("by hand", "N", "values", "one direction", "every axis", "harness", "× one", "× every")
    print(*columns, sep="\t")  # noqa: T201
    for row in time_beside(names or [written.contract for written in BY_HAND], load()):
        seconds = (row.values, row.one_direction, row.every_axis, row.harness)
        one, every = row.factors
        print(row.contract, row.size, *(f"{1000 * s:.3g}" for s in seconds), f"{one:.1f}", f"{every:.0f}", sep="\t")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
