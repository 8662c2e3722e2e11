"""Where patches are put, against slicing and plain loops, and how they are weighted and ordered."""

import math

import numpy as np
import pytest

COMPLEX = [np.complex64, np.complex128]
SIZES = [(1, 1), (4, 5), (7, 6), (9, 9)]


@pytest.fixture
def patches(stack):
    return stack.functions("patches")


def field(*shape: int, dtype: type = np.complex128, seed: int = 0) -> np.ndarray:
    real, imaginary = np.random.default_rng(seed).normal(size=(2, *shape))
    return (real + 1j * imaginary).astype(dtype)


def between(low: float, high: float, *shape: int, dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def everywhere(position: tuple[float, float], groups: int, count: int, dtype: type = np.float64) -> np.ndarray:
    return np.broadcast_to(np.array(position, dtype), (groups, count, 2))


def real_of(dtype: type) -> np.dtype:
    return np.zeros((), dtype).real.dtype


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
def test_half_of_each_axis_is_central(patches, size: int, expected: list[int]) -> None:
    four = [0, 1, 1, 0]
    tall, wide = np.zeros((2, 3, size, 4), np.complex64), np.zeros((2, 3, 4, size), np.complex64)
    assert np.array_equal(patches.central_weight(tall), np.outer(expected, four))
    assert np.array_equal(patches.central_weight(wide), np.outer(four, expected))


@pytest.mark.parametrize("weight", ["central_weight", "uniform_weight"])
@pytest.mark.parametrize("dtype", COMPLEX)
def test_the_weight_is_in_the_precision_of_the_patches(patches, weight: str, dtype: type) -> None:
    assert getattr(patches, weight)(np.zeros((1, 1, 4, 5), dtype)).dtype == real_of(dtype)


def test_the_uniform_weight_is_one_everywhere(patches) -> None:
    assert np.array_equal(patches.uniform_weight(field(2, 3, 4, 5)), np.ones((4, 5)))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_the_probe_weight_is_the_light_of_all_modes(stack, patches, dtype: type) -> None:
    probe = np.array([[[3 + 4j, 1j]], [[2, 0]]], dtype)
    assert patches.probe_weight(probe).tolist() == [[29, 1]]
    (slope,) = stack.gradients(patches.probe_weight, probe)
    assert np.array_equal(slope, 2 * probe)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("taller", "wider"), [(0, 0), (2, 0), (0, 4), (6, 2)])
def test_padding_surrounds_with_zeros_and_trimming_undoes_it(
    patches, height: int, width: int, taller: int, wider: int
) -> None:
    images = field(2, 3, height, width)
    padded = patches.pad(images, height + taller, width + wider)
    expected = np.pad(images, ((0, 0), (0, 0), (taller // 2,) * 2, (wider // 2,) * 2))
    assert np.array_equal(padded, expected)
    assert np.array_equal(patches.trim(padded, height, width), images)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("y", [0, 1, -1, 3, -4])
@pytest.mark.parametrize("x", [0, 1, -1, 2, -5])
def test_whole_moves_are_exact_and_towards_positive_x_and_y(patches, x: int, y: int, dtype: type) -> None:
    image = field(1, 1, 7, 6, dtype=dtype)
    moved = patches.translate(image, everywhere((x, y), 1, 1, real_of(dtype)))
    assert np.array_equal(moved[0, 0], sliced(image[0, 0], x, y))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("height", "width"), [(7, 6), (4, 9)])
def test_moves_between_pixels_are_bilinear(patches, rounding, height: int, width: int, dtype: type) -> None:
    images = field(4, 3, height, width, dtype=dtype)
    positions = between(-5, 5, 4, 3, 2, dtype=real_of(dtype))
    moved = patches.translate(images, positions)
    for place in np.ndindex(4, 3):
        expected = looped(images[place], *positions[place].tolist())
        assert np.abs(moved[place] - expected).max() <= rounding(images, LOOPED)


@pytest.mark.parametrize("distance", [6.0, 7.0, 7.5, 1e4, 1e12, 1e30])
@pytest.mark.parametrize("direction", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_what_leaves_the_frame_leaves_zeros(patches, distance: float, direction: tuple[int, int]) -> None:
    position = tuple(distance * step for step in direction)
    moved = patches.translate(field(1, 2, 6, 6, dtype=np.complex64), everywhere(position, 1, 2, np.float32))
    assert np.array_equal(moved, np.zeros((1, 2, 6, 6)))


def test_a_position_that_is_no_number_moves_its_patch_alone_to_nan(patches) -> None:
    positions = np.zeros((1, 3, 2))
    positions[0, 1, 0] = math.nan
    images = field(1, 3, 4, 5)
    moved = patches.translate(images, positions)
    assert np.isnan(moved[:, 1]).all()
    assert np.array_equal(moved[:, ::2], images[:, ::2])


def test_the_fraction_of_a_position_keeps_its_digits_in_a_large_frame(patches) -> None:
    """Added to a pixel's coordinate, 299 here, this fraction would be lost."""
    fraction = 2.0**-20
    corner = np.zeros((1, 1, 300, 300), np.complex64)
    corner[..., 298, 298] = 1
    moved = patches.translate(corner, everywhere((fraction, 0.0), 1, 1, np.float32))
    assert moved[0, 0, 298, 298:].tolist() == [1 - fraction, fraction]


def test_an_extracted_patch_is_the_middle_of_the_moved_canvas(patches) -> None:
    canvas, positions = field(3, 11, 12), between(-3, 3, 3, 2, 2)
    moved = patches.translate(np.repeat(canvas[:, None], 2, axis=1), positions)
    assert np.array_equal(patches.extract_patches(canvas, positions, 5, 6), patches.trim(moved, 5, 6))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_canvas_is_the_weighted_mean_of_its_moved_patches(patches, rounding, dtype: type) -> None:
    images, positions = field(3, 4, 5, 6, dtype=dtype), between(-3, 3, 3, 4, 2, dtype=real_of(dtype))
    weight = between(0, 1, 5, 6, dtype=real_of(dtype))
    weights = np.broadcast_to(weight, images.shape).astype(dtype)
    moved, cover = (
        patches.translate(patches.pad(image, 11, 12), -positions).sum(1) for image in (weights * images, weights)
    )
    # A quotient of a sum of at most 4 terms by another, both of them interpolated twice.
    difference = patches.reassemble_patches(images, positions, weight, 11, 12) - moved / (cover + 1e-3)
    assert np.abs(difference).max() <= rounding(images, 4 * LOOPED)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_patch_alone_is_damped_where_its_weight_is_small(patches, rounding, dtype: type) -> None:
    image = field(1, 1, 4, 5, dtype=dtype)
    weight = np.linspace(0, 1, 20, dtype=real_of(dtype)).reshape(4, 5)
    canvas = patches.reassemble_patches(image, everywhere((-3, 1), 1, 1, weight.dtype), weight, 8, 11)
    expected = np.zeros((8, 11), np.complex128)
    # A patch at r lies at -r: 3 columns to the right of the middle and 1 row above it.
    expected[1:5, 6:11] = image[0, 0] * (weight / (weight + 1e-3))
    assert np.abs(canvas[0] - expected).max() <= rounding(image, 8)


def test_patches_of_one_object_give_it_back_but_for_the_floor_of_the_weight(patches, rounding) -> None:
    """Under n patches of weight 1 the object comes back n / (n + 0.001) times."""
    canvas = field(2, 12, 11)
    places = np.array([[-3, 2], [3, 0], [1, -2], [0, 1]])
    positions = np.broadcast_to(places.astype(float), (2, 4, 2))
    views = patches.extract_patches(canvas, positions, 8, 5)
    count = np.zeros((12, 11))
    for x, y in places:
        count[2 - y : 10 - y, 3 - x : 8 - x] += 1
    damping = count / (count + 1e-3)
    merged = patches.reassemble_patches(views, positions, patches.uniform_weight(views), 12, 11)
    assert np.abs(merged - canvas * damping).max() <= rounding(canvas, 16)
    again = patches.extract_patches(merged, positions, 8, 5)
    damped = np.broadcast_to(damping, canvas.shape).astype(canvas.dtype)
    assert np.abs(again - views * patches.extract_patches(damped, positions, 8, 5)).max() <= rounding(canvas, 16)


@pytest.mark.parametrize(("groups", "count"), [(63, 1), (21, 3), (16, 4), (64, 1), (13, 5)])
def test_groups_do_not_mix(patches, groups: int, count: int) -> None:
    images, positions = field(groups, count, 4, 5), between(-2, 2, groups, count, 2)
    weight = between(0.5, 1, 4, 5)
    moved = patches.translate(images, positions)
    canvas = patches.reassemble_patches(images, positions, weight, 8, 9)
    views = patches.extract_patches(canvas, positions, 4, 5)
    relative = patches.relative_positions(positions)
    for group in (0, groups // 2, groups - 1):
        alone = slice(group, group + 1)
        assert np.array_equal(moved[alone], patches.translate(images[alone], positions[alone]))
        merged = patches.reassemble_patches(images[alone], positions[alone], weight, 8, 9)
        assert np.array_equal(canvas[alone], merged)
        assert np.array_equal(views[alone], patches.extract_patches(merged, positions[alone], 4, 5))
        assert np.array_equal(relative[alone], patches.relative_positions(positions[alone]))


def test_relative_positions_point_from_each_patch_to_the_middle_of_its_group(patches) -> None:
    scan = np.array([[[10, 20], [14, 20], [10, 23], [18, 29]], [[0, 0], [1, 0], [0, 0], [3, 4]]], float)
    expected = [[[3, 3], [-1, 3], [3, 0], [-5, -6]], [[1, 1], [0, 1], [1, 1], [-2, -3]]]
    assert patches.relative_positions(scan).tolist() == expected


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
    patches, arguments: tuple[int, int, int, int], expected: int
) -> None:
    assert patches.padded_size(*arguments) == expected
    assert isinstance(patches.padded_size(*arguments), int)


@pytest.mark.parametrize(("groups", "gridsize"), [(1, 1), (2, 2), (5, 3)])
def test_layouts_put_each_patch_in_its_place_and_back(patches, groups: int, gridsize: int) -> None:
    count = gridsize**2
    images = field(groups, count, 4, 5)
    flat, grid = patches.channel_to_flat(images), patches.channel_to_grid(images, gridsize)
    assert flat.shape == (groups * count, 4, 5)
    for group in range(groups):
        for index in range(count):
            assert np.array_equal(flat[group * count + index], images[group, index])
            assert np.array_equal(grid[group, index // gridsize, index % gridsize], images[group, index])
    assert np.array_equal(patches.flat_to_channel(flat, gridsize), images)
    assert np.array_equal(patches.grid_to_channel(grid), images)


def test_at_a_whole_position_the_slope_is_that_towards_larger_ones(stack, patches) -> None:
    image = np.array([[[[5, 2, 0]]]], complex)
    (slope,) = stack.gradients(
        lambda r: stack.space.real(patches.translate(stack.tensor(image), r))[..., 1], np.zeros((1, 1, 2))
    )
    assert slope.ravel().tolist() == [5 - 2, -2]


@pytest.mark.parametrize(
    "function",
    [
        lambda patches, o, r: patches.translate(o, r),
        lambda patches, o, r: patches.reassemble_patches(o, r, between(0.5, 1, 4, 3, seed=3), 8, 7),
        lambda patches, o, r: patches.extract_patches(patches.pad(o[:, :1], 8, 7)[:, 0], r, 4, 3),
    ],
    ids=["translate", "reassemble_patches", "extract_patches"],
)
def test_the_gradient_of_a_position_agrees_with_differences(stack, patches, function) -> None:
    images, space = field(1, 2, 4, 3), stack.space
    # Fractions of 1/4 to 3/4 keep the steps of the differences inside a cell.
    positions = np.array([[[-2.0, -1], [0, 1]]]) + between(0.25, 0.75, 1, 2, 2)
    cotangent = between(-1, 1, *function(patches, images, positions).shape, seed=4)

    def pulled(positions):
        result = function(patches, stack.tensor(images), positions)
        return space.sum(stack.tensor(cotangent) * (space.real(result) + 2 * space.imag(result)))

    (slopes,) = stack.gradients(pulled, positions)
    step = 2.0**-10
    for place in np.ndindex(*positions.shape):
        unit = np.zeros(positions.shape)
        unit[place] = step
        # The error of a central difference is of second order: that of twice the step is four times as large.
        wide, narrow = (
            float(pulled(stack.tensor(positions + n * unit)) - pulled(stack.tensor(positions - n * unit)))
            / (2 * n * step)
            for n in (2, 1)
        )
        magnitude = np.abs(cotangent).sum() * 3 * np.abs(images).max()
        allowed = abs(wide - narrow) + LOOPED * np.finfo(float).eps * magnitude / step
        assert abs(slopes[place] - narrow) <= allowed
        assert abs(slopes[place]) > 100 * allowed


def test_gradients_of_patches_and_weight_are_those_of_a_weighted_mean(stack, patches, rounding) -> None:
    """At r = 0, O m / (m + c): of O it is m / (m + c), of m it is O c / (m + c)^2."""
    image, weight = field(1, 1, 4, 5), between(0, 0.01, 4, 5)

    def real_part(image, weight):
        return stack.space.real(patches.reassemble_patches(image, everywhere((0, 0), 1, 1), weight, 4, 5))

    of_image, of_weight = stack.gradients(real_part, image, weight)
    floored = weight + 1e-3
    assert np.abs(of_image[0, 0] - weight / floored).max() <= rounding(of_image, 8)
    expected = image[0, 0].real * 1e-3 / floored**2
    # Formed as a difference of 1 / (m + c) and m / (m + c)^2.
    assert np.abs(of_weight - expected).max() <= rounding(image[0, 0].real / floored, 8)


IMAGES = np.ones((2, 3, 4, 5), np.complex64)
STILL = np.zeros((2, 3, 2), np.float32)
WEIGHT = np.ones((4, 5), np.float32)
CANVAS = np.ones((2, 6, 7), np.complex64)
ASTRAY = STILL.copy()
ASTRAY[1, 2] = 1.5, 0.25
LOST = STILL.copy()
LOST[1, 0, 1] = math.nan

TYPES = [
    ("uniform_weight", (WEIGHT,), "patches: expected complex64 or complex128, got float32"),
    ("probe_weight", (WEIGHT[None],), "probe: expected complex64 or complex128, got float32"),
    ("pad", (IMAGES, 4.0, 5), "rows: expected a whole number, got 4.0"),
    ("trim", (IMAGES, 4, 5.0), "columns: expected a whole number, got 5.0"),
    ("translate", (IMAGES, STILL.astype(np.float64)),
     "positions: expected the precision of patches (complex64), got float64"),
    ("translate", (IMAGES, STILL.astype(np.int32)), "positions: expected float32 or float64, got int32"),
    ("extract_patches", (CANVAS, STILL.astype(np.float64), 4, 5),
     "positions: expected the precision of canvas (complex64), got float64"),
    ("reassemble_patches", (IMAGES, STILL, WEIGHT.astype(np.float64), 6, 7),
     "weight: expected the precision of patches (complex64), got float64"),
    ("relative_positions", (STILL.astype(np.complex64),), "positions: expected float32 or float64, got complex64"),
    ("padded_size", (64, 2.0, 1, 1), "gridsize: expected a whole number, got 2.0"),
    ("flat_to_channel", (WEIGHT[None], 1), "flat: expected complex64 or complex128, got float32"),
]  # fmt: skip

VALUES = [
    ("pad", (IMAGES, 2, 5), "rows: expected at least the 4 of patches, got 2"),
    ("pad", (IMAGES, 4, 8), "columns: expected the parity of the 5 of patches, got 8"),
    ("pad", (IMAGES[0], 4, 5), "patches: expected axes (B, C, H, W), got shape (3, 4, 5)"),
    ("trim", (IMAGES, 6, 5), "rows: expected at most the 4 of patches, got 6"),
    ("trim", (IMAGES, 4, 4), "columns: expected the parity of the 5 of patches, got 4"),
    ("trim", (IMAGES, 0, 5), "rows: expected a positive number, got 0"),
    ("translate", (IMAGES, STILL[:, :2]), "positions: expected (B, C) = (2, 3) as in patches, got (2, 2)"),
    ("extract_patches", (CANVAS, STILL[:1], 4, 5), "positions: expected (B) = (2) as in canvas, got (1)"),
    ("extract_patches", (CANVAS, STILL, 8, 5), "rows: expected at most the 6 of canvas, got 8"),
    ("extract_patches", (CANVAS, STILL, 4, 4), "columns: expected the parity of the 7 of canvas, got 4"),
    ("extract_patches", (CANVAS, ASTRAY, 4, 5),
     "positions: expected |x| ≤ 1 and |y| ≤ 1, so that patches of (4, 5) stay on the canvas of (6, 7), "
     "got [1.5, 0.25] in group 1, patch 2"),
    ("reassemble_patches", (IMAGES, -ASTRAY, WEIGHT, 8, 7),
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [-1.5, -0.25] in group 1, patch 2"),
    ("reassemble_patches", (IMAGES, LOST, WEIGHT, 8, 7),
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [0, nan] in group 1, patch 0"),
    ("reassemble_patches", (IMAGES, STILL, WEIGHT, 2, 5), "rows: expected at least the 4 of patches, got 2"),
    ("reassemble_patches", (IMAGES, STILL, WEIGHT.T, 6, 7),
     "weight: expected (H, W) = (4, 5) as in patches, got (5, 4)"),
    ("padded_size", (0, 1, 0, 0), "size: expected a positive number, got 0"),
    ("padded_size", (64, 0, 0, 0), "gridsize: expected a positive number, got 0"),
    ("padded_size", (64, 2, -1, 0), "offset: expected a number of at least 0, got -1"),
    ("padded_size", (64, 2, 0, -1), "jitter: expected a number of at least 0, got -1"),
    ("flat_to_channel", (IMAGES[0], 2), "flat: expected a multiple of 4 patches (gridsize 2), got 3"),
    ("flat_to_channel", (IMAGES[0], 0), "gridsize: expected a positive number, got 0"),
    ("channel_to_grid", (IMAGES, 2), "patches: expected 4 patches in a group (gridsize 2), got 3"),
    ("grid_to_channel", (np.ones((1, 2, 3, 4, 5), np.complex64),),
     "grid: expected as many columns of patches as rows (2), got 3"),
]  # fmt: skip


def described(case) -> str:
    return f"{case[0]}-{case[2]}"


@pytest.mark.parametrize("case", TYPES, ids=described)
def test_wrong_types_are_refused(stack, case) -> None:
    name, arguments, message = case
    stack.refuses((f"patches.{name}", arguments, message), TypeError)


@pytest.mark.parametrize("case", VALUES, ids=described)
def test_wrong_shapes_and_values_are_refused(stack, case) -> None:
    name, arguments, message = case
    stack.refuses((f"patches.{name}", arguments, message), ValueError)


def test_patches_at_the_rim_of_the_canvas_are_accepted(patches) -> None:
    positions = everywhere((-1.0, 1.0), 2, 3, np.float32)
    canvas = patches.reassemble_patches(IMAGES, positions, WEIGHT, 6, 7)
    assert patches.extract_patches(canvas, positions, 4, 5).shape == IMAGES.shape
