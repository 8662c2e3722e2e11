"""What the TensorFlow stack refuses, and in which words; and that one trace serves all sizes."""

import math
import re

import numpy as np
import pytest
import tensorflow as tf

from ptycho import losses, optics, patches, probe, scaling

REAL = tf.ones((2, 4, 5, 3))
DOUBLE = tf.cast(REAL, tf.float64)
FIELD = tf.ones((2, 4, 5, 3), tf.complex64)
PROBE = tf.ones((4, 5, 1), tf.complex64)
TURNED = tf.ones((5, 4, 1), tf.complex64)
WAVES = tf.ones((2, 4, 5, 3, 1), tf.complex64)
GRID = tf.ones((2, 2, 2, 4, 5))
SCALAR = tf.constant(1.0)
DOUBLE_SCALAR = tf.constant(1.0, tf.float64)


def with_pixel(value: float) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(REAL, [[1, 3, 4, 0]], [value])


TYPES = [
    (optics.combine_complex, (FIELD, REAL), "amplitude: expected float32 or float64, got complex64"),
    (optics.combine_complex, (REAL, DOUBLE),
     "phase: expected the precision of amplitude (float32), got float64"),
    (optics.combine_complex, (tf.cast(REAL, tf.int32), REAL),
     "amplitude: expected an amplitude (float32 or float64), got int32 "
     "(integers look like counts: take the square root)"),
    (optics.combine_complex, (REAL, FIELD), "phase: expected float32 or float64, got complex64"),
    (optics.illuminate, (REAL, PROBE), "patches: expected complex64 or complex128, got float32"),
    (optics.illuminate, (FIELD, tf.math.real(PROBE)), "probe: expected complex64 or complex128, got float32"),
    (optics.illuminate, (FIELD, tf.cast(PROBE, tf.complex128)),
     "probe: expected the precision of patches (complex64), got complex128"),
    (optics.illuminate, (FIELD, np.ones((4, 5, 1))), "probe: expected a tf.Tensor, got ndarray"),
    (optics.far_field_amplitude, (tf.math.real(WAVES),),
     "exit_waves: expected complex64 or complex128, got float32"),
    (scaling.count_photons, (FIELD,), "amplitude: expected float32, float64 or integers, got complex64"),
    (scaling.count_photons, (tf.cast(REAL, tf.float16),),
     "amplitude: expected float32, float64 or integers, got float16"),
    (scaling.scale_nphotons, (REAL, DOUBLE_SCALAR), "nphotons: expected float32, got float64"),
    (scaling.scale_nphotons, (REAL, "many"), "nphotons: expected a number or a scalar tf.Tensor, got str"),
    (scaling.apply_intensity_scale, (REAL, 1.0), "log_scale: expected a tf.Tensor, got float"),
    (scaling.remove_intensity_scale, (REAL, DOUBLE_SCALAR),
     "log_scale: expected the precision of amplitude (float32), got float64"),
    (scaling.remove_intensity_scale, (tf.cast(REAL, tf.uint16), SCALAR),
     "amplitude: expected an amplitude (float32 or float64), got uint16 "
     "(integers look like counts: take the square root)"),
    (patches.central_weight, (REAL,), "patches: expected complex64 or complex128, got float32"),
    (patches.channel_to_flat, (REAL,), "patches: expected complex64 or complex128, got float32"),
    (patches.grid_to_channel, (GRID,), "grid: expected complex64 or complex128, got float32"),
    (patches.trim, (REAL, 2, 3), "patches: expected complex64 or complex128, got float32"),
    (losses.poisson_nll, (REAL, tf.cast(REAL, tf.int64)),
     "observed: expected an amplitude (float32 or float64), got int64 "
     "(integers look like counts: take the square root)"),
    (losses.poisson_nll, (REAL, DOUBLE),
     "observed: expected the precision of predicted (float32), got float64"),
    (losses.mae, (FIELD, REAL), "predicted: expected float32 or float64, got complex64"),
    (losses.total_variation, (REAL,), "patches: expected complex64 or complex128, got float32"),
    (losses.complex_mae, (FIELD, REAL), "target: expected complex64 or complex128, got float32"),
    (losses.realspace_loss, (REAL, FIELD, 1.0, 1.0), "patches: expected complex64 or complex128, got float32"),
    (losses.realspace_loss, (FIELD, REAL, 1.0, 1.0), "target: expected complex64 or complex128, got float32"),
    (losses.realspace_loss, (FIELD, FIELD, DOUBLE_SCALAR, 1.0), "tv_weight: expected float32, got float64"),
    (losses.training_loss, (REAL, tf.cast(REAL, tf.int64), FIELD, FIELD, *[1.0] * 5),
     "observed: expected an amplitude (float32 or float64), got int64 "
     "(integers look like counts: take the square root)"),
    (losses.training_loss, (DOUBLE, DOUBLE, FIELD, FIELD, *[1.0] * 5),
     "patches: expected the precision of predicted (float64), got complex64"),
    (losses.training_loss, (REAL, REAL, FIELD, FIELD, DOUBLE_SCALAR, *[1.0] * 4),
     "nll_weight: expected float32, got float64"),
    (probe.disk, (4.5, 1.0), "size: expected a whole number, got 4.5"),
    (probe.disk, (SCALAR, 1.0), "size: expected a whole number, got float32"),
    (probe.disk, (4, tf.constant(2)), "radius: expected float32 or float64, got int32"),
    (probe.zone_plate, (4, 2.0, SCALAR, DOUBLE_SCALAR), "defocus: expected float32, got float64"),
    (probe.orthogonal_modes, (PROBE, tf.ones(2, tf.float64)),
     "powers: expected the precision of probe (complex64), got float64"),
    (probe.mask, (tf.math.real(PROBE),), "probe: expected complex64 or complex128, got float32"),
    (probe.normalize, (PROBE, None), "probe_scale: expected a number or a scalar tf.Tensor, got NoneType"),
]  # fmt: skip

SHAPES = [
    (optics.combine_complex, (REAL[0], REAL), "amplitude: expected axes (B, H, W, C), got shape (4, 5, 3)"),
    (optics.combine_complex, (REAL, tf.ones((2, 5, 4, 3))),
     "phase: expected (B, H, W, C) = (2, 4, 5, 3) as in amplitude, got (2, 5, 4, 3)"),
    (optics.illuminate, (FIELD, PROBE[..., 0]), "probe: expected axes (H, W, P), got shape (4, 5)"),
    (optics.illuminate, (FIELD, PROBE[None]), "probe: expected axes (H, W, P), got shape (1, 4, 5, 1)"),
    (optics.illuminate, (FIELD, TURNED), "probe: expected (H, W) = (4, 5) as in patches, got (5, 4)"),
    (optics.illuminate, (FIELD, PROBE[:1]), "probe: expected (H, W) = (4, 5) as in patches, got (1, 5)"),
    (optics.far_field_amplitude, (FIELD,),
     "exit_waves: expected axes (B, H, W, C, P), got shape (2, 4, 5, 3)"),
    (scaling.count_photons, (REAL[0],), "amplitude: expected axes (B, H, W, C), got shape (4, 5, 3)"),
    (scaling.scale_nphotons, (REAL, tf.ones(2)), "nphotons: expected a scalar, got shape (2,)"),
    (scaling.apply_intensity_scale, (REAL, tf.ones(2)), "log_scale: expected a scalar, got shape (2,)"),
    (losses.poisson_nll, (REAL, REAL[:1]),
     "observed: expected (B, H, W, C) = (2, 4, 5, 3) as in predicted, got (1, 4, 5, 3)"),
    (losses.complex_mae, (FIELD, FIELD[..., :1]),
     "target: expected (B, H, W, C) = (2, 4, 5, 3) as in patches, got (2, 4, 5, 1)"),
    (losses.training_loss, (REAL, REAL, FIELD[:1], FIELD[:1], *[1.0] * 5),
     "patches: expected (B, H, W, C) = (2, 4, 5, 3) as in predicted, got (1, 4, 5, 3)"),
    (probe.gaussian, (0, 1.0), "size: expected a positive number, got 0"),
    (probe.gaussian, (4, tf.ones(3)), "width: expected a scalar, got shape (3,)"),
    (probe.orthogonal_modes, (tf.tile(PROBE, (1, 1, 3)), tf.ones(2)), "probe: expected 1 mode, got 3"),
    (probe.orthogonal_modes, (PROBE, tf.ones(7)), "powers: expected 1 to 6 modes, got 7"),
    (probe.orthogonal_modes, (PROBE, tf.ones(0)), "powers: expected 1 to 6 modes, got 0"),
    (probe.normalize, (PROBE[..., 0], 1.0), "probe: expected axes (H, W, P), got shape (4, 5)"),
]  # fmt: skip

VALUES = [
    (losses.poisson_nll, (REAL, with_pixel(-0.25)),
     "observed: expected a finite, non-negative amplitude, got -0.25 at (1, 3, 4, 0)"),
    (losses.poisson_nll, (with_pixel(math.nan), REAL),
     "predicted: expected a finite, non-negative amplitude, got nan at (1, 3, 4, 0)"),
    (losses.mae, (REAL, with_pixel(math.inf)),
     "observed: expected a finite, non-negative amplitude, got inf at (1, 3, 4, 0)"),
]  # fmt: skip


def described(case) -> str:
    function, _, message = case
    return f"{function.__name__}-{message.partition(':')[0]}"


@pytest.mark.parametrize("case", TYPES, ids=described)
def test_wrong_types_are_refused(case) -> None:
    function, arguments, message = case
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        function(*arguments)


@pytest.mark.parametrize("case", SHAPES + VALUES, ids=described)
def test_wrong_shapes_and_values_are_refused(case) -> None:
    function, arguments, message = case
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(*arguments)


def open_signature(arguments: tuple) -> list[tf.TensorSpec]:
    """The ranks and types of the arguments, with every dimension left open."""
    tensors = [tf.convert_to_tensor(argument) for argument in arguments]
    return [tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in tensors]


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (optics.illuminate, (FIELD, PROBE[:1]), "probe: expected (H, W) as in patches"),
        (losses.poisson_nll, (REAL, REAL[:1]), "observed: expected (B, H, W, C) as in predicted"),
        (losses.mae, (REAL, with_pixel(math.nan)), "observed: expected a finite, non-negative amplitude"),
        (
            losses.poisson_nll,
            (with_pixel(-1.0), REAL),
            "predicted: expected a finite, non-negative amplitude",
        ),
        (probe.orthogonal_modes, (tf.tile(PROBE, (1, 1, 3)), tf.ones(2)), "probe: expected 1 mode"),
        (probe.orthogonal_modes, (PROBE, tf.ones(0)), "powers: expected 1 to 6 modes"),
    ],
)
def test_a_traced_function_refuses_what_only_its_run_can_show(function, arguments: tuple, message: str) -> None:
    """Each of these would run to its end, and be wrong, without its check."""
    traced = tf.function(function, input_signature=open_signature(arguments))
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(message)):
        traced(*arguments)


def sized(height: int, width: int) -> dict[str, tf.Tensor]:
    """Arguments of one size, under the names that the table of traces calls them by."""
    rng = np.random.default_rng(0)

    def real(*shape: int) -> tf.Tensor:
        return tf.constant(rng.uniform(0.5, 1.5, shape), tf.float32)

    def field(*shape: int) -> tf.Tensor:
        return tf.complex(real(*shape), real(*shape))

    return {
        "real": real(2, height, width, 3),
        "field": field(2, height, width, 3),
        "waves": field(2, height, width, 3, 2),
        "probe": field(height, width, 2),
        "mode": field(height, width, 1),
        "powers": real(height // 2),
        "size": tf.constant(height),
        "scalar": tf.constant(2.0),
    }


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (optics.combine_complex, "real real"),
        (optics.illuminate, "field probe"),
        (optics.far_field_amplitude, "waves"),
        (scaling.count_photons, "real"),
        (scaling.scale_nphotons, "real scalar"),
        (scaling.normalize_amplitude, "real"),
        (scaling.apply_intensity_scale, "real scalar"),
        (scaling.remove_intensity_scale, "real scalar"),
        (patches.central_weight, "field"),
        (losses.poisson_nll, "real real"),
        (losses.mae, "real real"),
        (losses.total_variation, "field"),
        (losses.complex_mae, "field field"),
        (losses.realspace_loss, "field field scalar scalar"),
        (losses.training_loss, "real real field field scalar scalar scalar scalar scalar"),
        (probe.disk, "size scalar"),
        (probe.gaussian, "size scalar"),
        (probe.zone_plate, "size scalar scalar scalar"),
        (probe.orthogonal_modes, "mode powers"),
        (probe.mask, "probe"),
        (probe.normalize, "probe scalar"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_one_trace_serves_all_sizes(function, names: str) -> None:
    traces = []
    sizes = [[sized(*size)[name] for name in names.split()] for size in ((4, 5), (7, 6))]

    @tf.function(input_signature=open_signature(sizes[0]))
    def traced(*arguments: tf.Tensor) -> tf.Tensor:
        traces.append(function)
        return function(*arguments)

    for arguments in sizes:
        eager = function(*arguments)
        terms = max(argument.numpy().size for argument in arguments)
        allowed = terms * np.finfo(np.float32).eps * np.abs(eager).max()
        assert np.abs(traced(*arguments) - eager).max() <= allowed
    assert len(traces) == 1


def test_the_edges_of_the_domain_are_accepted() -> None:
    edge = tf.tensor_scatter_nd_update(with_pixel(0.0), [[0, 0, 0, 0]], [np.finfo(np.float32).tiny])
    assert losses.mae(edge, edge) == 0
    assert losses.poisson_nll(REAL[:0], REAL[:0]).shape == (0,)


def test_numbers_of_any_kind_serve_as_scalars() -> None:
    for one in (1, 1.0, np.float32(1), np.int64(1), SCALAR):
        assert np.array_equal(probe.normalize(PROBE, one), probe.normalize(PROBE, 1.0))
