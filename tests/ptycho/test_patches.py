"""Where the TensorFlow stack puts patches, against slicing and plain loops, and how it weights and orders them."""

import math
import re

import numpy as np
import pytest
import tensorflow as tf

from ptycho import patches

COMPLEX = [tf.complex64, tf.complex128]
SIZES = [(1, 1), (4, 5), (7, 6), (9, 9)]


def field(*shape: int, dtype: tf.DType = tf.complex128, seed: int = 0) -> tf.Tensor:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return tf.cast(tf.complex(real, imaginary), dtype)


def between(low: float, high: float, *shape: int, dtype: tf.DType = tf.float64, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(low, high, shape), dtype)


def rounding(tensor: tf.Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    values = np.asarray(tensor)
    return operations * np.finfo(values.dtype).eps * np.abs(values).max()


def everywhere(position: tuple[float, float], groups: int, count: int, dtype: tf.DType = tf.float64) -> tf.Tensor:
    return tf.tile(tf.constant(position, dtype)[None, None, :, None], (groups, 1, 1, count))


def merge(images: tf.Tensor, positions: tf.Tensor, weight: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    return patches.reassemble_patches(images, positions, weight, rows, columns)


def gradient(function, *arguments: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        result = function(*arguments)
    return tape.gradient(result, arguments)


def sliced(image: np.ndarray, x: int, y: int) -> np.ndarray:
    """The image (H, W), moved by whole pixels."""
    height, width = image.shape
    moved = np.zeros_like(image)
    moved[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)] = image[
        max(-y, 0) : height + min(-y, 0), max(-x, 0) : width + min(-x, 0)
    ]
    return moved


def looped(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """The image (H, W), moved: each pixel the sum of four, weighted by how near they are."""
    height, width = image.shape
    left, top = math.floor(x), math.floor(y)
    moved = np.zeros(image.shape, np.complex128)
    for i in range(height):
        for j in range(width):
            for down, by_row in ((0, 1 - (y - top)), (1, y - top)):
                for across, by_column in ((0, 1 - (x - left)), (1, x - left)):
                    row, column = i - top - down, j - left - across
                    if 0 <= row < height and 0 <= column < width:
                        moved[i, j] += by_row * by_column * image[row, column]
    return moved


# As many roundings separate `looped` from the two interpolations, each of numbers no larger than the image's.
LOOPED = 32


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [0]),
        (2, [1, 0]),
        (3, [0, 1, 0]),
        (5, [0, 1, 1, 0, 0]),
        (7, [0, 0, 1, 1, 1, 0, 0]),
        (8, [0, 0, 1, 1, 1, 1, 0, 0]),
    ],
)
def test_half_of_each_axis_is_central(size: int, expected: list[int]) -> None:
    four = [0, 1, 1, 0]
    tall, wide = tf.zeros((2, size, 4, 3), tf.complex64), tf.zeros((2, 4, size, 3), tf.complex64)
    assert np.array_equal(patches.central_weight(tall), np.outer(expected, four))
    assert np.array_equal(patches.central_weight(wide), np.outer(four, expected))


@pytest.mark.parametrize("weight", [patches.central_weight, patches.uniform_weight])
@pytest.mark.parametrize(("dtype", "expected"), [(tf.complex64, tf.float32), (tf.complex128, tf.float64)])
def test_the_weight_is_in_the_precision_of_the_patches(weight, dtype: tf.DType, expected: tf.DType) -> None:
    assert weight(tf.zeros((1, 4, 5, 1), dtype)).dtype == expected


def test_the_uniform_weight_is_one_everywhere() -> None:
    assert np.array_equal(patches.uniform_weight(field(2, 4, 5, 3)), np.ones((4, 5)))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_the_probe_weight_is_the_light_of_all_modes(dtype: tf.DType) -> None:
    probe = tf.constant([[[3 + 4j, 2], [1j, 0]]], dtype)
    assert patches.probe_weight(probe).numpy().tolist() == [[29, 1]]
    (slope,) = gradient(patches.probe_weight, probe)
    assert np.array_equal(slope, 2 * probe)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("taller", "wider"), [(0, 0), (2, 0), (0, 4), (6, 2)])
def test_padding_surrounds_with_zeros_and_trimming_undoes_it(height: int, width: int, taller: int, wider: int) -> None:
    images = field(2, height, width, 3)
    padded = patches.pad(images, height + taller, width + wider)
    expected = np.pad(images, ((0, 0), (taller // 2,) * 2, (wider // 2,) * 2, (0, 0)))
    assert np.array_equal(padded, expected)
    assert np.array_equal(patches.trim(padded, height, width), images)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("y", [0, 1, -1, 3, -4])
@pytest.mark.parametrize("x", [0, 1, -1, 2, -5])
def test_whole_moves_are_exact_and_towards_positive_x_and_y(x: int, y: int, dtype: tf.DType) -> None:
    image = field(1, 7, 6, 1, dtype=dtype)
    moved = patches.translate(image, everywhere((x, y), 1, 1, dtype.real_dtype))
    assert np.array_equal(moved[0, :, :, 0], sliced(image[0, :, :, 0].numpy(), x, y))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("height", "width"), [(7, 6), (4, 9)])
def test_moves_between_pixels_are_bilinear(height: int, width: int, dtype: tf.DType) -> None:
    images = field(4, height, width, 3, dtype=dtype)
    positions = between(-5, 5, 4, 1, 2, 3, dtype=dtype.real_dtype)
    moved = patches.translate(images, positions).numpy()
    for group, index in np.ndindex(4, 3):
        x, y = positions.numpy()[group, 0, :, index].tolist()
        expected = looped(images.numpy()[group, :, :, index], x, y)
        assert np.abs(moved[group, :, :, index] - expected).max() <= rounding(images, LOOPED)


@pytest.mark.parametrize("distance", [6.0, 7.0, 7.5, 1e4, 1e12, 1e30])
@pytest.mark.parametrize("direction", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_what_leaves_the_frame_leaves_zeros(distance: float, direction: tuple[int, int]) -> None:
    position = tuple(distance * step for step in direction)
    moved = patches.translate(field(1, 6, 6, 2, dtype=tf.complex64), everywhere(position, 1, 2, tf.float32))
    assert np.array_equal(moved, np.zeros((1, 6, 6, 2)))


def test_a_position_that_is_no_number_moves_its_patch_alone_to_nan() -> None:
    positions = np.zeros((1, 1, 2, 3))
    positions[0, 0, 0, 1] = math.nan
    images = field(1, 4, 5, 3)
    moved = patches.translate(images, tf.constant(positions)).numpy()
    assert np.isnan(moved[..., 1]).all()
    assert np.array_equal(moved[..., ::2], images[..., ::2])


def test_the_fraction_of_a_position_keeps_its_digits_in_a_large_frame() -> None:
    """Added to a pixel's coordinate, 299 here, this fraction would be lost."""
    fraction = 2.0**-20
    corner = np.zeros((1, 300, 300, 1), np.complex64)
    corner[:, 298, 298] = 1
    moved = patches.translate(tf.constant(corner), everywhere((fraction, 0.0), 1, 1, tf.float32))
    assert moved[0, 298, 298:, 0].numpy().tolist() == [1 - fraction, fraction]


def test_an_extracted_patch_is_the_middle_of_the_moved_canvas() -> None:
    canvas, positions = field(3, 11, 12, 1), between(-3, 3, 3, 1, 2, 2)
    moved = patches.translate(tf.tile(canvas, (1, 1, 1, 2)), positions)
    assert np.array_equal(patches.extract_patches(canvas, positions, 5, 6), patches.trim(moved, 5, 6))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_canvas_is_the_weighted_mean_of_its_moved_patches(dtype: tf.DType) -> None:
    images = field(3, 5, 6, 4, dtype=dtype)
    positions, weight = (
        between(-3, 3, 3, 1, 2, 4, dtype=dtype.real_dtype),
        between(0, 1, 5, 6, dtype=dtype.real_dtype),
    )
    weights = tf.complex(weight, tf.zeros_like(weight))[:, :, None] * tf.ones_like(images)
    moved, cover = (
        tf.reduce_sum(patches.translate(patches.pad(image, 11, 12), -positions), axis=-1, keepdims=True)
        for image in (weights * images, weights)
    )
    # A quotient of a sum of at most 4 terms by another, both of them interpolated twice.
    difference = merge(images, positions, weight, 11, 12) - moved / (cover + 1e-3)
    assert np.abs(difference).max() <= rounding(images, 4 * LOOPED)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_patch_alone_is_damped_where_its_weight_is_small(dtype: tf.DType) -> None:
    image = field(1, 4, 5, 1, dtype=dtype)
    weight = np.linspace(0, 1, 20, dtype=dtype.real_dtype.as_numpy_dtype).reshape(4, 5)
    canvas = merge(image, everywhere((-3, 1), 1, 1, dtype.real_dtype), tf.constant(weight), 8, 11)
    expected = np.zeros((8, 11), np.complex128)
    # A patch at r lies at -r: 3 columns to the right of the middle and 1 row above it.
    expected[1:5, 6:11] = image[0, :, :, 0].numpy() * (weight / (weight + 1e-3))
    assert np.abs(canvas[0, :, :, 0] - expected).max() <= rounding(image, 8)


def test_patches_of_one_object_give_it_back_but_for_the_floor_of_the_weight() -> None:
    """Under n patches of weight 1 the object comes back n / (n + 0.001) times."""
    canvas = field(2, 12, 11, 1)
    places = np.array([[-3, 2], [3, 0], [1, -2], [0, 1]])
    positions = tf.tile(tf.constant(places.T[None, None], tf.float64), (2, 1, 1, 1))
    views = patches.extract_patches(canvas, positions, 8, 5)
    count = np.zeros((12, 11, 1))
    for x, y in places:
        count[2 - y : 10 - y, 3 - x : 8 - x] += 1
    damping = count / (count + 1e-3)
    merged = merge(views, positions, patches.uniform_weight(views), 12, 11)
    assert np.abs(merged - canvas * damping).max() <= rounding(canvas, 16)
    again = patches.extract_patches(merged, positions, 8, 5)
    damped = tf.constant(damping, tf.complex128) * tf.ones_like(canvas)
    assert np.abs(again - views * patches.extract_patches(damped, positions, 8, 5)).max() <= rounding(canvas, 16)


@pytest.mark.parametrize(("groups", "count"), [(63, 1), (21, 3), (16, 4), (64, 1), (13, 5)])
def test_groups_do_not_mix(groups: int, count: int) -> None:
    images, positions = field(groups, 4, 5, count), between(-2, 2, groups, 1, 2, count)
    weight = between(0.5, 1, 4, 5)
    moved = patches.translate(images, positions)
    canvas = merge(images, positions, weight, 8, 9)
    views = patches.extract_patches(canvas, positions, 4, 5)
    relative = patches.relative_positions(positions)
    for group in (0, groups // 2, groups - 1):
        alone = slice(group, group + 1)
        assert np.array_equal(moved[alone], patches.translate(images[alone], positions[alone]))
        merged = merge(images[alone], positions[alone], weight, 8, 9)
        assert np.array_equal(canvas[alone], merged)
        assert np.array_equal(views[alone], patches.extract_patches(merged, positions[alone], 4, 5))
        assert np.array_equal(relative[alone], patches.relative_positions(positions[alone]))


def test_no_groups_give_nothing() -> None:
    images, positions = field(0, 4, 5, 4), between(0, 1, 0, 1, 2, 4)
    canvas = merge(images, positions, patches.uniform_weight(images), 8, 9)
    assert canvas.shape == (0, 8, 9, 1)
    assert patches.extract_patches(canvas, positions, 4, 5).shape == images.shape


def test_relative_positions_point_from_each_patch_to_the_middle_of_its_group() -> None:
    scan = np.array([[[10, 20], [14, 20], [10, 23], [18, 29]], [[0, 0], [1, 0], [0, 0], [3, 4]]], float)
    expected = np.array([[[3, 3], [-1, 3], [3, 0], [-5, -6]], [[1, 1], [0, 1], [1, 1], [-2, -3]]])
    relative = patches.relative_positions(tf.constant(scan.transpose(0, 2, 1)[:, None]))
    assert np.array_equal(relative, expected.transpose(0, 2, 1)[:, None])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((64, 1, 0, 0), 64),
        ((64, 1, 7, 0), 64),
        ((64, 2, 4, 0), 68),
        ((64, 2, 5, 0), 70),
        ((63, 2, 5, 0), 69),
        ((63, 2, 4, 3), 73),
        ((64, 3, 3, 5), 80),
        ((64, 4, 3, 5), 84),
    ],
)
def test_a_canvas_has_room_for_all_patches_and_the_parity_of_one(
    arguments: tuple[int, int, int, int], expected: int
) -> None:
    assert patches.padded_size(*arguments) == expected
    assert isinstance(patches.padded_size(*arguments), int)
    tensor = patches.padded_size(*map(tf.constant, arguments))
    assert (tensor.dtype, int(tensor)) == (tf.int32, expected)


@pytest.mark.parametrize(("groups", "gridsize"), [(1, 1), (2, 2), (5, 3)])
def test_layouts_put_each_patch_in_its_place_and_back(groups: int, gridsize: int) -> None:
    count = gridsize**2
    images = field(groups, 4, 5, count)
    flat, grid = patches.channel_to_flat(images), patches.channel_to_grid(images, gridsize)
    assert flat.shape == (groups * count, 4, 5, 1)
    for group in range(groups):
        for index in range(count):
            assert np.array_equal(flat[group * count + index, :, :, 0], images[group, :, :, index])
            assert np.array_equal(grid[group, index // gridsize, index % gridsize], images[group, :, :, index])
    assert np.array_equal(patches.flat_to_channel(flat, gridsize), images)
    assert np.array_equal(patches.grid_to_channel(grid), images)


def test_at_a_whole_position_the_slope_is_that_towards_larger_ones() -> None:
    image = tf.constant([5, 2, 0], tf.complex128)[None, None, :, None]
    (slope,) = gradient(
        lambda r: tf.math.real(patches.translate(image, r))[:, :, 1], tf.zeros((1, 1, 2, 1), tf.float64)
    )
    assert slope.numpy().flatten().tolist() == [5 - 2, -2]


@pytest.mark.parametrize(
    "function",
    [
        patches.translate,
        lambda o, r: merge(o, r, between(0.5, 1, 4, 3, seed=3), 8, 7),
        lambda o, r: patches.extract_patches(patches.pad(o[..., :1], 8, 7), r, 4, 3),
    ],
    ids=["translate", "reassemble_patches", "extract_patches"],
)
def test_the_gradient_of_a_position_agrees_with_differences(function) -> None:
    images = field(1, 4, 3, 2)
    # Fractions of 1/4 to 3/4 keep the steps of the differences inside a cell.
    positions = tf.constant([[[[-2.0, 0], [-1, 1]]]], tf.float64) + between(0.25, 0.75, 1, 1, 2, 2)
    cotangent = between(-1, 1, *function(images, positions).shape, seed=4)

    def pulled(positions: tf.Tensor) -> tf.Tensor:
        result = function(images, positions)
        return tf.reduce_sum(cotangent * (tf.math.real(result) + 2 * tf.math.imag(result)))

    (slopes,) = gradient(pulled, positions)
    step = 2.0**-10
    for place in np.ndindex(*positions.shape):
        unit = np.zeros(positions.shape)
        unit[place] = step
        # The error of a central difference is of second order: that of twice the step is four times as large.
        wide, narrow = (
            (pulled(positions + n * unit) - pulled(positions - n * unit)).numpy() / (2 * n * step) for n in (2, 1)
        )
        magnitude = np.abs(cotangent).sum() * 3 * np.abs(images).max()
        allowed = abs(wide - narrow) + LOOPED * np.finfo(float).eps * magnitude / step
        assert abs(slopes[place] - narrow) <= allowed
        assert abs(slopes[place]) > 100 * allowed


def test_gradients_of_patches_and_weight_are_those_of_a_weighted_mean() -> None:
    """At r = 0, O m / (m + c): of O it is m / (m + c), of m it is O c / (m + c)^2."""
    image, weight = field(1, 4, 5, 1), between(0, 0.01, 4, 5)

    def real_part(image: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
        return tf.math.real(merge(image, everywhere((0, 0), 1, 1), weight, 4, 5))

    of_image, of_weight = gradient(real_part, image, weight)
    floored = weight + 1e-3
    assert np.abs(of_image[0, :, :, 0] - (weight / floored).numpy()).max() <= rounding(of_image, 8)
    expected = tf.math.real(image[0, :, :, 0]) * 1e-3 / tf.square(floored)
    # Formed as a difference of 1 / (m + c) and m / (m + c)^2.
    assert np.abs(of_weight - expected).max() <= rounding(tf.math.real(image)[0, :, :, 0] / floored, 8)


IMAGES = tf.ones((2, 4, 5, 3), tf.complex64)
STILL = tf.zeros((2, 1, 2, 3))
WEIGHT = tf.ones((4, 5))
CANVAS = tf.ones((2, 6, 7, 1), tf.complex64)
ASTRAY = tf.tensor_scatter_nd_update(STILL, [[1, 0, 0, 2], [1, 0, 1, 2]], [1.5, 0.25])
LOST = tf.tensor_scatter_nd_update(STILL, [[1, 0, 1, 0]], [math.nan])
FLAT = tf.ones((3, 4, 5, 1), tf.complex64)


def double(tensor: tf.Tensor) -> tf.Tensor:
    return tf.cast(tensor, tf.float64)


TYPES = [
    (patches.uniform_weight, (STILL,), "patches: expected complex64 or complex128, got float32"),
    (patches.probe_weight, (WEIGHT[..., None],), "probe: expected complex64 or complex128, got float32"),
    (patches.pad, (IMAGES, 4.0, 5), "rows: expected a whole number, got 4.0"),
    (patches.trim, (IMAGES, 4, tf.constant(5.0)), "columns: expected a whole number, got float32"),
    (patches.translate, (IMAGES, double(STILL)),
     "positions: expected the precision of patches (complex64), got float64"),
    (patches.translate, (IMAGES, tf.cast(STILL, tf.int32)), "positions: expected float32 or float64, got int32"),
    (patches.extract_patches, (CANVAS, double(STILL), 4, 5),
     "positions: expected the precision of canvas (complex64), got float64"),
    (patches.reassemble_patches, (IMAGES, STILL, double(WEIGHT), 6, 7),
     "weight: expected the precision of patches (complex64), got float64"),
    (patches.relative_positions, (tf.cast(STILL, tf.complex64),),
     "positions: expected float32 or float64, got complex64"),
    (patches.padded_size, (64, 2.0, 1, 1), "gridsize: expected a whole number, got 2.0"),
    (patches.flat_to_channel, (tf.math.real(FLAT), 1), "flat: expected complex64 or complex128, got float32"),
]  # fmt: skip

VALUES = [
    (patches.pad, (IMAGES, 2, 5), "rows: expected at least the 4 of patches, got 2"),
    (patches.pad, (IMAGES, tf.constant(2), 5), "rows: expected at least the 4 of patches, got 2"),
    (patches.pad, (IMAGES, 4, 8), "columns: expected the parity of the 5 of patches, got 8"),
    (patches.pad, (IMAGES[0], 4, 5), "patches: expected axes (B, H, W, C), got shape (4, 5, 3)"),
    (patches.trim, (IMAGES, 6, 5), "rows: expected at most the 4 of patches, got 6"),
    (patches.trim, (IMAGES, 4, 4), "columns: expected the parity of the 5 of patches, got 4"),
    (patches.trim, (IMAGES, 0, 5), "rows: expected a positive number, got 0"),
    (patches.translate, (IMAGES, STILL[..., :2]), "positions: expected (B, C) = (2, 3) as in patches, got (2, 2)"),
    (patches.translate, (IMAGES, tf.transpose(STILL, (0, 1, 3, 2))),
     "positions: expected axes (B, 1, 2, C), got shape (2, 1, 3, 2)"),
    (patches.translate, (IMAGES, STILL[:, 0]), "positions: expected axes (B, 1, 2, C), got shape (2, 2, 3)"),
    (patches.extract_patches, (CANVAS[..., 0], STILL, 4, 5),
     "canvas: expected axes (B, Y, X, 1), got shape (2, 6, 7)"),
    (patches.extract_patches, (CANVAS, STILL[:1], 4, 5), "positions: expected (B) = (2) as in canvas, got (1)"),
    (patches.extract_patches, (CANVAS, STILL, 8, 5), "rows: expected at most the 6 of canvas, got 8"),
    (patches.extract_patches, (CANVAS, STILL, 4, 4), "columns: expected the parity of the 7 of canvas, got 4"),
    (patches.extract_patches, (CANVAS, ASTRAY, 4, 5),
     "positions: expected |x| ≤ 1 and |y| ≤ 1, so that patches of (4, 5) stay on the canvas of (6, 7), "
     "got [1.5, 0.25] in group 1, patch 2"),
    (patches.reassemble_patches, (IMAGES, -ASTRAY, WEIGHT, 8, tf.constant(7)),
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [-1.5, -0.25] in group 1, patch 2"),
    (patches.reassemble_patches, (IMAGES, LOST, WEIGHT, 8, 7),
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [0, nan] in group 1, patch 0"),
    (patches.reassemble_patches, (IMAGES, STILL, WEIGHT, 2, 5), "rows: expected at least the 4 of patches, got 2"),
    (patches.reassemble_patches, (IMAGES, STILL, tf.transpose(WEIGHT), 6, 7),
     "weight: expected (H, W) = (4, 5) as in patches, got (5, 4)"),
    (patches.padded_size, (0, 1, 0, 0), "size: expected a positive number, got 0"),
    (patches.padded_size, (64, tf.constant(0), 0, 0), "gridsize: expected a positive number, got 0"),
    (patches.padded_size, (64, 2, -1, 0), "offset: expected a number of at least 0, got -1"),
    (patches.padded_size, (64, 2, 0, -1), "jitter: expected a number of at least 0, got -1"),
    (patches.flat_to_channel, (FLAT, 2), "flat: expected a multiple of 4 patches (gridsize 2), got 3"),
    (patches.flat_to_channel, (FLAT, 0), "gridsize: expected a positive number, got 0"),
    (patches.channel_to_grid, (IMAGES, tf.constant(2)),
     "patches: expected 4 patches in a group (gridsize 2), got 3"),
    (patches.grid_to_channel, (tf.ones((1, 2, 3, 4, 5), tf.complex64),),
     "grid: expected as many columns of patches as rows (2), got 3"),
]  # fmt: skip


def described(case) -> str:
    function, _, message = case
    return f"{function.__name__}-{message}"


@pytest.mark.parametrize("case", TYPES, ids=described)
def test_wrong_types_are_refused(case) -> None:
    function, arguments, message = case
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        function(*arguments)


@pytest.mark.parametrize("case", VALUES, ids=described)
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
def test_a_traced_function_refuses_what_only_its_run_can_show(function, arguments: tuple, message: str) -> None:
    """Each of these would run to its end, and be wrong, without its check."""
    traced = tf.function(function, input_signature=open_signature(arguments), autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(message)):
        traced(*map(tf.convert_to_tensor, arguments))


def test_patches_at_the_rim_of_the_canvas_are_accepted() -> None:
    positions = everywhere((-1.0, 1.0), 2, 3, tf.float32)
    canvas = merge(IMAGES, positions, WEIGHT, 6, 7)
    assert patches.extract_patches(canvas, positions, 4, 5).shape == IMAGES.shape


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
def test_one_trace_serves_all_sizes_values_and_gradients(function, names: str) -> None:
    traces = []
    sizes = [[sized(*size)[name] for name in names.split()] for size in ((2, 4, 5, 2), (3, 7, 6, 1), (1, 3, 8, 3))]

    def both(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        watched = [argument for argument in arguments if not argument.dtype.is_integer]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            result = function(*arguments)
        return result, tape.gradient(result, watched, unconnected_gradients="zero") if watched else []

    @tf.function(input_signature=open_signature(tuple(sizes[0])), autograph=False)
    def traced(*arguments: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        traces.append(function)
        return both(*arguments)

    for arguments in sizes:
        for got, wanted in zip(tf.nest.flatten(traced(*arguments)), tf.nest.flatten(both(*arguments)), strict=True):
            assert got.shape == wanted.shape
            # Gradients of positions are sums over a patch; the graph may add in another order.
            allowed = 4 * max(argument.numpy().size for argument in arguments) * np.finfo(np.float32).eps
            assert np.abs(got - wanted).max() <= allowed * np.abs(wanted).max()
    assert len(traces) == 1
