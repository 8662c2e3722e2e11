"""From the exposures of a data set to one object: patches by a generator, stitched where the scan has them."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ptycho_torch import checks
from ptycho_torch import patches as views
from ptycho_torch.dataloader import PtychoDataset

SEEN: Final = 1e-2
"""The weight, 1 that of the brightest pixel of a patch, from which on a pixel of the object counts as seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """An object, and which part of it was seen."""

    object: NDArray[np.complex128]
    """(M, M), complex; 0 where no patch has weight."""
    cover: NDArray[np.float64]
    """(M, M), the weight of the patches there, 1 that of the brightest pixel of one."""

    @property
    def seen(self) -> tuple[slice, slice]:
        """The rows and columns of the largest rectangle about the middle of what was seen that was seen all over.

        Raises ValueError if there is none.
        """
        covered = self.cover >= SEEN
        if not covered.any():
            raise ValueError(checks.refusal("cover", "a pixel that was seen", "none"))
        sides = [np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0)]
        top, bottom, left, right = (int(end) for side in sides for end in (side[0], side[-1] + 1))
        while not covered[top:bottom, left:right].all():
            top, bottom, left, right = top + 1, bottom - 1, left + 1, right - 1
            if top >= bottom or left >= right:
                raise ValueError(checks.refusal("cover", "a scan without gaps", "one with a gap in its middle"))
        return slice(top, bottom), slice(left, right)


def reconstruct(
    generator: nn.Module,
    dataset: PtychoDataset,
    size: int,
    batch_size: int = 16,
    device: str | torch.device = "cpu",
    *,
    middle_only: bool = False,
) -> Reconstruction:
    """The object (size, size) that a generator sees in all groups of a data set.

    Args:
        generator: from images (B, C, N, N) to patches (B, C, N, N), complex; put into evaluation.
        dataset: multiplied by the normalisation that the generator was trained with; its scan has the top-left corners
            of the patches on the object, pixels.
        size: of the object, pixels a side.
        batch_size: groups at a time.
        device: of the generator.
        middle_only: whether the patches are 0 outside their middle, `patches.central_weight`, as those of `cnn` are.

    Raises:
        ValueError: a patch lies outside the object, or there is no light.
    """
    generator.eval()
    stitching = Stitching(size, light_on_patch(dataset.probe, middle_only))
    with torch.inference_mode():
        for batch in dataset.batches(batch_size):
            made = generator(batch["amplitude"].to(device)).cpu()
            corners = torch.from_numpy(dataset.scan.positions)[batch["exposures"]]
            stitching.add(made, corners)
    return stitching.result()


def light_on_patch(probe: Tensor, middle_only: bool = False) -> Tensor:
    """How much the pixels of a patch count: by the light on them, of which alone the exposure tells anything.

    Args:
        probe: (P, H, W), complex.
        middle_only: whether only those of `patches.central_weight` do.

    Returns:
        (H, W), `patches.probe_weight` in float64, at most 1.

    Raises:
        ValueError: there is no light.
    """
    light = views.probe_weight(probe).double()
    if middle_only:
        light = light * views.central_weight(probe[:, None])
    brightest = light.max()
    if not brightest > 0:
        raise ValueError(checks.refusal("probe", "light on the middle of a patch", "none"))
    return light / brightest


class Stitching:
    """`patches.reassemble_patches` of patches that come a few at a time, all into one object, and without its floor."""

    def __init__(self, size: int, weight: Tensor) -> None:
        """Take the pixels a side of the object, and how much those of a patch count, (H, W)."""
        self._size, self._weight = size, weight.double()
        height, width = weight.shape
        self._frame = (height, width)
        # A canvas has the parity of a patch: one pixel more than the object where that has not.
        self._canvas = [size + (size - side) % 2 for side in weight.shape]
        self._sum = torch.zeros(self._canvas, dtype=torch.complex128)
        self._cover = torch.zeros(self._canvas, dtype=torch.complex128)

    def add(self, patches: Tensor, corners: Tensor) -> None:
        """Add patches (B, C, H, W), whose top-left corners on the object are (B, C, 2), pixels, [x, y].

        Raises ValueError for a patch outside the object.
        """
        height, width = self._frame
        most = torch.tensor([self._size - width, self._size - height])
        outside = (corners < 0) | (corners > most)
        if outside.any():
            expected = f"patches on the object, of {self._size} pixels a side"
            got = f"one at {corners[outside.any(dim=-1)][0].tolist()}"
            raise ValueError(checks.refusal("corners", expected, got))
        rows, columns = self._canvas
        middle = torch.tensor([columns - width, rows - height], dtype=torch.float64) / 2
        weight = self._weight.to(torch.complex128)
        for patch, corner in zip(patches.flatten(0, 1), corners.flatten(0, 1).double(), strict=True):
            both = torch.stack([weight * patch, weight])[None]
            placed = views.translate(views.pad(both, rows, columns), (corner - middle).expand(1, 2, 2))
            self._sum += placed[0, 0]
            self._cover += placed[0, 1]

    def result(self) -> Reconstruction:
        """What has been added, as one object."""
        cover = self._cover.real
        return Reconstruction(self._cut(torch.where(cover > 0, self._sum / cover, 0)), self._cut(cover))

    def _cut(self, canvas: Tensor) -> NDArray[Any]:
        return canvas[: self._size, : self._size].numpy()
