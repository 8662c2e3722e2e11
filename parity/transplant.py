"""Moves the weights of the network between the stacks, through files of either framework or in memory.

Weights are a mapping of canonical names, those of `networks.autoencode`, to arrays in canonical layout: kernels (O, I,
3, 3), biases (O,). What a file holds is known by the end of its name:

| ends in | holds |
|---|---|
| `.weights.h5`, `.keras` | what `save_weights` and `save` of `ptycho.autoencoder.Autoencoder` write |
| `.pt`, `.pth` | the `state_dict` of `ptycho_torch.autoencoder.Autoencoder`, as `torch.save` writes it |
| `.npz` | the weights as they are |

Whatever is wrong is a `WeightsError` of one sentence: file, expected, got. Nothing is ever unpickled, no class is
looked up in a file, and a framework is imported when its format asks for it. A new format is one more row of
`_FORMATS`.
"""

from __future__ import annotations

import importlib
import io
import math
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity.errors import CheckNotMade
from parity.files import write_atomically
from parity.kinds import KERNEL

Weights: TypeAlias = Mapping[str, NDArray[Any]]

_TORCH, _TENSORFLOW = "ptycho_torch.autoencoder", "ptycho.autoencoder"
_FRAMEWORKS = {_TORCH: ("torch",), _TENSORFLOW: ("tensorflow", "keras")}
_PRECISIONS = (np.dtype(np.float32), np.dtype(np.float64))
_PLACES = ("first", "second")
_ENCODER_NAME = re.compile(r"encoder_(\d+)_(?:first|second)_(?:kernel|bias)")
_STATE_NAME = re.compile(
    r"(?:encoder|(?:amplitude|phase)_decoder)\.\d+\.(?:first|second)\.(?:weight|bias)"
    r"|(?:amplitude|phase)_head\.(?:weight|bias)"
)
_MOST_LEVELS = 16


class WeightsError(CheckNotMade, ValueError):
    """Weights that cannot be used; the message names the file, what was expected and what came."""


def read_weights(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The weights in a file, by canonical name in the order of the network, float32 or float64 as in the file.

    Raises WeightsError: no such file, another format, damaged, its framework not installed; a parameter missing,
    unknown or of another shape or type; or shapes that no `CNNConfig` gives.
    """
    path = Path(path)
    form = _format(path)
    if not path.is_file():
        raise WeightsError(f"{path}: expected a file, got {'a folder' if path.is_dir() else 'none'}")
    return _checked(form.read(path), str(path))


def write_weights(path: str | os.PathLike[str], weights: Weights) -> None:
    """Write weights to a file, in the format that its name tells: whole, or not at all.

    Raises WeightsError for another format, a framework that is not installed, and weights that `read_weights` would
    refuse; OSError if the file cannot be written. What was there before is then left as it was.
    """
    path = Path(path)
    write_atomically(path, _format(path).content(_checked(weights, "weights")))


def size_and_gridsize(weights: Weights) -> tuple[int, int]:
    """Pixels a side of the patterns, and patches a side of the groups, that these weights are for."""
    size, gridsize, _ = _architecture(weights, "weights")
    return size, gridsize


def to_torch(weights: Weights) -> Any:
    """A `ptycho_torch.autoencoder.Autoencoder` with these weights, in their precision. Raises WeightsError."""
    weights = _checked(weights, "weights")
    autoencoder = _import(_TORCH, "a network in PyTorch")
    torch = importlib.import_module("torch")
    network = autoencoder.Autoencoder(autoencoder.CNNConfig(*_architecture(weights, "weights")))
    network.to(getattr(torch, _precision(weights)))
    parameters = network.parameters_by_name()
    with torch.no_grad():
        for name, array in weights.items():
            parameters[name].copy_(torch.from_numpy(np.array(array)))
    return network


def to_tensorflow(weights: Weights) -> Any:
    """A `ptycho.autoencoder.Autoencoder` with these weights, in their precision. Raises WeightsError."""
    weights = _checked(weights, "weights")
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
    """How a file is read, and what is in one."""

    read: Callable[[Path], Weights]
    content: Callable[[Weights], bytes]


def _format(path: Path) -> _Format:
    for ending, form in _FORMATS.items():
        if path.name.endswith(ending):
            return form
    raise WeightsError(f"{path}: expected a name that ends in {', '.join(_FORMATS)}, got {path.name}")


def _read_npz(path: Path) -> Weights:
    with _readable(path, "an .npz of arrays"), path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with loaded as archive:
            return {name: archive[name] for name in archive.files}


def _npz(weights: Weights) -> bytes:
    content = io.BytesIO()
    arrays: dict[str, Any] = dict(weights)
    np.savez(content, **arrays)
    return content.getvalue()


def _read_state(path: Path) -> Weights:
    _import(_TORCH, str(path))
    torch = importlib.import_module("torch")
    with _readable(path, "the state_dict of a network"):
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path}: expected the state_dict of a network, got {type(state).__name__}")
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
    """Keras loads into a network that is there, so its shapes are read first; the file's own class never is."""
    _import(_TENSORFLOW, str(path))
    with _readable(path, "weights that Keras has written"):
        outline = {name: _canonical(array) for name, array in _outline(path).items()}
    network = _tensorflow_network(_checked(outline, str(path)), str(path))
    with _readable(path, "weights that Keras can load"):
        network.load_weights(path)
    return from_tensorflow(network)


def _outline(path: Path) -> dict[str, NDArray[Any]]:
    """Zeros of the shapes and types in a file of Keras's, which take no memory."""
    h5py = importlib.import_module("h5py")
    source: Path | io.BytesIO = path
    if path.name.endswith(".keras"):
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
    ".npz": _Format(_read_npz, _npz),
}


@contextmanager
def _readable(path: Path, expected: str) -> Iterator[None]:
    """Whatever a reader raises on a file cut short, altered or of another kind, as one sentence."""
    try:
        yield
    except Exception as error:  # the readers promise no exception in particular
        reason = next(iter(str(error).splitlines()), "").strip() or type(error).__name__
        raise WeightsError(f"{path}: expected {expected}, got a file that cannot be read: {reason}") from error


def _import(module: str, what: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in _FRAMEWORKS[module]:
            raise
        extra = _FRAMEWORKS[module][0]
        raise WeightsError(
            f"{what}: expected {extra} to be installed, got none: pip install 'ptycho-parity[{extra}]'"
        ) from error


def _tensorflow_network(weights: Weights, source: str) -> Any:
    autoencoder = _import(_TENSORFLOW, "a network in TensorFlow")
    return autoencoder.Autoencoder(autoencoder.CNNConfig(*_architecture(weights, source)), dtype=_precision(weights))


def _laid_out(array: NDArray[Any]) -> NDArray[Any]:
    return KERNEL.to_framework("tensorflow", array) if array.ndim == len(KERNEL.axes) else array


def _canonical(array: NDArray[Any]) -> NDArray[Any]:
    return KERNEL.from_framework("tensorflow", array) if array.ndim == len(KERNEL.axes) else array


def _checked(weights: Weights, source: str) -> dict[str, NDArray[Any]]:
    """The weights in the order of the network; WeightsError unless they are those of one."""
    levels = _levels(weights, source)
    network = f"a network of {levels} encoder block{'s' if levels > 1 else ''}"
    names = [name for prefixes in _layers(levels).values() for prefix in prefixes for name in _pair(prefix)]
    for name in names:
        if name not in weights:
            raise WeightsError(f"{source}: expected {name}, as in {network}, got no such parameter")
    for name in weights:
        if name not in names:
            raise WeightsError(f"{source}: expected no other parameters than those of {network}, got {name}")
    precision = weights[names[0]].dtype
    for name in names:
        dtype = weights[name].dtype
        if dtype not in _PRECISIONS:
            raise WeightsError(f"{source}: expected {name} in float32 or float64, got {dtype}")
        if dtype != precision:
            raise WeightsError(f"{source}: expected {name} in {precision}, as {names[0]} is, got {dtype}")
    _architecture(weights, source)
    return {name: weights[name] for name in names}


def _levels(weights: Weights, source: str) -> int:
    numbers = [int(match[1]) for match in map(_ENCODER_NAME.fullmatch, weights) if match]
    if not numbers:
        got = f"only {', '.join(list(weights)[:3])}" if weights else "no parameters at all"
        expected = "the parameters of an autoencoder, such as encoder_0_first_kernel"
        raise WeightsError(f"{source}: expected {expected}, got {got}")
    if max(numbers) >= _MOST_LEVELS:
        raise WeightsError(f"{source}: expected at most {_MOST_LEVELS} encoder blocks, got number {max(numbers)}")
    return max(numbers) + 1


def _architecture(weights: Weights, source: str) -> tuple[int, int, float]:
    """Size, gridsize and filters_scale of the `CNNConfig` that gives these shapes; WeightsError if none does."""
    levels = _levels(weights, source)
    first = weights["encoder_0_first_kernel"].shape
    channels = first[1] if len(first) == 4 else 0
    gridsize = math.isqrt(channels)
    if gridsize < 1 or gridsize**2 != channels:
        expected = "encoder_0_first_kernel of shape (O, gridsize², 3, 3)"
        raise WeightsError(f"{source}: expected {expected}, got shape {first}")
    filters = [weights[f"encoder_{level}_first_bias"].size for level in range(levels)]
    for name, shape in _shapes(channels, filters).items():
        if weights[name].shape != shape:
            widths = ", ".join(map(str, filters))
            expected = f"{name} of shape {shape}, as there are {channels} channels and filters {widths}"
            raise WeightsError(f"{source}: expected {expected}, got shape {weights[name].shape}")
    size = 8 * 2**levels
    return size, gridsize, _filters_scale(size, filters, source)


def _shapes(channels: int, filters: list[int]) -> dict[str, tuple[int, ...]]:
    down = [channels, *(count for level in filters for count in (level, level))]
    up = [filters[-1], *(count for level in filters[-2::-1] for count in (level, level)), channels]
    return {
        name: shape
        for part, prefixes in _layers(len(filters)).items()
        for prefix, (i, o) in zip(prefixes, pairwise(down if part == "encoder" else up), strict=True)
        for name, shape in zip(_pair(prefix), ((o, i, 3, 3), (o,)), strict=True)
    }


def _layers(levels: int) -> dict[str, list[str]]:
    """The convolutions of each part in order, by what the names of their kernel and bias begin with."""
    decoders = {part: [*_in_blocks(f"{part}_decoder", levels - 1), f"{part}_head_"] for part in ("amplitude", "phase")}
    return {"encoder": _in_blocks("encoder", levels), **decoders}


def _in_blocks(part: str, blocks: int) -> list[str]:
    return [f"{part}_{block}_{place}_" for block in range(blocks) for place in _PLACES]


def _pair(prefix: str) -> tuple[str, str]:
    return f"{prefix}kernel", f"{prefix}bias"


def _filters_scale(size: int, filters: list[int], source: str) -> float:
    """The scale with the fewest digits that gives these filters: rounding lets an interval of them through."""
    units = [2048 / size * 2**level for level in range(len(filters))]
    lowest = max((0.0 if count == 1 else count - 0.5) / unit for count, unit in zip(filters, units, strict=True))
    highest = min((count + 0.5) / unit for count, unit in zip(filters, units, strict=True))
    middle = (lowest + highest) / 2
    for digits in range(17):
        scale = round(middle, digits)
        if scale > 0 and [max(1, round(unit * scale)) for unit in units] == filters:
            return scale
    law = f"max(1, round({2048 / size:g}·s·2^i)) filters in encoder block i, s one number for all"
    raise WeightsError(f"{source}: expected {law}, got {', '.join(map(str, filters))}")


def _precision(weights: Weights) -> str:
    return str(weights["encoder_0_first_kernel"].dtype)
