"""Other code for the same moves, weights and orders of patches."""

from __future__ import annotations

from parity.contracts.changes import Arguments, Change, given, replaced, returning, then
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.wiring import own


def _transposed(xp: Namespace, x: Tensor) -> Tensor:
    return xp.swapped(x, -1, -2)


def _columns_first() -> Change:
    """Columns are interpolated first: the translation of the transposed patches by [y, x]."""
    turned = given(patches=_transposed, positions=lambda xp, x: xp.flip(x, -1))
    return then(turned, returning(lambda xp, x, a: _transposed(xp, x)))


def _mirrored() -> Change:
    """The patches in reverse order, which no sum over them can tell."""
    return given(patches=lambda xp, x: xp.flip(x, 1), positions=lambda xp, x: xp.flip(x, 1))


def _cut_after(xp: Namespace, a: Arguments) -> Tensor:
    """The whole canvas moved for each patch, and the middle cut out of it."""
    count = xp.shape(a.positions)[1]
    canvases = xp.take(a.canvas[:, None], xp.arange(count, a.positions) * 0, 1)
    moved = own(xp, "patches.translate")(patches=canvases, positions=a.positions)
    return own(xp, "patches.trim")(patches=moved, rows=a.rows, columns=a.columns)


def _merged_after(xp: Namespace, a: Arguments) -> Tensor:
    """Framed patches moved, then summed and divided by a reciprocal."""

    def placed(images: Tensor) -> Tensor:
        framed = own(xp, "patches.pad")(patches=images, rows=a.rows, columns=a.columns)
        return xp.sum(own(xp, "patches.translate")(patches=framed, positions=-a.positions), 1)

    ground = xp.broadcast_like(a.weight, xp.real(a.patches))
    cover = xp.real(placed(xp.complex(ground, xp.zeros_like(ground))))
    return xp.scaled(placed(xp.scaled(a.patches, a.weight)), 1 / (cover + 1e-3))


def _sum_of_squares(xp: Namespace, a: Arguments) -> Tensor:
    parts = xp.concat([xp.real(a.probe), xp.imag(a.probe)], 0)
    return xp.sum(xp.square(parts), 0)


def _offsets_averaged(xp: Namespace, a: Arguments) -> Tensor:
    """−(g − mean g), the sign taken last."""
    return -(a.positions - xp.sum(a.positions, 1, keepdims=True) / xp.size(a.positions, 1))


def _flat(xp: Namespace, a: Arguments) -> Tensor:
    shape = xp.shape(a.patches)
    return xp.reshape(a.patches, (shape[0] * shape[1], shape[2], shape[3]))


def _rows_then_columns(xp: Namespace, a: Arguments) -> Tensor:
    height, width = xp.shape(a.patches)[-2:]
    lines = a.patches[..., (height - a.rows) // 2 :, :][..., : a.rows, :]
    return lines[..., (width - a.columns) // 2 :][..., : a.columns]


REWRITES = (
    Rewrite(
        "patches.probe_weight", "parts", "real and imaginary parts are summed as one axis", replaced(_sum_of_squares)
    ),
    Rewrite("patches.translate", "columns-first", "columns are interpolated first", _columns_first()),
    Rewrite("patches.extract_patches", "trimmed-last", "canvases are moved, then trimmed", replaced(_cut_after)),
    Rewrite("patches.reassemble_patches", "reversed", "the patches are merged in reverse order", _mirrored()),
    Rewrite(
        "patches.reassemble_patches",
        "framed-first",
        "framed, moved, summed, divided",
        replaced(_merged_after),
    ),
    Rewrite("patches.relative_positions", "sign-last", "the sign is taken last", replaced(_offsets_averaged)),
    Rewrite("patches.channel_to_flat", "reshaped", "a reshape of groups and patches", replaced(_flat)),
    Rewrite(
        "patches.trim",
        "rows-then-columns",
        "rows are cut off, then columns",
        replaced(_rows_then_columns),
    ),
)
