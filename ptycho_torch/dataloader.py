"""Data sets of exposures in groups, read from files, in PyTorch.

`PtychoDataset` reads the .npz of the grid-lines workflow and those of experiments, whose keys
`ptycho_exposures.scanfile` has, and hands out groups of neighbouring exposures with one scale. The functions are what
it computes, for a scan that is in memory already. Nothing here has a gradient.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NotRequired, TypedDict, cast

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ptycho_exposures import grouping
from ptycho_exposures.checks import refusal
from ptycho_exposures.groupedscan import GroupedScan
from ptycho_exposures.grouping import Indices
from ptycho_exposures.scanfile import NOMINAL, Scan
from ptycho_torch import checks, patches, scaling

_nearest_groups: Callable[..., Indices] = torch.compiler.disable(grouping.nearest_groups)  # type: ignore[no-untyped-call]
"""Neighbours are found outside of torch: a compiler is to leave a gap for it, not to look into it."""


class Batch(TypedDict):
    """Groups of exposures; a single one without the axis B."""

    amplitude: Tensor
    """(B, C, H, W), normalised amplitude, dimensionless."""
    positions: Tensor
    """(B, C, 2), pixels, [x, y], about the middle of the group."""
    centres: Tensor
    """(B, 2), pixels of the scan, [x, y], where that is."""
    exposures: Tensor
    """(B, C), numbers of the exposures, int64."""
    Y_I: NotRequired[Tensor]
    """(B, C, H, W), amplitude behind the object, scaled as `amplitude`; where the file has it."""
    Y_phi: NotRequired[Tensor]
    """(B, C, H, W), radians; where the file has it."""


class PtychoDataset(Dataset[Batch]):
    """The scan in an .npz file, by groups, as torch's own DataLoader takes it, in several processes too.

    The probe is no part of a batch, where a further axis would make modes of groups: it is `probe`. `groupedscan` says
    what groups and scale are, and what is refused.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        gridsize: int | None = None,
        neighbours: int | None = None,
        seed: int = 0,
        coordinates: str = NOMINAL,
        normalization: float | None = None,
        precision: str = "float32",
    ) -> None:
        """Check the file at `path`; arguments and errors are those of `GroupedScan`."""
        self._grouped = GroupedScan(
            path,
            gridsize=gridsize,
            neighbours=neighbours,
            seed=seed,
            coordinates=coordinates,
            normalization=normalization,
            precision=precision,
        )
        self.probe: Tensor = torch.from_numpy(self.scan.probe).to(getattr(torch, precision).to_complex())
        """(P, H, W), complex, as in the file."""

    @property
    def scan(self) -> Scan:
        """What the file says: its keys, positions, scales and metadata."""
        return self._grouped.scan

    @property
    def groups(self) -> Tensor:
        """(B, C), the exposures of each group, int64."""
        return torch.from_numpy(self._grouped.groups)

    @property
    def fingerprint(self) -> str:
        """By which these data are known again, whatever the file is called."""
        return self._grouped.fingerprint

    @property
    def normalization(self) -> float:
        """The one factor by which amplitudes have been multiplied."""
        return self._grouped.normalization

    def __len__(self) -> int:
        return len(self._grouped)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Batch]:
        """Several groups, one by one, read together."""
        batch = cast(dict[str, Tensor], self.batch(indices))
        return [cast(Batch, {key: tensor[number] for key, tensor in batch.items()}) for number in range(len(indices))]

    def batch(self, indices: Sequence[int] | Indices) -> Batch:
        """The groups of these numbers together.

        Raises:
            IndexError: there is no such group.
            TypeError: the numbers are no whole ones, such as a mask.
        """
        return cast(Batch, {key: torch.from_numpy(array) for key, array in self._grouped.read(indices).items()})

    def batches(
        self, batch_size: int, *, seed: int | None = None, epoch: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        """All groups, `batch_size` at a time: in order, or shuffled anew in each epoch by a seed.

        The same batches as those of the TensorFlow stack, in the same order.

        Raises:
            ValueError: the size is not positive, or the seed or the epoch is negative.
        """
        return map(self.batch, self._grouped.batches(batch_size, seed=seed, epoch=epoch, drop_last=drop_last))


def neighbour_groups(scan: Tensor, gridsize: int, neighbours: int, seed: int) -> Tensor:
    """The group of every exposure: itself and gridsize^2 - 1 of its nearest neighbours, laid out as its grid.

    Args:
        scan: (A, 2), real, pixels, [x, y].
        gridsize: patches a side of a group.
        neighbours: to choose from, itself among them, from gridsize^2 to A; equally distant ones by their number.
        seed: of the choice; without effect where there is none.

    Returns:
        (A, gridsize^2), int64, numbers of exposures; channel row * gridsize + column.

    Raises:
        TypeError: the scan is not real floating point, or a number is not whole.
        ValueError: the scan has another rank or is not finite, or a number is out of its range.
    """
    checks.require_real("scan", scan)
    for name, number, least in (("gridsize", gridsize, 1), ("neighbours", neighbours, 1), ("seed", seed, 0)):
        checks.require_size(name, number, least)
    groups = _nearest_groups(scan.detach().cpu().numpy(), gridsize, neighbours, seed)
    return torch.from_numpy(groups).to(scan.device)


def group_positions(scan: Tensor, gridsize: int, neighbours: int, seed: int) -> Tensor:
    """The positions of each group's exposures about its middle: `patches.relative_positions` of its neighbours.

    Args:
        scan: as `neighbour_groups`, as are the others.
        gridsize: patches a side of a group.
        neighbours: to choose from.
        seed: of the choice.

    Returns:
        (A, gridsize^2, 2), real, pixels, [x, y].

    Raises:
        TypeError: as `neighbour_groups`.
        ValueError: as `neighbour_groups`.
    """
    return patches.relative_positions(scan[neighbour_groups(scan, gridsize, neighbours, seed)])


def group_amplitudes(diffraction: Tensor, scan: Tensor, gridsize: int, neighbours: int, seed: int) -> Tensor:
    """The amplitudes of each group's exposures, times the one factor of `scaling.normalize_amplitude` for the scan.

    The mean pattern is that of the scan, in which each exposure counts once, in however many groups it is.

    Args:
        diffraction: (A, H, W), real or integer, square-root photons.
        scan: as `neighbour_groups`, as are the others.
        gridsize: patches a side of a group.
        neighbours: to choose from.
        seed: of the choice.

    Returns:
        (A, gridsize^2, H, W), dimensionless; float64 for integers, otherwise the precision of the diffraction.

    Raises:
        TypeError: the diffraction is neither real nor integer; or as `neighbour_groups`.
        ValueError: the diffraction has another rank, or another number of exposures than the scan; or as
            `neighbour_groups`.
    """
    checks.require_reading("diffraction", diffraction)
    groups = neighbour_groups(scan, gridsize, neighbours, seed)
    if len(diffraction) != len(scan):
        raise ValueError(refusal("diffraction", f"{len(scan)} exposures as in scan", str(len(diffraction))))
    return scaling.normalize_amplitude(diffraction[None])[0, groups]
