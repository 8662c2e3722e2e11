"""What a defect does to the training of a network: the runner's own run, without the defect and with it.

The network, the data and every random choice are the same, so that the runs part where the defect is. It is made while
a network is trained alone: what came of it is stitched and judged without it, over the same part of the object.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.repository import import_stack
from parity.contracts.fault import Fault
from parity.faults.injection import injected
from parity.proof.reconstruction import LOSSES, loss_of

if TYPE_CHECKING:
    from ptycho_torch.grid_lines_torch_runner import Outcome, Target
    from ptycho_torch.lightning_module import TrainingConfig
    from ptycho_torch.metrics import Complex, Metrics

STACK = "torch"
"""The stack that trains."""


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
    """The same training without a defect and with it, the true object (H, W), and the metrics of a constant one.

    Where the defect lets no network be trained, `with_defect` is None, and `fault` says why.
    """

    defect: Fault
    loss: str
    truth: Complex
    constant: Metrics
    without: Trained
    with_defect: Trained | None
    fault: str = ""

    @property
    def is_none(self) -> bool:
        """Whether both came out the same, bit for bit."""
        return self.with_defect is not None and np.array_equal(self.without.object, self.with_defect.object)


def training_effects(defects: Sequence[Fault], task: Task, loss: str = "") -> list[TrainingEffect]:
    """Train without each defect and with it; without it once a loss.

    Args:
        defects: to be made in the PyTorch stack.
        task: what is trained on, and how.
        loss: a key of `parity.proof.reconstruction.LOSSES`; by default that of each defect.

    Raises:
        UsageError: a defect that cannot be made in the stack, an unknown loss, or a configuration that the data do not
            fit.
        TrainingNotMade: a file that cannot be used, a training that diverges without a defect, or Lightning is not
            installed.
    """
    if loss and loss not in LOSSES:
        raise UsageError(f"loss: expected {' or '.join(LOSSES)}, got '{loss}'")
    for defect in defects:
        with injected(defect, STACK):
            pass  # one that cannot be made is refused before the first run, not after it
    require_lightning()
    target = _target(task)
    right: dict[str, Outcome] = {}
    effects = []
    for defect in defects:
        minimised = loss or loss_of(defect)
        if minimised not in right:
            right[minimised] = _without(task, target, minimised)
        outcome = right[minimised]
        constant, judged = outcome.metrics()["constant"], _judged(outcome)
        with_defect, fault = _with(defect, task, target, minimised)
        effects.append(TrainingEffect(defect, minimised, outcome.truth, constant, judged, with_defect, fault))
    return effects


def _target(task: Task) -> Target:
    """What is to be reconstructed, once both files are known to be of use."""
    from ptycho_exposures.npz import DataError
    from ptycho_torch.grid_lines_torch_runner import read

    try:
        return read(task.train_npz, task.test_npz, task.config)[1]
    except DataError as error:
        raise TrainingNotMade(str(error)) from error


def _without(task: Task, target: Target, loss: str) -> Outcome:
    try:
        return _outcome(task, target, loss)
    except ArithmeticError as error:  # a DivergedError, whose module imports Lightning
        raise TrainingNotMade(f"without the defect: {error}") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def _with(defect: Fault, task: Task, target: Target, loss: str) -> tuple[Trained | None, str]:
    """What came of it, or why nothing did: a defect may raise whatever it likes."""
    try:
        return _judged(_outcome(task, target, loss, defect)), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _outcome(task: Task, target: Target, loss: str, defect: Fault | None = None) -> Outcome:
    """One run of the runner, the training set read and the network trained with the defect."""
    from ptycho_torch.dataloader import PtychoDataset
    from ptycho_torch.grid_lines_torch_runner import judge
    from ptycho_torch.train import train

    config = replace(task.config, nll_weight=float(loss == "nll"), mae_weight=float(loss == "mae"))
    with tempfile.TemporaryDirectory() as folder, injected(defect, STACK) if defect else nullcontext():
        module = train(PtychoDataset(task.train_npz), folder, config, accelerator="cpu", devices=1)
    testing = PtychoDataset(task.test_npz, normalization=module.exposure.normalization)
    return judge(module, replace(target, dataset=testing))


def _judged(outcome: Outcome) -> Trained:
    from ptycho_torch.metrics import aligned, compare

    rescaled = aligned(outcome.found, outcome.truth, scale_known=False)
    metrics, of_rescaled = outcome.metrics()["reconstruction"], compare(rescaled, outcome.truth)
    return Trained(tuple(outcome.module.history), outcome.found, rescaled, metrics, of_rescaled)


def require_lightning() -> None:
    """Raise TrainingNotMade if something that training needs is not installed."""
    try:
        for module in ("lightning_module", "train", "metrics"):
            import_stack(f"ptycho_torch.{module}")
    except ModuleNotFoundError as error:
        raise TrainingNotMade(f"{error.name} is missing: pip install 'ptycho-parity[train]'") from error
