"""Moves the weights of the network between the stacks, through files of either framework or in memory.

Weights are a mapping of canonical names, those of `networks.autoencode`, to arrays in canonical layout: kernels (O, I,
3, 3), biases (O,). What a file holds is known by the end of its name:

| ends in | holds |
|---|---|
| `.weights.h5`, `.keras` | what `save_weights` and `save` of `ptycho.autoencoder.Autoencoder` write |
| `.pt`, `.pth` | the `state_dict` of `ptycho_torch.autoencoder.Autoencoder`, as `torch.save` writes it |
| `.ckpt` | a training of its `cnn`, as `ptycho_torch.train` writes it; read alone |
| `.npz` | the weights as they are |

Whatever is wrong is a `WeightsError` of one sentence: file, expected, got. Nothing is ever unpickled, no class is
looked up in a file, and a framework is imported when its format asks for it. A new format is one more row of
`_FORMATS`.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOENT
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.repository import import_stack
from parity.physics.kinds import KERNEL
from parity.physics.weights import Weights, WeightsError, architecture, checked, precision
from ptycho_exposures.files import write_atomically
from ptycho_exposures.npz import Archive, require_unpacked
from ptycho_exposures.opening import NoRegularFile, open_regular

_TORCH, _TENSORFLOW = "ptycho_torch.autoencoder", "ptycho.autoencoder"
_FRAMEWORKS = {_TORCH: ("torch",), _TENSORFLOW: ("tensorflow", "keras")}
_GENERATOR = "generator."
_STATE_NAME = re.compile(
    r"(?:encoder|(?:amplitude|phase)_decoder)\.\d+\.(?:first|second)\.(?:weight|bias)"
    r"|(?:amplitude|phase)_head\.(?:weight|bias)"
)


def read_weights(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The weights in a file, by canonical name in the order of the network, float32 or float64 as in the file.

    Raises WeightsError: no such file, another format, damaged, its framework not installed; a parameter missing,
    unknown or of another shape or type; or shapes that no `CNNConfig` gives.
    """
    path = Path(path)
    form = _format(path)
    try:
        os.close(open_regular(path))
    except NoRegularFile as error:
        got = "none" if error.errno == ENOENT else error.strerror
        raise WeightsError(f"{path}: expected a file, got {got}") from error
    return checked(form.read(path), str(path))


def write_weights(path: str | os.PathLike[str], weights: Weights) -> None:
    """Write weights to a file, in the format that its name tells: whole, or not at all.

    Raises WeightsError for another format or one that is read alone, a framework that is not installed, and weights
    that `read_weights` would refuse; OSError if the file cannot be written. What was there before is then as it was.
    """
    path = Path(path)
    write_atomically(path, _format(path).content(checked(weights, "weights")))


def to_torch(weights: Weights) -> Any:
    """A `ptycho_torch.autoencoder.Autoencoder` with these weights, in their precision. Raises WeightsError."""
    weights = checked(weights, "weights")
    autoencoder = _import(_TORCH, "a network in PyTorch")
    torch = importlib.import_module("torch")
    network = autoencoder.Autoencoder(autoencoder.CNNConfig(*architecture(weights, "weights")))
    network.to(getattr(torch, precision(weights)))
    parameters = network.parameters_by_name()
    with torch.no_grad():
        for name, array in weights.items():
            parameters[name].copy_(torch.from_numpy(np.array(array)))
    return network


def to_tensorflow(weights: Weights) -> Any:
    """A `ptycho.autoencoder.Autoencoder` with these weights, in their precision. Raises WeightsError."""
    weights = checked(weights, "weights")
    network = _tensorflow_network(weights, "weights")
    for name, variable in network.parameters_by_name().items():
        variable.assign(_laid_out(weights[name]))
    return network


def from_torch(network: Any) -> dict[str, NDArray[Any]]:
    """The weights of a `ptycho_torch.autoencoder.Autoencoder`, copied."""
    return {name: np.array(p.detach().cpu().numpy()) for name, p in network.parameters_by_name().items()}


def from_tensorflow(network: Any) -> dict[str, NDArray[Any]]:
    """The weights of a `ptycho.autoencoder.Autoencoder`, copied."""
    return {
        name: np.array(_canonical(variable.numpy()), order="C")
        for name, variable in network.parameters_by_name().items()
    }


@dataclass(frozen=True, slots=True)
class _Format:
    """How files of one format are read and written, and which weights they hold."""

    read: Callable[[Path], Weights]
    content: Callable[[Weights], bytes]


def _format(path: Path) -> _Format:
    for ending, form in _FORMATS.items():
        if path.name.endswith(ending):
            return form
    raise WeightsError(f"{path}: expected a name that ends in {', '.join(_FORMATS)}, got {path.name}")


def _read_npz(path: Path) -> Weights:
    with _readable(path, "an .npz of arrays"), Archive.open(path) as archive:
        return {name: archive.read(name) for name in archive.keys}


def _npz(weights: Weights) -> bytes:
    content = io.BytesIO()
    arrays: dict[str, Any] = dict(weights)
    np.savez(content, **arrays)
    return content.getvalue()


def _read_state(path: Path) -> Weights:
    return _weights_of(_loaded(path, "the state_dict of a network"), path)


def _read_checkpoint(path: Path) -> Weights:
    """The weights of the generator alone; the other parameters of a training are no part of the network."""
    state = _loaded(path, "a checkpoint of a training").get("state_dict")
    if not isinstance(state, Mapping) or not any(str(key).startswith(_GENERATOR) for key in state):
        raise WeightsError(f"{path}: expected a checkpoint of a training, got one without a generator")
    own = {key.removeprefix(_GENERATOR): tensor for key, tensor in state.items() if key.startswith(_GENERATOR)}
    return _weights_of(own, path)


def _checkpoint(weights: Weights) -> bytes:
    raise WeightsError("a checkpoint (.ckpt): expected to be read alone, as trainings write them, got weights to write")


def _loaded(path: Path, expected: str) -> Mapping[str, Any]:
    """The content of a file of torch. Every byte is held to its checksum, which torch itself does not check."""
    _import(_TORCH, str(path))
    torch = importlib.import_module("torch")
    with _readable(path, expected):
        if zipfile.is_zipfile(path):
            require_unpacked(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path}: expected {expected}, got {type(state).__name__}")
    return state


def _weights_of(state: Mapping[str, Any], path: Path) -> Weights:
    torch = importlib.import_module("torch")
    weights = {}
    for key, tensor in state.items():
        if not isinstance(key, str) or not _STATE_NAME.fullmatch(key):
            raise WeightsError(f"{path}: expected keys such as encoder.0.first.weight, got {key!r}")
        if not isinstance(tensor, torch.Tensor) or tensor.dtype not in (torch.float32, torch.float64):
            got = str(tensor.dtype) if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise WeightsError(f"{path}: expected {key} in float32 or float64, got {got.removeprefix('torch.')}")
        with _readable(path, f"numbers under {key}"):
            weights[key.replace("weight", "kernel").replace(".", "_")] = tensor.detach().numpy()
    return weights


def _state(weights: Weights) -> bytes:
    content = io.BytesIO()
    network = to_torch(weights)
    importlib.import_module("torch").save(network.state_dict(), content)
    return content.getvalue()


def _read_keras(path: Path) -> Weights:
    """Keras loads weights into a network that exists already, so the shapes in the file are read first. The file's own
    class is never loaded.
    """
    _import(_TENSORFLOW, str(path))
    with _readable(path, "weights that Keras has written"):
        outline = {name: _canonical(array) for name, array in _outline(path).items()}
    network = _tensorflow_network(checked(outline, str(path)), str(path))
    with _readable(path, "weights that Keras can load"):
        network.load_weights(path)
    return from_tensorflow(network)


def _outline(path: Path) -> dict[str, NDArray[Any]]:
    """Zeros of the shapes and types in a Keras file, which take no memory."""
    h5py = importlib.import_module("h5py")
    source: Path | io.BytesIO = path
    if path.name.endswith(".keras"):
        require_unpacked(path)
        with zipfile.ZipFile(path) as archive:
            source = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(source, "r") as members:
        group = members.get("vars", {})
        return {
            name: np.broadcast_to(np.zeros((), member.dtype), member.shape)
            for name, member in group.items()
            if isinstance(member, h5py.Dataset)
        }


def _saved_by_keras(method: str, ending: str) -> Callable[[Weights], bytes]:
    def content(weights: Weights) -> bytes:
        network = to_tensorflow(weights)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"network{ending}"
            getattr(network, method)(path)
            return path.read_bytes()

    return content


_FORMATS: Mapping[str, _Format] = {
    ".weights.h5": _Format(_read_keras, _saved_by_keras("save_weights", ".weights.h5")),
    ".keras": _Format(_read_keras, _saved_by_keras("save", ".keras")),
    ".pt": _Format(_read_state, _state),
    ".pth": _Format(_read_state, _state),
    ".ckpt": _Format(_read_checkpoint, _checkpoint),
    ".npz": _Format(_read_npz, _npz),
}


@contextmanager
def _readable(path: Path, expected: str) -> Iterator[None]:
    """Turn any error that a reader raises on a truncated, altered or foreign file into one sentence."""
    try:
        yield
    except Exception as error:  # the readers promise no exception in particular
        reason = next(iter(str(error).removeprefix(f"{path}: ").splitlines()), "").strip() or type(error).__name__
        raise WeightsError(f"{path}: expected {expected}, got a file that cannot be read: {reason}") from error


def _import(module: str, what: str) -> Any:
    try:
        return import_stack(module)
    except ModuleNotFoundError as error:
        if error.name not in _FRAMEWORKS[module]:
            raise
        extra = _FRAMEWORKS[module][0]
        raise WeightsError(
            f"{what}: expected {extra} to be installed, got none: pip install 'ptycho-parity[{extra}]'"
        ) from error


def _tensorflow_network(weights: Weights, source: str) -> Any:
    autoencoder = _import(_TENSORFLOW, "a network in TensorFlow")
    return autoencoder.Autoencoder(autoencoder.CNNConfig(*architecture(weights, source)), dtype=precision(weights))


def _laid_out(array: NDArray[Any]) -> NDArray[Any]:
    return KERNEL.to_framework("tensorflow", array) if array.ndim == len(KERNEL.axes) else array


def _canonical(array: NDArray[Any]) -> NDArray[Any]:
    return KERNEL.from_framework("tensorflow", array) if array.ndim == len(KERNEL.axes) else array
