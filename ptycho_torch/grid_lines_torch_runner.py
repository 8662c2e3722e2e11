"""Trains a generator on one data set, reconstructs the object of another, and says how near it is to the truth.

    python -m ptycho_torch.grid_lines_torch_runner --train-npz train.npz --test-npz test.npz --architecture cnn \\
        --output-dir DIR

The data sets are those of `ptycho.workflows.grid_lines_workflow`; the test set has the whole object under `YY_full`.
Exit codes: 0 everything was written; 2 wrong usage; 3 a file that cannot be used or written, an interruption, a fault.
"""

import json
import math
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from ptycho_torch.forward import WEIGHTINGS
from ptycho_torch.generators import ARCHITECTURES

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback

    from ptycho_torch.dataloader import PtychoDataset
    from ptycho_torch.metrics import Complex, Metrics
    from ptycho_torch.reconstruction import Coverage
    from ptycho_torch.train import PtychoModule, TrainingConfig

WRITTEN, USAGE, NOT_WRITTEN = 0, 2, 3
"""Exit codes."""

METRICS, OBJECT = "metrics.json", "reconstruction.npz"
"""What is written beside the pictures, the checkpoint and the logs."""

LOSSES: Final[Mapping[str, Mapping[str, float]]] = {
    "nll": {"nll_weight": 1.0, "mae_weight": 0.0},
    "mae": {"nll_weight": 0.0, "mae_weight": 1.0},
}
"""The weights of the losses that can be chosen by name."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The object that is to be reconstructed from a data set, and the part of it that its scan has seen."""

    dataset: "PtychoDataset"
    whole: "Complex"
    """(M, M), the truth."""
    coverage: "Coverage"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A trained module, and the object that it reconstructs beside the truth, both (H, W), where it was seen."""

    module: "PtychoModule"
    found: "Complex"
    truth: "Complex"
    region: tuple[slice, slice]

    def metrics(self) -> dict[str, "Metrics"]:
        """Those of the reconstruction, and of the best constant object, which any network should beat."""
        from ptycho_torch.metrics import compare, constant

        return {
            "reconstruction": compare(self.found, self.truth),
            "constant": compare(constant(self.truth), self.truth),
        }


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--train-npz", required=True, type=_FILE, metavar="FILE", help="Train on this data set.")
@click.option("--test-npz", required=True, type=_FILE, metavar="FILE", help="Reconstruct this data set.")
@click.option("--architecture", type=click.Choice(list(ARCHITECTURES)), default="cnn", help="Train this network.")
@click.option(
    "--output-dir",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write everything to this folder.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=20, help="Train for this many epochs.")
@click.option("--batch-size", type=click.IntRange(min=1), default=16, help="Take this many groups a step.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), default=1e-3, help="Train at this rate.")
@click.option("--loss", type=click.Choice(list(LOSSES)), default="nll", help="Minimise this loss on the detector.")
@click.option(
    "--weighting",
    type=click.Choice(WEIGHTINGS),
    help="Weight patches like this where they overlap.  [default: central for cnn, probe for others]",
)
@click.option(
    "--gridsize", type=click.IntRange(min=1), help="Group this many patches a side.  [default: as in the file]"
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Draw the weights and the order of the groups from this seed."
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in DIR, if there is one.")
@click.option("--accelerator", default="auto", help="Train on this accelerator of Lightning: auto, cpu, gpu, ...")
@click.option("--devices", default="auto", help="Train on this many devices.")
@click.option("--strategy", default="auto", help="Share several devices in this way, such as ddp.")
def runner_command(
    train_npz: Path,
    test_npz: Path,
    architecture: str,
    output_dir: Path,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    loss: str,
    weighting: str | None,
    gridsize: int | None,
    seed: int,
    resume: bool,
    accelerator: str,
    devices: str,
    strategy: str,
) -> None:
    """Train on one data set, and reconstruct another.

    DIR then has metrics.json, reconstruction.npz, pictures (PNG), checkpoints/last.ckpt and logs/. Files that are
    there are replaced: those of an earlier training go when the first new checkpoint comes.
    """
    from ptycho_torch.train import TrainingConfig, train

    config = TrainingConfig(
        architecture, epochs, batch_size, learning_rate, weighting=weighting, seed=seed, **LOSSES[loss]
    )
    training, target = read(train_npz, test_npz, config, gridsize)
    module = train(
        training,
        output_dir,
        config,
        resume=resume,
        accelerator=accelerator,
        devices=int(devices) if devices.isdecimal() else devices,
        strategy=strategy,
        callbacks=(_outdating(output_dir),),
    )
    if not module.global_rank:  # further devices have their own processes, which have nothing to say
        _say(write(judge(module, target), output_dir), output_dir)


def read(
    train_npz: Path, test_npz: Path, config: "TrainingConfig", gridsize: int | None = None
) -> tuple["PtychoDataset", Target]:
    """What is trained on, and what is to be reconstructed, checked as far as it can be before anything is trained.

    Args:
        train_npz: as `dataloader.PtychoDataset` takes it.
        test_npz: the same, with `YY_full`; its positions are the top-left corners of the patches on that, pixels.
        config: of the training.
        gridsize: patches a side of a group, for files without groups.

    Raises:
        DataError: a file that cannot be used, or two that do not go together.
        ValueError: a gridsize that contradicts a file.
    """
    from ptycho_exposures.npz import DataError
    from ptycho_torch.dataloader import PtychoDataset
    from ptycho_torch.metrics import LEAST_SIDE
    from ptycho_torch.reconstruction import Coverage

    training = PtychoDataset(train_npz, gridsize=gridsize)
    # What a network has learnt holds for amplitudes multiplied by the factor that it has seen.
    testing = PtychoDataset(test_npz, gridsize=gridsize, normalization=training.normalization)
    whole = _truth(testing)
    _require_alike(training, testing)
    try:
        coverage = Coverage.of(testing, len(whole), middle_only=config.chosen_weighting == "central")
        seen = whole[coverage.seen].shape
    except ValueError as error:
        raise DataError(f"{test_npz}: {error}") from error
    if min(seen) < LEAST_SIDE:
        expected = f"a scan that sees {LEAST_SIDE} × {LEAST_SIDE} pixels of the object, to judge by"
        raise DataError(f"{test_npz}: expected {expected}, got {seen[0]} × {seen[1]}")
    return training, Target(testing, whole, coverage)


def judge(module: "PtychoModule", target: Target) -> Outcome:
    """Reconstruct the object, its common phase, and its scale where it had to be learnt, that of the truth.

    Raises DivergedError where the network makes nothing of it.
    """
    from ptycho_torch.lightning_module import DivergedError
    from ptycho_torch.metrics import aligned
    from ptycho_torch.reconstruction import reconstruct

    made = reconstruct(module, target.dataset, target.coverage, module.config.batch_size, module.device)
    seen = target.coverage.seen
    truth = target.whole[seen]
    try:
        found = aligned(made[seen], truth, module.exposure.scale_known)
    except ValueError as error:
        raise DivergedError(f"reconstruction: {error}") from error
    return Outcome(module, found, truth, seen)


def write(outcome: Outcome, output_dir: Path) -> dict[str, "Metrics"]:
    """Write metrics, object and pictures into the folder, each whole or not at all; the metrics."""
    import io

    import numpy as np

    from ptycho_exposures.files import write_atomically
    from ptycho_torch.pictures import draw_all

    metrics, module = outcome.metrics(), outcome.module
    said = {
        **{name: asdict(one) for name, one in metrics.items()},
        "region": [[side.start, side.stop] for side in outcome.region],
        "fitted": ["phase"] if module.exposure.scale_known else ["phase", "amplitude"],
        "config": asdict(module.config),
        "exposure": asdict(module.exposure),
        "history": module.history,
    }
    archive = io.BytesIO()
    np.savez(archive, object=outcome.found, truth=outcome.truth)
    for name, content in draw_all(outcome.found, outcome.truth, module.history).items():
        write_atomically(output_dir / name, content)
    write_atomically(output_dir / OBJECT, archive.getvalue())
    write_atomically(output_dir / METRICS, (json.dumps(_finite(said), indent=2) + "\n").encode())
    return metrics


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    from ptycho_exposures.npz import DataError

    try:
        runner_command.main(args=arguments, prog_name="grid_lines_torch_runner", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except ModuleNotFoundError as error:
        return _failed(NOT_WRITTEN, f"{error.name} is missing: pip install 'ptycho-parity[train]'")
    except DataError as error:
        return _failed(NOT_WRITTEN, str(error))
    except OSError as error:
        return _failed(NOT_WRITTEN, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ArithmeticError as error:  # a DivergedError, whose module imports Lightning
        return _failed(NOT_WRITTEN, str(error))
    except (KeyboardInterrupt, click.Abort):
        return _failed(NOT_WRITTEN, "interrupted; --resume goes on from the last epoch that was finished")
    except ValueError as error:
        return _failed(USAGE, str(error))
    except Exception:
        traceback.print_exc()
        return _failed(NOT_WRITTEN, "a fault of the runner, not of how it was called")
    return WRITTEN


def _failed(code: int, message: str) -> int:
    click.echo(f"grid_lines_torch_runner: {message}", err=True)
    return code


def _outdating(output_dir: Path) -> "Callback":
    """Takes away what an earlier network came to, which the next checkpoint is no longer of."""
    from lightning.pytorch.callbacks import LambdaCallback

    from ptycho_torch.pictures import PICTURES

    def remove(*_: object) -> None:
        for name in (METRICS, OBJECT, *PICTURES):
            (output_dir / name).unlink(missing_ok=True)

    return LambdaCallback(on_train_epoch_end=remove)


def _truth(dataset: "PtychoDataset") -> "Complex":
    """The whole object (M, M), complex."""
    import numpy as np

    from ptycho_exposures.npz import DataError

    stored = dataset.scan.object
    if stored is None:
        raise DataError(f"{dataset.scan.path}: YY_full: expected the whole object, to judge by, got no such key")
    if stored.dtype.kind != "c" or len(stored.shape) != 2 or stored.shape[0] != stored.shape[1]:
        raise stored.error("a complex object (M, M)", f"{stored.dtype} of shape {stored.shape}")
    stored.check_bytes()
    if not np.isfinite(stored.array).all():
        raise stored.error("finite values", "others")
    return np.array(stored.array)


def _require_alike(training: "PtychoDataset", testing: "PtychoDataset") -> None:
    """Refuse data sets that one generator cannot take."""
    from ptycho_exposures.npz import DataError

    shapes = [(one.groups.shape[1], *one.scan.diffraction.frame) for one in (training, testing)]
    if shapes[0] != shapes[1]:
        named = ["{} patterns of {} × {} in a group".format(*shape) for shape in shapes]
        raise DataError(f"{testing.scan.path}: expected {named[0]}, as {training.scan.path} has, got {named[1]}")
    units = ["intensity_scale" in one.scan.scales for one in (training, testing)]
    if units[0] != units[1]:
        named = [f"{'an' if known else 'no'} intensity_scale" for known in units]
        expected = f"{named[0]}, as {training.scan.path} has, and so amplitudes in the same unit"
        raise DataError(f"{testing.scan.path}: expected {expected}, got {named[1]}")


def _finite(said: Any) -> Any:
    """What JSON can hold: None in place of what is infinite or no number."""
    if isinstance(said, Mapping):
        return {name: _finite(one) for name, one in said.items()}
    if isinstance(said, list):
        return [_finite(one) for one in said]
    return None if isinstance(said, float) and not math.isfinite(said) else said


def _say(metrics: Mapping[str, "Metrics"], output_dir: Path) -> None:
    click.echo(f"{'':23}{'MAE':>9}{'PSNR, dB':>10}{'SSIM':>8}{'FRC50':>8}")
    for part in ("amplitude", "phase"):
        for name, one in metrics.items():
            image = getattr(one, part)
            click.echo(f"{f'{part}, {name}':25}{image.mae:7.4f}{image.psnr:10.2f}{image.ssim:8.3f}{image.frc50:8.2f}")
    click.echo(f"{output_dir / METRICS}")


if __name__ == "__main__":
    main()
