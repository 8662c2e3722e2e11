"""Training a generator on exposures, on Lightning: checkpoints, resumption, logs, and whatever devices it knows.

What is minimised is `lightning_module`. A training that was interrupted and goes on from its checkpoint ends in the
weights of one that was not.
"""

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger

from ptycho_exposures.checks import refusal
from ptycho_torch.checkpoints import CHECKPOINT, CheckpointError, WholeCheckpointIO, load_module, require_same
from ptycho_torch.dataloader import PtychoDataset
from ptycho_torch.lightning_module import DivergedError, Exposure, PtychoModule, TrainingConfig

__all__ = [
    "CHECKPOINT",
    "CheckpointError",
    "DivergedError",
    "Exposure",
    "PtychoModule",
    "TrainingConfig",
    "load_module",
    "train",
]

_WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG"
"""What Lightning sets in the environment for the sake of sums that are the same each time."""


def train(
    dataset: PtychoDataset,
    output_dir: str | os.PathLike[str],
    config: TrainingConfig | None = None,
    *,
    resume: bool = False,
    accelerator: str = "auto",
    devices: int | str | list[int] = "auto",
    strategy: str = "auto",
    callbacks: tuple[Callback, ...] = (),
) -> PtychoModule:
    """Train a generator on a data set; the folder then has `checkpoints/last.ckpt` and `logs/version_*/metrics.csv`.

    A checkpoint is written after every epoch, whole or not at all. Progress is shown where the standard output is a
    terminal. One seed gives one result on one machine; an operation that could not keep that is refused by torch.

    Args:
        dataset: with `normalization` its own.
        output_dir: made if it is not there; a checkpoint in it is replaced, unless resumed.
        config: `TrainingConfig()` if none is given.
        resume: go on from the folder's checkpoint, if it has one.
        accelerator: as Lightning's Trainer takes it, as are the others: "auto", "cpu", "gpu" ...
        devices: how many, or which.
        strategy: for several devices.
        callbacks: of Lightning, besides.

    Raises:
        CheckpointError: the checkpoint is damaged, of another training, or of other data.
        DivergedError: the weights are no longer finite; the last checkpoint is that of the last whole epoch.
        TypeError: as ValueError.
        OSError: a checkpoint or a log cannot be written.
        ValueError: the generator does not take the data set, or there are no such devices.
        KeyboardInterrupt: the training was interrupted; the last checkpoint is that of the last whole epoch.
    """
    config = TrainingConfig() if config is None else config
    checkpoint = Path(output_dir) / CHECKPOINT
    module = PtychoModule(config, Exposure.of(dataset))
    module.learn_from(dataset)
    continued = resume and checkpoint.exists()
    if continued:
        require_same(checkpoint, module)
    with _undisturbed():
        trainer = _trainer(
            accelerator,
            devices,
            strategy,
            max_epochs=config.epochs,
            logger=CSVLogger(Path(output_dir), name="logs"),
            callbacks=[*_own_callbacks(checkpoint), *callbacks],
        )
        try:
            trainer.fit(module, ckpt_path=checkpoint if continued else None, weights_only=True)
        except SystemExit as error:  # Lightning's answer to an interruption
            raise KeyboardInterrupt from error
    return module


def _trainer(accelerator: str, devices: int | str | list[int], strategy: str, **settings: Any) -> Trainer:
    """One of these devices, or a ValueError if the machine has none such."""
    try:
        return Trainer(
            accelerator=accelerator,
            devices=devices,
            strategy=strategy,
            deterministic=True,
            enable_progress_bar=sys.stdout.isatty(),
            enable_model_summary=False,
            log_every_n_steps=1,
            plugins=[WholeCheckpointIO()],
            **settings,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        got = f"{accelerator}, {devices}, {strategy} ({error})"
        raise ValueError(refusal("accelerator, devices, strategy", "what this machine has", got)) from error


def _own_callbacks(checkpoint: Path) -> list[Callback]:
    saving = ModelCheckpoint(
        dirpath=checkpoint.parent.absolute(),
        filename=checkpoint.stem,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return [saving, RichProgressBar()] if sys.stdout.isatty() else [saving]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep what Lightning changes in the process, and hints that are none, to the block."""
    logger = logging.getLogger("lightning.pytorch")
    level, strict, own = logger.level, torch.are_deterministic_algorithms_enabled(), threading.current_thread()
    handler, workspace = signal.getsignal(signal.SIGINT), os.environ.get(_WORKSPACE)
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)  # Lightning's own use of torch
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            warnings.filterwarnings("ignore", ".*exists and is not empty.*")  # checkpoints are to be replaced
            warnings.filterwarnings("ignore", ".*dirpath has changed.*")  # the newest checkpoint is the one that counts
            yield
    finally:
        logger.setLevel(level)
        torch.use_deterministic_algorithms(strict)
        os.environ.pop(_WORKSPACE, None)
        if workspace is not None:
            os.environ[_WORKSPACE] = workspace
        if own is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
