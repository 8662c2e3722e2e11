"""Weights move between the stacks bit by bit, through every format, and what does not fit is refused."""

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from parity.physics import weights as named
from parity.physics.weights import WeightsError, size_and_gridsize
from parity.stacks import transplant
from parity.stacks.transplant import read_weights, to_tensorflow, to_torch, write_weights
from ptycho import autoencoder as tensorflow_networks
from ptycho_torch import autoencoder as torch_networks
from ptycho_torch.networks import CNNConfig

Weights = dict[str, np.ndarray]

ENDINGS = (".weights.h5", ".keras", ".pt", ".pth", ".npz")
SMALL = CNNConfig(size=32, gridsize=2, filters_scale=0.05)
SINGLE = float(np.finfo(np.float32).eps)
"""What two evaluations in float64 differ by at most, unless the mathematics differs: they round at some 1e-16."""


def weights(config: CNNConfig = SMALL, dtype: str = "float32", seed: int = 0) -> Weights:
    """Kernels without any symmetry and biases of both signs, of a size that keeps the features of order one."""
    drawn = {}
    for i, (name, shape) in enumerate(config.parameter_shapes().items()):
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 4
        drawn[name] = (np.random.default_rng([seed, i]).normal(size=shape) * np.sqrt(2 / fan_in)).astype(dtype)
    return drawn


def images(config: CNNConfig = SMALL, dtype: str = "float64") -> np.ndarray:
    shape = (2, config.gridsize**2, config.size, config.size)
    return np.random.default_rng(7).random(shape).astype(dtype)


def test_weights_say_what_patterns_and_groups_they_are_for() -> None:
    assert size_and_gridsize(weights()) == (32, 2)
    assert size_and_gridsize(weights(CNNConfig(64, 1, 0.03))) == (64, 1)


def checkpoint(path: Path, **changed: Any) -> Path:
    network = to_torch(weights()).state_dict()
    state = {"log_scale": torch.zeros(()), **{f"generator.{key}": tensor for key, tensor in network.items()}}
    torch.save({"state_dict": state, "ptycho": {"history": []}} | changed, path)
    return path


def test_the_network_of_a_checkpoint_is_read_and_none_is_written(tmp_path: Path) -> None:
    found = read_weights(checkpoint(tmp_path / "last.ckpt"))
    assert all(np.array_equal(found[name], array) for name, array in weights().items())
    with pytest.raises(WeightsError, match=r"a checkpoint \(\.ckpt\): expected to be read alone"):
        write_weights(tmp_path / "other.ckpt", found)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.parametrize(
    ("changed", "got"),
    [
        ({"state_dict": {}}, "got one without a generator"),
        ({"state_dict": None}, "got one without a generator"),
        ({"state_dict": {"generator.lifter.first.weight": torch.zeros(1)}}, "got 'lifter.first.weight'"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, changed: dict[str, Any], got: str) -> None:
    with pytest.raises(WeightsError, match=re.escape(got)):
        read_weights(checkpoint(tmp_path / "last.ckpt", **changed))


@pytest.mark.parametrize("ending", [".pt", ".ckpt"])
def test_bytes_that_were_altered_are_noticed_where_they_matter(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"network{ending}"
    if ending == ".ckpt":
        checkpoint(path)
    else:
        write_weights(path, weights())
    whole, refused = path.read_bytes(), 0
    places = np.random.default_rng(0).integers(len(whole), size=20)
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            found = read_weights(path)
        except WeightsError:
            refused += 1
            continue
        assert all(np.array_equal(found[name], array) for name, array in weights().items())
    assert refused > len(places) / 2


def torch_objects(network: torch.nn.Module, frames: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(frames)).numpy()


def tensorflow_objects(network: keras.Model, frames: np.ndarray) -> np.ndarray:
    return network(tf.constant(frames.transpose(0, 2, 3, 1))).numpy().transpose(0, 3, 1, 2)


def assert_identical(found: Weights, expected: Weights) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array), name


@pytest.mark.parametrize("size", [16, 64, 128, 256])
@pytest.mark.parametrize("gridsize", [1, 2])
def test_both_stacks_compute_the_same_object(size: int, gridsize: int) -> None:
    config = CNNConfig(size, gridsize, 0.05)
    drawn, frames = weights(config, "float64"), images(config)
    objects = torch_objects(to_torch(drawn), frames), tensorflow_objects(to_tensorflow(drawn), frames)
    assert np.abs(objects[0]).max() > 0.5
    assert np.abs(objects[0] - objects[1]).max() <= SINGLE


def test_both_stacks_have_the_same_gradients() -> None:
    drawn, frames = weights(SMALL, "float64"), images()
    torch_network, tensorflow_network = to_torch(drawn), to_tensorflow(drawn)
    torch_network(torch.from_numpy(frames)).imag.sum().backward()
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.math.imag(tensorflow_network(tf.constant(frames.transpose(0, 2, 3, 1)))))
    slopes = tape.gradient(total, list(tensorflow_network.parameters_by_name().values()))
    for (name, parameter), slope in zip(torch_network.parameters_by_name().items(), slopes, strict=True):
        expected, found = parameter.grad.numpy(), slope.numpy()
        found = found.transpose(3, 2, 0, 1) if found.ndim == 4 else found
        assert np.abs(found - expected).max() <= SINGLE * np.abs(expected).max(), name


@pytest.mark.parametrize(
    "turn",
    [
        lambda kernel: kernel[:, :, ::-1],
        lambda kernel: kernel[..., ::-1],
        lambda kernel: kernel[:, :, ::-1, ::-1],
        lambda kernel: kernel.swapaxes(2, 3),
        lambda kernel: kernel[::-1],
        lambda kernel: kernel[:, ::-1],
    ],
    ids=["flipped in rows", "flipped in columns", "turned", "transposed", "filters reversed", "channels reversed"],
)
def test_a_kernel_laid_out_otherwise_would_have_been_noticed(turn: Callable[[np.ndarray], np.ndarray]) -> None:
    """In every kernel, by far more than the stacks may differ."""
    drawn, frames = weights(SMALL, "float64"), images()
    expected = torch_objects(to_torch(drawn), frames)
    for name, kernel in drawn.items():
        if name.endswith("_kernel") and not np.array_equal(turn(kernel), kernel):
            objects = torch_objects(to_torch({**drawn, name: np.ascontiguousarray(turn(kernel))}), frames)
            assert np.abs(objects - expected).max() > 1e4 * SINGLE, name


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_starts_both_stacks_from_the_same_weights(seed: int) -> None:
    fields = SMALL.size, SMALL.gridsize, SMALL.filters_scale
    for dtype in ("float32", "float64"):
        theirs = tensorflow_networks.Autoencoder(tensorflow_networks.CNNConfig(*fields), seed=seed, dtype=dtype)
        ours = torch_networks.Autoencoder(SMALL, seed=seed).to(getattr(torch, dtype))
        assert_identical(transplant.from_tensorflow(theirs), transplant.from_torch(ours))


@pytest.mark.parametrize("fields", [(64, 1, 0.05), (64, 2, 0.3), (128, 1, 0.05), (16, 3, 1.0), (64, 1, 2.0)])
def test_both_stacks_configure_alike(fields: tuple[int, int, float]) -> None:
    ours, theirs = CNNConfig(*fields), tensorflow_networks.CNNConfig(*fields)
    assert (ours.levels, ours.filters) == (theirs.levels, theirs.filters)
    turned = {name: (*shape[2:], *shape[1::-1]) for name, shape in ours.parameter_shapes().items() if len(shape) > 1}
    assert {**ours.parameter_shapes(), **turned} == theirs.parameter_shapes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("gridsize", [1, 2])
def test_weights_survive_every_format_bit_by_bit(size: int, gridsize: int, dtype: str, tmp_path: Path) -> None:
    """From a Keras model through every file in turn to a PyTorch module, and back."""
    config = CNNConfig(size, gridsize, 0.03)
    drawn = weights(config, dtype)
    network = to_tensorflow(drawn)
    network.save(tmp_path / "start.keras")
    moved = read_weights(tmp_path / "start.keras")
    for ending in (".pt", ".npz", ".weights.h5", ".pth", ".keras"):
        write_weights(tmp_path / f"moved{ending}", moved)
        moved = read_weights(tmp_path / f"moved{ending}")
        assert_identical(moved, drawn)
    assert_identical(transplant.from_torch(to_torch(moved)), drawn)
    again = to_tensorflow(transplant.from_torch(to_torch(moved)))
    assert again.dtype == dtype
    assert all(np.array_equal(*pair) for pair in zip(again.weights, network.weights, strict=True))


def test_the_frameworks_load_what_was_written(tmp_path: Path) -> None:
    drawn, frames = weights(), images(dtype="float32")
    for ending in ENDINGS:
        write_weights(tmp_path / f"weights{ending}", drawn)
    expected = torch_objects(to_torch(drawn), frames)
    network = torch_networks.Autoencoder(SMALL)
    network.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert np.array_equal(torch_objects(network, frames), expected)
    expected = tensorflow_objects(to_tensorflow(drawn), frames)
    loaded = keras.saving.load_model(tmp_path / "weights.keras")
    assert np.array_equal(tensorflow_objects(loaded, frames), expected)
    fresh = tensorflow_networks.Autoencoder(tensorflow_networks.CNNConfig(32, 2, 0.05))
    fresh.load_weights(tmp_path / "weights.weights.h5")
    assert np.array_equal(tensorflow_objects(fresh, frames), expected)
    with np.load(tmp_path / "weights.npz") as archive:
        assert_identical(dict(archive), drawn)


def test_the_frameworks_own_files_are_read(tmp_path: Path) -> None:
    ours, theirs = to_torch(weights()), to_tensorflow(weights())
    theirs.compile("adam", "mse")
    theirs.optimizer.build(theirs.trainable_variables)
    theirs.save(tmp_path / "a.keras")
    theirs.save_weights(tmp_path / "a.weights.h5")
    torch.save(ours.state_dict(), tmp_path / "a.pt")
    torch.save(ours.state_dict(), tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    for ending in ENDINGS[:-1]:
        assert_identical(read_weights(tmp_path / f"a{ending}"), weights())


def test_the_order_in_a_file_does_not_matter(tmp_path: Path) -> None:
    np.savez(tmp_path / "turned.npz", **dict(reversed(weights().items())))
    assert_identical(read_weights(tmp_path / "turned.npz"), weights())


@pytest.mark.parametrize("config", [SMALL, CNNConfig(), CNNConfig(256, 1, 0.07), CNNConfig(64, 3, 1e-6)])
def test_the_configuration_is_read_from_the_shapes(config: CNNConfig) -> None:
    """Down to the scale, where another scale of fewer digits does not give the same network."""
    empty = {name: np.broadcast_to(np.float32(0), shape) for name, shape in config.parameter_shapes().items()}
    found = CNNConfig(*named.architecture(empty, "weights"))
    assert (found.size, found.gridsize) == (config.size, config.gridsize)
    assert found.parameter_shapes() == config.parameter_shapes()
    if config.filters_scale > 0.01:
        assert found == config


def without(name: str) -> Callable[[Weights], Weights]:
    return lambda given: {n: array for n, array in given.items() if n != name}


def having(**changes: Any) -> Callable[[Weights], Weights]:
    return lambda given: {**given, **changes}


def in_single(name: str) -> Callable[[Weights], Weights]:
    return lambda given: {n: a.astype(np.float32 if n == name else np.float64) for n, a in given.items()}


CHANGES: list[tuple[Callable[[Weights], Weights], str]] = [
    (without("phase_head_bias"),
     "expected phase_head_bias, as in a network of 2 encoder blocks, got no such parameter"),
    (having(probe=np.ones(3, np.float32)),
     "expected no other parameters than those of a network of 2 encoder blocks, got probe"),
    (having(encoder_3_first_bias=np.ones(3, np.float32)),
     "expected encoder_2_first_kernel, as in a network of 4 encoder blocks, got no such parameter"),
    (having(encoder_1_second_bias=np.ones(5, np.float32)),
     "expected encoder_1_second_bias of shape (6,), as there are 4 channels and filters 3, 6, got shape (5,)"),
    (having(phase_head_kernel=np.ones((3, 3, 3, 4), np.float32)),
     "expected phase_head_kernel of shape (4, 3, 3, 3), as there are 4 channels and filters 3, 6, "
     "got shape (3, 3, 3, 4)"),
    (lambda given: {name: array.astype(np.float16) for name, array in given.items()},
     "expected encoder_0_first_kernel in float32 or float64, got float16"),
    (in_single("amplitude_head_bias"),
     "expected amplitude_head_bias in float64, as encoder_0_first_kernel is, got float32"),
    (lambda given: {"first": np.ones(3)},
     "expected the parameters of an autoencoder, such as encoder_0_first_kernel, got only first"),
    (lambda given: {},
     "expected the parameters of an autoencoder, such as encoder_0_first_kernel, got no parameters at all"),
    (having(encoder_99_first_bias=np.ones(3, np.float32)), "expected at most 16 encoder blocks, got number 99"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_weights_of_another_network_are_refused_and_the_old_file_stays(
    change: Callable[[Weights], Weights], message: str, tmp_path: Path
) -> None:
    wrong = change(weights())
    path = tmp_path / "wrong.npz"
    np.savez(path, **wrong)
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert str(caught.value) == f"{path}: {message}"
    for function in (to_torch, to_tensorflow):
        with pytest.raises(WeightsError, match=re.escape(f"weights: {message}")):
            function(wrong)
    for ending in ENDINGS:
        target = tmp_path / f"target{ending}"
        target.write_bytes(b"old")
        with pytest.raises(WeightsError, match=re.escape(f"weights: {message}")):
            write_weights(target, wrong)
        assert target.read_bytes() == b"old"


def test_shapes_that_no_configuration_gives_are_refused() -> None:
    shapes = named._shapes(4, [3, 9])
    wrong = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    message = "weights: expected max(1, round(64·s·2^i)) filters in encoder block i, s one number for all, got 3, 9"
    with pytest.raises(WeightsError, match=re.escape(message)):
        to_torch({**wrong})
    three = {name: np.zeros(shape, np.float32) for name, shape in named._shapes(3, [3, 6]).items()}
    message = "weights: expected encoder_0_first_kernel of shape (O, gridsize², 3, 3), got shape (3, 3, 3, 3)"
    with pytest.raises(WeightsError, match=re.escape(message)):
        to_torch(three)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own layers, when they are saved
def test_a_file_of_each_format_with_a_parameter_missing_is_refused(tmp_path: Path) -> None:
    network = to_torch(weights())
    state = {name: tensor for name, tensor in network.state_dict().items() if name != "phase_head.bias"}
    torch.save(state, tmp_path / "a.pt")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save(tmp_path / "a.keras")
    model.save_weights(tmp_path / "a.weights.h5")
    for ending, message in (
        (".pt", "expected phase_head_bias, as in a network of 2 encoder blocks, got no such parameter"),
        (".keras", "expected the parameters of an autoencoder"),
        (".weights.h5", "expected the parameters of an autoencoder"),
    ):
        with pytest.raises(WeightsError, match=re.escape(f"{tmp_path / 'a'}{ending}: {message}")):
            read_weights(tmp_path / f"a{ending}")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"module.encoder.0.first.weight": torch.ones(1)},
         "expected keys such as encoder.0.first.weight, got 'module.encoder.0.first.weight'"),
        ({"encoder_0_first_kernel": torch.ones(1)},
         "expected keys such as encoder.0.first.weight, got 'encoder_0_first_kernel'"),
        ({"encoder.0.first.weight": torch.ones(1, dtype=torch.bfloat16)},
         "expected encoder.0.first.weight in float32 or float64, got bfloat16"),
        ({"encoder.0.first.weight": 1.0}, "expected encoder.0.first.weight in float32 or float64, got float"),
        ([torch.ones(1)], "expected the state_dict of a network, got list"),
    ],
)  # fmt: skip
def test_a_state_of_something_else_is_refused(state: object, message: str, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "other.pt")
    assert str(caught.value) == f"{tmp_path / 'other.pt'}: {message}"


class Bomb:
    """Unpickled, it would leave a trace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save(Bomb(trace), tmp_path / "bomb.pt")
    np.savez(tmp_path / "bomb.npz", encoder_0_first_kernel=np.array([Bomb(trace)]))
    (tmp_path / "bomb.pth").write_bytes(pickle.dumps(Bomb(trace)))
    for name in ("bomb.pt", "bomb.npz", "bomb.pth"):
        with pytest.raises(WeightsError, match=rf"{name}: expected .* got a file that cannot be read"):
            read_weights(tmp_path / name)
    assert not trace.exists()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_refused(ending: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"damaged{ending}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=re.escape(f"{path}: expected ")):
        read_weights(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_cut_short_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut{ending}"
    write_weights(path, weights())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(WeightsError, match=re.escape(f"{path}: expected ")):
        read_weights(path)


def test_other_names_are_refused(tmp_path: Path) -> None:
    for name in ("weights.h5", "weights", "weights.onnx"):
        message = (
            f"{tmp_path / name}: expected a name that ends in .weights.h5, .keras, .pt, .pth, .ckpt, .npz, got {name}"
        )
        with pytest.raises(WeightsError, match=re.escape(message)):
            read_weights(tmp_path / name)
        with pytest.raises(WeightsError, match=re.escape(message)):
            write_weights(tmp_path / name, weights())
    with pytest.raises(WeightsError, match=re.escape(f"{tmp_path / 'a.pt'}: expected a file, got none")):
        read_weights(tmp_path / "a.pt")
    (tmp_path / "b.npz").mkdir()
    with pytest.raises(WeightsError, match=re.escape(f"{tmp_path / 'b.npz'}: expected a file, got a folder")):
        read_weights(tmp_path / "b.npz")
    np.save(tmp_path / "c.npy", np.ones(3))
    (tmp_path / "c.npy").rename(tmp_path / "c.npz")
    with pytest.raises(WeightsError, match=r"expected an \.npz of arrays, got .* a single .npy array"):
        read_weights(tmp_path / "c.npz")


def test_a_framework_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_weights(tmp_path / "a.pt", weights())
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "ptycho_torch.autoencoder")
    message = "a.pt: expected torch to be installed, got none: pip install 'ptycho-parity[torch]'"
    with pytest.raises(WeightsError, match=re.escape(message)):
        read_weights(tmp_path / "a.pt")


def test_plain_arrays_need_no_framework(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.npz", weights())
    script = (
        "import sys; from parity.stacks.transplant import read_weights, write_weights\n"
        "write_weights(sys.argv[2], read_weights(sys.argv[1]))\n"
        "assert not {'torch', 'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "a.npz", tmp_path / "b.npz"], check=True)
    assert_identical(read_weights(tmp_path / "b.npz"), weights())
