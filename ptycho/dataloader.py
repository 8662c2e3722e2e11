"""Data sets of exposures in groups, read from files, in TensorFlow.

`PtychoDataset` reads the .npz of the grid-lines workflow and those of experiments, whose keys
`ptycho_exposures.scanfile` has, and hands out groups of neighbouring exposures with one scale. The functions are what
it computes, for a scan that is in memory already. Nothing here has a gradient.
"""

import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ptycho import checks, patches, scaling
from ptycho_exposures import grouping
from ptycho_exposures.groupedscan import POSITIONS, GroupedScan
from ptycho_exposures.grouping import Indices
from ptycho_exposures.scanfile import NOMINAL, Scan


class Batch(TypedDict):
    """Groups of exposures."""

    amplitude: tf.Tensor
    """(B, H, W, C), normalised amplitude, dimensionless."""
    positions: tf.Tensor
    """(B, 1, 2, C), pixels, [x, y], about the middle of the group."""
    centres: tf.Tensor
    """(B, 2), pixels of the scan, [x, y], where that is."""
    exposures: tf.Tensor
    """(B, C), numbers of the exposures, int64."""
    Y_I: NotRequired[tf.Tensor]
    """(B, H, W, C), amplitude behind the object, scaled as `amplitude`; where the file has it."""
    Y_phi: NotRequired[tf.Tensor]
    """(B, H, W, C), radians; where the file has it."""


class PtychoDataset:
    """The scan in an .npz file, by groups.

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
        complex_type = {"float32": np.complex64, "float64": np.complex128}[precision]
        self.probe: tf.Tensor = tf.constant(self.scan.probe.transpose(1, 2, 0).astype(complex_type))
        """(H, W, P), complex, as in the file."""

    @property
    def scan(self) -> Scan:
        """What the file says: its keys, positions, scales and metadata."""
        return self._grouped.scan

    @property
    def groups(self) -> tf.Tensor:
        """(B, C), the exposures of each group, int64."""
        return tf.constant(self._grouped.groups)

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

    def batch(self, indices: Sequence[int] | Indices) -> Batch:
        """The groups of these numbers together.

        Raises:
            IndexError: there is no such group.
            TypeError: the numbers are no whole ones, such as a mask.
        """
        arrays = self._grouped.read(indices)
        return cast(Batch, {key: tf.constant(_laid_out(key, array)) for key, array in arrays.items()})

    def batches(
        self, batch_size: int, *, seed: int | None = None, epoch: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        """All groups, `batch_size` at a time: in order, or shuffled anew in each epoch by a seed.

        The same batches as those of the PyTorch stack, in the same order.

        Raises:
            ValueError: the size is not positive, or the seed or the epoch is negative.
        """
        return map(self.batch, self._grouped.batches(batch_size, seed=seed, epoch=epoch, drop_last=drop_last))

    def as_tf_data(self, batch_size: int, *, seed: int | None = None, drop_last: bool = False) -> tf.data.Dataset:
        """The same as tf.data: each pass over it is the next epoch.

        Raises:
            ValueError: the size is not positive, or the seed is negative.
        """
        epochs = itertools.count()
        self._grouped.batches(batch_size, seed=seed)

        def generate() -> Iterator[Batch]:
            return self.batches(batch_size, seed=seed, epoch=next(epochs), drop_last=drop_last)

        return tf.data.Dataset.from_generator(generate, output_signature=self._signature())

    def _signature(self) -> dict[str, tf.TensorSpec]:
        one = cast(dict[str, tf.Tensor], self.batch([0]))
        return {key: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype) for key, tensor in one.items()}


def neighbour_groups(
    scan: tf.Tensor, gridsize: int | tf.Tensor, neighbours: int | tf.Tensor, seed: int | tf.Tensor
) -> tf.Tensor:
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
    if tf.executing_eagerly():
        return tf.constant(_nearest_groups(scan.numpy(), *(np.asarray(n) for n in (gridsize, neighbours, seed))))
    groups = tf.numpy_function(_nearest_groups, [scan, gridsize, neighbours, seed], tf.int64)
    groups.set_shape([scan.shape[0], None])
    return groups


def group_positions(
    scan: tf.Tensor, gridsize: int | tf.Tensor, neighbours: int | tf.Tensor, seed: int | tf.Tensor
) -> tf.Tensor:
    """The positions of each group's exposures about its middle: `patches.relative_positions` of its neighbours.

    Args:
        scan: as `neighbour_groups`, as are the others.
        gridsize: patches a side of a group.
        neighbours: to choose from.
        seed: of the choice.

    Returns:
        (A, 1, 2, gridsize^2), real, pixels, [x, y].

    Raises:
        TypeError: as `neighbour_groups`.
        ValueError: as `neighbour_groups`.
    """
    grouped = tf.gather(scan, neighbour_groups(scan, gridsize, neighbours, seed))
    return patches.relative_positions(tf.transpose(grouped, (0, 2, 1))[:, None])


def group_amplitudes(
    diffraction: tf.Tensor,
    scan: tf.Tensor,
    gridsize: int | tf.Tensor,
    neighbours: int | tf.Tensor,
    seed: int | tf.Tensor,
) -> tf.Tensor:
    """The amplitudes of each group's exposures, times the one factor of `scaling.normalize_amplitude` for the scan.

    The mean pattern is that of the scan, in which each exposure counts once, in however many groups it is.

    Args:
        diffraction: (A, H, W), real or integer, square-root photons.
        scan: as `neighbour_groups`, as are the others.
        gridsize: patches a side of a group.
        neighbours: to choose from.
        seed: of the choice.

    Returns:
        (A, H, W, gridsize^2), dimensionless; float64 for integers, otherwise the precision of the diffraction.

    Raises:
        TypeError: the diffraction is neither real nor integer; or as `neighbour_groups`.
        ValueError: the diffraction has another rank, or another number of exposures than the scan; or as
            `neighbour_groups`.
    """
    checks.require_reading("diffraction", diffraction)
    groups = neighbour_groups(scan, gridsize, neighbours, seed)
    count, wanted = tf.shape(diffraction)[0], tf.shape(scan)[0]
    checks.require_that(count == wanted, "diffraction", "as many exposures as in scan", count)
    normalized = scaling.normalize_amplitude(diffraction[..., None])[..., 0]
    return tf.transpose(tf.gather(normalized, groups), (0, 2, 3, 1))


def _nearest_groups(scan: NDArray[Any], gridsize: Any, neighbours: Any, seed: Any) -> Indices:
    return grouping.nearest_groups(scan, int(gridsize), int(neighbours), int(seed))


def _laid_out(key: str, array: NDArray[Any]) -> NDArray[Any]:
    """An array of a batch, as TensorFlow has it: patches last, positions (B, 1, 2, C)."""
    if key == POSITIONS:
        return array.transpose(0, 2, 1)[:, None]
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
