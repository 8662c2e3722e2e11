"""Training: what it minimises, that a seed decides it, and that an interruption does not show."""

import errno
import math
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from ptycho_torch import forward, lightning_module, optics, probe, train
from ptycho_torch.dataloader import PtychoDataset
from ptycho_torch.generators.fno import CascadedFNOGenerator, FNOConfig
from ptycho_torch.train import (
    CHECKPOINT,
    CheckpointError,
    DivergedError,
    Exposure,
    PtychoModule,
    TrainingConfig,
    load_module,
)
from tests.skips import NO_GPU

N, SCALE = 16, 40.0
TINY = TrainingConfig("fno", epochs=3, batch_size=2, learning_rate=1e-2)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str, size: int, gridsize: int, seed: int) -> CascadedFNOGenerator:
        return CascadedFNOGenerator(FNOConfig(size, gridsize, width=4, modes=4, blocks=1, refinements=1), seed)

    monkeypatch.setattr(lightning_module, "make_generator", make)


def scan_file(path: Path, **changed: object) -> Path:
    random = np.random.default_rng(0)
    places = [(x, y) for y in range(0, 9, 4) for x in range(0, 9, 4)]
    whole = (0.5 + random.random((24, 24)) / 2) * np.exp(1j * random.random((24, 24)))
    beam = probe.normalize(probe.gaussian(N, 3.0), 1.0)
    views = torch.from_numpy(np.stack([whole[y : y + N, x : x + N] for x, y in places]))[:, None]
    arrays = {
        "diffraction": optics.far_field_amplitude(optics.illuminate(views.to(torch.complex64), beam))[:, 0].numpy(),
        "probeGuess": beam.numpy(),
        "xcoords": np.array([float(x) for x, _ in places]),
        "ycoords": np.array([float(y) for _, y in places]),
        "intensity_scale": np.array(SCALE),
    } | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.fixture
def data(tmp_path: Path) -> PtychoDataset:
    return PtychoDataset(scan_file(tmp_path / "scan.npz"))


def weights_of(module: PtychoModule) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def are_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Interruption(Callback):
    """Ctrl-C in the middle of an epoch."""

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *rest: object) -> None:
        if trainer.current_epoch == 1 and trainer.global_step % 5 == 2:
            raise KeyboardInterrupt


def test_losses_fall_and_are_logged(data: PtychoDataset, tmp_path: Path) -> None:
    module = train.train(data, tmp_path / "out", TINY, accelerator="cpu")
    assert [set(epoch) for epoch in module.history] == [{"loss", "mae", "nll"}] * 3
    assert all(module.history[-1][name] < module.history[0][name] for name in ("loss", "mae", "nll"))
    assert (tmp_path / "out" / "logs" / "version_0" / "metrics.csv").read_text().count("\n") == 4
    assert [path.name for path in (tmp_path / "out" / "checkpoints").iterdir()] == [CHECKPOINT.name]


@pytest.mark.parametrize("gridsize", [1, 2])
def test_the_loss_is_that_of_the_objective(tmp_path: Path, gridsize: int) -> None:
    """In photons on both sides, whatever the amplitudes have been normalised by."""
    data = PtychoDataset(scan_file(tmp_path / "scan.npz"), gridsize=gridsize)
    config = TrainingConfig("fno", 1, len(data), learning_rate=1e-30, nll_weight=0.5, mae_weight=2.0, tv_weight=0.1)
    module = train.train(data, tmp_path / "out", config, accelerator="cpu")
    batch = data.batch(range(len(data)))
    made = module(batch["amplitude"])
    photons = batch["amplitude"] / data.normalization * SCALE
    expected = forward.training_objective(
        made,
        batch["positions"],
        data.probe,
        torch.tensor(math.log(SCALE)),
        photons,
        made,
        *(0.5, 2.0, 1.0, 0.1, 0.0),
        *(module._canvas, module._canvas),
        "probe",
    )
    another_order = 8 * torch.finfo(torch.float32).eps  # of the groups, and so of their sum
    assert module.history[0]["loss"] == pytest.approx(expected.item(), rel=another_order)
    with np.load(data.scan.path) as stored:
        amplitudes = torch.from_numpy(stored["diffraction"])
    torch.testing.assert_close(photons, SCALE * amplitudes[batch["exposures"]])


def test_what_is_minimised_is_the_function_that_is_held_to_the_oracle(
    data: PtychoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = forward.training_objective
    monkeypatch.setattr(forward, "training_objective", lambda *arguments: 2 * right(*arguments))
    doubled = train.train(data, tmp_path / "doubled", replace(TINY, epochs=1))
    monkeypatch.undo()
    assert doubled.history[0]["loss"] == 2 * doubled.history[0]["nll"]


@pytest.mark.parametrize("batch_size", [2, 16])
def test_a_training_that_diverges_in_its_last_step_leaves_no_checkpoint(
    data: PtychoDataset, tmp_path: Path, batch_size: int
) -> None:
    diverging = replace(TINY, epochs=1, batch_size=batch_size, learning_rate=1e30)
    with pytest.raises(
        DivergedError, match=r"learning_rate: 1e\+30: expected finite patches, got others after step \d+"
    ):
        train.train(data, tmp_path, diverging)
    assert not (tmp_path / CHECKPOINT).exists()


def test_an_object_that_is_all_dark_has_a_finite_slope(
    data: PtychoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A term of weight 0 takes nothing from it, however steep it is there."""
    monkeypatch.setattr(PtychoModule, "forward", lambda self, images: 1e-40 * self.generator(images))
    module = train.train(data, tmp_path, replace(TINY, epochs=1))
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_a_seed_decides_the_weights(data: PtychoDataset, tmp_path: Path) -> None:
    config = asdict(TINY) | {"epochs": 1}
    one, same, other = (
        weights_of(train.train(data, tmp_path / str(number), TrainingConfig(**config | {"seed": seed})))
        for number, seed in enumerate((0, 0, 1))
    )
    assert are_equal(one, same)
    assert not are_equal(one, other)


def test_an_interrupted_training_ends_in_the_same_weights(data: PtychoDataset, tmp_path: Path) -> None:
    whole = train.train(data, tmp_path / "whole", TINY, accelerator="cpu")
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train.train(data, tmp_path / "cut", TINY, accelerator="cpu", callbacks=(Interruption(),))
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(load_module(tmp_path / "cut" / CHECKPOINT).history) == 1
    resumed = train.train(data, tmp_path / "cut", TINY, accelerator="cpu", resume=True)
    assert are_equal(weights_of(whole), weights_of(resumed))
    assert whole.history == resumed.history


def test_the_optimizer_goes_on_where_it_was(data: PtychoDataset, tmp_path: Path) -> None:
    """Two epochs and one more are three: without Adam's moments they are not."""
    whole = weights_of(train.train(data, tmp_path / "whole", TINY))
    train.train(data, tmp_path / "parts", TrainingConfig(**asdict(TINY) | {"epochs": 2}))
    assert are_equal(whole, weights_of(train.train(data, tmp_path / "parts", TINY, resume=True)))


def test_a_copied_folder_goes_on_by_itself(data: PtychoDataset, tmp_path: Path) -> None:
    train.train(data, tmp_path / "first", replace(TINY, epochs=2), accelerator="cpu")
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    resumed = train.train(data, tmp_path / "copy", TINY, accelerator="cpu", resume=True)
    assert are_equal(weights_of(resumed), weights_of(load_module(tmp_path / "copy" / CHECKPOINT)))
    assert len(load_module(tmp_path / "first" / CHECKPOINT).history) == 2


def test_a_checkpoint_is_the_module(data: PtychoDataset, tmp_path: Path) -> None:
    module = train.train(data, tmp_path, TINY)
    loaded = load_module(tmp_path / CHECKPOINT)
    assert are_equal(weights_of(module), weights_of(loaded))
    assert (loaded.config, loaded.exposure, loaded.history) == (module.config, module.exposure, module.history)


def test_another_training_is_not_resumed(data: PtychoDataset, tmp_path: Path) -> None:
    train.train(data, tmp_path, TINY)
    with pytest.raises(CheckpointError, match=r"last.ckpt: seed: expected 7, as in what is to be resumed, got 0"):
        train.train(data, tmp_path, TrainingConfig(**asdict(TINY) | {"seed": 7}), resume=True)


def test_a_training_that_went_farther_is_not_resumed(data: PtychoDataset, tmp_path: Path) -> None:
    train.train(data, tmp_path, TINY)
    with pytest.raises(CheckpointError, match=r"last\.ckpt: epochs: expected at least the 3 that it has, got 2"):
        train.train(data, tmp_path, replace(TINY, epochs=2), resume=True)
    assert len(train.train(data, tmp_path, TINY, resume=True).history) == 3


def test_a_training_on_other_data_is_not_resumed(data: PtychoDataset, tmp_path: Path) -> None:
    train.train(data, tmp_path, replace(TINY, epochs=1))
    same = scan_file(tmp_path / "copy.npz")
    elsewhere = PtychoDataset(scan_file(tmp_path / "other.npz", xcoords=np.arange(9.0)))
    with pytest.raises(CheckpointError, match=r"last\.ckpt: expected a training on the same data, got one on others"):
        train.train(elsewhere, tmp_path, TINY, resume=True)
    assert len(train.train(PtychoDataset(same), tmp_path, TINY, resume=True).history) == 3


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(
    data: PtychoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train.train(data, tmp_path, replace(TINY, epochs=1))
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        train.train(data, tmp_path, TINY, resume=True)
    assert caught.value.filename == str(tmp_path / CHECKPOINT)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert [path.name for path in (tmp_path / CHECKPOINT).parent.iterdir()] == [CHECKPOINT.name]


def test_a_folder_in_the_place_of_the_checkpoint_is_refused(data: PtychoDataset, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).mkdir(parents=True)
    with pytest.raises(IsADirectoryError) as caught:
        train.train(data, tmp_path, replace(TINY, epochs=1))
    assert caught.value.filename == str(tmp_path / CHECKPOINT)


def test_a_checkpoint_of_which_a_byte_was_altered_is_refused(data: PtychoDataset, tmp_path: Path) -> None:
    train.train(data, tmp_path, replace(TINY, epochs=1))
    path = tmp_path / CHECKPOINT
    whole, expected = path.read_bytes(), weights_of(load_module(path))
    places = np.random.default_rng(0).integers(len(whole), size=40)
    refused = 0
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            assert are_equal(weights_of(load_module(path)), expected)
        except CheckpointError:
            refused += 1
    assert refused > len(places) / 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state["ptycho"]["config"].update(colour="red"),
        lambda state: state["ptycho"]["config"].update(epochs=0),
        lambda state: state["ptycho"].pop("history"),
        lambda state: state["state_dict"].popitem(),
        lambda state: state.pop("state_dict"),
    ],
)
def test_a_checkpoint_of_which_nothing_can_be_made_is_refused(
    data: PtychoDataset, tmp_path: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    train.train(data, tmp_path, replace(TINY, epochs=1))
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    spoil(state)
    torch.save(state, tmp_path / CHECKPOINT)
    with pytest.raises(CheckpointError, match=r"last\.ckpt: expected a checkpoint of a training, got one of which no"):
        load_module(tmp_path / CHECKPOINT)


def test_nothing_is_left_in_the_process(data: PtychoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    train.train(data, tmp_path, replace(TINY, epochs=1))
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut short", b"no checkpoint"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "last.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last.ckpt: expected a checkpoint of a training, got .+"):
        load_module(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="a file of another kind"):
        load_module(tmp_path / "other.pt")


def test_a_scale_that_is_not_known_is_learnt(tmp_path: Path) -> None:
    """It starts where a transparent object would have as much light as there was."""
    data = PtychoDataset(scan_file(tmp_path / "scan.npz", intensity_scale=None))
    exposure = Exposure.of(data)
    images = data.batch(range(len(data)))["amplitude"]
    light = exposure.scale**2 * data.probe.abs().square().sum()
    assert light.item() == pytest.approx(
        (images / data.normalization).square().sum(dim=(1, 2, 3)).mean().item(), rel=1e-5
    )
    module = train.train(data, tmp_path, TINY)
    assert module.log_scale.item() != pytest.approx(math.log(exposure.scale), rel=1e-6)


def test_a_scale_that_is_known_is_held(data: PtychoDataset, tmp_path: Path) -> None:
    assert train.train(data, tmp_path, TINY).log_scale.item() == pytest.approx(math.log(SCALE))


def test_a_training_that_diverges_says_since_when(data: PtychoDataset, tmp_path: Path) -> None:
    said = r"learning_rate: 1e\+30: expected finite patches, got others after step \d; a smaller rate may help"
    with pytest.raises(train.DivergedError, match=said):
        train.train(data, tmp_path, replace(TINY, learning_rate=1e30))


@pytest.mark.parametrize("devices", [-1, "two", "1.5", ""])
def test_devices_that_are_no_number_are_refused(data: PtychoDataset, tmp_path: Path, devices: int | str) -> None:
    with pytest.raises(ValueError, match="accelerator, devices, strategy: expected what this machine has, got cpu"):
        train.train(data, tmp_path, TINY, accelerator="cpu", devices=devices)


@pytest.mark.skipif(torch.cuda.is_available(), reason=NO_GPU.reason)
def test_devices_that_are_not_there_are_refused(data: PtychoDataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="accelerator, devices, strategy: expected what this machine has, got gpu"):
        train.train(data, tmp_path, TINY, accelerator="gpu")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": 0}, "epochs: expected"),
        ({"batch_size": 0}, "batch_size: expected"),
        ({"learning_rate": 0.0}, "learning_rate: expected"),
        ({"nll_weight": 0.0}, "nll_weight, mae_weight: expected one of them above 0"),
        ({"tv_weight": -1.0}, "tv_weight: expected"),
        ({"nll_weight": math.nan}, "nll_weight: expected"),
        ({"weighting": "even"}, "weighting: expected one of central, "),
    ],
)
def test_a_configuration_is_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**changed)  # type: ignore[arg-type]


def test_nothing_is_left_changed(data: PtychoDataset, tmp_path: Path) -> None:
    train.train(data, tmp_path, TINY)
    assert not torch.are_deterministic_algorithms_enabled()
