"""A scan in groups, as NumPy arrays: what a loader hands to its framework, before it is laid out there.

Only what a batch needs is read from the file. Squares, means and products are formed in double precision and rounded
once. The same file gives the same arrays, to the last bit, in both stacks.
"""

import math
import os
import warnings
import zlib
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ptycho_exposures.grouping import Indices, nearest_groups, order_of_groups
from ptycho_exposures.npz import DataError
from ptycho_exposures.scanfile import NOMINAL, PROBE, Y_I, Frames, Scan, checked_blocks, read_scan

AMPLITUDE: Final = "amplitude"
POSITIONS: Final = "positions"
CENTRES: Final = "centres"
EXPOSURES: Final = "exposures"


class InMemoryWarning(UserWarning):
    """A file whose arrays are compressed, so that they are read whole, and not in place."""


class GroupedScan:
    """The scan in a file, its exposures checked, grouped and given one scale.

    Attributes:
        scan: what the file says.
        groups: (B, C), the exposures of each group: those of the file if it has groups, otherwise one group for every
            exposure, by `nearest_groups`.
        normalization: the one factor by which amplitudes are multiplied, X and Y_I alike; by default
            sqrt((H W / 4) / mean photons), as `scaling.normalize_amplitude` has it for the whole scan.
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
        """Check the file at `path`, reading it once, block by block.

        Args:
            path: an .npz as `scanfile` describes it.
            gridsize: exposures a side of a group; by default 1, or that of the file's groups.
            neighbours: exposures that a group is chosen from; by default no more than it has.
            seed: of that choice.
            coordinates: `coords_nominal` or `coords_true`, for files that have both.
            normalization: such as that of the training data, in place of the scan's own.
            precision: `float32` or `float64`, of what is read.

        Raises:
            DataError: the file cannot be used; says why.
            TypeError: an argument that is no number.
            ValueError: an argument is out of its range, or contradicts the file.
        """
        if precision not in ("float32", "float64"):
            raise ValueError(f"precision: expected 'float32' or 'float64', got {precision!r}")
        self.scan: Scan = read_scan(path, coordinates)
        self.precision = precision
        self._rounded(PROBE, self.scan.probe)
        self._rounded(POSITIONS, self.scan.positions)
        self.groups = _groups(self.scan, gridsize, neighbours, seed)
        if self.scan.in_memory:
            keys = ", ".join(self.scan.in_memory)
            message = f"{path}: {keys}: compressed, so read into memory; numpy.savez stores what can be read in place"
            warnings.warn(message, InMemoryWarning, stacklevel=3)
        own = _normalization(self.scan.diffraction)
        self.normalization = own if normalization is None else _positive("normalization", normalization)
        for key, frames in self.scan.targets.items():
            expected = "a finite, non-negative amplitude" if key == Y_I else "a finite phase"
            for _ in checked_blocks(frames, expected, nonnegative=key == Y_I):
                pass

    @property
    def fingerprint(self) -> str:
        """By which data are known again: their patterns, positions and probe, and how they are grouped and scaled."""
        parts = (self.groups.tobytes(), self.scan.positions.tobytes(), self.scan.probe.tobytes())
        sums = (self.scan.diffraction.stored.checksum, *map(zlib.crc32, parts))
        return "-".join(f"{number:08x}" for number in sums) + f"-{self.normalization.hex()}"

    def __len__(self) -> int:
        """The number of groups."""
        return len(self.groups)

    def read(self, indices: ArrayLike) -> Mapping[str, NDArray[Any]]:
        """The groups of these numbers, in canonical layout.

        Returns:
            `amplitude` (B, C, H, W), dimensionless; `positions` (B, C, 2), pixels, [x, y], about the middle of the
            group, as `patches.relative_positions` has them; `centres` (B, 2), pixels of the scan, where that is;
            `exposures` (B, C), their numbers; and, where the file has them, `Y_I` (B, C, H, W), scaled as the
            amplitude is, and `Y_phi` (B, C, H, W), radians.

        Raises:
            IndexError: there is no such group.
            TypeError: the numbers are no whole ones, such as a mask.
        """
        exposures = self.groups[self._numbers(indices)]
        scan = self.scan.positions[exposures]
        centres = scan.mean(axis=1)
        found: dict[str, NDArray[Any]] = {
            AMPLITUDE: self._scaled(self.scan.diffraction, exposures),
            POSITIONS: self._rounded(POSITIONS, centres[:, None] - scan),
            CENTRES: self._rounded(CENTRES, centres),
            EXPOSURES: exposures,
        }
        for key, frames in self.scan.targets.items():
            found[key] = self._scaled(frames, exposures) if key == Y_I else self._rounded(key, _read(frames, exposures))
        return found

    def batches(
        self, batch_size: int, *, seed: int | None = None, epoch: int = 0, drop_last: bool = False
    ) -> Iterator[Indices]:
        """The numbers of the groups, `batch_size` at a time: in order, or shuffled anew in each epoch by a seed.

        Raises:
            ValueError: the size is not positive, or the seed or the epoch is negative.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size: expected a positive number, got {batch_size}")
        order = np.arange(len(self)) if seed is None else order_of_groups(len(self), seed, epoch)
        end = len(self) - len(self) % batch_size if drop_last else len(self)
        return (order[first : first + batch_size] for first in range(0, end, batch_size))

    def _numbers(self, indices: ArrayLike) -> Indices:
        given = np.atleast_1d(np.asarray(indices))
        if given.size and given.dtype.kind not in "iu":
            raise TypeError(f"indices: expected whole numbers, got {given.dtype}")
        numbers = given.astype(np.int64)
        beyond = (numbers < -len(self)) | (numbers >= len(self))
        if beyond.any():
            raise IndexError(f"indices: expected groups of {len(self)}, got {numbers[beyond][0]}")
        return numbers

    def _scaled(self, frames: Frames, exposures: Indices) -> NDArray[Any]:
        with np.errstate(over="ignore"):  # which the rounding tells
            scaled = _read(frames, exposures) * np.float64(self.normalization)
        return self._rounded(frames.stored.key, scaled)

    def _rounded(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """In the working precision. Raises DataError where that has no number as large."""
        real = np.dtype(self.precision)
        with np.errstate(over="ignore"):
            rounded = array.astype(np.result_type(real, np.complex64) if array.dtype.kind == "c" else real)
        if not np.isfinite(rounded).all():
            raise DataError(f"{self.scan.path}: {name}: expected numbers that {self.precision} holds, got larger ones")
        return rounded


def _read(frames: Frames, exposures: Indices) -> NDArray[Any]:
    """(B, C, H, W); an exposure that is in several groups is read once."""
    numbers, places = np.unique(exposures, return_inverse=True)
    found: NDArray[Any] = frames.read(numbers)[places.reshape(exposures.shape)]
    return found


def _groups(scan: Scan, gridsize: int | None, neighbours: int | None, seed: int) -> Indices:
    for name, number in (("gridsize", gridsize), ("neighbours", neighbours), ("seed", seed)):
        if number is not None:
            _require(Integral, name, "a whole number", number)
    if scan.group == 1:
        gridsize = 1 if gridsize is None else gridsize
        if neighbours is None and gridsize**2 > len(scan.positions):
            expected = f"groups of at most the {len(scan.positions)} exposures of {scan.path}"
            raise ValueError(f"gridsize: expected {expected}, got {gridsize}, groups of {gridsize**2}")
        return nearest_groups(scan.positions, gridsize, gridsize**2 if neighbours is None else neighbours, seed)
    own = math.isqrt(scan.group)
    if own**2 != scan.group:
        raise scan.diffraction.stored.error("a square number of exposures in a group", scan.group)
    if gridsize not in (None, own):
        raise ValueError(f"gridsize: expected {own}, that of the groups in {scan.path}, got {gridsize}")
    if neighbours is not None:
        raise ValueError(f"neighbours: expected none, as {scan.path} has groups already, got {neighbours}")
    return np.arange(len(scan.diffraction)).reshape(-1, scan.group)


def _normalization(diffraction: Frames) -> float:
    blocks = checked_blocks(diffraction, "a finite, non-negative amplitude", nonnegative=True)
    photons = math.fsum(float(np.square(block, dtype=np.float64).sum()) for block in blocks)
    if not 0 < photons < math.inf:
        got = "0 everywhere" if not photons else "amplitudes whose squares exceed double precision"
        raise diffraction.stored.error("light somewhere", got)
    return math.sqrt(math.prod(diffraction.frame) / 4 / (photons / len(diffraction)))


def _require(kind: type, name: str, expected: str, value: object) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected {expected}, got {type(value).__name__}")


def _positive(name: str, value: float) -> float:
    _require(Real, name, "a number", value)
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: expected a positive number, got {value}")
    return value
