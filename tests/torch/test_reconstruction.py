"""Stitching: the same as the reassembly of one group, wherever a patch lies; and what of it was seen."""

import numpy as np
import pytest
import torch

from ptycho_torch import patches as views
from ptycho_torch.reconstruction import SEEN, Coverage, Stitching, light_on_patch

PROBE = torch.randn(2, 8, 10, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [32, 33])
def test_stitching_is_reassembly(size: int) -> None:
    """An odd object under even patches too, whose canvas is a pixel larger."""
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(5, 2, 8, 10, generator=generator, dtype=torch.complex64)
    corners = torch.rand(5, 2, 2, generator=generator) * torch.tensor([size - 10.0, size - 8.0])
    weight = light_on_patch(PROBE, middle_only=True)
    coverage = Coverage.at(corners, size, weight)
    stitching = Stitching(coverage)
    for some in (slice(0, 2), slice(2, 5)):
        stitching.add(patches[some])
    canvas = size + size % 2
    middle = torch.tensor([canvas - 10.0, canvas - 8.0]) / 2
    expected = views.reassemble_patches(
        patches.reshape(1, 10, 8, 10),
        (middle - corners).reshape(1, 10, 2),
        1e6 * weight.float(),  # so heavy that the floor of reassembly does not count
        canvas,
        canvas,
    )[0, :size, :size]
    made, seen = stitching.result(), (coverage.cover > SEEN).numpy()
    # Reassembly has single precision, and divides by a weight as small as SEEN.
    rounding = 2 * np.finfo(np.float32).eps / SEEN
    np.testing.assert_allclose(made[seen], expected.numpy()[seen], rtol=rounding, atol=rounding)
    assert not made[(coverage.cover == 0).numpy()].any()


def test_pixels_count_by_their_light() -> None:
    """What is wrong in the dark does not matter where another patch has light."""
    probe = torch.tensor([[[3.0, 1.0], [1.0, 1.0]]]) * (1 + 1j)
    coverage = Coverage.at(torch.tensor([[[0.0, 0.0], [1.0, 1.0]]]), 3, light_on_patch(probe))
    stitching = Stitching(coverage)
    patches = torch.full((1, 2, 2, 2), 5.0, dtype=torch.complex64)
    patches[0, 1, 0, 0] = 10.0
    stitching.add(patches)
    made = stitching.result()
    assert made[1, 1] == pytest.approx((5 * 1 + 10 * 9) / 10)
    assert made[0, 2] == 0
    np.testing.assert_allclose(coverage.cover, np.array([[9, 1, 0], [1, 10, 1], [0, 1, 1]]) / 9)


def test_the_middle_alone_counts_of_patches_that_are_0_around_it() -> None:
    light = light_on_patch(PROBE, middle_only=True)
    assert light.dtype == torch.float64
    assert light.max() == 1
    assert torch.equal(light > 0, views.central_weight(PROBE[:, None]) > 0)


@pytest.mark.parametrize("middle_only", [False, True])
def test_a_probe_without_light_is_refused(middle_only: bool) -> None:
    with pytest.raises(ValueError, match="probe: expected light on the middle of a patch, got none"):
        light_on_patch(torch.zeros(1, 8, 8, dtype=torch.complex64), middle_only)


def test_a_patch_lies_where_its_corner_says() -> None:
    whole = torch.randn(24, 20, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    square = torch.nn.functional.pad(whole, (0, 4))
    places = [(x, y) for x in range(0, 17, 4) for y in range(0, 17, 4)]
    cut = torch.stack([square[y : y + 8, x : x + 8] for x, y in places])[:, None]
    coverage = Coverage.at(torch.tensor(places)[:, None], 24, views.central_weight(cut))
    stitching = Stitching(coverage)
    stitching.add(cut)
    assert coverage.seen == (slice(2, 22), slice(2, 22))
    np.testing.assert_allclose(stitching.result()[coverage.seen], square.numpy()[coverage.seen], rtol=1e-6)


def test_a_patch_outside_the_object_is_refused() -> None:
    with pytest.raises(ValueError, match=r"corners: expected patches on the object, of 24 pixels a side, got one at"):
        Coverage.at(torch.tensor([[[17.0, 0.0]]]), 24, torch.ones(8, 8))


def of_cover(cover: torch.Tensor) -> Coverage:
    return Coverage(len(cover), torch.ones(1, 1), torch.zeros(0, 1, 2), cover)


def test_nothing_seen_is_refused() -> None:
    with pytest.raises(ValueError, match="cover: expected a pixel that was seen, got none"):
        _ = of_cover(torch.full((4, 4), SEEN / 2)).seen


def test_a_gap_in_the_middle_is_refused() -> None:
    cover = torch.ones(9, 9)
    cover[4, 4] = 0
    with pytest.raises(ValueError, match="without gaps"):
        _ = of_cover(cover).seen


def test_what_was_seen_all_over_is_narrowed_from_every_side() -> None:
    cover = torch.zeros(12, 12)
    cover[1:11, 2:12] = 1
    cover[1, 2] = 0
    assert of_cover(cover).seen == (slice(2, 10), slice(3, 11))
