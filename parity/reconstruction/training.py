"""What a defect does to the training of a network: the runner's own run, without the defect and with it.

The network, the data and every random choice are the same, so that the runs part where the defect is. Metrics are those
of `ptycho_torch.metrics`, which no defect reaches.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from parity.contract import UsageError
from parity.defects.base import Defect
from parity.defects.injection import injected
from parity.errors import CheckNotMade
from parity.reconstruction import loss_of

if TYPE_CHECKING:
    from ptycho_torch.lightning_module import TrainingConfig
    from ptycho_torch.metrics import Complex, Metrics

STACK = "torch"
"""The stack that trains."""

LOSSES: Mapping[str, str] = {"nll": "poisson", "mae": "mae"}
"""What the runner calls the losses of `parity.reconstruction`."""


class TrainingNotMade(CheckNotMade):
    """No network could be trained; the message says why."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is trained on and judged by, and how.

    `config` is of the training, but for its losses' weights, which are those of the loss to be minimised.
    """

    train_npz: Path
    test_npz: Path
    config: TrainingConfig


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What came of a training.

    `history` has the means of each epoch as the stack has them: `loss`, `mae` (√photons), `nll` (nats a pixel).
    `object` is what was reconstructed (H, W), its common phase that of the truth; `rescaled` the same times the factor
    at which it is nearest to it.
    """

    history: Sequence[Mapping[str, float]]
    object: Complex
    rescaled: Complex
    metrics: Metrics
    rescaled_metrics: Metrics


@dataclass(frozen=True, slots=True, eq=False)
class TrainingEffect:
    """The same training without a defect and with it, the true object (H, W), and the metrics of a constant one."""

    defect: Defect
    loss: str
    truth: Complex
    constant: Metrics
    without: Trained
    with_defect: Trained

    @property
    def is_none(self) -> bool:
        """Whether both came out the same, bit for bit."""
        return np.array_equal(self.without.object, self.with_defect.object)


def training_effects(defects: Sequence[Defect], task: Task, loss: str = "") -> list[TrainingEffect]:
    """Train without each defect and with it; without it once a loss.

    Args:
        defects: to be made in the PyTorch stack.
        task: what is trained on, and how.
        loss: a key of `LOSSES`; by default that of each defect.

    Raises:
        UsageError: a defect that cannot be made in the stack, an unknown loss, or a configuration that the data do not
            fit.
        TrainingNotMade: a file that cannot be used, a training that diverges, or Lightning is not installed.
    """
    if loss and loss not in LOSSES:
        raise UsageError(f"loss: expected {' or '.join(LOSSES)}, got '{loss}'")
    for defect in defects:
        with injected(defect, STACK):
            pass  # one that cannot be made is refused before the first run, not after it
    right: dict[str, tuple[Trained, Complex, Metrics]] = {}
    effects = []
    for defect in defects:
        minimised = loss or loss_of(defect)
        if minimised not in right:
            right[minimised] = _trained(task, minimised)
        without, truth, constant = right[minimised]
        wrong, _, _ = _trained(task, minimised, injected(defect, STACK))
        effects.append(TrainingEffect(defect, minimised, truth, constant, without, wrong))
    return effects


def _trained(
    task: Task, loss: str, made: AbstractContextManager[None] | None = None
) -> tuple[Trained, Complex, Metrics]:
    """One run, the truth that it is judged by, and the metrics of a constant object."""
    runner = _runner()
    from ptycho_torch.metrics import aligned, compare
    from ptycho_torch.npz import DataError

    try:
        config = replace(task.config, **runner.LOSSES[LOSSES[loss]])
        with tempfile.TemporaryDirectory() as folder, made or nullcontext():
            outcome = runner.run(task.train_npz, task.test_npz, Path(folder), config, accelerator="cpu", devices=1)
    except (DataError, ArithmeticError) as error:
        raise TrainingNotMade(f"{'with' if made else 'without'} the defect: {error}") from error
    except ValueError as error:
        raise UsageError(str(error)) from error
    assert outcome is not None  # one process trains
    metrics = outcome.metrics()
    rescaled = aligned(outcome.found, outcome.truth, scale_known=False)
    trained = Trained(
        tuple(outcome.module.history),
        outcome.found,
        rescaled,
        metrics["reconstruction"],
        compare(rescaled, outcome.truth),
    )
    return trained, outcome.truth, metrics["trivial"]


def _runner() -> ModuleType:
    """The runner, with all that it imports when it is called."""
    try:
        importlib.import_module("ptycho_torch.train")
        importlib.import_module("ptycho_torch.metrics")
    except ModuleNotFoundError as error:
        raise TrainingNotMade(f"{error.name} is missing: pip install 'ptycho-parity[train]'") from error
    return importlib.import_module("ptycho_torch.grid_lines_torch_runner")
