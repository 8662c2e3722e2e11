"""The data sets of the grid-lines workflow, in memory: line objects under one probe, one exposure time for all.

Everything is drawn from the seed of the configuration: equal configurations give equal arrays, bit for bit.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ptycho.workflows.probes import ComplexArray
from ptycho.workflows.scan import Scan, grid_scan
from ptycho_exposures.datafile import GridLinesData
from ptycho_exposures.diffsim import illuminate_and_diffract
from ptycho_exposures.objects import SimulatedObject, lines, scan_patches

SIZES: Final = (64, 128, 256)
"""Pixels a side of a pattern that the networks are made for."""

GRIDSIZES: Final = (1, 2)
"""Patches a side of a group."""

SPLITS: Final = ("train", "test")
"""The data sets of a workflow, each of an object of its own."""

FORMAT: Final = "ptycho-grid-lines/1"
"""What `_metadata` calls the layout of the file."""

MOST_PIXELS: Final = 2**20
"""Along a side; far beyond what has room in memory, and small enough to be counted with."""

MOST_PHASE: Final = 100
"""Radians. The phases in a file are of single precision, which knows one of a hundred to 4·10⁻⁶."""

_CHUNK: Final = 2**20
"""Pixels that are exposed at a time, at least one group, which bounds the memory; the result does not depend on it."""

Patches: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class GridLinesConfig:
    """What is simulated. Lengths in pixels.

    Raises ValueError, naming the field, for values that no data set can be made of.
    """

    N: int
    """Pixels a side of a pattern: one of `SIZES`."""
    gridsize: int = 1
    """Patches a side of a group: one of `GRIDSIZES`."""
    object_size: int = 392
    """Pixels a side of each object."""
    step_train: int = 8
    """Between neighbouring groups of the training set."""
    step_test: int = 20
    """Between those of the test set."""
    offset: int = 4
    """Between neighbouring patches of a group."""
    jitter: int = 0
    """The most that a patch is off its grid, along either axis."""
    nphotons: float = 1e9
    """Photons in the mean pattern of the training set; the test set is exposed as long."""
    phase_span: float = math.pi
    """Largest minus smallest phase of each object, radians."""
    seed: int = 0
    """Of objects, jitter and photon noise."""

    def __post_init__(self) -> None:
        for name, value, known in (("N", self.N, SIZES), ("gridsize", self.gridsize, GRIDSIZES)):
            if value not in known:
                raise ValueError(f"{name}: expected one of {', '.join(map(str, known))}, got {value}")
        least = {"step_train": 1, "step_test": 1, "offset": 1, "jitter": 0, "seed": 0, "object_size": self._least_size}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name}: expected at least {bound}, got {getattr(self, name)}")
            if name != "seed" and getattr(self, name) > MOST_PIXELS:
                raise ValueError(f"{name}: expected at most {MOST_PIXELS}, got {getattr(self, name)}")
        for name, number in (("nphotons", self.nphotons), ("phase_span", self.phase_span)):
            if not (math.isfinite(number) and number > 0):
                raise ValueError(f"{name}: expected a positive finite number, got {number}")
        if self.phase_span > MOST_PHASE:
            raise ValueError(f"phase_span: expected at most {MOST_PHASE}, got {self.phase_span:g}")

    @property
    def _least_size(self) -> int:
        """Of an object that holds one group."""
        return self.N + (self.gridsize - 1) * self.offset + 2 * self.jitter

    def step(self, split: str) -> int:
        return self.step_train if split == "train" else self.step_test


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """What is exposed for one data set, before any light falls on it."""

    split: str
    object: SimulatedObject
    scan: Scan

    def patches(self, image: NDArray[np.float64], N: int) -> Iterator[Patches]:
        """The patches of an image of the object, (b, N, N, C) at a time, in single precision."""
        true = self.scan.true
        groups = max(1, _CHUNK // (N * N * true.shape[-1]))
        for start in range(0, len(true), groups):
            yield scan_patches(image, true[start : start + groups], (N, N)).astype(np.float32)


def prepare_specimens(config: GridLinesConfig) -> tuple[Specimen, ...]:
    """The object and the scan of each data set; the object does not depend on how it is scanned."""
    return tuple(_specimen(config, split) for split in SPLITS)


def simulate(
    config: GridLinesConfig,
    specimens: tuple[Specimen, ...],
    probe: ComplexArray,
    about_probe: str,
    advance: Callable[[int], None],
) -> dict[str, GridLinesData]:
    """The data set of each specimen under the probe, all with one intensity scale.

    Args:
        config: what to simulate.
        specimens: as `prepare_specimens` makes them.
        probe: (P, N, N), complex64, as `prepare_probe` makes it.
        about_probe: where it is from, for the metadata.
        advance: called with the number of groups that were exposed since.

    Raises:
        ValueError: more light than can be drawn as it is distributed.
    """
    scale = _intensity_scale(config, specimens[0], probe)
    try:
        return {one.split: _exposed(config, one, probe, scale, about_probe, advance) for one in specimens}
    except ValueError as error:
        raise ValueError(f"nphotons: expected light that can be counted, got {config.nphotons:g} ({error})") from error


def _specimen(config: GridLinesConfig, split: str) -> Specimen:
    made = lines((config.object_size,) * 2, _stream(config, split, "object"), config.phase_span)
    scan = grid_scan(
        config.object_size,
        config.N,
        step=config.step(split),
        gridsize=config.gridsize,
        offset=config.offset if config.gridsize > 1 else 0,
        jitter=config.jitter,
        rng=_stream(config, split, "jitter"),
    )
    return Specimen(split, made, scan)


def _stream(config: GridLinesConfig, split: str, purpose: str) -> np.random.Generator:
    """A random stream of its own for each purpose, so that a change of one leaves the others as they are."""
    key = (SPLITS.index(split), ("object", "jitter", "noise").index(purpose))
    return np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=key))


def _intensity_scale(config: GridLinesConfig, specimen: Specimen, probe: ComplexArray) -> float:
    """The scale that gives `nphotons` photons in the mean pattern; all that is behind the object is detected."""
    intensity = np.sum(np.abs(probe.astype(np.complex128)) ** 2, axis=0)
    energies: list[float] = []
    for amplitude in specimen.patches(specimen.object.amplitude, config.N):
        energies += np.einsum("bhwc,bhwc,hw->bc", amplitude, amplitude, intensity, dtype=np.float64).ravel().tolist()
    return math.sqrt(config.nphotons * len(energies) / math.fsum(energies))


def _exposed(
    config: GridLinesConfig,
    specimen: Specimen,
    probe: ComplexArray,
    scale: float,
    about_probe: str,
    advance: Callable[[int], None],
) -> GridLinesData:
    noise = _stream(config, specimen.split, "noise")
    amplitude, phase = specimen.object
    modes_last = np.moveaxis(probe, 0, -1)
    shape = (len(specimen.scan.true), config.N, config.N, config.gridsize**2)
    observed, illuminated, phases = (np.empty(shape, np.float32) for _ in range(3))
    chunks = zip(specimen.patches(amplitude, config.N), specimen.patches(phase, config.N), strict=True)
    start = 0
    for patch_amplitude, patch_phase in chunks:
        made = illuminate_and_diffract(patch_amplitude, patch_phase, modes_last, scale, seed=noise)
        chunk = slice(start, start + len(made.X))
        observed[chunk], illuminated[chunk], phases[chunk] = made.X, made.Y_I, made.Y_phi
        start = chunk.stop
        advance(len(made.X))
    return GridLinesData(
        diffraction=observed,
        Y_I=illuminated,
        Y_phi=phases,
        coords_nominal=specimen.scan.nominal.astype(np.float32),
        coords_true=specimen.scan.true.astype(np.float32),
        probe=probe,
        object=(amplitude * np.exp(1j * phase)).astype(np.complex64),
        intensity_scale=scale,
        metadata={"format": FORMAT, "split": specimen.split, "probe": about_probe, **asdict(config)},
    )
