"""The derivatives of the TensorFlow losses, against differences and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from ptycho import losses


def gradients(function, *arguments: tf.Tensor) -> list[tf.Tensor]:
    leaves = [tf.identity(argument) for argument in arguments]  # one tensor may be given twice
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        result = function(*leaves)
    return tape.gradient(result, leaves)


@pytest.mark.parametrize("full", [True, False])
def test_derivatives_agree_with_differences(full: bool) -> None:
    observed = np.array([0.5, 1.0, 3.0, 5.0, 9.0, 1.0]).reshape(1, 2, 3, 1)
    ratio = np.array([0.5, 0.97, 1.02, 1.0, 1.4, 2.0]).reshape(1, 2, 3, 1)
    exact, differences = tf.test.compute_gradient(
        lambda p, o: losses.poisson_nll(p, o, full), [tf.constant(observed * ratio), tf.constant(observed)]
    )
    # compute_gradient takes central differences with a step of 2^-10: their error is the step squared times a
    # sixth of the third derivative, which is below 4 k / lambda^(3/2) + 4 / A here.
    step, third = 2.0**-10, 4 * (observed**2 / (observed * ratio) ** 3 + 1 / observed).max()
    assert max(np.abs(a - b).max() for a, b in zip(exact, differences, strict=True)) <= step**2 * third


def test_second_derivative_is_that_of_the_rate() -> None:
    """1 + k / lambda twice, and 2 where the pixel is empty."""
    predicted, observed = tf.reshape([0.0, 1.0, 2.0], (1, 3, 1, 1)), tf.reshape([0.0, 0.0, 3.0], (1, 3, 1, 1))
    (curvature,) = gradients(lambda p: gradients(lambda p: losses.poisson_nll(p, observed), p)[0], predicted)
    assert np.ravel(curvature).tolist() == [2.0, 2.0, 2 * (1 + 9 / 4)]
