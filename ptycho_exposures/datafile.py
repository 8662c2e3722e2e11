"""The files that the grid-lines workflow writes: their keys, and how they are written, read and checked.

| key | array |
|---|---|
| `diffraction` | (n, N, N) observed **amplitude**, float32: √counts divided by `intensity_scale`; never squared |
| `Y_I` | (n, N, N) amplitude \\|p·O\\| behind the object, float32, divided by the same `intensity_scale` |
| `Y_phi` | (n, N, N) phase of the object in each patch, radians, float32 |
| `coords_nominal` | (n, 1, 2, C) top-left corners [x, y] of the patches on the object, pixels, float32: as meant |
| `coords_true` | (n, 1, 2, C) as they were: patch = `YY_full[y : y + N, x : x + N]` |
| `probeGuess` | (N, N) probe, complex64; (P, N, N) with several modes |
| `YY_full` | (M, M) the whole object, complex64 |
| `norm_Y_I` | () factor that gives `diffraction` a mean square of 1/4, float64; `Y_I` is to be multiplied by it too |
| `intensity_scale` | () √photons a unit of `diffraction` and `Y_I`, float64 |
| `_metadata` | () how it was made: JSON, as a string |
| `xcoords`, `ycoords` | (n,) columns and rows of `coords_true`, float32; with one patch a group alone |

A pattern is a group of C = gridsize² patches. With C > 1 the three patch arrays are (n, N, N, C), c = row·gridsize +
column, the order of axes of `ptycho`. With C = 1 the file also has the keys of an experiment's.
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.archive import read_array, require, require_keys, write_archives
from ptycho_exposures.diffsim import check_scaled_alike, count_photons
from ptycho_exposures.npz import Archive
from ptycho_exposures.scanfile import (
    COORDINATES,
    DIFFRACTION,
    METADATA,
    NOMINAL,
    NORM,
    OBJECT,
    PROBE,
    SCALE,
    TARGETS,
    TRUE,
    Y_PHI,
)

RealArray: TypeAlias = NDArray[np.floating[Any]]
ComplexArray: TypeAlias = NDArray[np.complexfloating[Any, Any]]

PATCH_KEYS: Final = (DIFFRACTION[0], *TARGETS)
METADATA_KEY: Final = METADATA[1]
KEYS: Final = (*PATCH_KEYS, NOMINAL, TRUE, PROBE, OBJECT, NORM, SCALE, METADATA_KEY)
"""What every file has, in the order in which it is written."""

COUNTS: Final = "which looks like counts: store their square root"
"""What whole numbers are taken for where amplitudes are expected."""


@dataclass(frozen=True, slots=True, eq=False)
class GridLinesData:
    """The content of a file: n groups of C patches of N × N pixels, in the layout of `ptycho`."""

    diffraction: RealArray
    """(n, N, N, C) observed amplitude, √photons divided by `intensity_scale`."""
    Y_I: RealArray
    """(n, N, N, C) amplitude |p·O|, divided by the same scale."""
    Y_phi: RealArray
    """(n, N, N, C) phase of the object, radians."""
    coords_nominal: RealArray
    """(n, 1, 2, C) corners [x, y] as they were meant, pixels."""
    coords_true: RealArray
    """(n, 1, 2, C) corners [x, y] as they were, pixels."""
    probe: ComplexArray
    """(P, N, N) modes."""
    object: ComplexArray
    """(M, M) the whole object."""
    intensity_scale: float
    """√photons a unit of `diffraction` and `Y_I`."""
    metadata: Mapping[str, Any]
    """How it was made; what JSON can hold."""

    @property
    def norm(self) -> float:
        """√((N²/4) / mean Σ X²), which is `norm_Y_I`: times this, `diffraction` has a mean square of 1/4."""
        return amplitude_norm(self.diffraction)

    @property
    def nphotons(self) -> float:
        """Photons in the mean pattern, as they were counted."""
        return float(count_photons(self.diffraction).mean()) * self.intensity_scale**2

    def check(self) -> None:
        """Raise ValueError if X and Y_I were not divided alike; wrongly so with a probability of 10⁻⁹ at most."""
        check_scaled_alike(self.diffraction, self.Y_I, self.intensity_scale)


def amplitude_norm(diffraction: NDArray[Any]) -> float:
    """√((H·W/4) / mean Σ X²) of patterns (n, H, W, C): the factor of amplitude normalisation, as `ptycho.scaling` has.

    Raises ValueError if there is no light at all, and as `ptycho_exposures.diffsim.count_photons`.
    """
    _, height, width, _ = diffraction.shape
    photons = float(count_photons(diffraction).mean())
    if not photons > 0:
        raise ValueError(f"diffraction: expected some light, got only zeros, shape {diffraction.shape}")
    return math.sqrt(height * width / 4 / photons)


def write_datafiles(files: Mapping[Path, GridLinesData]) -> None:
    """Write files whole, and none before all could be written. Equal data give equal bytes.

    Raises:
        ValueError: X and Y_I that were not divided alike.
        OSError: a file cannot be written; it is named.
    """
    for data in files.values():
        data.check()
    write_archives({path: _arrays(data) for path, data in files.items()})


def read_datafile(path: str | os.PathLike[str]) -> GridLinesData:
    """Read and check the file at `path`.

    Raises:
        DataError: no such file, one that cannot be read, or without one of `KEYS`; an array of another type, shape
            or with values it cannot have (negative, NaN, patches outside the object, X and Y_I not divided alike).
    """
    with Archive.open(Path(path)) as archive:
        require_keys(archive, KEYS)
        patches = [_patches(archive, key) for key in PATCH_KEYS]
        diffraction, illuminated, phase = patches
        for key, array in zip(PATCH_KEYS[1:], patches[1:], strict=True):
            if array.shape != diffraction.shape:
                raise archive.error(key, f"the shape of diffraction, {diffraction.shape}", array.shape)
        whole = _object(archive, diffraction.shape[1])
        nominal, true = (_coordinates(archive, key, diffraction.shape, len(whole)) for key in (NOMINAL, TRUE))
        data = GridLinesData(
            diffraction=diffraction,
            Y_I=illuminated,
            Y_phi=phase,
            coords_nominal=nominal,
            coords_true=true,
            probe=_probe(archive, diffraction.shape[1]),
            object=whole,
            intensity_scale=_positive(archive, SCALE),
            metadata=_metadata(archive),
        )
        _check_scales(archive, data)
        _check_positions(archive, data)
        return data


def _arrays(data: GridLinesData) -> dict[str, NDArray[Any]]:
    arrays = {
        **{key: _squeezed(getattr(data, key).astype(np.float32, copy=False)) for key in PATCH_KEYS},
        **{key: getattr(data, key).astype(np.float32) for key in (NOMINAL, TRUE)},
        PROBE: data.probe.astype(np.complex64)[0 if len(data.probe) == 1 else slice(None)],
        OBJECT: data.object.astype(np.complex64),
        NORM: np.array(data.norm),
        SCALE: np.array(data.intensity_scale),
        METADATA_KEY: np.array(json.dumps(dict(data.metadata), sort_keys=True, ensure_ascii=False)),
    }
    if data.coords_true.shape[-1] == 1:
        columns_and_rows = data.coords_true[:, 0, :, 0].astype(np.float32)
        arrays |= {key: columns_and_rows[:, axis] for axis, key in enumerate(COORDINATES)}
    return arrays


def _squeezed(patches: RealArray) -> RealArray:
    return patches[..., 0] if patches.shape[-1] == 1 else patches


def _patches(archive: Archive, key: str) -> RealArray:
    """Patches (n, N, N, C), of one each where there are three axes."""
    expected = "a float phase" if key == Y_PHI else "a float amplitude"
    array = read_array(archive, key, "f", expected, whole="" if key == Y_PHI else COUNTS)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4 or array.shape[1] != array.shape[2] or math.isqrt(array.shape[3]) ** 2 != array.shape[3]:
        raise archive.error(key, "shape (n, N, N), or (n, N, N, C) with C a square", array.shape)
    if key != Y_PHI:
        require(archive, key, array, array >= 0, "a non-negative amplitude")
    return array


def _object(archive: Archive, N: int) -> ComplexArray:
    whole = read_array(archive, OBJECT, "c", "a complex object")
    if whole.ndim != 2 or whole.shape[0] != whole.shape[1] or len(whole) < N:
        raise archive.error(OBJECT, f"shape (M, M), M at least {N}", whole.shape)
    return whole


def _coordinates(archive: Archive, key: str, patches: tuple[int, ...], size: int) -> RealArray:
    array = read_array(archive, key, "iuf", "real coordinates in pixels")
    groups, N, _, channels = patches
    if array.shape != (groups, 1, 2, channels):
        raise archive.error(key, f"shape {(groups, 1, 2, channels)}, as the patterns are", array.shape)
    expected = f"a whole pixel, the patch on the object, from 0 to {size - N}"
    require(archive, key, array, (array >= 0) & (array <= size - N) & (array == np.round(array)), expected)
    return array


def _probe(archive: Archive, N: int) -> ComplexArray:
    probe = read_array(archive, PROBE, "c", "a complex probe")
    probe = probe[np.newaxis] if probe.ndim == 2 else probe
    if not probe.any():
        raise archive.error(PROBE, "some light", "only zeros")
    if probe.ndim != 3 or probe.shape[1:] != (N, N):
        raise archive.error(PROBE, f"shape ({N}, {N}) or (P, {N}, {N}), the size of the patterns", probe.shape)
    return probe


def _positive(archive: Archive, key: str) -> float:
    array = read_array(archive, key, "iuf", "a number")
    if array.shape != () or not array > 0:
        raise archive.error(key, "one positive number", f"{array} of shape {array.shape}")
    return float(array)


def _metadata(archive: Archive) -> Mapping[str, Any]:
    text = read_array(archive, METADATA_KEY, "U", "a JSON object as a string")
    try:
        found = json.loads(str(text))
    except ValueError as error:
        raise archive.error(METADATA_KEY, "a JSON object as a string", f"text that is none ({error})") from error
    if not isinstance(found, dict):
        raise archive.error(METADATA_KEY, "a JSON object as a string", f"JSON of another kind ({text})")
    return MappingProxyType(found)


def _check_positions(archive: Archive, data: GridLinesData) -> None:
    """Refuse columns and rows, where there are any, that are not those of `coords_true`."""
    for axis, key in enumerate(COORDINATES):
        if key in archive.keys:
            found, true = read_array(archive, key, "iuf", "real coordinates in pixels"), data.coords_true[:, 0, axis, 0]
            if data.coords_true.shape[-1] > 1 or not np.array_equal(found, true):
                raise archive.error(key, f"what {TRUE} has of single patches", f"others, of shape {found.shape}")


def _check_scales(archive: Archive, data: GridLinesData) -> None:
    """Refuse X and Y_I that were not divided alike, and a norm that is another file's."""
    try:
        data.check()
        norm = data.norm
    except (TypeError, ValueError) as error:
        raise archive.error("diffraction, Y_I", "amplitudes divided by one scale", f"others ({error})") from error
    found = _positive(archive, NORM)
    if not math.isclose(found, norm, rel_tol=float(np.finfo(data.diffraction.dtype).eps)):
        raise archive.error(NORM, f"{norm:.9g}, that of the diffraction", f"{found:.9g}")
