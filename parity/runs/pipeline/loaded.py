"""What a stack's own loader gives, as canonical arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.repository import import_stack
from parity.physics.kinds import AMPLITUDE, POSITIONS, PROBE, Kind
from parity.physics.precision import Precision
from parity.runs.pipeline.expected import FileReading
from parity.stacks.base import Framework, StackError, stack_at_work
from ptycho_exposures.npz import DataError

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Loader:
    """A stack's `PtychoDataset`, open."""

    framework: Framework
    dataset: Any
    precision: Precision

    def read(self, reading: FileReading) -> Arrays:
        """What is in the file. Raises StackError for whatever the stack raises, as the others do."""
        with stack_at_work():
            scan = self.dataset.scan
            raw = np.asarray(scan.diffraction.read(reading.exposures), np.float64)
            found = {
                "diffraction": self.precision.round(raw),
                "scan": self.precision.round(np.asarray(scan.positions)),
                "probe": self._canonical(PROBE, self.dataset.probe),
            }
            if self._known_scale is not None:
                found["intensity_scale"] = self._number(self._known_scale)
            return found

    def group(self, reading: FileReading) -> Arrays:
        """Who belongs to whom, and where they lie."""
        with stack_at_work():
            batch = self.dataset.batch(reading.chosen)
            return {
                "groups": np.asarray(self.dataset.groups).astype(self.precision.real),
                "positions": self._canonical(POSITIONS, batch["positions"]),
                "centres": np.asarray(batch["centres"]),
            }

    def normalise(self, reading: FileReading) -> Arrays:
        """How bright it is: for the network, in photons, and what the light of the probe is to be multiplied by."""
        with stack_at_work():
            images = self._canonical(AMPLITUDE, self.dataset.batch(reading.chosen)["amplitude"])
            known, normalization = self._known_scale, float(self.dataset.normalization)
            light = float(np.sum(np.abs(np.asarray(self.dataset.probe, np.complex128)) ** 2))
            pixels = int(np.prod(self.dataset.scan.diffraction.frame))
            scale = np.sqrt(pixels / 4 / light) / normalization if known is None else known
            unit = 1.0 if known is None else known
            return {
                "normalization": self._number(normalization),
                "images": images,
                "observed": images * self._number(unit / normalization),
                "log_scale": self._number(np.log(scale)),
            }

    @property
    def _known_scale(self) -> float | None:
        known: float | None = self.dataset.scan.scales.get("intensity_scale")
        return known

    def _number(self, value: float) -> NDArray[Any]:
        return np.asarray(value, self.precision.real)

    def _canonical(self, kind: Kind, tensor: Any) -> NDArray[Any]:
        """In canonical layout; what is of another rank is left for the judge to name."""
        array = np.asarray(tensor)
        layout = self.framework.stack.framework
        return kind.from_framework(layout, array) if kind.is_laid_out(layout, array) else array


def open_all(
    frameworks: tuple[Framework, ...], path: Path, gridsize: int | None, seed: int, precision: Precision
) -> Mapping[str, Loader | StackError]:
    """The loader of each stack, by name, or what it raised where another stack's did not raise the same.

    Raises CheckNotMade, in the loaders' own words, for a file that all of them refuse alike, and UsageError for an
    argument that they do.
    """
    found: dict[str, Loader | StackError] = {}
    refusals: dict[str, ValueError] = {}
    for framework in frameworks:
        try:
            with stack_at_work():
                found[framework.name] = Loader(
                    framework, _opened(framework, path, gridsize, seed, precision), precision
                )
        except StackError as error:
            found[framework.name] = error
            if isinstance(error.__cause__, ValueError):
                refusals[framework.name] = error.__cause__
    if len(refusals) == len(frameworks) and len({str(refusal) for refusal in refusals.values()}) == 1:
        refusal = next(iter(refusals.values()))
        # What a DataError refuses is the file, any other ValueError an argument.
        refused = CheckNotMade if isinstance(refusal, DataError) else UsageError
        raise refused(str(refusal))
    return found


def _opened(framework: Framework, path: Path, gridsize: int | None, seed: int, precision: Precision) -> Any:
    dataset = import_stack(f"{framework.stack.package}.dataloader").PtychoDataset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a compressed file, which is read all the same
        return dataset(path, gridsize=gridsize, seed=seed, precision=precision.real)
