"""What a graph in TensorFlow refuses when it runs, and that one trace serves all sizes."""

import math

import numpy as np
import pytest
import tensorflow as tf

from ptycho import losses, optics, patches, probe, scaling

REAL = tf.ones((2, 4, 5, 3))
FIELD = tf.ones((2, 4, 5, 3), tf.complex64)
PROBE = tf.ones((4, 5, 1), tf.complex64)


def with_pixel(value: float) -> tf.Tensor:
    return tf.tensor_scatter_nd_update(REAL, [[1, 3, 4, 0]], [value])


def test_a_tensor_that_is_no_whole_number_is_no_size() -> None:
    with pytest.raises(TypeError, match=r"^size: expected a whole number, got float32$"):
        probe.disk(tf.constant(1.0), 1.0)


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
        (probe.orthogonal_modes, (PROBE, tf.ones(7)), "powers: expected 1 to 6 modes"),
        (probe.orthogonal_modes, (PROBE, tf.ones(0)), "powers: expected at least one element along each of (P)"),
    ],
)
def test_a_traced_function_refuses_what_only_its_run_can_show(
    graph_refuses, function, arguments: tuple, message: str
) -> None:
    """Each of these would run to its end, and be wrong, without its check."""
    graph_refuses(function, arguments, message)


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
def test_one_trace_serves_all_sizes(one_trace_serves, function, names: str) -> None:
    sizes = [[sized(*size)[name] for name in names.split()] for size in ((4, 5), (7, 6))]
    one_trace_serves(function, sizes, lambda arguments: max(argument.numpy().size for argument in arguments))
