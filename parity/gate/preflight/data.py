"""What a data set holds: amplitudes, X and Y_I scaled alike, and whose reader takes it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import CheckNotMade
from parity.contracts.cases.datasets import DatasetError, read_dataset
from parity.gate.preflight.counts import PixelNature, are_counts, nature
from parity.gate.preflight.findings import PreflightFinding, PreflightOutcome
from ptycho_exposures.archive import read_array, require
from ptycho_exposures.datafile import KEYS, read_datafile
from ptycho_exposures.diffsim import check_scaled_alike, count_photons
from ptycho_exposures.npz import Archive, DataError, UnreadableError
from ptycho_exposures.scanfile import COORDINATES, DIFFRACTION, NOMINAL, PROBE, SCALE, TRUE, Y_I, Scan, read_scan

EXPERIMENT_KEYS = (PROBE, *COORDINATES)
"""What an experiment's file has beside its diffraction."""

_SAID = {
    PixelNature.COUNTS: (
        PreflightOutcome.FAILED,
        "photon counts: {type}, all whole multiples of a unit; store their square root, the amplitude",
    ),
    PixelNature.AMPLITUDES: (
        PreflightOutcome.PASSED,
        "amplitudes: {type}, whose squares are whole multiples of a unit",
    ),
    PixelNature.EITHER: (PreflightOutcome.PASSED, "0 and one other value: amplitudes and counts are the same"),
    PixelNature.UNTOLD: (
        PreflightOutcome.NOT_CHECKED,
        "{type}, neither counts nor their square roots: whether they are amplitudes cannot be told from the values",
    ),
}


def data_findings(path: Path) -> list[PreflightFinding]:
    """What there is to say of the .npz file at `path`.

    Raises CheckNotMade if it is not there, is damaged, or has no diffraction.
    """
    try:
        with Archive.open(path) as archive:
            key = next((key for key in DIFFRACTION if key in archive.keys), DIFFRACTION[0])
            if key not in archive.keys:
                present = ", ".join(archive.keys) or "no array"
                raise CheckNotMade(f"{path}: {' or '.join(DIFFRACTION)}: expected to find this key, got only {present}")
            return list(_findings(path, archive, key))
    except UnreadableError as error:
        raise CheckNotMade(str(error)) from error


def _findings(path: Path, archive: Archive, key: str) -> Iterator[PreflightFinding]:
    try:
        diffraction = _amplitudes(archive, key, "iuf")
    except UnreadableError:
        raise
    except DataError as error:
        yield PreflightFinding(key, PreflightOutcome.FAILED, str(error))
        return
    alike = _scaled_alike(archive, diffraction) if Y_I in archive.keys else None
    yield _what_it_is(key, diffraction, alike)
    yield alike or PreflightFinding("X and Y_I", PreflightOutcome.NOTED, f"no {Y_I}, as an experiment has none")
    yield _taken(path, archive.keys)


def _amplitudes(archive: Archive, key: str, kinds: str) -> NDArray[Any]:
    array = read_array(archive, key, kinds, "non-negative numbers")
    require(archive, key, array, array >= 0, "non-negative numbers")
    return array


def _what_it_is(key: str, diffraction: NDArray[Any], alike: PreflightFinding | None) -> PreflightFinding:
    """Whether the diffraction is of amplitudes: by its values, or else by the energy behind the object."""
    if not diffraction.any():
        return PreflightFinding(key, PreflightOutcome.FAILED, f"no light: only zeros, shape {diffraction.shape}")
    found = nature(diffraction)
    if found is PixelNature.UNTOLD and alike is not None and alike.outcome is PreflightOutcome.PASSED:
        return PreflightFinding(
            key, PreflightOutcome.PASSED, f"amplitudes: {diffraction.dtype}, which have the energy of {Y_I}"
        )
    outcome, said = _SAID[found]
    return PreflightFinding(key, outcome, said.format(type=diffraction.dtype))


def _scaled_alike(archive: Archive, diffraction: NDArray[Any]) -> PreflightFinding:
    """Whether Σ X² is Σ Y_I² but for photon noise, whose size takes the intensity scale."""
    subject = "X and Y_I"
    try:
        illuminated = _amplitudes(archive, Y_I, "f")
        if SCALE not in archive.keys:
            return PreflightFinding(
                subject, PreflightOutcome.NOT_CHECKED, f"no {SCALE}: how large photon noise may be is not known"
            )
        scale = float(read_array(archive, SCALE, "iuf", "a number").item())
        patterns, behind = (_in_groups(archive, array) for array in (diffraction, illuminated))
        check_scaled_alike(patterns, behind, scale)
    except UnreadableError:
        raise
    except (ValueError, TypeError) as error:
        return PreflightFinding(subject, PreflightOutcome.FAILED, str(error))
    if nature(diffraction) is PixelNature.AMPLITUDES and not are_counts(np.square(scale * diffraction)):
        said = f"{SCALE}: expected s with which (s·X)² are counts, as squares of X are multiples of a unit, got "
        return PreflightFinding(subject, PreflightOutcome.FAILED, f"{said}{scale:.6g}")
    photons = float(count_photons(patterns).mean()) * scale**2
    return PreflightFinding(
        subject, PreflightOutcome.PASSED, f"divided by one scale, {scale:.6g}: {photons:.4g} photons a pattern"
    )


def _in_groups(archive: Archive, array: NDArray[Any]) -> NDArray[Any]:
    """(B, H, W, C), the axes as the coordinates tell them, or, where there are none, as the workflow writes them."""
    try:
        axes = _scan(archive.path, archive.keys).diffraction.axes
    except UnreadableError:
        raise
    except DataError:
        axes = (0, 3, 1, 2) if array.ndim == 4 else (0, 1, 2)
    ordered = array.transpose(axes)
    return np.moveaxis(ordered, 1, -1) if array.ndim == 4 else ordered[..., np.newaxis]


def _scan(path: Path, keys: tuple[str, ...]) -> Scan:
    return read_scan(path, TRUE if TRUE in keys and NOMINAL not in keys else NOMINAL)


def _taken(path: Path, keys: tuple[str, ...]) -> PreflightFinding:
    """Which reader takes the file: that of the grid-lines workflow, that of experiments, or the loaders' alone."""
    missing = [key for key in KEYS if key not in keys]
    try:
        if not missing:
            data = read_datafile(path)
            groups, N, _, patches = data.diffraction.shape
            gridsize = math.isqrt(patches)
            return PreflightFinding(
                "file", PreflightOutcome.PASSED, f"grid lines: {groups:,} groups, N = {N}, gridsize = {gridsize}"
            )
        if all(key in keys for key in EXPERIMENT_KEYS):
            said = "{:,} patterns of {} × {}".format(*read_dataset(path).diffraction.shape)
            return PreflightFinding("file", PreflightOutcome.PASSED, f"an experiment: {said}")
        if PROBE in keys and (NOMINAL in keys or TRUE in keys):
            scan = _scan(path, keys)
            said = "{:,} patterns of {} × {}".format(len(scan.diffraction), *scan.diffraction.frame)
            return PreflightFinding("file", PreflightOutcome.PASSED, f"a scan: {said}, in groups of {scan.group}")
    except UnreadableError:
        raise
    except (DataError, DatasetError) as error:
        return PreflightFinding("file", PreflightOutcome.FAILED, str(error))
    lacking = [key for key in EXPERIMENT_KEYS if key not in keys]
    return PreflightFinding(
        "file",
        PreflightOutcome.FAILED,
        f"no reader takes it: an experiment's has {', '.join(lacking)} too, that of the grid-lines workflow "
        f"{', '.join(missing)}",
    )
