"""Stitching: the same as the reassembly of one group, wherever a patch lies; and what of it was seen."""

import numpy as np
import pytest
import torch

from ptycho_torch import patches as views
from ptycho_torch.reconstruction import SEEN, Reconstruction, Stitching, light_on_patch

PROBE = torch.randn(2, 8, 10, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [32, 33])
def test_stitching_is_reassembly(size: int) -> None:
    """An odd object under even patches too, whose canvas is a pixel larger."""
    generator = torch.Generator().manual_seed(0)
    patches = torch.randn(5, 2, 8, 10, generator=generator, dtype=torch.complex64)
    corners = torch.rand(5, 2, 2, generator=generator) * torch.tensor([size - 10.0, size - 8.0])
    weight = light_on_patch(PROBE, middle_only=True)
    stitching = Stitching(size, weight)
    for some in (slice(0, 2), slice(2, 5)):
        stitching.add(patches[some], corners[some])
    canvas = size + size % 2
    middle = torch.tensor([canvas - 10.0, canvas - 8.0]) / 2
    expected = views.reassemble_patches(
        patches.reshape(1, 10, 8, 10),
        (middle - corners).reshape(1, 10, 2),
        1e6 * weight.float(),  # so heavy that the floor of reassembly does not count
        canvas,
        canvas,
    )[0, :size, :size]
    made = stitching.result()
    seen = made.cover > SEEN
    np.testing.assert_allclose(made.object[seen], expected.numpy()[seen], rtol=2e-4, atol=1e-5)
    assert not made.object[made.cover == 0].any()


def test_pixels_count_by_their_light() -> None:
    """What is wrong in the dark does not matter where another patch has light."""
    probe = torch.tensor([[[3.0, 1.0], [1.0, 1.0]]]) * (1 + 1j)
    stitching = Stitching(3, light_on_patch(probe))
    patches = torch.full((1, 2, 2, 2), 5.0, dtype=torch.complex64)
    patches[0, 1, 0, 0] = 10.0
    stitching.add(patches, torch.tensor([[[0.0, 0.0], [1.0, 1.0]]]))
    made = stitching.result()
    assert made.object[1, 1] == pytest.approx((5 * 1 + 10 * 9) / 10)
    assert made.object[0, 2] == 0
    np.testing.assert_allclose(made.cover, np.array([[9, 1, 0], [1, 10, 1], [0, 1, 1]]) / 9)


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
    stitching = Stitching(24, views.central_weight(cut))
    stitching.add(cut, torch.tensor(places)[:, None])
    made = stitching.result()
    assert made.seen == (slice(2, 22), slice(2, 22))
    np.testing.assert_allclose(made.object[made.seen], square.numpy()[made.seen], rtol=1e-6)


def test_a_patch_outside_the_object_is_refused() -> None:
    with pytest.raises(ValueError, match=r"corners: expected patches on the object, of 24 pixels a side, got one at"):
        Stitching(24, torch.ones(8, 8)).add(
            torch.ones(1, 1, 8, 8, dtype=torch.complex64), torch.tensor([[[17.0, 0.0]]])
        )


@pytest.mark.parametrize(("cover", "message"), [(np.zeros((4, 4)), "none"), (np.eye(4)[::-1] * 0, "none")])
def test_nothing_seen_is_refused(cover: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _ = Reconstruction(np.zeros((4, 4), complex), cover).seen


def test_a_gap_in_the_middle_is_refused() -> None:
    cover = np.ones((9, 9))
    cover[4, 4] = 0
    with pytest.raises(ValueError, match="without gaps"):
        _ = Reconstruction(np.zeros((9, 9), complex), cover).seen
