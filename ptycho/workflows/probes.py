"""The probe of a workflow: simulated or from a file, brought to the detector's size and normalised.

NumPy alone. The shapes and the normalisation are those of `ptycho.probe`, which is held to an oracle, and the tests
hold these to that. Axes: P modes, N pixels a side.
"""

import math
import os
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.archive import read_array, require_keys
from ptycho_exposures.npz import Archive
from ptycho_exposures.scanfile import PROBE

ComplexArray: TypeAlias = NDArray[np.complexfloating[Any, Any]]

SIMULATED: Final = ("disk", "gaussian")
"""The probes that need no file."""


def make_probe(name: str, N: int) -> ComplexArray:
    """A simulated probe (1, N, N), complex128, dimensionless, most of its light within N/4 of the middle.

    disk: amplitude 1 where r < N/4, 0 elsewhere. A single pattern then has far more pixels than the lit part of the
    object, and its edge, which is known, leaves few other objects that would give the pattern.
    gaussian: amplitude exp(−r² / 2w²) with w = N/8. It has no edge: objects that are quite different, in phase above
    all, give patterns that are all but the same, and overlapping patches must decide.

    Both have a wavefront curved by the phase π·r² / N, as so far out of focus that the detector has a shadow of the
    object as large as the object: what lies at r is seen about r from the middle of the pattern. In focus an object
    and its mirrored conjugate would give the same pattern.

    Raises ValueError for another name.
    """
    radius_squared = _radius_squared(N)
    wavefront = np.exp(1j * math.pi / N * radius_squared)
    if name == "disk":
        return ((radius_squared < (N / 4) ** 2) * wavefront)[np.newaxis]
    if name == "gaussian":
        return (np.exp(-0.5 / (N / 8) ** 2 * radius_squared) * wavefront)[np.newaxis]
    raise ValueError(f"probe: expected {' or '.join(SIMULATED)}, or an .npz file that holds {PROBE}, got {name!r}")


def read_probe(path: str | os.PathLike[str]) -> ComplexArray:
    """The probe (P, n, n) that the .npz file at `path` holds as `probeGuess`, (n, n) or (P, n, n).

    Raises:
        DataError: no such file, one that cannot be read, or a probe that is not complex, square, finite and lit.
    """
    with Archive.open(Path(path)) as archive:
        require_keys(archive, [PROBE])
        probe = read_array(archive, PROBE, "c", "a complex probe")
        if probe.ndim == 2:
            probe = probe[np.newaxis]
        if probe.ndim != 3 or probe.shape[1] != probe.shape[2]:
            raise archive.error(PROBE, "shape (P, n, n) or (n, n)", probe.shape)
        if not probe.any():
            raise archive.error(PROBE, "some light", "only zeros")
        return probe


def prepare_probe(probe: ComplexArray, N: int) -> ComplexArray:
    """The probe (P, N, N), complex64, as it is simulated with and stored: padded to the detector, then normalised.

    A smaller probe gets a border of zeros, which leaves its pixels as large as they are on the object. It is divided
    by the mean of |mask·p| over all pixels and modes, the mask 1 where r < N/4, so that amplitudes behind it do not
    depend on how bright a file's probe is.

    Args:
        probe: (P, n, n), complex, n ≤ N and of the parity of N.
        N: pixels a side of a pattern.

    Raises:
        ValueError: a probe that cannot be padded to N, or one without light where the mask is 1.
    """
    size = probe.shape[-1]
    if size > N or (N - size) % 2:
        raise ValueError(f"probe: expected at most {N} pixels a side, and an even number less, got {size}")
    border = (N - size) // 2
    padded = np.pad(probe.astype(np.complex128), ((0, 0), (border, border), (border, border)))
    mean = float(np.mean(np.abs(padded) * (_radius_squared(N) < (N / 4) ** 2)))
    if not mean > 0:
        raise ValueError(f"probe: expected some light nearer than {N // 4} pixels to the middle, got none")
    return (padded / mean).astype(np.complex64)


def _radius_squared(N: int) -> NDArray[np.float64]:
    """r² on the half-pixel-centred grid, pixels², (N, N)."""
    squares = (np.arange(N) - (N - 1) / 2) ** 2
    return squares[:, np.newaxis] + squares
