"""The TensorFlow stack from patches to the detector: what is composed, in which order, and with which weight."""

import math
import re

import numpy as np
import pytest
import tensorflow as tf

from ptycho import forward, losses, optics, scaling
from ptycho import patches as views

REAL = [tf.float32, tf.float64]
WEIGHTINGS = ["central", "probe", "uniform", "none"]
LOSS_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 0.125)


def real(low: float, high: float, *shape: int, dtype: tf.DType = tf.float64, seed: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(low, high, shape), dtype)


def field(*shape: int, dtype: tf.DType = tf.float64, seed: int) -> tf.Tensor:
    return tf.complex(*(real(-1, 1, *shape, dtype=dtype, seed=seed + part) for part in (100, 200)))


def model(dtype: tf.DType = tf.float64, size: tuple[int, int, int, int] = (2, 6, 5, 4)) -> tuple[tf.Tensor, ...]:
    """Patches, positions, probe and logarithm of the scale."""
    groups, height, width, count = size
    return (
        field(*size, dtype=dtype, seed=0),
        real(-2, 2, groups, 1, 2, count, dtype=dtype, seed=1),
        field(height, width, 3, dtype=dtype, seed=2),
        tf.constant(0.75, dtype),
    )


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


def weight_of(weighting: str, images: tf.Tensor, probe: tf.Tensor) -> tf.Tensor:
    weights = {
        "central": views.central_weight(images),
        "probe": tf.reduce_sum(tf.square(tf.math.real(probe)) + tf.square(tf.math.imag(probe)), axis=-1),
        "uniform": tf.ones_like(tf.math.real(images)[0, :, :, 0]),
    }
    return weights[weighting]


@pytest.mark.parametrize("dtype", REAL)
def test_unmerged_patches_are_lit_as_they_are(dtype: tf.DType) -> None:
    images, _, probe, log_scale = model(dtype)
    predicted = forward.predict_amplitude(images, None, probe, log_scale, None, None, "none")
    lit = optics.far_field_amplitude(optics.illuminate(images, probe))
    assert np.array_equal(predicted, scaling.apply_intensity_scale(lit, log_scale))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("weighting", ["central", "probe", "uniform"])
def test_merged_patches_are_read_off_one_object_before_they_are_lit(weighting: str, dtype: tf.DType) -> None:
    images, positions, probe, log_scale = model(dtype)
    predicted = forward.predict_amplitude(images, positions, probe, log_scale, 10, 9, weighting)
    canvas = views.reassemble_patches(images, positions, weight_of(weighting, images, probe), 10, 9)
    merged = views.extract_patches(canvas, positions, 6, 5)
    lit = forward.predict_amplitude(merged, None, probe, log_scale, None, None, "none")
    assert np.array_equal(predicted, lit)


def test_the_weight_is_the_central_one_unless_another_is_named() -> None:
    default, central, probe, uniform, none = (
        forward.predict_amplitude(*model(), 10, 9, *named) for named in ([], *([w] for w in WEIGHTINGS))
    )
    assert np.array_equal(default, central)
    assert len({float(tf.reduce_sum(prediction)) for prediction in (central, probe, uniform, none)}) == 4


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_energy_is_that_of_the_waves_on_the_scale_of_the_detector(weighting: str) -> None:
    *arguments, _ = model()
    zero = tf.constant(0.0, tf.float64)
    one = forward.predict_amplitude(*arguments, zero, 10, 9, weighting)
    doubled = forward.predict_amplitude(*arguments, zero + math.log(2), 10, 9, weighting)
    assert np.abs(doubled - 2 * one).max() <= rounding(doubled, 4)
    images, _, probe = arguments
    if weighting == "none":
        lit, seen = tf.reduce_sum(tf.abs(optics.illuminate(images, probe)) ** 2), tf.reduce_sum(one**2)
        assert abs(lit - seen) <= rounding(lit, images.numpy().size)


def test_the_probe_is_trained_through_the_weight_as_well() -> None:
    images, positions, probe, log_scale = model()

    def slope(weight) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(probe)
            canvas = views.reassemble_patches(images, positions, weight(), 10, 9)
            merged = views.extract_patches(canvas, positions, 6, 5)
            predicted = forward.predict_amplitude(merged, None, probe, log_scale, None, None, "none")
        return tape.gradient(predicted, probe)

    with tf.GradientTape() as tape:
        tape.watch(probe)
        predicted = forward.predict_amplitude(images, positions, probe, log_scale, 10, 9, "probe")
    gradient = tape.gradient(predicted, probe)
    assert np.array_equal(gradient, slope(lambda: views.probe_weight(probe)))
    fixed = views.probe_weight(probe)
    assert np.abs(gradient - slope(lambda: fixed)).max() > rounding(gradient, 10**6)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_objective_is_the_training_loss_of_the_prediction(weighting: str) -> None:
    arguments = model()
    observed, target = real(0, 2, 2, 6, 5, 4, seed=4), field(2, 6, 5, 4, seed=5)
    objective = forward.training_objective(*arguments, observed, target, *LOSS_WEIGHTS, 10, 9, weighting)
    predicted = forward.predict_amplitude(*arguments, 10, 9, weighting)
    assert objective == losses.training_loss(predicted, observed, arguments[0], target, *LOSS_WEIGHTS)


@pytest.mark.parametrize(
    ("module", "stage"),
    [
        (views, "central_weight"),
        (views, "reassemble_patches"),
        (views, "extract_patches"),
        (optics, "illuminate"),
        (optics, "far_field_amplitude"),
        (scaling, "apply_intensity_scale"),
    ],
)
def test_a_stage_that_is_replaced_takes_effect(module, stage: str, monkeypatch) -> None:
    original = getattr(module, stage)
    before = forward.predict_amplitude(*model(), 10, 9)
    monkeypatch.setattr(module, stage, lambda *arguments: 2 * original(*arguments))
    assert not np.array_equal(forward.predict_amplitude(*model(), 10, 9), before)


def test_an_unknown_weighting_is_refused() -> None:
    message = "weighting: expected one of central, probe, uniform, none, got 'centre'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        forward.predict_amplitude(*model(), 10, 9, "centre")


def test_a_refusal_names_the_argument_that_is_wrong() -> None:
    images, positions, probe, log_scale = model()
    turned = tf.transpose(probe, (1, 0, 2))
    for wrong, message in [
        ((images, positions, turned, log_scale, 10, 9, "probe"),
         "probe: expected (H, W) = (6, 5) as in patches, got (5, 6)"),
        ((images, positions, probe, log_scale, 4, 9, "central"),
         "rows: expected at least the 6 of patches, got 4"),
        ((images, positions + 3, probe, log_scale, 10, 9, "uniform"), "positions: expected |x| ≤ 2 and |y| ≤ 2"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            forward.predict_amplitude(*wrong)


@pytest.mark.parametrize("weighting", ["probe", "none"])
def test_one_trace_serves_all_sizes_values_and_gradients(weighting: str) -> None:
    traces = []
    sizes = [(2, 6, 5, 4), (3, 4, 7, 1), (1, 8, 8, 9)]

    def step(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        *tensors, rows, columns = arguments
        with tf.GradientTape() as tape:
            tape.watch(tensors[:4])
            loss = forward.training_objective(*tensors, *LOSS_WEIGHTS, rows, columns, weighting)
        return loss, tape.gradient(loss, tensors[:4], unconnected_gradients="zero")

    def arguments_of(size: tuple[int, int, int, int]) -> list[tf.Tensor]:
        sides = (tf.constant(side + 4) for side in size[1:3])
        return [*model(size=size), real(0, 2, *size, seed=4), field(*size, seed=5), *sides]

    signature = [tf.TensorSpec([None] * a.shape.rank, a.dtype) for a in arguments_of(sizes[0])]

    @tf.function(input_signature=signature, autograph=False)
    def traced(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        traces.append(weighting)
        return step(*arguments)

    for size in sizes:
        arguments = arguments_of(size)
        for got, wanted in zip(tf.nest.flatten(traced(*arguments)), tf.nest.flatten(step(*arguments)), strict=True):
            assert got.shape == wanted.shape
            # The graph may add in another order; the loss is a sum over all pixels of what a transform mixes.
            assert np.abs(got - wanted).max() <= rounding(wanted, math.prod(size) ** 2)
    assert len(traces) == 1
