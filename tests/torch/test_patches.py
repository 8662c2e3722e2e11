"""Where the PyTorch stack puts patches, against slicing and plain loops, and how it weights and orders them."""

import math
import re

import numpy as np
import pytest
import torch
from torch import Tensor

from ptycho_torch import patches

COMPLEX = [torch.complex64, torch.complex128]
SIZES = [(1, 1), (4, 5), (7, 6), (9, 9)]


def field(*shape: int, dtype: torch.dtype = torch.complex128, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def between(low: float, high: float, *shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return low + (high - low) * torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def rounding(tensor: Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    return operations * torch.finfo(tensor.dtype).eps * tensor.abs().max().item()


def everywhere(position: tuple[float, float], groups: int, count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(position, dtype=dtype).expand(groups, count, 2)


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
    ones = torch.tensor([0.0, 1.0, 1.0, 0.0])
    line = torch.tensor(expected, dtype=torch.float32)
    central_weight = patches.central_weight
    assert torch.equal(central_weight(torch.zeros(2, 3, size, 4, dtype=torch.complex64)), torch.outer(line, ones))
    assert torch.equal(central_weight(torch.zeros(2, 3, 4, size, dtype=torch.complex64)), torch.outer(ones, line))


@pytest.mark.parametrize("weight", [patches.central_weight, patches.uniform_weight])
@pytest.mark.parametrize(("dtype", "expected"), [(torch.complex64, torch.float32), (torch.complex128, torch.float64)])
def test_the_weight_is_in_the_precision_of_the_patches(weight, dtype: torch.dtype, expected: torch.dtype) -> None:
    assert weight(torch.zeros(1, 1, 4, 5, dtype=dtype)).dtype == expected


def test_the_uniform_weight_is_one_everywhere() -> None:
    assert torch.equal(patches.uniform_weight(field(2, 3, 4, 5)), torch.ones(4, 5, dtype=torch.float64))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_the_probe_weight_is_the_light_of_all_modes(dtype: torch.dtype) -> None:
    probe = torch.tensor([[[3 + 4j, 1j]], [[2, 0]]], dtype=dtype).requires_grad_()
    weight = patches.probe_weight(probe)
    assert weight.tolist() == [[29, 1]]
    (gradient,) = torch.autograd.grad(weight.sum(), probe)
    assert torch.equal(gradient, 2 * probe.detach())


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("taller", "wider"), [(0, 0), (2, 0), (0, 4), (6, 2)])
def test_padding_surrounds_with_zeros_and_trimming_undoes_it(height: int, width: int, taller: int, wider: int) -> None:
    images = field(2, 3, height, width)
    padded = patches.pad(images, height + taller, width + wider)
    expected = np.pad(images.numpy(), ((0, 0), (0, 0), (taller // 2,) * 2, (wider // 2,) * 2))
    assert np.array_equal(padded.numpy(), expected)
    assert torch.equal(patches.trim(padded, height, width), images)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("y", [0, 1, -1, 3, -4])
@pytest.mark.parametrize("x", [0, 1, -1, 2, -5])
def test_whole_moves_are_exact_and_towards_positive_x_and_y(x: int, y: int, dtype: torch.dtype) -> None:
    image = field(1, 1, 7, 6, dtype=dtype)
    moved = patches.translate(image, everywhere((x, y), 1, 1, image.real.dtype))
    assert np.array_equal(moved[0, 0].numpy(), sliced(image[0, 0].numpy(), x, y))


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize(("height", "width"), [(7, 6), (4, 9)])
def test_moves_between_pixels_are_bilinear(height: int, width: int, dtype: torch.dtype) -> None:
    images = field(4, 3, height, width, dtype=dtype)
    positions = between(-5, 5, 4, 3, 2, dtype=images.real.dtype)
    moved = patches.translate(images, positions)
    for image, position, result in zip(images.flatten(0, 1), positions.flatten(0, 1), moved.flatten(0, 1), strict=True):
        expected = looped(image.numpy(), *position.tolist())
        assert np.abs(result.numpy() - expected).max() <= rounding(images, LOOPED)


@pytest.mark.parametrize("distance", [6.0, 7.0, 7.5, 1e4, 1e12, 1e30])
@pytest.mark.parametrize("direction", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_what_leaves_the_frame_leaves_zeros(distance: float, direction: tuple[int, int]) -> None:
    position = tuple(distance * step for step in direction)
    moved = patches.translate(field(1, 2, 6, 6, dtype=torch.complex64), everywhere(position, 1, 2, torch.float32))
    assert torch.equal(moved, torch.zeros_like(moved))


def test_a_position_that_is_no_number_moves_its_patch_alone_to_nan() -> None:
    positions = torch.zeros(1, 3, 2, dtype=torch.float64)
    positions[0, 1, 0] = math.nan
    images = field(1, 3, 4, 5)
    moved = patches.translate(images, positions)
    assert moved[:, 1].isnan().all()
    assert torch.equal(moved[:, ::2], images[:, ::2])


def test_the_fraction_of_a_position_keeps_its_digits_in_a_large_frame() -> None:
    """Added to a pixel's coordinate, 299 here, this fraction would be lost."""
    fraction = 2.0**-20
    corner = torch.zeros(1, 1, 300, 300, dtype=torch.complex64)
    corner[..., 298, 298] = 1
    moved = patches.translate(corner, everywhere((fraction, 0.0), 1, 1, torch.float32)).real[0, 0]
    assert (moved[298, 298].item(), moved[298, 299].item()) == (1 - fraction, fraction)


def test_an_extracted_patch_is_the_middle_of_the_moved_canvas() -> None:
    canvas, positions = field(3, 11, 12), between(-3, 3, 3, 2, 2)
    moved = patches.translate(canvas[:, None].expand(3, 2, 11, 12), positions)
    assert torch.equal(patches.extract_patches(canvas, positions, 5, 6), patches.trim(moved, 5, 6))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_canvas_is_the_weighted_mean_of_its_moved_patches(dtype: torch.dtype) -> None:
    images = field(3, 4, 5, 6, dtype=dtype)
    real = images.real.dtype
    positions, weight = between(-3, 3, 3, 4, 2, dtype=real), between(0, 1, 5, 6, dtype=real)
    weights = weight.expand(3, 4, 5, 6).to(dtype)
    moved, cover = (
        patches.translate(patches.pad(image, 11, 12), -positions).sum(dim=1) for image in (weights * images, weights)
    )
    canvas = patches.reassemble_patches(images, positions, weight, 11, 12)
    # A quotient of a sum of at most 4 terms by another, both of them interpolated twice.
    assert (canvas - moved / (cover.real + 1e-3)).abs().max() <= rounding(images, 4 * LOOPED)


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_patch_alone_is_damped_where_its_weight_is_small(dtype: torch.dtype) -> None:
    image = field(1, 1, 4, 5, dtype=dtype)
    weight = torch.linspace(0, 1, 20, dtype=image.real.dtype).reshape(4, 5)
    canvas = patches.reassemble_patches(image, everywhere((-3, 1), 1, 1, weight.dtype), weight, 8, 11)
    expected = np.zeros((8, 11), np.complex128)
    # A patch at r lies at -r: 3 columns to the right of the middle and 1 row above it.
    expected[1:5, 6:11] = image[0, 0].numpy() * (weight / (weight + 1e-3)).numpy()
    assert np.abs(canvas[0].numpy() - expected).max() <= rounding(image, 8)


def test_patches_of_one_object_give_it_back_but_for_the_floor_of_the_weight() -> None:
    """Under n patches of weight 1 the object comes back n / (n + 0.001) times."""
    canvas = field(2, 12, 11)
    positions = torch.tensor([[-3, 2], [3, 0], [1, -2], [0, 1]], dtype=torch.float64).expand(2, 4, 2)
    views = patches.extract_patches(canvas, positions, 8, 5)
    weight = patches.uniform_weight(views)
    count = np.zeros((12, 11))
    for x, y in positions[0].int().tolist():
        count[2 - y : 10 - y, 3 - x : 8 - x] += 1
    merged = patches.reassemble_patches(views, positions, weight, 12, 11)
    assert np.abs(merged.numpy() - canvas.numpy() * (count / (count + 1e-3))).max() <= rounding(canvas, 16)
    again = patches.extract_patches(merged, positions, 8, 5)
    damped = torch.tensor(count / (count + 1e-3)).expand(2, 12, 11).to(canvas.dtype)
    assert (again - views * patches.extract_patches(damped, positions, 8, 5)).abs().max() <= rounding(canvas, 16)


@pytest.mark.parametrize(("groups", "count"), [(63, 1), (21, 3), (16, 4), (64, 1), (13, 5)])
def test_groups_do_not_mix(groups: int, count: int) -> None:
    images, positions = field(groups, count, 4, 5), between(-2, 2, groups, count, 2)
    weight = between(0.5, 1, 4, 5)
    moved = patches.translate(images, positions)
    canvas = patches.reassemble_patches(images, positions, weight, 8, 9)
    views = patches.extract_patches(canvas, positions, 4, 5)
    relative = patches.relative_positions(positions)
    for group in (0, groups // 2, groups - 1):
        alone = slice(group, group + 1)
        assert torch.equal(moved[alone], patches.translate(images[alone], positions[alone]))
        merged = patches.reassemble_patches(images[alone], positions[alone], weight, 8, 9)
        assert torch.equal(canvas[alone], merged)
        assert torch.equal(views[alone], patches.extract_patches(merged, positions[alone], 4, 5))
        assert torch.equal(relative[alone], patches.relative_positions(positions[alone]))


def test_no_groups_give_nothing() -> None:
    images, positions = field(0, 4, 4, 5), between(0, 1, 0, 4, 2)
    canvas = patches.reassemble_patches(images, positions, patches.uniform_weight(images), 8, 9)
    assert canvas.shape == (0, 8, 9)
    assert patches.extract_patches(canvas, positions, 4, 5).shape == images.shape


def test_relative_positions_point_from_each_patch_to_the_middle_of_its_group() -> None:
    scan = torch.tensor([[[10, 20], [14, 20], [10, 23], [18, 29]], [[0, 0], [1, 0], [0, 0], [3, 4]]])
    expected = [[[3, 3], [-1, 3], [3, 0], [-5, -6]], [[1, 1], [0, 1], [1, 1], [-2, -3]]]
    assert patches.relative_positions(scan.double()).tolist() == expected


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


@pytest.mark.parametrize(("groups", "gridsize"), [(1, 1), (2, 2), (5, 3)])
def test_layouts_put_each_patch_in_its_place_and_back(groups: int, gridsize: int) -> None:
    count = gridsize**2
    images = field(groups, count, 4, 5)
    flat, grid = patches.channel_to_flat(images), patches.channel_to_grid(images, gridsize)
    for group in range(groups):
        for index in range(count):
            assert torch.equal(flat[group * count + index], images[group, index])
            assert torch.equal(grid[group, index // gridsize, index % gridsize], images[group, index])
    assert torch.equal(patches.flat_to_channel(flat, gridsize), images)
    assert torch.equal(patches.grid_to_channel(grid), images)


def test_at_a_whole_position_the_slope_is_that_towards_larger_ones() -> None:
    image = torch.zeros(1, 1, 1, 3, dtype=torch.complex128)
    image[..., 0], image[..., 1] = 5, 2
    position = torch.zeros(1, 1, 2, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(patches.translate(image, position).real[..., 1].sum(), position)
    assert slope.flatten().tolist() == [5 - 2, -2]


def test_gradients_agree_with_differences() -> None:
    images, weight, canvas = field(1, 2, 4, 3), between(0.5, 1, 4, 3), field(1, 8, 7)
    # Fractions of 1/4 to 3/4 keep the steps of the differences inside a cell.
    positions = torch.tensor([[[-2.0, -1], [0, 1]]]) + between(0.25, 0.75, 1, 2, 2)
    for leaf in (images, positions, weight, canvas):
        leaf.requires_grad_()
    torch.autograd.gradcheck(patches.translate, (images, positions))
    torch.autograd.gradcheck(lambda *o: patches.reassemble_patches(*o, 8, 7), (images, positions, weight))
    torch.autograd.gradcheck(lambda c, r: patches.extract_patches(c, r, 4, 3), (canvas, positions))
    torch.autograd.gradgradcheck(patches.translate, (images, positions), fast_mode=True)


IMAGES = torch.ones(2, 3, 4, 5, dtype=torch.complex64)
STILL = torch.zeros(2, 3, 2)
WEIGHT = torch.ones(4, 5)
CANVAS = torch.ones(2, 6, 7, dtype=torch.complex64)
ASTRAY = STILL.clone()
ASTRAY[1, 2] = torch.tensor([1.5, 0.25])
LOST = STILL.clone()
LOST[1, 0, 1] = math.nan

TYPES = [
    (patches.uniform_weight, (WEIGHT,), "patches: expected complex64 or complex128, got float32"),
    (patches.probe_weight, (WEIGHT[None],), "probe: expected complex64 or complex128, got float32"),
    (patches.pad, (IMAGES, 4.0, 5), "rows: expected a whole number, got 4.0"),
    (patches.trim, (IMAGES, 4, 5.0), "columns: expected a whole number, got 5.0"),
    (patches.translate, (IMAGES, STILL.double()),
     "positions: expected the precision of patches (complex64), got float64"),
    (patches.translate, (IMAGES, STILL.int()), "positions: expected float32 or float64, got int32"),
    (patches.extract_patches, (CANVAS, STILL.double(), 4, 5),
     "positions: expected the precision of canvas (complex64), got float64"),
    (patches.reassemble_patches, (IMAGES, STILL, WEIGHT.double(), 6, 7),
     "weight: expected the precision of patches (complex64), got float64"),
    (patches.relative_positions, (IMAGES[:, :, 0, :2],), "positions: expected float32 or float64, got complex64"),
    (patches.padded_size, (64, 2.0, 1, 1), "gridsize: expected a whole number, got 2.0"),
    (patches.flat_to_channel, (WEIGHT[None], 1), "flat: expected complex64 or complex128, got float32"),
]  # fmt: skip

VALUES = [
    (patches.pad, (IMAGES, 2, 5), "rows: expected at least the 4 of patches, got 2"),
    (patches.pad, (IMAGES, 4, 8), "columns: expected the parity of the 5 of patches, got 8"),
    (patches.pad, (IMAGES[0], 4, 5), "patches: expected axes (B, C, H, W), got shape (3, 4, 5)"),
    (patches.trim, (IMAGES, 6, 5), "rows: expected at most the 4 of patches, got 6"),
    (patches.trim, (IMAGES, 4, 4), "columns: expected the parity of the 5 of patches, got 4"),
    (patches.trim, (IMAGES, 0, 5), "rows: expected a positive number, got 0"),
    (patches.translate, (IMAGES, STILL[:, :2]), "positions: expected (B, C) = (2, 3) as in patches, got (2, 2)"),
    (patches.translate, (IMAGES, STILL.mT), "positions: expected axes (B, C, 2), got shape (2, 2, 3)"),
    (patches.extract_patches, (CANVAS, STILL[:1], 4, 5), "positions: expected (B) = (2) as in canvas, got (1)"),
    (patches.extract_patches, (CANVAS, STILL, 8, 5), "rows: expected at most the 6 of canvas, got 8"),
    (patches.extract_patches, (CANVAS, STILL, 4, 4), "columns: expected the parity of the 7 of canvas, got 4"),
    (patches.extract_patches, (CANVAS, ASTRAY, 4, 5),
     "positions: expected |x| ≤ 1 and |y| ≤ 1, so that patches of (4, 5) stay on the canvas of (6, 7), "
     "got [1.5, 0.25] in group 1, patch 2"),
    (patches.reassemble_patches, (IMAGES, -ASTRAY, WEIGHT, 8, 7),
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [-1.5, -0.25] in group 1, patch 2"),
    (patches.reassemble_patches, (IMAGES, LOST, WEIGHT, 8, 7),
     "positions: expected |x| ≤ 1 and |y| ≤ 2, so that patches of (4, 5) stay on the canvas of (8, 7), "
     "got [0, nan] in group 1, patch 0"),
    (patches.reassemble_patches, (IMAGES, STILL, WEIGHT, 2, 5), "rows: expected at least the 4 of patches, got 2"),
    (patches.reassemble_patches, (IMAGES, STILL, WEIGHT.T, 6, 7),
     "weight: expected (H, W) = (4, 5) as in patches, got (5, 4)"),
    (patches.padded_size, (0, 1, 0, 0), "size: expected a positive number, got 0"),
    (patches.padded_size, (64, 0, 0, 0), "gridsize: expected a positive number, got 0"),
    (patches.padded_size, (64, 2, -1, 0), "offset: expected a number of at least 0, got -1"),
    (patches.padded_size, (64, 2, 0, -1), "jitter: expected a number of at least 0, got -1"),
    (patches.flat_to_channel, (IMAGES[0], 2), "flat: expected a multiple of 4 patches (gridsize 2), got 3"),
    (patches.flat_to_channel, (IMAGES[0], 0), "gridsize: expected a positive number, got 0"),
    (patches.channel_to_grid, (IMAGES, 2), "patches: expected 4 patches in a group (gridsize 2), got 3"),
    (patches.grid_to_channel, (IMAGES[None],), "grid: expected as many columns of patches as rows (2), got 3"),
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


def test_patches_at_the_rim_of_the_canvas_are_accepted() -> None:
    positions = everywhere((-1.0, 1.0), 2, 3, torch.float32)
    canvas = patches.reassemble_patches(IMAGES, positions, WEIGHT, 6, 7)
    assert patches.extract_patches(canvas, positions, 4, 5).shape == IMAGES.shape
