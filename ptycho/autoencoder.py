"""The autoencoder as a Keras model, which owns its parameters; what it computes is `ptycho.networks`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Self

import keras  # type: ignore[import-untyped]
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ptycho import checks
from ptycho.networks import CNNConfig, autoencode
from ptycho_exposures.checks import refusal


@keras.saving.register_keras_serializable(package="ptycho")
class Autoencoder(keras.Model):  # type: ignore[misc]
    """`autoencode` as a Keras model that owns its parameters, built at construction.

    Kernels start uniform between ±sqrt(6 / (9 I + 9 O)) (Glorot and Bengio, AISTATS 2010), biases at zero.
    The kernels are drawn from `seed` alone and representable in float32, so that one seed gives one network in
    both stacks and both precisions; no generator of Keras or TensorFlow is read or advanced. Variables and
    files have the names that `autoencode` gives the parameters.
    """

    def __init__(
        self, config: CNNConfig | None = None, seed: int = 0, dtype: Any = None, name: str | None = None, **model: Any
    ) -> None:
        """Take the architecture, `CNNConfig()` if none is given, the seed of the kernels, and what keras.Model takes.

        Raises TypeError unless `dtype`, Keras's own default if none is given, is float32 or float64.
        """
        # Without autocast Keras leaves the precision of the images alone, and `autoencode` refuses to mix.
        super().__init__(dtype=dtype, name=name, autocast=False, **model)
        policy = self.dtype_policy
        if policy.compute_dtype not in ("float32", "float64") or policy.compute_dtype != policy.variable_dtype:
            raise TypeError(refusal("dtype", "float32 or float64", str(policy.name)))
        self.config = CNNConfig() if config is None else config
        self.seed = seed
        for parameter, array in _initial_parameters(self.config.parameter_shapes(), seed).items():
            self.add_weight(name=parameter, shape=array.shape, initializer=_constant(array))
        self.built = True

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Patches of the object (B, N, N, C), complex, from images (B, N, N, C), real, in the model's precision.

        N is the size and C the squared gridsize of the configuration. Raises TypeError and ValueError as
        `autoencode` does.
        """
        checks.require_amplitude("images", images)
        checks.require_same_precision("images", images, "the parameters", tf.convert_to_tensor(self.weights[0]))
        size = self.config.size
        rows, columns = (
            tf.shape(images)[axis] if images.shape[axis] is None else images.shape[axis] for axis in (1, 2)
        )
        expected = f"frames of ({size}, {size}), the size of the network"
        checks.require_that((rows == size) & (columns == size), "images", expected, f"({rows}, {columns})")
        return autoencode(images, **self.parameters_by_name())

    def parameters_by_name(self) -> dict[str, keras.Variable]:
        """The variables by the names that `autoencode` gives them, in the order of the network."""
        return dict(zip(self.config.parameter_shapes(), self.weights, strict=True))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **asdict(self.config), "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        names = [field.name for field in fields(CNNConfig)]
        others = {name: value for name, value in config.items() if name not in names}
        return cls(CNNConfig(**{name: config[name] for name in names}), **others)

    def save_own_variables(self, store: Any) -> None:
        for name, variable in self.parameters_by_name().items():
            store[name] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take all parameters of a file, or none: ValueError names the first that does not fit."""
        parameters = self.parameters_by_name()
        for name in sorted({*parameters, *store.keys()}):
            expected = _describe(parameters[name]) if name in parameters else "no parameter of this name"
            got = _describe(store[name]) if name in store else "none"
            if got != expected:
                raise ValueError(refusal(name, expected, f"{got} in the file"))
        for name, variable in parameters.items():
            variable.assign(store[name])


def _describe(array: Any) -> str:
    return f"{keras.backend.standardize_dtype(array.dtype)} of shape {tuple(array.shape)}"


def _constant(array: NDArray[np.float32]) -> Callable[..., tf.Tensor]:
    return lambda shape, dtype: tf.constant(array, dtype)


def _initial_parameters(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, NDArray[np.float32]]:
    """Glorot's uniform kernels and zero biases, the same numbers as in the other stack."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, shape in shapes.items():
        if len(shape) == 1:
            arrays[name] = np.zeros(shape, np.float32)
            continue
        channels, count = shape[-2:]
        limit = math.sqrt(6 / (9 * (channels + count)))
        # Drawn in the other stack's layout, so that the numbers are the same.
        drawn = generator.uniform(-limit, limit, (count, channels, 3, 3)).astype(np.float32)
        arrays[name] = drawn.transpose(2, 3, 1, 0)
    return arrays
