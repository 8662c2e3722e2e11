"""What a defect does to training: an object is reconstructed by one stack, without the defect and with it.

What moves are the object's patches themselves, where training moves the weights of a network that makes them: what the
objective asks for is then seen apart from what a network can learn. A step is made of contracts, evaluated through the
adapter: the gradient of `forward.training_objective`, then Adam's. What came of it is judged by the oracle, which no
defect reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import UsageError
from parity.contracts.cases.families.family import Complex, Real
from parity.contracts.contract import Inputs, did_you_mean
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults.injection import injected
from parity.judging.trajectory import OPTIMIZERS
from parity.physics.oracle.patches import probe_weight
from parity.physics.precision import FLOAT32
from parity.proof.reconstruction.errors import Errors, best_factor, errors_of, errors_on_the_detector, merged, waves_of
from parity.proof.reconstruction.exposures import LOG10_PHOTONS, OBJECTIVE, expose
from parity.stacks.base import Framework

__all__ = ["LOG10_PHOTONS", "LOSSES", "ROOT_OPTIMA", "STEPS", "Effect", "Errors", "Run", "effect", "expose", "loss_of"]

STEP = "training.adam_step"

STEPS, LEARNING_RATE, JUDGED_EVERY = 300, 0.05, 5
"""Steps of a run, Adam's learning rate, and after how many steps the errors are taken."""

LOSSES: Mapping[str, str] = {"nll": "nll_weight", "mae": "mae_weight"}
"""What can be minimised, and the weight of the objective that is 1 then; all others are 0."""

ROOT_OPTIMA: frozenset[str] = frozenset(
    {
        "losses.poisson_nll/observed-unsquared",
        "losses.poisson_nll/predicted-squared-twice",
        "losses.training_loss/nll-observed-unsquared",
        "losses.mae/predicted-squared",
    }
)
"""Defects by full name with which a loss is least where the amplitude Â is √A, in place of A.

Derived in docs/bugs/POISSON_MAE_UNIT_MISMATCH_PYTORCH.md.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A reconstruction.

    `minimised` is the loss as the stack has it, before each step, (steps,); `errors` are by number of steps taken. The
    merged object at the end, `canvas` (rows, columns), is times the factor at which it is nearest to the truth.
    """

    minimised: NDArray[np.float64]
    errors: Mapping[int, Errors]
    canvas: Complex

    @property
    def start(self) -> Errors:
        return self.errors[0]

    @property
    def end(self) -> Errors:
        return self.errors[len(self.minimised)]


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One stack's reconstruction without a defect and with it.

    `truth` is the true object, merged, and `light` the mean |p|² that falls on a pixel of it, both (rows, columns);
    `noise` are the errors of the true object, which photon noise makes. `predicted` are the errors where every pixel is
    at √A, for a defect of `ROOT_OPTIMA`.
    """

    defect: Fault
    stack: str
    loss: str
    truth: Complex
    light: Real
    noise: Errors
    without: Run
    with_defect: Run
    predicted: Errors | None

    @property
    def is_none(self) -> bool:
        """Whether both came out the same, bit for bit: no step passed through the defect, or none showed it."""
        one, other = self.without, self.with_defect
        return np.array_equal(one.minimised, other.minimised) and np.array_equal(one.canvas, other.canvas)


def loss_of(defect: Fault) -> str:
    """The loss to look at a defect through: the absolute error for a defect of it, else the Poisson likelihood."""
    return "mae" if defect.target in ("losses.mae", "losses.absolute_error") else "nll"


def effect(
    defect: Fault,
    framework: Framework,
    loss: str = "",
    steps: int = STEPS,
    exposures: Inputs | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Effect:
    """Reconstruct without a defect and with it, from the same exposures and the same flat start.

    `loss` is a name in `LOSSES`, by default that of the defect; `advance` is told of every step. Raises UsageError for
    an unknown loss or a defect that cannot be made in the stack, ValueError for fewer than one step, StackError as
    `Framework.evaluate` does.
    """
    loss = loss or loss_of(defect)
    if loss not in LOSSES:
        raise UsageError(f"unknown loss '{loss}'{did_you_mean(loss, LOSSES)}")
    if steps < 1:
        raise ValueError(f"steps: expected at least one, got {steps}")
    with injected(defect, framework.name):
        pass  # a defect that cannot be made is refused before the first run, not after it
    exposures = expose() if exposures is None else exposures
    runs = {}
    for made in (None, defect):
        with injected(made, framework.name) if made else nullcontext():
            moved = _minimise(framework, {**exposures, LOSSES[loss]: np.array(1.0)}, steps, advance)
        runs[made] = _judged(exposures, loss, *moved)
    observed, true = exposures["observed"], exposures["patches"]
    is_at_the_root = defect.full_name in ROOT_OPTIMA and loss == loss_of(defect)
    return Effect(
        defect,
        framework.name,
        loss,
        truth=merged(exposures, true),
        light=merged(exposures, np.broadcast_to(probe_weight(exposures["probe"]), true.shape)),
        noise=errors_of(exposures, loss, true),
        without=runs[None],
        with_defect=runs[defect],
        predicted=errors_on_the_detector(np.sqrt(observed), observed, loss) if is_at_the_root else None,
    )


def _minimise(
    framework: Framework, given: Inputs, steps: int, advance: Callable[[], None]
) -> tuple[list[float], list[Complex]]:
    """The loss before each step, and the patches before each and after the last, from flat ones."""
    objective, step = REGISTRY[OBJECTIVE], REGISTRY[STEP]
    shape = given["patches"].shape
    start = np.ones(shape, FLOAT32.complex).ravel().view(FLOAT32.real)
    state = {r.name: start if r is step.results[0] else np.zeros_like(start) for r in step.results}
    losses, patches = [], [_patches(start, shape)]
    for number in range(1, steps + 1):
        found = framework.evaluate(objective, {**given, "patches": patches[-1]}, FLOAT32, {"loss": np.array(1.0)})
        gradient = found.gradients.get("patches", np.zeros(shape))
        state["gradient"] = np.ascontiguousarray(gradient, FLOAT32.complex).ravel().view(FLOAT32.real)
        taken = {**state, "count": np.array(number), **_HYPERPARAMETERS}
        state = dict(framework.evaluate(step, {a.name: taken[a.name] for a in step.arguments}, FLOAT32).values)
        losses.append(float(np.mean(found.values["loss"])))  # a defect may leave it unreduced
        patches.append(_patches(state["parameters"], shape))
        advance()
    return losses, patches


_HYPERPARAMETERS: Mapping[str, NDArray[Any]] = MappingProxyType(
    {name: np.array(value) for name, value in {**OPTIMIZERS["adam"], "learning_rate": LEARNING_RATE}.items()}
)


def _patches(parameters: NDArray[Any], shape: tuple[int, ...]) -> Complex:
    """Real and imaginary parts in turn, as patches of a shape."""
    return np.ascontiguousarray(parameters).view(FLOAT32.complex).reshape(shape).astype(np.complex128)


def _judged(exposures: Inputs, loss: str, losses: list[float], patches: list[Complex]) -> Run:
    marks = sorted({*range(0, len(patches), JUDGED_EVERY), len(patches) - 1})
    with np.errstate(all="ignore"):  # a defect may have driven them anywhere
        errors = {number: errors_of(exposures, loss, patches[number]) for number in marks}
        factor = best_factor(waves_of(exposures, patches[-1]), waves_of(exposures, exposures["patches"]))
        return Run(np.array(losses), errors, merged(exposures, patches[-1]) * factor)
