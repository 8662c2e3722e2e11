"""Defects in the spectral convolution, most of them of frequencies: which are kept, and what they count."""

from __future__ import annotations

import math
from collections.abc import Callable

from parity.contracts.changes import Arguments, Change, given, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import number
from parity.faults.generated import Generated

_TARGET = "networks.spectral_convolve"

Sizes = Callable[[Namespace, Tensor, Tensor], Tensor]
"""A whole number, real, of the pixels along an axis and the frequencies that are kept of it."""


def negative_rows(xp: Namespace, height: Tensor, rows: Tensor) -> Tensor:
    """How many of the rows of frequencies are negative: half of them."""
    return xp.floor(rows / 2)


def counted(xp: Namespace, column: Tensor, width: Tensor) -> Tensor:
    """Twice each column frequency that is not its own negative."""
    own_negative = (column == 0) | (2 * column == width)
    return 2 - xp.cast_like(own_negative, column)


def by_matrices(
    xp: Namespace,
    a: Arguments,
    negative: Sizes = negative_rows,
    negative_behind: Sizes | None = None,
    counts: Sizes = counted,
) -> Tensor:
    """The spectral convolution as products of matrices, with so many negative rows of frequencies before and behind."""
    height, width = xp.shape(a.features)[-2:]
    rows, columns = xp.shape(a.weights)[-2:]
    row, column = xp.arange(rows, a.features), xp.arange(columns, a.features)
    pixels = number(xp, height, a.features), number(xp, width, a.features)
    across = _waves(xp, column, width, pixels[1])
    kept = pixels[0], number(xp, rows, a.features)
    down = _waves(xp, row - negative(xp, *kept), height, pixels[0])
    behind = _waves(xp, row - (negative_behind or negative)(xp, *kept), height, pixels[0])
    maps = a.features / (pixels[0] * pixels[1])
    spectrum = xp.matmul(xp.matmul(down, xp.complex(maps, xp.zeros_like(maps))), xp.swapped(across, 0, 1))
    made = xp.scaled(xp.sum(spectrum[:, :, None] * a.weights, 1), counts(xp, column, pixels[1]))
    return xp.real(xp.matmul(xp.matmul(xp.conj(xp.swapped(behind, 0, 1)), made), xp.conj(across)))


def _waves(xp: Namespace, frequency: Tensor, size: int, pixels: Tensor) -> Tensor:
    """e^{−2πi·k·x/N}, (frequencies, pixels); the turns are whole numbers before they are divided, and so exact."""
    turns = frequency[:, None] * xp.arange(size, frequency)
    angle = (turns - pixels * xp.floor(turns / pixels)) * (-2 * math.pi) / pixels
    return xp.complex(xp.cos(angle), xp.sin(angle))


def _with(**changed: Sizes) -> Change:
    return replaced(lambda xp, a: by_matrices(xp, a, **changed))


def _last_column_lost(xp: Namespace, weights: Tensor) -> Tensor:
    column = xp.arange(xp.shape(weights)[-1], weights)
    return xp.scaled(weights, xp.cast_like(column < xp.max(column), column))


FAULTS = (
    Fault(
        _TARGET,
        "corner",
        "only rows of non-negative frequencies are kept (a corner of the spectrum)",
        _with(negative=lambda xp, height, rows: 0 * rows),
        shows="two rows of frequencies",
    ),
    Fault(
        _TARGET,
        "one-further-on",
        "the rows of frequencies are one further on",
        _with(negative=lambda xp, height, rows: xp.floor(rows / 2) - 1),
    ),
    Fault(
        _TARGET,
        "more-positive-rows",
        "of an even number of rows the positive frequencies are in the majority",
        _with(negative=lambda xp, height, rows: xp.floor((rows - 1) / 2)),
        shows="an even number of rows of frequencies, not all that there are",
    ),
    Fault(
        _TARGET,
        "shifted-twice",
        "fftshift stands where ifftshift should (as in neuraloperator 2.0.0)",
        _with(
            negative_behind=lambda xp, height, rows: xp.floor(rows / 2) + height - 2 * xp.floor(height / 2),
        ),
        shows="an odd number of rows",
    ),
    Fault(
        _TARGET,
        "norm-on-neither-side",
        "the transform is unnormalised both ways",
        returning(lambda xp, x, a: x * xp.size(a.features, PLANE)),
        diagnosis=("the transform is unnormalised both ways", "the result is a factor HW too large"),
    ),
    Fault(
        _TARGET,
        "columns-once",
        "negative column frequencies are left out",
        _with(counts=lambda xp, column, width: 0 * column + 1),
        shows="two columns of frequencies",
    ),
    Fault(_TARGET, "last-column", "the last column of frequencies is left out", given(weights=_last_column_lost)),
    Fault(
        _TARGET,
        "nyquist-twice",
        "the column at half the sampling rate counts twice",
        _with(counts=lambda xp, column, width: 2 - xp.cast_like(column == 0, column)),
        shows="all columns of an even frame",
    ),
    Fault(_TARGET, "conjugated", "weights is conjugated", given(weights=lambda xp, x: xp.conj(x))),
    Fault(
        _TARGET,
        "rows-in-reverse",
        "the weights of the rows of frequencies are in reverse",
        given(weights=lambda xp, x: xp.flip(x, -2)),
        shows="two rows of frequencies",
    ),
    Generated(_TARGET, "weights-imaginary-part-detached", called="imaginary-part-detached"),
    Fault(
        _TARGET,
        "norm-on-both-sides",
        "the transform is normalised both ways",
        returning(lambda xp, x, a: x / xp.size(a.features, PLANE)),
        diagnosis=("the result is a factor HW too small",),
    ),
)
