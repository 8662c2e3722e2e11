"""Checkpoints of a training: written whole or not at all, read with every byte checked, continued only as they began.

The format is Lightning's, a zip of tensors and plain values. Under `lightning_module.DESCRIPTION` it says what the
module was made from, and which data it was trained on.
"""

import io
import os
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from ptycho_exposures.files import write_atomically
from ptycho_exposures.npz import DataError, require_unpacked
from ptycho_exposures.opening import NoRegularFile
from ptycho_torch.lightning_module import DESCRIPTION, Exposure, PtychoModule, TrainingConfig

CHECKPOINT: Final = Path("checkpoints", "last.ckpt")
"""Where the newest checkpoint lies in the folder of a training."""

_MAY_DIFFER: Final = frozenset({"epochs"})  # between a training and its continuation


class CheckpointError(DataError):
    """A checkpoint that cannot be used; the message names it, what was expected and what came."""


class WholeCheckpointIO(TorchCheckpointIO):
    """Replaces a checkpoint at once, on the file system where it lies: the old one is there until the new one is."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any = None
    ) -> None:
        """Write a checkpoint; raises OSError, which names the file, where it cannot be written."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(Path(path), content.getvalue())


def load_module(path: str | os.PathLike[str]) -> PtychoModule:
    """The module of a checkpoint, on the CPU, ready to predict. Nothing but tensors and plain values is unpickled.

    Raises CheckpointError if there is none that can be read.
    """
    state = _read(Path(path))
    try:
        said = state[DESCRIPTION]
        module = PtychoModule(TrainingConfig(**said["config"]), Exposure(**said["exposure"]))
        module.load_state_dict(state["state_dict"])
        module.on_load_checkpoint(state)
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        got = f"one of which no module can be made ({type(error).__name__}: {error})"
        raise CheckpointError(f"{path}: expected a checkpoint of a training, got {got}") from error
    return module.eval()


def require_same(path: Path, module: PtychoModule) -> None:
    """Refuse, by a CheckpointError, to continue what was another training, on other data, or went farther."""
    said = _read(path)[DESCRIPTION]
    wanted: Mapping[str, Mapping[str, Any]] = {"config": asdict(module.config), "exposure": asdict(module.exposure)}
    for part, fields in wanted.items():
        for name, value in fields.items():
            if name not in _MAY_DIFFER and said[part].get(name) != value:
                raise CheckpointError(
                    f"{path}: {name}: expected {value!r}, as in what is to be resumed, got {said[part].get(name)!r}"
                )
    if said["data"] != module.data:
        raise CheckpointError(f"{path}: expected a training on the same data, got one on others")
    done = len(said["history"])
    if module.config.epochs < done:
        raise CheckpointError(f"{path}: epochs: expected at least the {done} that it has, got {module.config.epochs}")


def _read(path: Path) -> dict[str, Any]:
    try:
        require_unpacked(path)  # torch itself looks at no checksum
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        got = error.strerror if isinstance(error, NoRegularFile) else f"one that cannot be read ({error})"
        raise CheckpointError(f"{path}: expected a checkpoint of a training, got {got}") from error
    if not isinstance(state, dict) or DESCRIPTION not in state:
        raise CheckpointError(f"{path}: expected a checkpoint of a training, got a file of another kind")
    return state
