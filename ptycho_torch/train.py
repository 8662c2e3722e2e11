"""Training a generator on exposures, on Lightning: checkpoints, resumption, logs, and whatever devices it knows.

The loss is `losses.training_loss` of what `forward.predict_amplitude` makes of the generator's patches, with the
observed amplitude on the scale of photons; the optimizer is `training.make_optimizer`. Nothing is drawn but the
weights and the order of the groups, both from the seed and the epoch alone, so that a training that was interrupted
and goes on from its checkpoint ends in the weights of one that was not.
"""

import logging
import math
import os
import pickle
import signal
import sys
import threading
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, DistributedSampler

from ptycho_torch import checks, forward, losses, patches
from ptycho_torch.dataloader import Batch, PtychoDataset
from ptycho_torch.generators import make_generator
from ptycho_torch.npz import DataError
from ptycho_torch.training import OptimizerConfig, make_optimizer

CHECKPOINT: Final = Path("checkpoints", "last.ckpt")
"""Where the newest checkpoint lies in the folder of a training; Lightning's format."""

_DESCRIPTION: Final = "ptycho"  # the key of a checkpoint under which this module keeps what is its own
_MAY_DIFFER: Final = frozenset({"epochs"})  # between a training and its continuation


class CheckpointError(DataError):
    """A checkpoint that cannot be used; the message names it, what was expected and what came."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What is trained, and how.

    Raises:
        TypeError: a number that is none.
        ValueError: a field out of its range, or no weight of a misfit on the detector.
    """

    architecture: str = "cnn"
    """A name of `generators.ARCHITECTURES`."""
    epochs: int = 20
    """How often every group is seen; a training that is resumed may have more."""
    batch_size: int = 16
    """Groups in a step, on each device."""
    learning_rate: float = 1e-3
    """Adam's."""
    nll_weight: float = 0.0
    """Of `losses.poisson_nll`, by pixel."""
    mae_weight: float = 1.0
    """Of `losses.mae`."""
    tv_weight: float = 0.0
    """Of `losses.total_variation`, by group."""
    weighting: str | None = None
    """How patches count where they overlap, as in `forward.predict_amplitude`. By default "central" for `cnn`, whose
    patches are 0 outside their middle, and "probe" for others."""
    seed: int = 0
    """Of the weights, and of the order of the groups."""

    def __post_init__(self) -> None:
        checks.require_size("epochs", self.epochs)
        checks.require_size("batch_size", self.batch_size)
        checks.require_size("seed", self.seed, 0)
        OptimizerConfig(learning_rate=self.learning_rate)  # refuses what is no rate
        for name in ("nll_weight", "mae_weight", "tv_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(checks.refusal(name, "a finite number of at least 0", str(getattr(self, name))))
        if not self.nll_weight + self.mae_weight:
            raise ValueError(checks.refusal("nll_weight, mae_weight", "one of them above 0", "0 for both"))
        if self.weighting not in (None, *forward.WEIGHTINGS):
            expected = f"one of {', '.join(forward.WEIGHTINGS)}"
            raise ValueError(checks.refusal("weighting", expected, repr(self.weighting)))

    @property
    def chosen_weighting(self) -> str:
        """The one that is used."""
        return self.weighting or ("central" if self.architecture == "cnn" else "probe")


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a generator has to know of the data set that it is trained on."""

    size: int
    """Pixels N a side of a pattern."""
    gridsize: int
    """Patches a side of a group."""
    normalization: float
    """The factor n by which amplitudes have been multiplied; other data are to be multiplied by it, too."""
    unit: float
    """√photons a unit of the file's amplitudes."""
    scale: float
    """√photons a unit of |p·O|: known, or, where the file says nothing of it, that of a transparent object."""
    scale_known: bool
    """Whether the file has it; if not, it is learnt beside the weights."""

    @classmethod
    def of(cls, dataset: PtychoDataset) -> "Exposure":
        """That of a data set, whose patterns must be square."""
        rows, columns = dataset.scan.diffraction.frame
        if rows != columns:
            raise ValueError(checks.refusal("diffraction", "square patterns", f"({rows}, {columns})"))
        known = dataset.scan.scales.get("intensity_scale")
        light = float(dataset.probe.abs().square().sum())
        transparent = math.sqrt(rows * columns / 4 / light) / dataset.normalization if light else 0.0
        scale = transparent if known is None else known
        if not 0 < scale < math.inf:
            got = f"{known} for intensity_scale" if known is not None else "no light"
            raise ValueError(checks.refusal("probeGuess, intensity_scale", "light and a positive scale", got))
        gridsize = math.isqrt(dataset.groups.shape[1])
        return cls(rows, gridsize, dataset.normalization, 1.0 if known is None else known, scale, known is not None)


class PtychoModule(LightningModule):
    """A generator, the scale of its light, and what training minimises.

    Attributes:
        generator: from amplitudes (B, C, N, N), normalised by `exposure.normalization`, to patches of the object.
        log_scale: (), the logarithm of the √photons a unit of |p·O|; learnt where it is not known.
        history: of each epoch that was finished, the means of `loss`, `mae` (√photons) and `nll` (nats a pixel).
    """

    def __init__(self, config: TrainingConfig, exposure: Exposure) -> None:
        """Make the generator from the seed; raises as `generators.make_generator` does."""
        super().__init__()
        self.config, self.exposure = config, exposure
        self.generator: nn.Module = make_generator(config.architecture, exposure.size, exposure.gridsize, config.seed)
        self.log_scale = nn.Parameter(torch.tensor(math.log(exposure.scale)), requires_grad=not exposure.scale_known)
        self.history: list[dict[str, float]] = []
        self._dataset: PtychoDataset | None = None

    def learn_from(self, dataset: PtychoDataset) -> None:
        """Take the data set that the next training is on."""
        self._dataset = dataset
        self._canvas = _canvas_size(dataset)
        self.register_buffer("probe", dataset.probe, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Patches of the object (B, C, N, N), complex, from normalised amplitudes (B, C, N, N)."""
        return cast(Tensor, self.generator(images))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch, ()."""
        config, images = self.config, batch["amplitude"]
        made = self(images)
        observed = images * (self.exposure.unit / self.exposure.normalization)
        predicted = forward.predict_amplitude(
            made,
            batch["positions"],
            cast(Tensor, self.probe),
            self.log_scale,
            self._canvas,
            self._canvas,
            config.chosen_weighting,
        )
        loss = losses.training_loss(
            predicted,
            observed,
            made,
            torch.zeros_like(made),  # no target: its term has no weight
            nll_weight=config.nll_weight,
            mae_weight=config.mae_weight,
            realspace_weight=1.0,
            tv_weight=config.tv_weight,
            realspace_mae_weight=0.0,
        )
        self._log_losses(loss.detach(), predicted.detach(), observed)
        return loss

    def _log_losses(self, loss: Tensor, predicted: Tensor, observed: Tensor) -> None:
        means = {
            "loss": loss,
            "mae": losses.mae(predicted, observed),
            "nll": losses.poisson_nll(predicted, observed).mean() / observed[0].numel(),
        }
        self.log_dict(means, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(observed), sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Keep the means of the epoch."""
        found = self.trainer.callback_metrics
        self.history.append({name: float(found[name]) for name in ("loss", "mae", "nll")})

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over what is learnt."""
        learnt = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return make_optimizer(OptimizerConfig("adam", learning_rate=self.config.learning_rate), learnt)

    def train_dataloader(self) -> DataLoader[Batch]:
        """All groups, in an order that the seed and the epoch decide; of several devices each has its share."""
        assert self._dataset is not None  # learn_from comes first
        sampler: DistributedSampler[Batch] = DistributedSampler(
            self._dataset,
            num_replicas=self.trainer.world_size,
            rank=self.trainer.global_rank,
            shuffle=True,
            seed=self.config.seed,
        )
        return DataLoader(self._dataset, self.config.batch_size, sampler=sampler)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the module is made from."""
        checkpoint[_DESCRIPTION] = {
            "config": asdict(self.config),
            "exposure": asdict(self.exposure),
            "history": self.history,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history over."""
        self.history = list(checkpoint[_DESCRIPTION]["history"])


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
        CheckpointError: the checkpoint is damaged, or of another training.
        TypeError: as ValueError.
        ValueError: the generator does not take the data set, or there are no such devices.
        KeyboardInterrupt: the training was interrupted; the last checkpoint is that of the last whole epoch.
    """
    config = TrainingConfig() if config is None else config
    checkpoint = Path(output_dir) / CHECKPOINT
    module = PtychoModule(config, Exposure.of(dataset))
    continued = resume and checkpoint.exists()
    if continued:
        _require_same(checkpoint, module)
    module.learn_from(dataset)
    with _undisturbed():
        try:
            trainer = Trainer(
                accelerator=accelerator,
                devices=devices,
                strategy=strategy,
                max_epochs=config.epochs,
                deterministic=True,
                logger=CSVLogger(Path(output_dir), name="logs"),
                callbacks=[*_own_callbacks(checkpoint), *callbacks],
                enable_progress_bar=sys.stdout.isatty(),
                enable_model_summary=False,
                log_every_n_steps=1,
            )
            trainer.fit(module, ckpt_path=checkpoint if continued else None, weights_only=True)
        except MisconfigurationException as error:
            got = f"{accelerator}, {devices}, {strategy} ({error})"
            raise ValueError(checks.refusal("accelerator, devices, strategy", "what this machine has", got)) from error
        except SystemExit as error:  # Lightning's answer to an interruption
            raise KeyboardInterrupt from error
    return module


def load_module(path: str | os.PathLike[str]) -> PtychoModule:
    """The module of a checkpoint, on the CPU, ready to predict. Nothing but tensors and plain values is unpickled.

    Raises CheckpointError if there is none that can be read.
    """
    state = _read(Path(path))
    said = state[_DESCRIPTION]
    module = PtychoModule(TrainingConfig(**said["config"]), Exposure(**said["exposure"]))
    module.load_state_dict(state["state_dict"])
    module.on_load_checkpoint(state)
    return module.eval()


def _canvas_size(dataset: PtychoDataset) -> int:
    """Pixels a side of the smallest canvas on which every group has room, of the parity of a pattern."""
    scan = torch.from_numpy(dataset.scan.positions)[dataset.groups]
    farthest = patches.relative_positions(scan).abs().max().item()
    return dataset.scan.diffraction.frame[0] + 2 * math.ceil(farthest)


def _own_callbacks(checkpoint: Path) -> list[Callback]:
    saving = ModelCheckpoint(
        dirpath=checkpoint.parent.absolute(),
        filename=checkpoint.stem,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return [saving, RichProgressBar()] if sys.stdout.isatty() else [saving]


def _read(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else f"one that cannot be read ({error})"
        raise CheckpointError(f"{path}: expected a checkpoint of a training, got {got}") from error
    if not isinstance(state, dict) or _DESCRIPTION not in state:
        raise CheckpointError(f"{path}: expected a checkpoint of a training, got a file of another kind")
    return state


def _require_same(path: Path, module: PtychoModule) -> None:
    """Refuse to continue what was another training."""
    said = _read(path)[_DESCRIPTION]
    wanted: Mapping[str, Mapping[str, Any]] = {"config": asdict(module.config), "exposure": asdict(module.exposure)}
    for part, fields in wanted.items():
        for name, value in fields.items():
            if name not in _MAY_DIFFER and said[part].get(name) != value:
                raise CheckpointError(
                    f"{path}: {name}: expected {value!r}, as in what is to be resumed, got {said[part].get(name)!r}"
                )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep what Lightning changes in the process, and hints that are none, to the block."""
    logger = logging.getLogger("lightning.pytorch")
    level, strict, own = logger.level, torch.are_deterministic_algorithms_enabled(), threading.current_thread()
    handler = signal.getsignal(signal.SIGINT)
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)  # Lightning's own use of torch
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            warnings.filterwarnings("ignore", ".*exists and is not empty.*")  # checkpoints are to be replaced
            yield
    finally:
        logger.setLevel(level)
        torch.use_deterministic_algorithms(strict)
        if own is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
