"""Other ways to group exposures, and to scale them."""

from __future__ import annotations

from parity.contracts.changes import Arguments, given, replaced
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.wiring import own, some

_GROUPING = ("scan", "gridsize", "neighbours", "seed")


def _gathered(xp: Namespace, x: Tensor, a: Arguments) -> Tensor:
    """What belongs to the exposures (A, …) of each group, (A, C, …)."""
    groups = own(xp, "dataloader.neighbour_groups")(**some(a, *_GROUPING))
    count, size = xp.shape(groups)
    return xp.reshape(xp.take(x, xp.reshape(groups, (count * size,)), 0), (count, size, *xp.shape(x)[1:]))


def _offsets_averaged(xp: Namespace, a: Arguments) -> Tensor:
    """−(g − mean g), the sign taken last."""
    grouped = _gathered(xp, a.scan, a)
    return -(grouped - xp.mean(grouped, 1, keepdims=True))


def _scaled_afterwards(xp: Namespace, a: Arguments) -> Tensor:
    """The exposures are put together first, and divided by twice the root mean square of the scan."""
    exposures = xp.cast(a.diffraction, "float64") if "int" in str(a.diffraction.dtype) else a.diffraction
    return _gathered(xp, exposures, a) / (2 * xp.sqrt(xp.mean(xp.square(exposures))))


REWRITES = (
    Rewrite(
        "dataloader.neighbour_groups",
        "half-pixels",
        "distances are in half pixels",
        given(scan=lambda xp, scan: 2 * scan),
    ),
    Rewrite("dataloader.group_positions", "sign-last", "the sign is taken last", replaced(_offsets_averaged)),
    Rewrite("dataloader.group_amplitudes", "scaled-last", "the scale comes last", replaced(_scaled_afterwards)),
)
