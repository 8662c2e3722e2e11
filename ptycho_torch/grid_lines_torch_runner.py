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
    from ptycho_torch.dataloader import PtychoDataset
    from ptycho_torch.metrics import Complex, Metrics
    from ptycho_torch.train import PtychoModule, TrainingConfig

WRITTEN, USAGE, NOT_WRITTEN = 0, 2, 3
"""Exit codes."""

METRICS, OBJECT = "metrics.json", "reconstruction.npz"
"""What is written beside the pictures, the checkpoint and the logs."""

LOSSES: Final[Mapping[str, Mapping[str, float]]] = {
    "mae": {"mae_weight": 1.0, "nll_weight": 0.0},
    "poisson": {"mae_weight": 0.0, "nll_weight": 1.0},
}
"""The weights of the losses that can be chosen by name."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A trained module, and the object that it reconstructs beside the truth, both (H, W), where it was seen."""

    module: "PtychoModule"
    found: "Complex"
    truth: "Complex"
    region: tuple[slice, slice]

    def metrics(self) -> dict[str, "Metrics"]:
        """Those of the reconstruction, and of the best constant object, which any network should beat."""
        from ptycho_torch.metrics import compare, trivial

        return {"reconstruction": compare(self.found, self.truth), "trivial": compare(trivial(self.truth), self.truth)}


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--train-npz", required=True, type=_FILE, metavar="FILE", help="What is learnt from.")
@click.option("--test-npz", required=True, type=_FILE, metavar="FILE", help="What is reconstructed.")
@click.option("--architecture", type=click.Choice(list(ARCHITECTURES)), default="cnn")
@click.option("--output-dir", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--epochs", type=click.IntRange(min=1), default=20)
@click.option("--batch-size", type=click.IntRange(min=1), default=16, help="Groups in a step.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), default=1e-3, help="Adam's.")
@click.option("--loss", type=click.Choice(list(LOSSES)), default="mae", help="What is minimised, on the detector.")
@click.option(
    "--weighting",
    type=click.Choice(WEIGHTINGS),
    help="How patches count where they overlap.  [default: central for cnn, probe for others]",
)
@click.option(
    "--gridsize", type=click.IntRange(min=1), help="Patches a side of a group.  [default: that of the file's groups]"
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the weights, and of the order of the groups.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in DIR, if there is one.")
@click.option("--accelerator", default="auto", help="As Lightning takes it: auto, cpu, gpu, ...")
@click.option("--devices", default="auto", help="How many of them.")
@click.option("--strategy", default="auto", help="For several of them, such as ddp.")
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
    """Train on one data set, reconstruct another, and write what came of it.

    DIR then has metrics.json, reconstruction.npz, pictures (PNG), checkpoints/last.ckpt and logs/. Files that are
    there are replaced.
    """
    from ptycho_torch.train import TrainingConfig

    config = TrainingConfig(
        architecture, epochs, batch_size, learning_rate, weighting=weighting, seed=seed, **LOSSES[loss]
    )
    where = {"accelerator": accelerator, "devices": int(devices) if devices.isdecimal() else devices}
    outcome = run(train_npz, test_npz, output_dir, config, gridsize, resume=resume, strategy=strategy, **where)
    if outcome is not None:
        _say(write(outcome, output_dir), output_dir)


def run(
    train_npz: Path,
    test_npz: Path,
    output_dir: Path,
    config: "TrainingConfig",
    gridsize: int | None = None,
    **how: Any,
) -> Outcome | None:
    """Train, and reconstruct the object of the test set, which is read before anything is trained.

    Args:
        train_npz: as `dataloader.PtychoDataset` takes it.
        test_npz: the same, with `YY_full`.
        output_dir: for checkpoint and logs.
        config: of the training.
        gridsize: patches a side of a group, for files without groups.
        **how: `resume`, `accelerator`, `devices` and `strategy`, as `train.train` takes them.

    Returns:
        What came of it; nothing in the processes of further devices.

    Raises:
        DataError: a file that cannot be used.
        DivergedError: the weights are no longer finite.
        ValueError: arguments that contradict each other or a file.
    """
    from ptycho_torch.dataloader import PtychoDataset
    from ptycho_torch.metrics import aligned
    from ptycho_torch.reconstruction import reconstruct
    from ptycho_torch.train import train

    training = PtychoDataset(train_npz, gridsize=gridsize)
    # What a network has learnt holds for amplitudes multiplied by the factor that it has seen.
    testing = PtychoDataset(test_npz, gridsize=gridsize, normalization=training.normalization)
    truth = _truth(testing)
    _require_alike(training, testing)
    module = train(training, output_dir, config, **how)
    if module.global_rank:
        return None
    middle_only = config.chosen_weighting == "central"
    made = reconstruct(module, testing, len(truth), config.batch_size, module.device, middle_only=middle_only)
    true, found = truth[made.seen], made.object[made.seen]
    return Outcome(module, aligned(found, true, module.exposure.scale_known), true, made.seen)


def write(outcome: Outcome, output_dir: Path) -> dict[str, "Metrics"]:
    """Write metrics, object and pictures into the folder, each whole or not at all; the metrics."""
    import io

    import numpy as np

    from ptycho_torch.files import write_atomically
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
    from ptycho_torch.npz import DataError

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


def _truth(dataset: "PtychoDataset") -> "Complex":
    """The whole object (M, M), complex."""
    import numpy as np

    from ptycho_torch.npz import DataError

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
    from ptycho_torch.npz import DataError

    shapes = [(one.groups.shape[1], *one.scan.diffraction.frame) for one in (training, testing)]
    if shapes[0] != shapes[1]:
        named = ["{} patterns of {} × {} in a group".format(*shape) for shape in shapes]
        raise DataError(f"{testing.scan.path}: expected {named[0]}, as {training.scan.path} has, got {named[1]}")


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
            label = f"{part}, {'constant' if name == 'trivial' else name}"
            click.echo(f"{label:25}{image.mae:7.4f}{image.psnr:10.2f}{image.ssim:8.3f}{image.frc50:8.2f}")
    click.echo(f"{output_dir / METRICS}")


if __name__ == "__main__":
    main()
