"""Patches in TensorFlow: its own layouts, sizes that are tensors, and graphs that are traced once."""

import itertools
import math
import re

import numpy as np
import pytest
import tensorflow as tf

from ptycho import patches


def field(*shape: int, dtype: tf.DType = tf.complex128, seed: int = 0) -> tf.Tensor:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return tf.cast(tf.complex(real, imaginary), dtype)


def between(low: float, high: float, *shape: int, dtype: tf.DType = tf.float64, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(low, high, shape), dtype)


def test_the_size_of_a_canvas_is_a_tensor_where_what_it_follows_from_is_one() -> None:
    for arguments in itertools.product((63, 64), (1, 2, 3, 4), (0, 3, 4, 5, 7), (0, 3, 5)):
        size = patches.padded_size(*map(tf.constant, arguments))
        assert (size.dtype, int(size)) == (tf.int32, patches.padded_size(*arguments))


IMAGES = tf.ones((2, 4, 5, 3), tf.complex64)
STILL = tf.zeros((2, 1, 2, 3))
WEIGHT = tf.ones((4, 5))
CANVAS = tf.ones((2, 6, 7, 1), tf.complex64)
ASTRAY = tf.tensor_scatter_nd_update(STILL, [[1, 0, 0, 2], [1, 0, 1, 2]], [1.5, 0.25])
LOST = tf.tensor_scatter_nd_update(STILL, [[1, 0, 1, 0]], [math.nan])
REFUSED = [
    (patches.trim, (IMAGES, 4, tf.constant(5.0)), TypeError, "columns: expected a whole number, got float32"),
    (patches.pad, (IMAGES, tf.constant(2), 5), ValueError, "rows: expected at least the 4 of patches, got 2"),
    (patches.translate, (IMAGES, tf.transpose(STILL, (0, 1, 3, 2))), ValueError,
     "positions: expected axes (B, 1, 2, C), got shape (2, 1, 3, 2)"),
    (patches.translate, (IMAGES, STILL[:, 0]), ValueError,
     "positions: expected axes (B, 1, 2, C), got shape (2, 2, 3)"),
    (patches.extract_patches, (CANVAS[..., 0], STILL, 4, 5), ValueError,
     "canvas: expected axes (B, Y, X, 1), got shape (2, 6, 7)"),
    (patches.reassemble_patches, (IMAGES, -ASTRAY, WEIGHT, 8, tf.constant(7)), ValueError,
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [-1.5, -0.25] in group 1, patch 2"),
    (patches.padded_size, (64, tf.constant(0), 0, 0), ValueError, "gridsize: expected a positive number, got 0"),
    (patches.channel_to_grid, (IMAGES, tf.constant(2)), ValueError,
     "patches: expected 4 patches in a group (gridsize 2), got 3"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "message"), REFUSED)
def test_tensors_of_another_layout_and_sizes_that_do_not_fit_are_refused(
    function, arguments: tuple, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        function(*arguments)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (patches.pad, (IMAGES, 4, 8), "columns: expected the parity of the columns of patches"),
        (patches.trim, (IMAGES, 6, 5), "rows: expected at most the rows of patches"),
        (patches.trim, (IMAGES, 0, 5), "rows: expected a positive number"),
        (patches.translate, (IMAGES, tf.tile(STILL, (1, 2, 1, 1))), "positions: expected axes (B, 1, 2, C)"),
        (patches.extract_patches, (CANVAS, ASTRAY, 4, 5), "positions: expected patches that stay on the canvas"),
        (patches.reassemble_patches, (IMAGES, LOST, WEIGHT, 8, 7),
         "positions: expected patches that stay on the canvas"),
        (patches.reassemble_patches, (IMAGES, STILL, WEIGHT[:1], 8, 7), "weight: expected (H, W) as in patches"),
        (patches.padded_size, (64, 2, -1, 0), "offset: expected a number of at least 0"),
        (patches.grid_to_channel, (tf.ones((1, 2, 3, 4, 5), tf.complex64),),
         "grid: expected as many columns of patches as rows"),
    ],
)  # fmt: skip
def test_a_traced_function_refuses_what_only_its_run_can_show(
    graph_refuses, function, arguments: tuple, message: str
) -> None:
    """Each of these would run to its end, and be wrong, without its check."""
    graph_refuses(function, arguments, message)


def sized(groups: int, height: int, width: int, gridsize: int) -> dict[str, tf.Tensor]:
    """Arguments of one size, under the names that the table of traces calls them by."""
    count = gridsize**2
    return {
        "images": field(groups, height, width, count, dtype=tf.complex64),
        "probe": field(height, width, 2, dtype=tf.complex64),
        "canvas": field(groups, height + 4, width + 2, 1, dtype=tf.complex64),
        "positions": between(-1, 1, groups, 1, 2, count, dtype=tf.float32),
        "weight": between(0.5, 1, height, width, dtype=tf.float32),
        "flat": field(groups * count, height, width, 1, dtype=tf.complex64),
        "grid": field(groups, gridsize, gridsize, height, width, dtype=tf.complex64),
        "height": tf.constant(height),
        "width": tf.constant(width),
        "rows": tf.constant(height + 4),
        "columns": tf.constant(width + 2),
        "gridsize": tf.constant(gridsize),
    }


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (patches.uniform_weight, "images"),
        (patches.probe_weight, "probe"),
        (patches.pad, "images rows columns"),
        (patches.trim, "canvas height width"),
        (patches.translate, "images positions"),
        (patches.extract_patches, "canvas positions height width"),
        (patches.reassemble_patches, "images positions weight rows columns"),
        (patches.relative_positions, "positions"),
        (patches.padded_size, "rows gridsize width gridsize"),
        (patches.channel_to_flat, "images"),
        (patches.flat_to_channel, "flat gridsize"),
        (patches.channel_to_grid, "images gridsize"),
        (patches.grid_to_channel, "grid"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_one_trace_serves_all_sizes_values_and_gradients(one_trace_serves, function, names: str) -> None:
    sizes = [[sized(*size)[name] for name in names.split()] for size in ((2, 4, 5, 2), (3, 7, 6, 1), (1, 3, 8, 3))]

    def both(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        watched = [argument for argument in arguments if not argument.dtype.is_integer]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            result = function(*arguments)
        return result, tape.gradient(result, watched, unconnected_gradients="zero") if watched else []

    # Gradients of positions are sums over a patch; the graph may add in another order.
    one_trace_serves(both, sizes, lambda arguments: 4 * max(argument.numpy().size for argument in arguments))
