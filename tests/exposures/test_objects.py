"""Every object of the table: its ranges, its seed, its lack of symmetry; and the crops a scan takes of it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ptycho_exposures.objects import (
    MIN_AMPLITUDE,
    OBJECTS,
    PHOTOGRAPHS,
    gaussian_random_field,
    make_object,
    scan_patches,
    scan_positions,
)

EPSILON = float(np.finfo(float).eps)

every_object = pytest.mark.parametrize("name", OBJECTS)
every_shape = pytest.mark.parametrize("shape", [(32, 32), (33, 47), (40, 21)])


def orientations(image: NDArray[Any]) -> list[NDArray[Any]]:
    """The seven other flips and quarter turns of an image."""
    return [np.rot90(side, turns) for side in (image, image.T) for turns in range(4)][1:]


@every_object
@every_shape
@pytest.mark.parametrize("phase_span", [0.0, 1.0, 20.0])
def test_ranges(name: str, shape: tuple[int, int], phase_span: float) -> None:
    amplitude, phase = make_object(name, shape, 3, phase_span)
    assert amplitude.shape == phase.shape == shape
    assert amplitude.dtype == phase.dtype == np.float64
    assert amplitude.min() == MIN_AMPLITUDE
    assert amplitude.max() == 1
    assert phase.min() == -phase_span / 2
    assert phase.max() == phase_span / 2


@every_object
def test_a_seed_fixes_the_object(name: str) -> None:
    first, again, other = (make_object(name, (33, 47), seed) for seed in (3, 3, 4))
    assert [part.tobytes() for part in first] == [part.tobytes() for part in again]
    assert all(a.tobytes() != b.tobytes() for a, b in zip(first, other, strict=True))


@every_object
def test_a_generator_moves_on(name: str) -> None:
    rng = np.random.default_rng(3)
    first, second = make_object(name, (33, 47), rng), make_object(name, (33, 47), rng)
    assert first.phase.tobytes() != second.phase.tobytes()


@every_object
@pytest.mark.parametrize("part", ["amplitude", "phase"])
def test_no_orientation_is_like_another(name: str, part: str) -> None:
    image = getattr(make_object(name, (36, 36), 3), part)
    spread = np.linalg.norm(image - image.mean())
    assert all(np.linalg.norm(image - turned) > spread / 4 for turned in orientations(image))


@every_object
def test_amplitude_and_phase_are_drawn_independently(name: str) -> None:
    amplitude, phase = make_object(name, (33, 47), 3)
    correlations = [np.corrcoef(amplitude.ravel(), side.ravel())[0, 1] for side in (phase, phase[::-1], phase[:, ::-1])]
    assert np.abs(correlations).max() < 0.9


@pytest.mark.parametrize("exponent", [1.0, 3.0, 4.0])
@pytest.mark.parametrize("shape", [(32, 48), (33, 21)])
def test_the_random_field_is_white_noise_filtered_by_its_power_law(shape: tuple[int, int], exponent: float) -> None:
    """Fields of one seed share their noise, so their spectra differ by |f|^(−exponent/2) and one factor.

    The DFT's error is uniform, so the weakest frequency bounds the relative error of the ratio.
    """
    white, coloured = (
        np.fft.fft2(gaussian_random_field(shape, 3, exponent=e).amplitude).ravel()[1:] for e in (0.0, exponent)
    )
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij")).ravel()[1:]
    ratio = coloured / white * frequency ** (exponent / 2)
    weakest = min(np.abs(spectrum).min() / np.abs(spectrum).max() for spectrum in (white, coloured))
    allowed = EPSILON * math.prod(shape) / weakest
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=allowed)


def test_the_photographs_come_with_scikit_image() -> None:
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    assert [name for name in PHOTOGRAPHS if not (folder / f"{name}.png").is_file()] == []


def test_an_unknown_object() -> None:
    with pytest.raises(
        ValueError,
        match="^name: expected one of lines, gaussian_random_field, points, photograph, "
        r"got 'line'; did you mean 'lines'\?$",
    ):
        make_object("line", (32, 32), 0)


@every_object
@pytest.mark.parametrize("shape", [(1, 32), (32,), (4, 32, 32)])
def test_refuses_a_shape_that_is_no_frame(name: str, shape: Any) -> None:
    with pytest.raises(ValueError, match=r"^shape: expected \(H, W\) of at least 2 pixels each, got \("):
        make_object(name, shape, 0)


@every_object
@pytest.mark.parametrize("span", [-1.0, math.inf, math.nan])
def test_refuses_an_impossible_phase_span(name: str, span: float) -> None:
    with pytest.raises(ValueError, match=f"^phase_span: expected a finite number of radians, at least 0, got {span}$"):
        make_object(name, (32, 32), 0, span)


def test_a_raster_scan_goes_row_by_row_to_the_last_pixel() -> None:
    positions = scan_positions((10, 11), (4, 5), step=3)
    assert positions.shape == (9, 1, 2, 1)
    expected = [[x, y] for y in (0, 3, 6) for x in (0, 3, 6)]
    np.testing.assert_array_equal(positions[:, 0, :, 0], expected)


def test_groups_are_row_major_and_stay_on_the_object() -> None:
    positions = scan_positions((12, 15), (4, 5), step=5, gridsize=2, offset=3)
    assert positions.shape == (4, 1, 2, 4)
    np.testing.assert_array_equal(positions[0, 0], [[0, 3, 0, 3], [0, 0, 3, 3]])
    np.testing.assert_array_equal(positions[3, 0], [[5, 8, 5, 8], [5, 5, 8, 8]])


def test_patches_are_exact_crops() -> None:
    image = np.arange(12 * 15).reshape(12, 15) * (1 + 2j)
    positions = scan_positions(image.shape, (4, 5), step=5, gridsize=2, offset=3)
    patches = scan_patches(image, positions, (4, 5))
    assert patches.shape == (4, 4, 5, 4)
    for group, patch in np.ndindex(4, 4):
        x, y = positions[group, 0, :, patch]
        np.testing.assert_array_equal(patches[group, :, :, patch], image[y : y + 4, x : x + 5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": 0}, "step: expected at least 1, got 0"),
        ({"step": 1, "gridsize": 0}, "gridsize: expected at least 1, got 0"),
        ({"step": 1, "gridsize": 2, "offset": -1}, "offset: expected at least 0, got -1"),
        (
            {"step": 1, "gridsize": 2, "offset": 9},
            r"object_shape: expected at least a group's \(13, 14\), got \(12, 15\)",
        ),
    ],
)
def test_refuses_an_impossible_scan(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        scan_positions((12, 15), (4, 5), **options)


@pytest.mark.parametrize("corner", [[11, 0], [0, 9], [-1, 0], [0, -1]])
def test_refuses_a_patch_that_leaves_the_image(corner: list[int]) -> None:
    positions = np.zeros((2, 1, 2, 3), int)
    positions[1, 0, :, 2] = corner
    with pytest.raises(ValueError, match="positions: expected") as caught:
        scan_patches(np.ones((12, 15)), positions, (4, 5))
    assert str(caught.value) == (f"positions: expected 0 ≤ x ≤ 10 and 0 ≤ y ≤ 8, got {corner} in group 1, patch 2")


@pytest.mark.parametrize(
    ("image_shape", "positions", "error", "message"),
    [
        ((9,), np.zeros((1, 1, 2, 1), int), ValueError, r"image: expected shape \(H, W\), got \(9,\)"),
        ((9, 9), np.zeros((1, 1, 2, 1)), TypeError, "positions: expected integers, got float64"),
        (
            (9, 9),
            np.zeros((3, 2), int),
            ValueError,
            r"positions: expected shape \(B, 1, 2, C\), got \(3, 2\)",
        ),
        (
            (3, 9),
            np.zeros((1, 1, 2, 1), int),
            ValueError,
            r"shape: expected at most the image's \(3, 9\), got \(4, 5\)",
        ),
    ],
)
def test_refuses_an_ill_formed_crop(
    image_shape: tuple[int, ...], positions: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        scan_patches(np.ones(image_shape), positions, (4, 5))
