"""From the exposures of a data set to one object: patches by a generator, stitched where the scan has them."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ptycho_exposures.checks import refusal
from ptycho_torch import patches as views
from ptycho_torch.dataloader import PtychoDataset

Complex: TypeAlias = NDArray[np.complex128]

SEEN: Final = 1e-2
"""The weight, 1 that of the brightest pixel of a patch, from which on a pixel of the object counts as seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Where on an object a scan has its patches, and how much is seen of every pixel."""

    size: int
    """Pixels M a side of the object."""
    weight: Tensor
    """(H, W), float64, how much the pixels of a patch count, at most 1."""
    corners: Tensor
    """(B, C, 2), float64, the top-left corners of the patches on the object, pixels, [x, y]."""
    cover: Tensor
    """(M, M), float64, the weight of the patches there, 1 that of the brightest pixel of one."""

    @classmethod
    def of(cls, dataset: PtychoDataset, size: int, *, middle_only: bool = False) -> "Coverage":
        """That of the groups of a data set, whose positions are the corners of its patches; raises as `at` does.

        Args:
            dataset: whose patches count by the light of its probe, `light_on_patch`.
            size: of the object, pixels a side.
            middle_only: whether the patches are 0 outside their middle, as those of `cnn` are.
        """
        corners = torch.from_numpy(dataset.scan.positions)[dataset.groups]
        return cls.at(corners, size, light_on_patch(dataset.probe, middle_only))

    @classmethod
    def at(cls, corners: Tensor, size: int, weight: Tensor) -> "Coverage":
        """That of patches with these corners (B, C, 2), of the weight (H, W) each, on an object (size, size).

        Raises ValueError for a patch outside the object.
        """
        height, width = weight.shape
        outside = (corners < 0) | (corners > torch.tensor([size - width, size - height]))
        if outside.any():
            expected = f"patches on the object, of {size} pixels a side"
            got = f"one at {corners[outside.any(dim=-1)][0].tolist()}"
            raise ValueError(refusal("corners", expected, got))
        empty = cls(size, weight.double(), corners.double(), torch.zeros(size, size, dtype=torch.float64))
        ones = torch.ones(1, height, width, dtype=torch.complex64)
        cover = torch.zeros(empty.canvas, dtype=torch.complex128)
        for corner in empty.corners.flatten(0, 1):
            cover += empty.placed(ones, corner)
        return cls(size, empty.weight, empty.corners, cover.real[:size, :size])

    @property
    def canvas(self) -> tuple[int, int]:
        """Rows and columns of the parity of a patch: one more than the object has where that is of another."""
        height, width = self.weight.shape
        return self.size + (self.size - height) % 2, self.size + (self.size - width) % 2

    def placed(self, patch: Tensor, corner: Tensor) -> Tensor:
        """A patch (1, H, W) times its weight, on the canvas with its corner (2,) there."""
        height, width = self.weight.shape
        rows, columns = self.canvas
        middle = torch.tensor([columns - width, rows - height], dtype=torch.float64) / 2
        weighted = (self.weight * patch)[None]
        return views.translate(views.pad(weighted, rows, columns), (corner - middle).expand(1, 1, 2))[0, 0]

    @property
    def seen(self) -> tuple[slice, slice]:
        """Rows and columns of a rectangle that was seen all over: all that was seen, narrowed from every side at once.

        Raises ValueError if there is none.
        """
        covered = (self.cover >= SEEN).numpy()
        if not covered.any():
            raise ValueError(refusal("cover", "a pixel that was seen", "none"))
        sides = [np.flatnonzero(covered.any(axis=axis)) for axis in (1, 0)]
        top, bottom, left, right = (int(end) for side in sides for end in (side[0], side[-1] + 1))
        while not covered[top:bottom, left:right].all():
            top, bottom, left, right = top + 1, bottom - 1, left + 1, right - 1
            if top >= bottom or left >= right:
                raise ValueError(refusal("cover", "a scan without gaps", "one with a gap in its middle"))
        return slice(top, bottom), slice(left, right)


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
        raise ValueError(refusal("probe", "light on the middle of a patch", "none"))
    return light / brightest


class Stitching:
    """`patches.reassemble_patches` of patches that come a few at a time, all into one object, and without its floor."""

    def __init__(self, coverage: Coverage) -> None:
        """Take where the patches lie."""
        self._coverage = coverage
        self._sum = torch.zeros(coverage.canvas, dtype=torch.complex128)
        self._added = 0

    def add(self, patches: Tensor) -> None:
        """Add the patches (b, C, H, W) of the groups that come next."""
        corners = self._coverage.corners[self._added : self._added + len(patches)]
        for patch, corner in zip(patches.flatten(0, 1), corners.flatten(0, 1), strict=True):
            self._sum += self._coverage.placed(patch[None], corner)
        self._added += len(patches)

    def result(self) -> Complex:
        """The object (M, M) that has been added up; 0 where no patch has weight."""
        cover, size = self._coverage.cover, self._coverage.size
        found: Complex = torch.where(cover > 0, self._sum[:size, :size] / cover, 0).numpy()
        return found


def reconstruct(
    generator: nn.Module,
    dataset: PtychoDataset,
    coverage: Coverage,
    batch_size: int = 16,
    device: str | torch.device = "cpu",
) -> Complex:
    """The object (M, M) that a generator sees in all groups of a data set; 0 where no patch has weight.

    Args:
        generator: from images (B, C, N, N) to patches (B, C, N, N), complex; put into evaluation.
        dataset: multiplied by the normalisation that the generator was trained with.
        coverage: that of the data set.
        batch_size: groups at a time.
        device: of the generator.
    """
    generator.eval()
    stitching = Stitching(coverage)
    with torch.inference_mode():
        for batch in dataset.batches(batch_size):
            stitching.add(generator(batch["amplitude"].to(device)).cpu())
    return stitching.result()
