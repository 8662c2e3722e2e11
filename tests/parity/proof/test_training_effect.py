"""What a defect does to the training of a network, by the runner's own run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parity._ground.errors import UsageError
from parity.cli import main, reconstruction
from parity.contracts.changes import raw
from parity.contracts.fault import Fault
from parity.faults import CATALOGUE
from parity.faults.collection import Collection
from parity.proof.reconstruction.table import training_table
from parity.proof.reconstruction.training import Task, TrainingEffect, TrainingNotMade, training_effects
from parity.report.terminal import plain
from ptycho.workflows import grid_lines_workflow
from ptycho_torch import losses
from ptycho_torch.generators import registry
from ptycho_torch.generators.fno import CascadedFNOGenerator, FNOConfig
from ptycho_torch.lightning_module import TrainingConfig

POISSON, ABSOLUTE = "losses.poisson_nll/observed-unsquared", "losses.mae/predicted-squared"
ELSEWHERE = "losses.complex_mae/modulus-alone"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    options = ["--object-size", "88", "--step-train", "12", "--step-test", "12", "--nphotons", "1e6"]
    with pytest.raises(SystemExit):
        grid_lines_workflow.main(["--N", "64", "--gridsize", "1", "--output-dir", str(folder), *options])
    return folder / "datasets" / "N64" / "gs1"


@pytest.fixture(scope="module", autouse=True)
def small_fno() -> Iterator[None]:
    def make(size: int, gridsize: int, seed: int) -> CascadedFNOGenerator:
        return CascadedFNOGenerator(FNOConfig(size, gridsize, width=4, modes=6, blocks=1, refinements=1), seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "ARCHITECTURES", {**registry.ARCHITECTURES, "fno": make})
        yield


def task(data: Path, epochs: int = 1, **files: Path) -> Task:
    config = TrainingConfig("fno", epochs, batch_size=3, learning_rate=0.003)
    return Task(**{"train_npz": data / "train.npz", "test_npz": data / "test.npz", **files}, config=config)


@pytest.fixture(scope="module")
def effects(data) -> dict[str, TrainingEffect]:
    found = training_effects([CATALOGUE[name] for name in (POISSON, ABSOLUTE)], task(data, epochs=40))
    return {effect.defect.full_name: effect for effect in found}


@pytest.mark.parametrize("name", [POISSON, ABSOLUTE])
def test_the_loss_falls_with_a_unit_mismatch_too_and_the_object_is_darker(effects, name):
    effect = effects[name]
    for run in (effect.without, effect.with_defect):
        assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert np.abs(effect.with_defect.object).mean() < 0.5 * np.abs(effect.without.object).mean()
    assert effect.with_defect.metrics.amplitude.mae > effect.without.metrics.amplitude.mae
    assert not effect.is_none


def test_each_loss_is_minimised_for_its_defect_and_the_stack_is_as_it_was(effects):
    assert {name: effect.loss for name, effect in effects.items()} == {POISSON: "nll", ABSOLUTE: "mae"}
    assert losses.poisson_nll.__module__ == losses.mae.__module__ == "ptycho_torch.losses"


def test_the_table_has_a_row_a_run(effects):
    said = plain(training_table(effects.values()))
    for effect in effects.values():
        for metrics in (effect.without.metrics, effect.with_defect.metrics, effect.constant):
            assert f"{metrics.amplitude.mae:.4f}" in said


def command(data: Path, *arguments: str) -> int:
    files = ["--train-npz", str(data / "train.npz"), "--test-npz", str(data / "test.npz")]
    with pytest.raises(SystemExit) as stopped:
        main(["defects", "train", *files, "--architecture", "fno", "--epochs", "1", *arguments])
    return int(stopped.value.code or 0)


def test_the_command_says_what_came_of_it(capsys, data, tmp_path):
    assert command(data, ABSOLUTE, "--report", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "constant object" in said
    for path in (tmp_path / "training.png", tmp_path / "training.svg"):
        assert str(path) in said
        assert path.stat().st_size


def test_a_defect_that_no_step_passes_through_was_not_checked(capsys, data):
    assert command(data, ELSEWHERE) == 3
    assert f"{ELSEWHERE} changes nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["forward.training_objective/observed-unsquared", "patches.probe_weight/modulus", "patches.translate/sign"]
)
def test_what_comes_of_a_training_is_judged_without_the_defect(data, name):
    """Over the same part of the object, and so as the constant one is."""
    (effect,) = training_effects([CATALOGUE[name]], task(data))
    assert effect.with_defect.object.shape == effect.without.object.shape == effect.truth.shape
    trained_alike = effect.with_defect.history == effect.without.history
    assert effect.is_none == trained_alike == (name == "patches.translate/sign")  # single patches lie in the middle


def raising(*arguments: object, **named: object) -> None:
    raise TypeError("no loss of this")


def test_a_defect_that_lets_nothing_be_trained_is_a_row_and_not_the_end(capsys, data, tmp_path, monkeypatch):
    fault = Fault("losses.training_loss", "raising", "it raises an error", raw(lambda xp, right: raising))
    monkeypatch.setattr(reconstruction, "CATALOGUE", Collection("defect", [CATALOGUE[ABSOLUTE], fault]))
    assert command(data, fault.full_name, ABSOLUTE, "--report", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "none trained" in said
    assert f"{fault.full_name}: with it no network is trained: TypeError: no loss of this" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["losses.mae/no-such"], "unknown defect"),
        ([ABSOLUTE, "--architecture", "unet"], "expected one of cnn, fno, hybrid, got 'unet'"),
        ([ABSOLUTE, "--epochs", "0"], "--epochs"),
    ],
)
def test_wrong_usage(capsys, data, arguments, message):
    assert command(data, *arguments) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_loss_is_refused(data):
    with pytest.raises(UsageError, match="loss: expected nll or mae, got 'nnl'"):
        training_effects([CATALOGUE[ABSOLUTE]], task(data), "nnl")


def refused(given: Task) -> str:
    with pytest.raises(TrainingNotMade) as refusal:
        training_effects([CATALOGUE[ABSOLUTE]], given)
    return str(refusal.value)


def test_a_file_that_cannot_be_used_is_named(data, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"")
    assert "bad.npz: expected an .npz file, got an empty file" in refused(task(data, test_npz=tmp_path / "bad.npz"))


def test_a_training_that_diverges_is_named(data):
    hasty = replace(task(data), config=TrainingConfig("fno", 3, batch_size=3, learning_rate=1e30))
    assert "without the defect: learning_rate: 1e+30: expected finite patches" in refused(hasty)


def test_without_lightning_it_says_what_to_install(data, monkeypatch):
    monkeypatch.delitem(sys.modules, "ptycho_torch.train", raising=False)
    monkeypatch.setitem(sys.modules, "lightning.pytorch.loggers", None)
    assert "lightning.pytorch.loggers is missing: pip install 'ptycho-parity[tr" in refused(task(data))
