"""What training moves: a generator and the scale of its light, as Lightning takes them.

The loss is `forward.training_objective` of the generator's patches, with the observed amplitude on the scale of
photons; the optimizer is `training.make_optimizer`. Nothing is drawn but the weights and the order of the groups, both
from the seed and the epoch alone.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, DistributedSampler

from ptycho_exposures.checks import refusal
from ptycho_torch import checks, forward, losses, patches
from ptycho_torch.dataloader import Batch, PtychoDataset
from ptycho_torch.generators import make_generator
from ptycho_torch.training import OptimizerConfig, make_optimizer

DESCRIPTION: Final = "ptycho"
"""The key of a checkpoint under which a module keeps what it is made from."""


_LARGEST: Final = 2**62  # torch counts with 64 bits, and adds the epoch to the seed


class DivergedError(ArithmeticError):
    """A training whose network no longer makes finite patches; the message says since when."""


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
    nll_weight: float = 1.0
    """Of `losses.poisson_nll`, by pixel."""
    mae_weight: float = 0.0
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
        for name in ("batch_size", "seed"):
            if getattr(self, name) > _LARGEST:
                raise ValueError(refusal(name, f"at most {_LARGEST}", str(getattr(self, name))))
        OptimizerConfig(learning_rate=self.learning_rate)  # refuses what is no rate
        for name in ("nll_weight", "mae_weight", "tv_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(refusal(name, "a finite number of at least 0", str(getattr(self, name))))
        if not self.nll_weight + self.mae_weight:
            raise ValueError(refusal("nll_weight, mae_weight", "one of them above 0", "0 for both"))
        if self.weighting not in (None, *forward.WEIGHTINGS):
            expected = f"one of {', '.join(forward.WEIGHTINGS)}"
            raise ValueError(refusal("weighting", expected, repr(self.weighting)))

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
            raise ValueError(refusal("diffraction", "square patterns", f"({rows}, {columns})"))
        known = dataset.scan.scales.get("intensity_scale")
        light = float(dataset.probe.abs().square().sum())
        transparent = math.sqrt(rows * columns / 4 / light) / dataset.normalization if light else 0.0
        scale = transparent if known is None else known
        if not 0 < scale < math.inf:
            got = f"{known} for intensity_scale" if known is not None else "no light"
            raise ValueError(refusal("probeGuess, intensity_scale", "light and a positive scale", got))
        gridsize = math.isqrt(dataset.groups.shape[1])
        return cls(rows, gridsize, dataset.normalization, 1.0 if known is None else known, scale, known is not None)


class PtychoModule(LightningModule):
    """A generator, the scale of its light, and what training minimises.

    Attributes:
        generator: from amplitudes (B, C, N, N), normalised by `exposure.normalization`, to patches of the object.
        log_scale: (), the logarithm of the √photons a unit of |p·O|; learnt where it is not known.
        data: the fingerprint of what it is trained on.
        history: of each epoch that was finished, the means of `loss`, `mae` (√photons) and `nll` (nats a pixel).
    """

    def __init__(self, config: TrainingConfig, exposure: Exposure) -> None:
        """Make the generator from the seed; raises as `generators.make_generator` does."""
        super().__init__()
        self.config, self.exposure = config, exposure
        self.generator: nn.Module = make_generator(config.architecture, exposure.size, exposure.gridsize, config.seed)
        self.log_scale = nn.Parameter(torch.tensor(math.log(exposure.scale)), requires_grad=not exposure.scale_known)
        self.history: list[dict[str, float]] = []
        self.data = ""
        self._dataset: PtychoDataset | None = None

    def learn_from(self, dataset: PtychoDataset) -> None:
        """Take the data set that the next training is on."""
        self._dataset, self.data = dataset, dataset.fingerprint
        self._canvas = _canvas_size(dataset)
        self._probe = dataset.probe  # no buffer: torch's broadcast among processes refuses complex ones

    def forward(self, images: Tensor) -> Tensor:
        """Patches of the object (B, C, N, N), complex, from normalised amplitudes (B, C, N, N)."""
        return cast(Tensor, self.generator(images))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of a batch, (); raises DivergedError where the patches are not finite."""
        config, images = self.config, batch["amplitude"]
        made = self._finite_patches(images)
        observed = images * (self.exposure.unit / self.exposure.normalization)
        self._probe = self._probe.to(images.device)
        exposure = (batch["positions"], self._probe, self.log_scale)
        canvas = (self._canvas, self._canvas, config.chosen_weighting)
        loss = forward.training_objective(
            made,
            *exposure,
            observed,
            torch.zeros_like(made),  # no target: its term has no weight
            config.nll_weight,
            config.mae_weight,
            1.0,
            config.tv_weight,
            0.0,
            *canvas,
        )
        with torch.no_grad():
            self._log_losses(loss, forward.predict_amplitude(made, *exposure, *canvas), observed)
        self._last_images = images
        return loss

    def _finite_patches(self, images: Tensor) -> Tensor:
        made = self(images)
        if not torch.isfinite(torch.view_as_real(made)).all():
            said = f"expected finite patches, got others after step {self.global_step}; a smaller rate may help"
            raise DivergedError(f"learning_rate: {self.config.learning_rate:g}: {said}")
        return made

    def _log_losses(self, loss: Tensor, predicted: Tensor, observed: Tensor) -> None:
        means = {
            "loss": loss.detach(),
            "mae": losses.mae(predicted, observed),
            "nll": losses.poisson_nll(predicted, observed).mean() / observed[0].numel(),
        }
        self.log_dict(means, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(observed), sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Keep the means of the epoch; raises DivergedError, before a checkpoint is written, where its last step was
        one too many.
        """
        with torch.no_grad():
            self._finite_patches(self._last_images)
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
        checkpoint[DESCRIPTION] = {
            "config": asdict(self.config),
            "exposure": asdict(self.exposure),
            "data": self.data,
            "history": self.history,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history over, and which data it is of."""
        self.history = list(checkpoint[DESCRIPTION]["history"])
        self.data = checkpoint[DESCRIPTION]["data"]


def _canvas_size(dataset: PtychoDataset) -> int:
    """Pixels a side of the smallest canvas on which every group has room, of the parity of a pattern."""
    scan = torch.from_numpy(dataset.scan.positions)[dataset.groups]
    farthest = patches.relative_positions(scan).abs().max().item()
    return dataset.scan.diffraction.frame[0] + 2 * math.ceil(farthest)
